"""Commands that read the registry and delete from it: catalog, tags, inspect, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.options import WAIT, WaitOption, drain_policy
from deployer.cli.registration import command
from deployer.cli.upkeep_steps import UpkeepSteps, change_storage
from deployer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.cli.session import Session
    from deployer.errors import DeployerError
    from deployer.storage.access import Storage
    from deployer.workflows.images.deletion import TagRemoval
    from deployer.workflows.upkeep.repositories import RemovalPlan

_CATALOG_EXAMPLE = "Example: `deployer catalog --tags 'team/*'` shows what the team pushed, and when."
_TAGS_EXAMPLE = "Example: `deployer tags centos --sort created` lists the newest tags first."
_INSPECT_EXAMPLE = (
    "Example: `deployer inspect centos:7-git`; add --headers and --raw to see the response as with `curl -i`."
)
_DELETE_EXAMPLE = "Example: `deployer delete centos:7-git` deletes that tag and no other."


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
        typer.Argument(
            metavar="PATTERN", help="Show only repositories that match; * matches anything.", show_default=False
        ),
    ] = None,
    with_tags: Annotated[bool, typer.Option("--tags", help="Also show tags, with sizes and ages.")] = False,
) -> None:
    """List the repositories."""
    from deployer.cli.views.images import CatalogReport
    from deployer.workflows.images import browse
    from deployer.workflows.images.naming import own_repositories

    with session.registry() as client:
        found = browse.list_catalog(client, own_repositories(patterns or (), client.place))
        repositories = browse.list_everything(client, found.repositories) if with_tags else None
    if not found.total:
        _expect_own_images(session)
    session.show(CatalogReport(session.settings.address, found, repositories))


def tags(
    session: Session,
    repository: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of a repository, such as centos.", show_default=False)
    ],
    order: Annotated[str, typer.Option("--sort", metavar="name|created|size", help="Sort order.")] = "name",
    attached: Annotated[
        bool, typer.Option("--attached", help="Also show tags of attached artifacts, such as signatures.")
    ] = False,
) -> None:
    """List a repository's tags with digest, size, platforms and age.

    The size is the compressed size in the registry; for a multi-platform image, the sum of all platforms. The
    age is counted from the push if an image has no real creation time, as with reproducible builds. Signatures,
    attestations, SBOMs and other attached artifacts (sha256-….sig) are listed only with --attached.
    """
    from deployer.cli.views.images import TagsReport, note_slow
    from deployer.workflows.images import browse

    with session.registry() as client:
        found = browse.list_tags(
            client, repository, browse.order_of(order), lambda count: note_slow(session.out, count)
        )
    session.show(TagsReport(found, with_attached=attached))


def inspect(
    session: Session,
    reference: Annotated[str, typer.Argument(metavar="IMAGE", help="NAME[:TAG] or NAME@DIGEST.", show_default=False)],
    raw: Annotated[bool, typer.Option("--raw", help="Print the manifest exactly as stored.")] = False,
    headers: Annotated[
        bool, typer.Option("--headers", help="Print the status line and headers of the response.")
    ] = False,
) -> None:
    """Show details of an image: digest, size, platforms, layers, configuration.

    The default tag is latest. To check a manifest against its digest:
    deployer inspect --raw NAME | sha256sum
    """
    from deployer.cli.views import inspection as views
    from deployer.workflows.images import inspection

    if session.presentation.as_json and (raw or headers):
        raise UsageError("--json cannot be used with --raw or --headers.", ("Use one of them.",))
    with session.registry() as client:
        if raw or headers:
            document = inspection.fetch_as_stored(client, reference)
            views.print_answer(session.out, document, headers=headers, raw=raw)
            if document.damage:
                raise document.damage
            return
        found = inspection.inspect(client, reference)
    session.show(views.InspectionReport(session.settings.address, found))
    if found.fault:
        raise found.fault


def delete(
    session: Session,
    references: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="NAME:TAG or NAME@DIGEST; NAME with --repository.", show_default=False),
    ],
    repository: Annotated[
        bool,
        typer.Option(
            "--repository", help="Delete whole repositories; works only on the machine that runs the registry."
        ),
    ] = False,
    wait: WaitOption = WAIT,
) -> None:
    """Delete tags or images.

    NAME:TAG deletes only that tag; the image is kept, under its other tags or untagged. NAME@DIGEST deletes the
    manifest and every tag that points to it. With --repository, NAME is deleted with all its images; repositories
    below it (NAME/…) are kept. Pushes wait for a few seconds.
    """
    from deployer.cli.session import all_or_nothing
    from deployer.cli.views import deletion as views
    from deployer.workflows.images import deletion

    if repository:
        _delete_repositories(session, references, wait=wait)
        return
    with session.registry() as client:
        with all_or_nothing(references, "deleted"):
            plan = deletion.plan_deletion(client, references)
        views.print_plan(session.out, plan, session.presentation)
        outcomes: tuple[deletion.DeletionOutcome, ...] = ()
        if not session.presentation.dry_run:
            session.confirm(views.question(plan, client.place.address))
            listener = views.listener(session.out, session.presentation)
            outcomes = deletion.apply_plan(client, plan, on_done=listener, otherwise=_in_storage(session, wait))
    session.show(views.DeletionReport(plan, outcomes, session.presentation.dry_run))


def _in_storage(session: Session, wait: str) -> Callable[[TagRemoval, DeployerError], bool] | None:
    """How a tag is deleted that the registry has no room to delete; None if its storage is not on this machine."""
    from deployer.workflows.configuration import deployments

    deployment = session.known_deployment
    if deployment is None or not deployments.is_here(deployment, session.settings):
        return None

    def delete_stored(removal: TagRemoval, error: DeployerError) -> bool:
        from deployer.cli.views import deletion as views
        from deployer.workflows.upkeep import stored_tag

        if not stored_tag.is_for_want_of_room(error):
            return False
        views.note_stored(session.out)
        stored_tag.delete_stored(session.stack, removal, drain_policy(session, wait))
        return True

    return delete_stored


def _delete_repositories(session: Session, names: Sequence[str], *, wait: str) -> None:
    """Remove whole repositories: `deployer delete --repository`."""
    from deployer.cli.session import all_or_nothing
    from deployer.cli.views import upkeep as views
    from deployer.workflows.upkeep import repositories

    def plan(storage: Storage) -> RemovalPlan:
        with all_or_nothing(names, "deleted"):
            return repositories.plan_removal(storage, wanted)

    with all_or_nothing(names, "deleted"):
        wanted = repositories.names_of(names, session.place)
    steps = UpkeepSteps(
        name="delete --repository",
        plan=plan,
        report_of=views.RepositoriesReport,
        question=lambda plan: f"Delete {views.which(plan)} with all images from {session.settings.address}?",
        apply=lambda work, plan, drain: views.RemovedReport(plan, repositories.remove(work, plan, drain)),
    )
    change_storage(session, wait, steps)


def _expect_own_images(session: Session) -> None:
    """Make sure that a registry of this machine is not empty because the disk with its images is not mounted."""
    from deployer.workflows.configuration import deployments
    from deployer.workflows.upkeep import maintenance

    deployment = session.known_deployment
    if deployment is not None and deployments.is_here(deployment, session.settings):
        maintenance.expect_own_images(session.stack)
