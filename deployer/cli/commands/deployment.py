"""Commands that run the registry: up, down."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command

if TYPE_CHECKING:
    from deployer.cli.session import Session

_UP_EXAMPLE = """\
Example: `deployer up` brings a registry up at localhost:5000;
`deployer up --host 192.168.100.2 --dry-run` says what that change would touch."""
_DOWN_EXAMPLE = "Example: `deployer down` stops the registry and keeps every image in it."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_UP_EXAMPLE, offers=("dry_run", "yes", "as_json"))(up)
    command(app, epilog=_DOWN_EXAMPLE, offers=("dry_run", "yes", "as_json"))(down)


def up(
    session: Session,
    build: Annotated[
        bool, typer.Option("--build", help="Build the registry's image and the frontend's here again.")
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait until it answers.")
    ] = 60,
    install: Annotated[
        bool,
        typer.Option("--install", help="Install without asking what building images needs; moving data still asks."),
    ] = False,
) -> None:
    """Bring the registry and its page up, or apply settings.

    Looks first for everything in the way (engine, port, disk, another deployment of that name),
    then writes the files, starts what is not running, recreates exactly the services whose
    settings changed, and returns when the registry and the page really answer. Running it again
    changes nothing.

    Volumes, networks, directories and files that are there already and that no `up` made are told
    and asked about before they are used; the answer is remembered.
    """
    from deployer.cli.views import deployment as views
    from deployer.workflows.deployment import login
    from deployer.workflows.deployment import up as workflow
    from deployer.workflows.deployment.up_plan import plan_up

    views.warn_of_exposure(session.out, login.exposure_of(session.settings, session.deployment))
    if session.presentation.dry_run:
        session.show(views.UpPlanReport(plan_up(session.stack, rebuild=build)))
        return
    prompts = workflow.UserPrompts(
        report=session.out.note,
        confirm_install=partial(session.confirm, yes=install),
        confirm_loss=session.confirm,
    )
    quiet = not session.out.err.isatty()
    with views.resumable("deployer up"):
        done = workflow.up(session.stack, rebuild=build, timeout=timeout, prompts=prompts, quiet=quiet)
    views.warn_of_remarks(session.out, done.plan)
    session.show(views.UpReport(session.settings, done))


def down(
    session: Session,
    volumes: Annotated[
        bool,
        typer.Option(
            "--volumes",
            help="Remove the pushed images too, for good, and all of the deployment's files, its users among them.",
        ),
    ] = False,
) -> None:
    """Stop the registry; the images in it stay.

    Its containers and network are removed, and `deployer up` brings it back as it was. With
    --volumes its volumes, the pushed images in them, and its files are removed as well, after a
    question that names them; what was there before `up` is said to be so. A volume that another
    container uses, or that the files call external, stays.
    """
    from deployer.cli.views import deployment as views
    from deployer.workflows.deployment import down as workflow

    session.require_deployment(session.engine)
    plan = workflow.plan(session.stack, volumes=volumes)
    if session.show_plan(views.DownPlanReport(session.deployment, plan)):
        return
    if plan.needs_yes:
        session.confirm(views.question_of_down(session.deployment, plan, volumes=volumes))
    with views.resumable(f"deployer down{' --volumes' if volumes else ''}"):
        workflow.apply(session.stack, plan, volumes=volumes, say=session.out.note)
    session.show(views.DownReport(plan, volumes))
