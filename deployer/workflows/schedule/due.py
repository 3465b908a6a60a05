"""Which commands of a schedule are due, which were missed, and when the next one runs."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from deployer.errors import Busy, UsageError
from deployer.host.lock import exclusive
from deployer.jobs import Job
from deployer.workflows.schedule import installed, records
from deployer.workflows.schedule.calendar import following, latest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo

    from deployer.paths import Deployment
    from deployer.settings.model import Settings
    from deployer.workflows.schedule.installed import Installed, InstalledJob
    from deployer.workflows.schedule.records import Run

# How late a run may begin before it counts as missed, and how far a clock may be set back without having been wrong.
GRACE = timedelta(hours=1)
_PAUSE_SECONDS = 10.0
# The clock may be set, and the schedule may change, during the wait.
_LONGEST_SECONDS = 300


def due(there: Installed, runs: Sequence[Run], now: datetime, zone: tzinfo) -> tuple[Job, ...]:
    """The commands that have not started since their last time, also because the machine was off."""
    return tuple(job for job, one in there.jobs.items() if _open_time(job, one, runs, now, zone) is not None)


def expect_scheduled(settings: Settings, there: Installed | None, job: Job | None) -> Installed:
    """What is installed. Raises UsageError if that is nothing, or if a command that is asked for is not scheduled."""
    if there is None:
        raise UsageError(
            f"Nothing is scheduled for '{settings.name}'.",
            ("Set the times under `schedule:` in deployer.yaml, then: deployer up",),
        )
    if job and job not in there.jobs and not settings.schedule.of(job).is_on:
        once = f"deployer {job}{' TARGET' * (job is Job.BACKUP)}   (runs it once, without the schedule)"
        # By itself, `prune` goes by the rules alone.
        is_complete = job is not Job.PRUNE or bool(settings.retention)
        raise UsageError(
            f"{job} is not scheduled for '{settings.name}'; scheduled are: {', '.join(there.jobs)}.",
            (f"Set schedule.{job} in deployer.yaml, then: deployer up", *((once,) if is_complete else ())),
        )
    return there


def missed(there: Installed, runs: Sequence[Run], now: datetime, zone: tzinfo) -> dict[Job, datetime]:
    """The commands that should have started more than GRACE ago, with that time."""
    times = {job: _open_time(job, one, runs, now, zone) for job, one in there.jobs.items()}
    return {job: found for job, found in times.items() if found is not None and found <= now - GRACE}


def pause(deployment: Deployment, now: datetime, zone: tzinfo) -> int:
    """Seconds until something is due, 0 if something is; at most _LONGEST_SECONDS. Raises HostError."""
    there = installed.read(deployment)
    if there is None or not there.jobs:
        return _LONGEST_SECONDS
    if due(there, records.read(deployment), now, zone):
        return 0
    left = min(following(one.when, now, zone) for one in there.jobs.values()) - now
    return max(1, min(_LONGEST_SECONDS, math.ceil(left.total_seconds())))


def wait_for_turn(
    deployment: Deployment, patience: float, say: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until no other command changes the deployment, for `patience` seconds at most. Raises Busy and HostError."""
    waited, told = 0.0, False
    while True:
        try:
            with exclusive(deployment.lock_file):
                return
        except Busy as error:
            if waited >= patience:
                raise
            if not told:
                say(f"{error.message} Waiting until it is done …")
            told = True
        sleep(_PAUSE_SECONDS)
        waited += _PAUSE_SECONDS


def is_credible(time: datetime, now: datetime) -> bool:
    """Whether something can have happened then: what a clock that was ahead has noted would hold for years."""
    return time <= now + GRACE


def _open_time(job: Job, one: InstalledJob, runs: Sequence[Run], now: datetime, zone: tzinfo) -> datetime | None:
    """The last time that no run was begun for; one before the schedule was installed is none.

    What is dated in the future does not count: a clock was wrong, and would let nothing run until then.
    """
    found = latest(one.when, now, zone)
    begun = [one.since, *(run.started for run in runs if run.job == job)]
    # At the moment of its installation, a command is not due; at that of a run, it has run.
    if any(found <= time for time in begun if is_credible(time, now)):
        return None
    return found
