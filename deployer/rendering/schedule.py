"""What starts the commands of a schedule: a script in the deployment's directory; a container, or systemd's units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.host.files import PRIVATE, PUBLIC
from deployer.layout import RUN_SCHEDULED
from deployer.rendering.templates import File, render, templates_directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNIT_HEADER = "# Written by deployer for "
"""How the units that deployer writes begin; the deployment's directory follows."""


@dataclass(frozen=True)
class MachineUser:
    """A user of the machine, by numbers."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class ScheduleInputs:
    """How a command of the schedule is run: Python with deployer, the flags, and the environment, which may be secret.

    `user` is who runs it in the container that starts it; None if systemd does, or nothing of ours. `directory` is the
    deployment's.
    """

    python: str
    flags: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: MachineUser | None = None

    @property
    def script(self) -> str:
        """The path of the script on the machine."""
        return str(self.directory / RUN_SCHEDULED)

    @property
    def entrypoint(self) -> tuple[str, ...]:
        """What the container runs, () without one."""
        if self.user is None:
            return ()
        become, loop = (
            (templates_directory() / "schedule" / name).read_text() for name in ("become.py", "scheduler.sh")
        )
        who = (str(self.user.uid), str(self.user.gid), ",".join(map(str, self.user.groups)))
        return ("sh", "-c", loop, "scheduler", self.python, become, *who, self.script)


def run_script(inputs: ScheduleInputs) -> File:
    """The script that runs a command of the schedule."""
    content = render(
        "schedule/run.sh.j2", python=inputs.python, flags=inputs.flags, environment=sorted(inputs.environment.items())
    )
    return File(RUN_SCHEDULED, content, PRIVATE)


def units(deployment: str, directory: Path, jobs: Mapping[str, str], *, is_user: bool) -> tuple[File, ...]:
    """systemd's units for jobs with their calendar events, by name."""
    header = f"{UNIT_HEADER}{directory}"
    values = {"header": header, "deployment": deployment, "is_user": is_user}
    script = str(directory / RUN_SCHEDULED)
    return tuple(
        File(
            f"{unit_name(deployment, job)}.{kind}",
            render(f"schedule/{kind}.j2", **values, job=job, calendar=calendar, script=script),
            PUBLIC,
        )
        for job, calendar in jobs.items()
        for kind in ("service", "timer")
    )


def unit_name(deployment: str, job: str) -> str:
    """The name of a job's units, without the suffix."""
    return f"deployer-{deployment}-{job}"
