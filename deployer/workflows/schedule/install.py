"""Installing and removing a schedule, as `up` and `down` do."""

from __future__ import annotations

import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import ConfigurationError, PreflightError, UsageError
from deployer.host.daemon.kind import EngineKind
from deployer.restic.target import Target
from deployer.settings.schedule import RunnerChoice
from deployer.workflows.schedule import env_file, installed
from deployer.workflows.schedule.launcher import runner_of
from deployer.workflows.schedule.systemd import Systemd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from deployer.engine.values import EngineFacts
    from deployer.jobs import Job
    from deployer.paths import Deployment
    from deployer.settings.model import Settings
    from deployer.settings.schedule import ScheduledBackup
    from deployer.workflows.schedule.installed import Installed
    from deployer.workflows.schedule.systemd import UnitChange

_LINGERING = Path("/var/lib/systemd/linger")
_BY_HAND = (
    "Set schedule.runner: none in deployer.yaml, and run `deployer run-scheduled` every few minutes from launchd, cron "
    "or the Task Scheduler: it runs what is due."
)


@dataclass(frozen=True)
class SchedulePlan:
    """What `up` does with the schedule: what is installed, what will be, and the units that change."""

    before: Installed | None = None
    after: Installed | None = None
    units: tuple[UnitChange, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return self.before == self.after and not self.units

    @property
    def times(self) -> Mapping[Job, str]:
        """When each command will run."""
        return self.after.times if self.after else {}


def plan(
    settings: Settings, deployment: Deployment, environment: Mapping[str, str], facts: EngineFacts, now: datetime
) -> SchedulePlan:
    """What differs from what the settings ask for. Raises PreflightError, UsageError or HostError."""
    before = installed.read(deployment)
    runner = runner_of(settings)
    after = installed.wanted(settings, runner, before, now)
    if after is None:
        return SchedulePlan(before, None, _left(deployment, environment, before))
    backup = settings.schedule.backup
    if backup.is_on:
        _check_target(backup)
    if runner is RunnerChoice.SERVICE:
        _refuse_without_machine(facts)
    if runner is not RunnerChoice.SYSTEMD:
        return SchedulePlan(before, after, _left(deployment, environment, before))
    systemd = Systemd.of(environment)
    systemd.check()
    return SchedulePlan(before, after, systemd.plan(deployment, after), _remarks(systemd))


def prepare(deployment: Deployment, what: SchedulePlan) -> None:
    """Record what is planned, before anything is installed. Raises HostError."""
    if what.after is not None and what.after != what.before:
        installed.keep(deployment, what.after)


def apply(deployment: Deployment, environment: Mapping[str, str], what: SchedulePlan) -> None:
    """Install what is planned. Raises HostError."""
    if what.units:
        Systemd.of(environment).apply(what.units)
    if what.after is None:
        deployment.schedule_file.unlink(missing_ok=True)


def removal(deployment: Deployment, environment: Mapping[str, str]) -> tuple[UnitChange, ...]:
    """The units that `down` removes. Raises ConfigurationError or HostError."""
    return _left(deployment, environment, installed.read(deployment))


def remove(deployment: Deployment, environment: Mapping[str, str], units: tuple[UnitChange, ...]) -> None:
    """Remove units, and the record that they are installed. Raises HostError."""
    if units:
        Systemd.of(environment).apply(units)
    deployment.schedule_file.unlink(missing_ok=True)


def _left(deployment: Deployment, environment: Mapping[str, str], before: Installed | None) -> tuple[UnitChange, ...]:
    """The removal of all units of a deployment that are there: the record may be lost or damaged."""
    try:
        systemd = Systemd.of(environment)
    except ConfigurationError:
        if before is not None and before.runner is RunnerChoice.SYSTEMD:
            raise
        # Without a home folder, a user has none.
        return ()
    return systemd.plan(deployment, None)


def _check_target(backup: ScheduledBackup) -> None:
    """Tell the mistakes in what a backup needs here, and not at night. Raises UsageError or HostError."""
    # The run's only login: what is in the environment of `up` is not in its own.
    login = env_file.read(Path(backup.env_file)) if backup.env_file else {}
    try:
        Target.parse(backup.to, Path("/")).check_login(login)
    except UsageError as error:
        raise UsageError(f"schedule.backup in deployer.yaml: {error.message}", error.advice, error.original) from error


def _refuse_without_machine(facts: EngineFacts) -> None:
    """The container needs the file system of this machine, as the user who runs `up`."""
    if facts.kind is EngineKind.DESKTOP or sys.platform != "linux":
        raise PreflightError(
            "Scheduled commands cannot run in a container here: the engine runs in a virtual machine, without this "
            "machine's files.",
            (_BY_HAND,),
        )
    if facts.kind is EngineKind.ROOTLESS:
        raise PreflightError(
            "Scheduled commands cannot run in a container of a rootless engine: the container cannot run as this user.",
            (_BY_HAND,),
        )


def _remarks(systemd: Systemd) -> tuple[str, ...]:
    """Say so if the user's systemd ends with the last session: loginctl(1)."""
    if not systemd.is_user or not _LINGERING.parent.is_dir():
        return ()
    user = _user_name()
    if not user or (_LINGERING / user).exists():
        return ()
    how = f"sudo loginctl enable-linger {user}"
    return (f"Scheduled commands run only while {user} is logged in. To run them always: {how}",)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""
