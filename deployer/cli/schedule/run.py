"""One run of a scheduled command: waiting until no other command runs, its log, and its record."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import typer

from deployer.cli.output import Output
from deployer.cli.presentation import Presentation
from deployer.cli.schedule.jobs import perform
from deployer.errors import Busy, DeployerError
from deployer.jobs import Job
from deployer.redaction import without_secrets
from deployer.workflows.schedule import env_file, records
from deployer.workflows.schedule.due import wait_for_turn
from deployer.workflows.schedule.records import OpenRun, Run, RunResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.cli.presentation import Report
    from deployer.cli.session import Session

# The page takes a run for interrupted of which it has heard nothing for ten minutes (lists/runs.js).
BEAT_SECONDS = 60.0
_REPORTED = "It found problems."
_STOPPED = "It was stopped before it finished."
_A_BUG = "It ended with an error that is a bug in deployer."


@dataclass
class _Reported:
    """Collects from the reports that a command shows how many bytes it stored or freed, and what is of concern."""

    moved: int | None = field(default=None)
    concern: str = ""

    def __call__(self, report: Report) -> None:
        self.moved = report.moved_bytes if report.moved_bytes is not None else self.moved
        self.concern = report.concern or self.concern


def run(session: Session, job: Job, patience: float) -> Run:
    """Run a scheduled command once no other command changes the deployment, and record the result.

    Waits `patience` seconds at most. Raises HostError if that cannot be recorded; every other failure is in the record.
    """
    with records.begun(session.deployment, job, session.stack.now()) as open_run:
        session.tell_page()
        try:
            with _heard_of(session):
                return _recorded(session, job, patience, open_run)
        finally:
            session.tell_page()


@contextmanager
def _heard_of(session: Session) -> Iterator[None]:
    """Let the page hear that the run is alive, again and again: of one that was killed it hears nothing more."""
    over = Event()

    def tell() -> None:
        while not over.wait(BEAT_SECONDS):
            session.tell_page()

    thread = Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _recorded(session: Session, job: Job, patience: float, open_run: OpenRun) -> Run:
    """Run it, and complete its record."""
    now = session.stack.now
    reported = _Reported()
    logged = _logged(session, open_run, reported)
    try:
        wait_for_turn(session.deployment, patience, logged.out.note)
        perform(_with_variables(logged, job), job)
    except Busy as error:
        return _ended(logged, open_run, RunResult.SKIPPED, error)
    except DeployerError as error:
        return _ended(logged, open_run, RunResult.FAILED, error)
    except typer.Exit as leave:
        if leave.exit_code:
            return open_run.finish(RunResult.FAILED, now(), moved=reported.moved, sentence=_REPORTED)
    except KeyboardInterrupt:
        open_run.finish(RunResult.INTERRUPTED, now(), moved=reported.moved, sentence=_STOPPED)
        raise
    except Exception:
        logged.out.note(without_secrets(traceback.format_exc()))
        open_run.finish(RunResult.FAILED, now(), sentence=_A_BUG)
        raise
    if reported.concern:
        return open_run.finish(RunResult.FAILED, now(), moved=reported.moved, sentence=reported.concern)
    return open_run.finish(RunResult.DONE, now(), moved=reported.moved)


def _logged(session: Session, open_run: OpenRun, reported: _Reported) -> Session:
    """The session for a run: it answers yes to every question and prints to the run's log."""
    out = Output(open_run.log, open_run.log, colour=False, selection=session.out.selection)
    return replace(session, out=out, presentation=Presentation(yes=True), on_report=reported)


def _with_variables(session: Session, job: Job) -> Session:
    """The session with the variables of `env_file`, such as the keys of a bucket."""
    file = session.settings.schedule.backup.env_file if job is Job.BACKUP else ""
    if not file:
        return session
    return replace(session, environment={**session.environment, **env_file.read(Path(file))})


def _ended(session: Session, open_run: OpenRun, result: RunResult, error: DeployerError) -> Run:
    error.advice = tuple(map(session.out.selection.applied, error.advice))
    session.out.error(error)
    return open_run.finish(result, session.stack.now(), sentence=error.message)
