"""Commands that run the registry: up, down, upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command
from deployer.errors import UsageError

if TYPE_CHECKING:
    from deployer.cli.session import Session

_UP_EXAMPLE = """\
Example: `deployer up` starts a registry at localhost:5000;
`deployer up --host 192.168.100.2 --dry-run` shows what that change would affect."""
_UPGRADE_EXAMPLE = """\
Example: `deployer upgrade --check` shows what is newer and which advisories apply;
`deployer upgrade` replaces the images and rolls back if the new ones do not work."""
_DOWN_EXAMPLE = "Example: `deployer down` stops the registry and keeps every image in it."


@dataclass(frozen=True)
class UpgradeOptions:
    """What `upgrade` does: look, go back, or replace the images within a time."""

    check: Annotated[
        bool,
        typer.Option("--check", help="Show what runs, what is newer and which advisories apply; change nothing."),
    ] = False
    advisories: Annotated[
        Path | None,
        typer.Option(
            "--advisories",
            metavar="FILE",
            help="With --check: a list of advisories to use instead of deployer's own.",
            show_default=False,
        ),
    ] = None
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Put back the images that ran before the last upgrade.")
    ] = False
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=1,
            max=30,
            help="How long the new images may take to become ready before the previous ones are put back.",
        ),
    ] = 20
    install: Annotated[
        bool, typer.Option("--install", help="Install the packages needed to build images without asking.")
    ] = False


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_UP_EXAMPLE, offers=("dry_run", "yes", "as_json"))(up)
    command(app, epilog=_DOWN_EXAMPLE, offers=("dry_run", "yes", "as_json"))(down)
    command(app, epilog=_UPGRADE_EXAMPLE, offers=("dry_run", "yes", "as_json"))(upgrade)


def up(
    session: Session,
    build: Annotated[
        bool, typer.Option("--build", help="Rebuild the registry and frontend images on this machine.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait for the registry to become ready."),
    ] = 60,
    install: Annotated[
        bool,
        typer.Option(
            "--install",
            help="Install the packages needed to build images without asking; questions about data are still asked.",
        ),
    ] = False,
) -> None:
    """Start the registry and its page, or apply changed settings.

    First checks for conflicts (engine, port, disk, another deployment with the same name). Then writes the
    files, starts what is not running, recreates only the services whose settings changed, and returns when the
    registry and the page respond. Running it again changes nothing.

    If volumes, networks, directories or files already exist that `up` did not create, it lists them and asks
    before using them; the answer is remembered.
    """
    from deployer.cli.views import deployment as views
    from deployer.workflows.deployment import access
    from deployer.workflows.deployment import up as workflow
    from deployer.workflows.deployment.up_plan import plan_up, with_rule_changes

    views.note_of_file(session.out, session.loaded)
    views.warn_of_exposure(session.out, access.exposure_of(session.settings, session.deployment))
    if session.presentation.dry_run:
        session.show(views.UpPlanReport(with_rule_changes(session.stack, plan_up(session.stack, rebuild=build))))
        return
    prompts = workflow.UserPrompts(
        report=session.out.note,
        confirm_install=partial(session.confirm, yes=install),
        confirm_loss=session.confirm,
        confirm_opening=session.confirm_in_person,
        show_rule_changes=partial(views.note_rule_changes, session.out),
    )
    quiet = not session.out.err.isatty()
    with views.resumable("deployer up"):
        done = workflow.up(session.stack, rebuild=build, timeout=timeout, prompts=prompts, quiet=quiet)
    session.tell_page()
    views.warn_of_remarks(session.out, done.plan)
    session.show(views.UpReport(session.settings, done))


def down(
    session: Session,
    volumes: Annotated[
        bool,
        typer.Option(
            "--volumes",
            help="Also permanently remove the pushed images and all files of the deployment, including its users.",
        ),
    ] = False,
) -> None:
    """Stop the registry and keep its images.

    Removes the containers and the network; `deployer up` restores them. With --volumes, also removes the
    volumes with the pushed images, and the deployment's files, after a question that lists them; anything that
    existed before `up` is marked. A volume that another container uses, or that a Compose file declares as
    external, is kept.
    """
    from deployer.cli.views import deployment as views
    from deployer.workflows.removal import down as workflow
    from deployer.workflows.removal.down_plan import plan_down

    session.require_deployment(session.engine, changes=bool(session.host or session.port))
    plan = plan_down(session.stack, volumes=volumes)
    if session.show_plan(views.DownPlanReport(session.deployment, plan)):
        return
    if plan.needs_yes:
        session.confirm(views.question_of_down(session.deployment, plan, session.settings.address, volumes=volumes))
    with views.resumable(f"deployer down{' --volumes' if volumes else ''}"):
        workflow.apply(session.stack, plan, volumes=volumes, say=session.out.note)
    session.show(views.DownReport(plan, volumes))


def upgrade(session: Session, options: UpgradeOptions) -> None:
    """Replace the images of the services with newer ones.

    First pulls the images, or builds those that cannot be pulled, and checks that they start. Then replaces what
    has changed, checks the services' health, and pushes and pulls a small image, which is removed again. If anything
    fails or takes longer than --timeout, the previous images are put back.

    Pushes wait while the registry is replaced. While the frontend is replaced, requests are refused for a few
    seconds. `deployer up` never replaces an image with a newer one. Run it on the machine that runs the registry.
    """
    from deployer.cli.views.upgrades import upgrade as views
    from deployer.workflows.upgrade import upgrade as workflow
    from deployer.workflows.upgrade.newer import Source
    from deployer.workflows.upgrade.switch import SwitchPolicy

    if options.check or options.advisories:
        _check_upgrade(session, options)
        return
    session.require_deployment(session.engine, changes=True)
    policy = SwitchPolicy(session.out.note, options.timeout, quiet=not session.out.err.isatty())
    plan = workflow.plan_rollback(session.stack) if options.rollback else workflow.plan(session.stack)
    if session.show_plan(views.report_of(plan)):
        return
    session.confirm(views.question_of(plan, session.deployment))
    if options.rollback:
        done = workflow.rollback(session.stack, policy)
    else:
        allow = partial(session.confirm, yes=options.install)
        done = workflow.upgrade(session.stack, Source(session.engine, session.out.note, allow), policy)
    session.show(views.UpgradedReport(done))


def _check_upgrade(session: Session, options: UpgradeOptions) -> None:
    from deployer.cli.views.upgrades.check import UpgradeCheckReport
    from deployer.workflows.upgrade.advisories import load
    from deployer.workflows.upgrade.check import check

    if not options.check:
        raise UsageError("--advisories requires --check.", ("deployer upgrade --check --advisories FILE",))
    if options.rollback:
        raise UsageError("--check and --rollback cannot be combined.", ("deployer upgrade --check",))
    known = load(options.advisories)
    session.require_deployment(session.engine)
    session.show(UpgradeCheckReport(check(session.stack, known, session.environment)))
