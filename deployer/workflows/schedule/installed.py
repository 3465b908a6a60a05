"""What `up` installed of the schedule, and since when; kept in the deployment's directory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.host.files import PUBLIC, read_if_there, write_atomically
from deployer.host.timestamps import timestamp_of
from deployer.jobs import Job
from deployer.settings.schedule import RunnerChoice, When, when_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from deployer.paths import Deployment
    from deployer.settings.model import Settings


@dataclass(frozen=True)
class InstalledJob:
    """When a command runs, and since when it is scheduled."""

    when: When
    since: datetime


@dataclass(frozen=True)
class Installed:
    """The scheduled commands, and what starts them."""

    runner: RunnerChoice = RunnerChoice.NONE
    jobs: Mapping[Job, InstalledJob] = field(default_factory=dict)

    @property
    def times(self) -> dict[Job, str]:
        """When each command runs."""
        return {job: str(one.when) for job, one in self.jobs.items()}


def read(deployment: Deployment) -> Installed | None:
    """What is installed; None if nothing is, or if it cannot be read. Raises HostError."""
    content = read_if_there(deployment.schedule_file)
    if content is None:
        return None
    try:
        raw = json.loads(content)
        jobs = {
            Job(job): InstalledJob(when_of(one["when"], 0, 0), timestamp_of(one["since"]))
            for job, one in raw["jobs"].items()
        }
        return Installed(RunnerChoice(raw["runner"]), jobs)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def wanted(settings: Settings, runner: RunnerChoice, before: Installed | None, now: datetime) -> Installed | None:
    """What the settings ask for, with what was installed before; None if nothing is scheduled."""
    jobs = settings.schedule.jobs
    if not jobs:
        return None
    # One that a clock that was ahead has noted would not be due for years.
    known = {job: one for job, one in (before.jobs if before else {}).items() if one.since <= now}
    times = {job: settings.schedule.of(job).at for job in jobs}
    return Installed(
        runner,
        {
            job: known[job] if job in known and known[job].when == when else InstalledJob(when, now)
            for job, when in times.items()
        },
    )


def keep(deployment: Deployment, installed: Installed) -> None:
    """Record what is installed. Raises HostError."""
    jobs = {job: {"when": str(one.when), "since": one.since.isoformat()} for job, one in installed.jobs.items()}
    content = json.dumps({"runner": installed.runner, "jobs": jobs}, indent=1) + "\n"
    write_atomically(deployment.schedule_file, content.encode(), PUBLIC)
