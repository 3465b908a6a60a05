"""Commands that carry images to the registry and from it: push, pull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command

if TYPE_CHECKING:
    from deployer.cli.session import Session

_PUSH_EXAMPLE = "Example: `deployer push centos:7-git` tags the image as localhost:5000/centos:7-git and pushes it."
_PULL_EXAMPLE = "Example: `deployer pull centos:7-git` pulls localhost:5000/centos:7-git and tags it as centos:7-git."

JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", min=1, max=16, metavar="N", help="Number of parallel transfers.")
]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_PUSH_EXAMPLE, offers=("dry_run", "as_json"))(push)
    command(app, epilog=_PULL_EXAMPLE, offers=("dry_run", "as_json"))(pull)


def push(
    session: Session,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Local images to push.", show_default=False)],
    rename: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Push under this name; only with one IMAGE.")
    ] = None,
    jobs: JobsOption = 3,
) -> None:
    """Tag images for the registry and push them.

    The address of another registry is removed from the name: ghcr.io/acme/app:1 is pushed as acme/app:1.
    Invalid names are reported before anything is tagged. A failed push does not stop the others; the exit code
    is then 1.
    """
    from deployer.cli.session import all_or_nothing
    from deployer.cli.views import transfer as views
    from deployer.workflows.transfer.push import plan_push, push_all
    from deployer.workflows.transfer.remarks import Transfer, remarks

    session.require_deployment()
    address = session.settings.address
    with all_or_nothing(images, "pushed"):
        pushes = plan_push(images, rename, address, session.engine)
    views.note_remarks(session.out, remarks(Transfer.PUSH, session.settings, session.engine, session.environment))
    if session.presentation.dry_run:
        session.show(views.TransferPlanReport(pushes))
        return
    views.note_lost_names(session.out, pushes)
    listener = views.listener(session.out, session.presentation, pushes)
    with views.counted_interruption(Transfer.PUSH):
        outcomes = push_all(pushes, address, session.engine, jobs=jobs, on_line=listener)
    session.show(views.TransferReport(Transfer.PUSH, outcomes))


def pull(
    session: Session,
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images in the registry to pull.", show_default=False)
    ],
    platform: Annotated[
        str,
        typer.Option(
            "--platform",
            metavar="OS/ARCH",
            help="Platform to pull from a multi-platform image, as with docker pull.  [default: the engine's]",
            show_default=False,
        ),
    ] = "",
    jobs: JobsOption = 3,
) -> None:
    """Pull images from the registry and tag them with their short names.

    If a local image already has the short name, the name moves to the pulled image. If an image is not
    available for this engine's platform, its platforms are listed; `deployer pull app:1 --platform linux/arm64`
    pulls one of them.
    """
    from deployer.cli.session import all_or_nothing
    from deployer.cli.views import transfer as views
    from deployer.workflows.transfer.pull import plan_pull, pull_all
    from deployer.workflows.transfer.remarks import Transfer, remarks

    session.require_deployment()
    with all_or_nothing(images, "pulled"):
        pulls = plan_pull(images, session.settings.address, session.engine, platform)
    said = remarks(Transfer.PULL, session.settings, session.engine, session.environment, platform)
    views.note_remarks(session.out, said)
    if session.presentation.dry_run:
        session.show(views.TransferPlanReport(pulls))
        return
    views.note_lost_names(session.out, pulls)
    listener = views.listener(session.out, session.presentation, pulls)
    with views.counted_interruption(Transfer.PULL):
        outcomes = pull_all(pulls, session.engine, session.registry, jobs=jobs, on_line=listener)
    session.show(views.TransferReport(Transfer.PULL, outcomes))
