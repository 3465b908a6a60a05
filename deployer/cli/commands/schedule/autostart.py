"""The command that makes the engine start at boot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command

if TYPE_CHECKING:
    from deployer.cli.session import Session

_EXAMPLE = "Example: `deployer autostart --dry-run` shows what would be done."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_EXAMPLE, offers=("dry_run", "yes"))(autostart)


def autostart(
    session: Session,
    remove: Annotated[bool, typer.Option("--remove", help="Do not start the engine at boot any more.")] = False,
) -> None:
    """Start the Docker engine at boot, and the registry with it.

    With systemd or OpenRC, enables the engine's service; a rootless engine is also allowed to run without a login.
    If neither is running, says what to do instead. The registry's containers start with the engine.
    """
    from deployer.cli.views.schedule.autostart import StartPlanReport, StartReport, question
    from deployer.workflows.autostart import engine_start
    from deployer.workflows.checks import preflight

    preflight.check_here(session.engine)
    machine = engine_start.Machine.here()
    plan = engine_start.plan(machine, session.engine.system.describe().kind, remove=remove)
    if session.show_plan(StartPlanReport(plan)) or not plan.commands:
        return
    session.confirm(question(plan))
    engine_start.apply(machine, plan)
    session.show(StartReport(plan))
