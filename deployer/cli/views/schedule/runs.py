"""How scheduled runs are printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.diagnosis import run_json
from deployer.cli.views.words import moment, size

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from deployer.cli.output import Output
    from deployer.jobs import Job
    from deployer.workflows.schedule.records import Run


@dataclass(frozen=True)
class RunsReport(Report):
    """Runs, the newest first. If `is_of_now`, this command ran them, and fails if one of them did.

    `damaged` are the records of others that cannot be read. With a `job`, the runs are those of this command alone.
    """

    runs: tuple[Run, ...]
    is_of_now: bool = False
    damaged: tuple[Path, ...] = ()
    job: Job | None = None

    def as_json(self) -> list[dict[str, Any]]:
        """Each run."""
        return list(map(run_json, self.runs))

    def print(self, out: Output) -> None:
        """Print a table."""
        if not self.runs:
            out.note("Nothing is due." if self.is_of_now else none_of(self.job))
            return
        out.table(("RUN", "STARTED", "TOOK", "RESULT", "SIZE", "MESSAGE"), map(_row, self.runs))

    def remark(self, out: Output) -> None:
        """Say which runs are not listed."""
        for path in self.damaged:
            out.warn(f"The record {path} is damaged. Its log is next to it: {path.with_suffix('.log')}")

    @property
    def has_failed(self) -> bool:
        """Whether one that this command ran failed."""
        return self.is_of_now and not all(run.result.is_good for run in self.runs)


@dataclass(frozen=True)
class UntilNextReport(Report):
    """Seconds until something is due."""

    seconds: int

    def as_json(self) -> int:
        """The number."""
        return self.seconds

    def print(self, out: Output) -> None:
        """Print the number."""
        out.line(str(self.seconds))


@dataclass(frozen=True)
class LogReport(Report):
    """The log of a run."""

    run: Run
    log: str

    def as_json(self) -> dict[str, Any]:
        """The run with its log."""
        return {**run_json(self.run), "log": self.log}

    def print(self, out: Output) -> None:
        """Print the log as it is."""
        out.text(self.log.rstrip("\n"))

    def remark(self, out: Output) -> None:
        """Say how the run ended."""
        run = self.run
        out.note(" ".join(filter(None, (f"{run.job} of {moment(run.started)}: {run.result}.", run.sentence))))


def none_of(job: Job | None) -> str:
    """That a scheduled command has not run yet, or none at all."""
    return f"{job} has not run yet." if job else "No scheduled command has run yet."


def _row(run: Run) -> tuple[str, ...]:
    return (
        run.id,
        moment(run.started),
        _took(run.duration),
        run.result.value,
        "-" if run.moved is None else size(run.moved),
        run.sentence,
    )


def _took(duration: timedelta | None) -> str:
    """How long something took: "2h 03m", "4m 12s", "9s"."""
    if duration is None:
        return "-"
    minutes, seconds = divmod(max(0, int(duration.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"
