"""The state of a schedule: when its commands run, how the last runs ended, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.settings.schedule import RunnerChoice
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.schedule import calendar, installed, records
from deployer.workflows.schedule.due import is_credible, missed
from deployer.workflows.schedule.records import RunResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

    from deployer.jobs import Job
    from deployer.paths import Deployment
    from deployer.settings.model import Settings
    from deployer.workflows.schedule.installed import Installed
    from deployer.workflows.schedule.records import Run


@dataclass(frozen=True)
class JobState:
    """A scheduled command: when it runs, the next time, and the last run, None if there was none."""

    job: Job
    when: str
    next: datetime
    last: Run | None


@dataclass(frozen=True)
class ScheduleState:
    """The scheduled commands, what starts them, and what is wrong with them."""

    runner: RunnerChoice = RunnerChoice.NONE
    jobs: tuple[JobState, ...] = ()
    findings: tuple[Finding, ...] = ()


def look(settings: Settings, deployment: Deployment, now: datetime, zone: tzinfo | None = None) -> ScheduleState:
    """Read the state of a deployment's schedule. Raises HostError."""
    zone = zone or calendar.zone_of_machine()
    there = installed.read(deployment)
    asked = {job: str(settings.schedule.of(job).at) for job in settings.schedule.jobs}
    findings = () if asked == (there.times if there else {}) else (_NOT_INSTALLED,)
    if there is None:
        return ScheduleState(findings=findings)
    runs = [run for run in records.read(deployment) if is_credible(run.started, now)]
    jobs = tuple(
        JobState(job, str(one.when), calendar.following(one.when, now, zone), _last(job, runs))
        for job, one in there.jobs.items()
    )
    wrong = (*_failed(jobs), *_missed(there, deployment, runs, now, zone))
    return ScheduleState(there.runner, jobs, (*wrong, *findings))


_NOT_INSTALLED = Finding(
    FindingState.NOTE, "The schedule in deployer.yaml differs from the installed one.", ("deployer up",)
)


def _last(job: Job, runs: Sequence[Run]) -> Run | None:
    return next((run for run in runs if run.job == job), None)


def _failed(jobs: Sequence[JobState]) -> Iterator[Finding]:
    for one in jobs:
        last = one.last
        if last is None or last.result.is_good:
            continue
        why = {
            RunResult.FAILED: f"failed: {last.sentence}",
            RunResult.SKIPPED: f"was skipped: {last.sentence}",
            RunResult.INTERRUPTED: f"was interrupted. {last.sentence}".rstrip(),
        }[last.result]
        yield Finding(
            FindingState.WRONG,
            f"The scheduled {one.job} of {last.started:%Y-%m-%d %H:%M} UTC {why}",
            (f"deployer runs {last.id}   (shows its log)", f"deployer run-scheduled {one.job}   (runs it again)"),
        )


def _missed(
    there: Installed, deployment: Deployment, runs: Sequence[Run], now: datetime, zone: tzinfo
) -> Iterator[Finding]:
    if any(run.result is RunResult.RUNNING for run in runs):
        # The others wait for it.
        return
    for job, time in missed(there, runs, now, zone).items():
        user = "--user " if deployment.directory.stat().st_uid else ""
        look_at = {
            RunnerChoice.SYSTEMD: f"systemctl {user}status deployer-{deployment.name}-{job}.timer",
            RunnerChoice.SERVICE: "deployer logs scheduler",
        }.get(
            there.runner, "Run `deployer run-scheduled` every few minutes, for example from cron: it runs what is due."
        )
        yield Finding(
            FindingState.WRONG,
            f"The {job} scheduled for {time:%Y-%m-%d %H:%M} UTC did not run.",
            (look_at, f"deployer run-scheduled {job}   (runs it now)"),
        )
