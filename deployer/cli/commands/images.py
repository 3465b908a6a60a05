"""Commands that look into the registry and delete from it: catalog, tags, inspect, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.options import WAIT, WaitOption, drain_policy
from deployer.cli.registration import command
from deployer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.cli.session import Session

_CATALOG_EXAMPLE = "Example: `deployer catalog --tags 'team/*'` shows what the team has pushed, and when."
_TAGS_EXAMPLE = "Example: `deployer tags centos --sort created` puts the newest first."
_INSPECT_EXAMPLE = "Example: `deployer inspect centos:7-git`; add --headers and --raw to see it as `curl -i` does."
_DELETE_EXAMPLE = "Example: `deployer delete centos:7-git` removes that tag, and no other."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_CATALOG_EXAMPLE, offers=("as_json",))(catalog)
    command(app, epilog=_TAGS_EXAMPLE, offers=("as_json",))(tags)
    command(app, epilog=_INSPECT_EXAMPLE, offers=("as_json",))(inspect)
    command(app, epilog=_DELETE_EXAMPLE, offers=("dry_run", "yes", "as_json"))(delete)


def catalog(
    session: Session,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATTERN", help="Names to show; * matches anything.", show_default=False),
    ] = None,
    with_tags: Annotated[bool, typer.Option("--tags", help="Show the tags too, with their sizes and ages.")] = False,
) -> None:
    """List the repositories."""
    from deployer.cli.views.images import CatalogReport
    from deployer.workflows.images import browse

    with session.registry() as client:
        found = browse.list_catalog(client, patterns or ())
        repositories = browse.list_everything(client, found.repositories) if with_tags else None
    session.show(CatalogReport(session.settings.address, found, repositories))


def tags(
    session: Session,
    repository: Annotated[
        str, typer.Argument(metavar="NAME", help="A repository, such as centos.", show_default=False)
    ],
    order: Annotated[str, typer.Option("--sort", metavar="name|created|size", help="What comes first.")] = "name",
    attached: Annotated[
        bool, typer.Option("--attached", help="Show tags too that only attach something to an image.")
    ] = False,
) -> None:
    """List a repository's tags: digest, size, platforms, age.

    The size is what the registry keeps, compressed; of a multi-platform image, all platforms together. The
    age is that of the push where an image says no real time of its creation, as reproducible builds do.
    Signatures, attestations, SBOMs and the like (sha256-….sig) are listed with --attached alone.
    """
    from deployer.cli.views.images import TagsReport
    from deployer.workflows.images import browse

    with session.registry() as client:
        found = browse.list_tags(client, repository, browse.order_of(order))
    session.show(TagsReport(found, with_attached=attached))


def inspect(
    session: Session,
    reference: Annotated[str, typer.Argument(metavar="IMAGE", help="NAME[:TAG] or NAME@DIGEST.", show_default=False)],
    raw: Annotated[bool, typer.Option("--raw", help="Print the manifest, byte for byte.")] = False,
    headers: Annotated[bool, typer.Option("--headers", help="Print the answer's status and headers.")] = False,
) -> None:
    """Show one image: digest, size, platforms, layers, configuration.

    Without a tag it is the tag latest. A manifest can be checked against its digest:
    deployer inspect --raw NAME | sha256sum
    """
    from deployer.cli.views import images as views
    from deployer.workflows.images import browse

    if session.presentation.as_json and (raw or headers):
        raise UsageError("--json goes neither with --raw nor with --headers.", ("Choose one of them.",))
    with session.registry() as client:
        if raw or headers:
            document = browse.fetch_as_stored(client, reference)
            views.print_answer(session.out, document, headers=headers, raw=raw)
            if document.damage:
                raise document.damage
            return
        found = browse.inspect(client, reference)
    session.show(views.InspectionReport(session.settings.address, found))
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
) -> None:
    """Delete tags, or manifests with all their tags.

    NAME:TAG removes that tag only; the image stays where another tag names it. NAME@DIGEST removes
    the manifest, and every tag that points to it. --repository NAME removes the repository with all
    its images, and nothing that is beside or below it; pushes wait for a moment.
    """
    from deployer.cli.views import deletion as views
    from deployer.workflows.images import deletion

    if repository:
        session.require_deployment(session.engine)
        _delete_repositories(session, references, wait=wait)
        return
    with session.registry() as client:
        plan = deletion.plan_deletion(client, references)
        views.print_plan(session.out, plan, session.presentation)
        outcomes: tuple[deletion.DeletionOutcome, ...] = ()
        if not session.presentation.dry_run:
            session.confirm(views.question(plan))
            listener = views.listener(session.out, session.presentation)
            outcomes = deletion.apply_plan(client, plan, on_done=listener)
    session.show(views.DeletionReport(plan, outcomes, session.presentation.dry_run))


def _delete_repositories(session: Session, names: Sequence[str], *, wait: str) -> None:
    """Remove whole repositories: `deployer delete --repository`."""
    from deployer.cli.views import upkeep as views
    from deployer.workflows.upkeep import maintenance, repositories

    repositories.check_names(names)
    drain = drain_policy(session, wait)
    if session.presentation.dry_run:
        plan = repositories.plan_removal(maintenance.reading(session.stack), names)
        session.show_plan(views.RepositoriesReport(plan, is_dry_run=True))
        return
    with maintenance.upkeep(session.stack, "delete --repository") as work:
        plan = repositories.plan_removal(work.storage, names)
        session.show_plan(views.RepositoriesReport(plan))
        session.confirm(f"Remove {views.which(plan)} with all images?")
        paused = repositories.remove(work, plan, drain)
    session.show(views.RemovedReport(plan, paused))
