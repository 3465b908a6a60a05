"""Commands of the schedule: runs, run-scheduled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.options import seconds
from deployer.cli.registration import command
from deployer.errors import NotFound
from deployer.jobs import Job

if TYPE_CHECKING:
    from deployer.cli.session import Session

_RUNS_EXAMPLE = "Example: `deployer runs --job backup` lists the scheduled backups."
_JOBS = "|".join(Job)
_RUN_EXAMPLE = "Example: `*/10 * * * * deployer run-scheduled` in a crontab, with `schedule.runner: none`."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_RUNS_EXAMPLE, offers=("as_json",))(runs)
    command(app, "run-scheduled", epilog=_RUN_EXAMPLE, offers=("as_json",))(run_scheduled)


def runs(
    session: Session,
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Show the log of this run.", show_default=False)
    ] = None,
    job: Annotated[
        Job | None, typer.Option("--job", metavar=_JOBS, help="List only the runs of this command.", show_default=False)
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Show the log of the newest run.")] = False,
) -> None:
    """Show the scheduled runs: when they started and how they ended.

    Lists the runs of the commands under `schedule:` in deployer.yaml, the newest first: the last 100.
    """
    from deployer.cli.views.schedule.runs import LogReport, RunsReport, none_of
    from deployer.workflows.schedule import records

    session.require_deployment()
    session.refuse_elsewhere()
    known = records.newest_first(records.read(session.deployment), session.stack.now())
    found = tuple(one for one in known if job is None or one.job == job)
    if not (run or log):
        session.show(RunsReport(found, damaged=records.damaged(session.deployment), job=job))
        return
    chosen = next((one for one in found if run in {None, one.id}), None)
    if chosen is None:
        missing = f"There is no run {run}{f' of {job}' if job else ''}."
        raise NotFound(missing if run else none_of(job), ("deployer runs",))
    session.show(LogReport(chosen, records.log_of(session.deployment, chosen)))


def run_scheduled(
    session: Session,
    job: Annotated[
        Job | None,
        typer.Argument(
            metavar="JOB", help=f"The command to run: {_JOBS}.  [default: all that are due]", show_default=False
        ),
    ] = None,
    wait: Annotated[
        str, typer.Option("--wait", metavar="TIME", help="How long to wait for another command to finish.")
    ] = "4h",
    until_next: Annotated[
        bool,
        typer.Option("--until-next", help="Run nothing; print the seconds until something is due, at most 300."),
    ] = False,
) -> None:
    """Run the scheduled commands that are due, as systemd or the scheduler does.

    Each runs with the options under `schedule:` in deployer.yaml, and its questions are answered with yes. A run
    that was missed while the machine was off is due too. `deployer runs` shows the result. The exit code is 1 if
    one failed.
    """
    from deployer.cli.schedule.run import run
    from deployer.cli.views.schedule.runs import RunsReport, UntilNextReport
    from deployer.workflows.schedule import calendar, due, installed, records

    patience = seconds("--wait", wait)
    there = installed.read(session.deployment)
    # By now a run may have been killed, or missed.
    session.tell_page()
    if until_next:
        session.show(UntilNextReport(due.pause(session.deployment, session.stack.now(), calendar.zone_of_machine())))
        return
    there = due.expect_scheduled(session.settings, there, job)
    jobs = due.due(there, records.read(session.deployment), session.stack.now(), calendar.zone_of_machine())
    done = tuple(run(session, one, patience) for one in ((job,) if job else jobs))
    session.show(RunsReport(done, is_of_now=True))
