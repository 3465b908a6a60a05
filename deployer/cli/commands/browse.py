"""Commands that look into the registry and delete from it: catalog, tags, inspect, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.commands.upkeep import WAIT, WaitOption, delete_repositories
from deployer.cli.session import DryRunOption, JsonOption, Session, YesOption, command
from deployer.errors import EXIT_FAILURE, UsageError

if TYPE_CHECKING:
    from deployer.registry.client import RegistryClient
    from deployer.registry.content.documents import Document
    from deployer.registry.login.credentials import Credentials
    from deployer.workflows.images.browse import TagOrder
    from deployer.workflows.images.deletion import DeletionOutcome

_CATALOG_EXAMPLE = "Example: `deployer catalog --tags 'team/*'` shows what the team has pushed, and when."
_TAGS_EXAMPLE = "Example: `deployer tags centos --sort created` puts the newest first."
_INSPECT_EXAMPLE = "Example: `deployer inspect centos:7-git`; add --headers and --raw to see it as `curl -i` does."
_DELETE_EXAMPLE = "Example: `deployer delete centos:7-git` removes that tag, and no other."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_CATALOG_EXAMPLE)(catalog)
    command(app, epilog=_TAGS_EXAMPLE)(tags)
    command(app, epilog=_INSPECT_EXAMPLE)(inspect)
    command(app, epilog=_DELETE_EXAMPLE)(delete)


def catalog(
    session: Session,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATTERN", help="Names to show; * matches anything.", show_default=False),
    ] = None,
    with_tags: Annotated[bool, typer.Option("--tags", help="Show the tags too, with their sizes and ages.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the repositories."""
    from deployer.cli.views import browse as views
    from deployer.printable import one_line
    from deployer.workflows.images import browse

    with registry_of(session) as client:
        found = browse.list_catalog(client, patterns or ())
        repositories = browse.list_everything(client, found.repositories) if with_tags else None
    if repositories is not None and as_json:
        session.out.json({"repositories": [views.repository_json(one) for one in repositories]})
    elif repositories is not None:
        views.print_tree(session.out, repositories)
        views.note_attached(session.out, repositories)
    elif as_json:
        session.out.json({"repositories": list(found.repositories)})
    elif found.repositories:
        session.out.line("\n".join(map(one_line, found.repositories)))
    if not found.total:
        session.out.note(f"The registry at {session.settings.address} is empty. Push an image: deployer push IMAGE")
    elif not found.repositories:
        session.out.note(f"None of its {found.total} repositories matches.")
    views.warn_of_repositories(session.out, repositories or ())
    _fail_if(not all(one.is_whole for one in repositories or ()))


def tags(
    session: Session,
    repository: Annotated[
        str, typer.Argument(metavar="NAME", help="A repository, such as centos.", show_default=False)
    ],
    order: Annotated[str, typer.Option("--sort", metavar="name|created|size", help="What comes first.")] = "name",
    attached: Annotated[
        bool, typer.Option("--attached", help="Show tags too that only attach something to an image.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List a repository's tags: digest, size, platforms, age.

    The size is what the registry keeps, compressed; of a multi-platform image, all platforms together. The
    age is that of the push where an image says no real time of its creation, as reproducible builds do.
    Signatures, attestations, SBOMs and the like (sha256-….sig) are listed with --attached alone.
    """
    from deployer.cli.views import browse as views
    from deployer.workflows.images import browse

    with registry_of(session) as client:
        found = browse.list_tags(client, repository, _order(order))
    if as_json:
        session.out.json(views.repository_json(found))
    elif found.tags or found.unread:
        views.print_tags(session.out, found, with_attached=attached)
    if not found.tags and not found.unread:
        session.out.note(f"The repository '{found.name}' has no tags.")
    if not attached and not as_json:
        views.note_attached(session.out, (found,))
    views.warn_of_repositories(session.out, (found,))
    _fail_if(not found.is_whole)


def inspect(
    session: Session,
    reference: Annotated[str, typer.Argument(metavar="IMAGE", help="NAME[:TAG] or NAME@DIGEST.", show_default=False)],
    raw: Annotated[bool, typer.Option("--raw", help="Print the manifest, byte for byte.")] = False,
    headers: Annotated[bool, typer.Option("--headers", help="Print the answer's status and headers.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one image: digest, size, platforms, layers, configuration.

    Without a tag it is the tag latest. A manifest can be checked against its digest:
    deployer inspect --raw NAME | sha256sum
    """
    from deployer.cli.views import browse as views
    from deployer.registry.connection.transport import ANSWER_LIMIT
    from deployer.workflows.images import browse

    if as_json and (raw or headers):
        raise UsageError("--json goes neither with --raw nor with --headers.", ("Choose one of them.",))
    with registry_of(session) as client:
        if raw or headers:
            _, document = browse.fetch_as_stored(client, reference, ANSWER_LIMIT)
            _write_answer(session, document, headers=headers, raw=raw)
            return
        found = browse.inspect(client, reference)
    if as_json:
        session.out.json(views.inspection_json(found))
    else:
        views.print_inspection(session.out, found, session.settings.address)
    views.warn_of_tag(session.out, str(found.reference), found.tag)
    if found.fault:
        raise found.fault


def delete(
    session: Session,
    references: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="NAME:TAG or NAME@DIGEST; with --repository NAME.", show_default=False),
    ],
    repository: Annotated[
        bool,
        typer.Option("--repository", help="Remove whole repositories; on the machine that runs the registry."),
    ] = False,
    wait: WaitOption = WAIT,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete tags, or manifests with all their tags.

    NAME:TAG removes that tag only; the image stays where another tag names it. NAME@DIGEST removes
    the manifest, and every tag that points to it. --repository NAME removes the repository with all
    its images, and nothing that is beside or below it; pushes wait for a moment.
    """
    if repository:
        session.require_deployment(session.engine)
        delete_repositories(session, references, wait=wait, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    from deployer.cli.views import deletion as views
    from deployer.workflows.images import deletion

    with registry_of(session) as client:
        plan = deletion.plan_deletion(client, references)
        tell = session.out.line if dry_run and not as_json else session.out.note
        for removal in plan.removals:
            for line in views.removal_lines(removal):
                tell(line)
            for warning in views.removal_warnings(removal):
                session.out.warn(warning)
        outcomes: tuple[DeletionOutcome, ...] = ()
        if not dry_run:
            names = [removal.name for removal in plan.removals]
            session.out.confirm(f"Delete {names[0] if len(names) == 1 else f'these {len(names)}'}?", yes=yes)
            on_done = None if as_json else lambda outcome: views.print_outcome(session.out, outcome)
            outcomes = deletion.apply_plan(client, plan, on_done=on_done)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if as_json:
        session.out.json(views.deletion_json(plan, outcomes, dry_run=dry_run))
        for outcome in failed:
            views.print_failure(session.out, outcome)
    if dry_run:
        session.out.note("Dry run: nothing was changed.")
    elif len(failed) < len(outcomes):
        session.out.note(views.space_note(outcomes))
    _fail_if(bool(failed))


def _order(text: str) -> TagOrder:
    from deployer.workflows.images.browse import ORDERS

    for known in ORDERS:
        if text == known:
            return known
    raise UsageError(f"--sort takes {', '.join(ORDERS)}, not '{text}'.")


def registry_of(session: Session, credentials: Credentials | None = None) -> RegistryClient:
    """A client of the registry that the session's settings name; close it.

    `credentials` stand in place of the saved sign-in.
    """
    from deployer.registry.client import RegistryClient

    session.require_deployment()
    deployment = session.known_deployment
    authority = deployment.authority_file if deployment else None
    return RegistryClient(
        session.settings.url,
        session.environment,
        credentials=credentials,
        plain=session.settings.tls.is_off,
        authority=authority if authority and authority.is_file() else None,
    )


def _write_answer(session: Session, document: Document, *, headers: bool, raw: bool) -> None:
    """Print what came, whatever it is; where its bytes are not those of its digest, that is said after it."""
    from deployer.printable import printable

    lines = [document.status_line, *(f"{name}: {value}" for name, value in document.headers)] if headers else []
    for line in lines:
        session.out.line(printable(line))
    if raw:
        if headers:
            session.out.line()
        session.out.out.flush()
        session.out.out.buffer.write(document.content)
        session.out.out.buffer.flush()
        if document.is_schema_1:
            session.out.note("Schema 1: its digest is that of the payload without the signatures, not of these bytes.")
    if document.is_from_storage:
        session.out.warn("The registry does not give this manifest; it was read from the registry's storage.")
    if document.damage:
        raise document.damage


def _fail_if(failed: bool) -> None:
    if failed:
        raise typer.Exit(EXIT_FAILURE)
