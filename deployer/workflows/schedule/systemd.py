"""systemd's timers of a deployment: what would change, installing them, removing them."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import HostError, PreflightError
from deployer.host import programs
from deployer.host.files import PUBLIC, read_if_there, refusal, write_atomically
from deployer.paths import config_home
from deployer.rendering.schedule import UNIT_HEADER, unit_name, units
from deployer.workflows.schedule.calendar import systemd_calendar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deployer.paths import Deployment
    from deployer.rendering.templates import File
    from deployer.workflows.schedule.installed import Installed

SYSTEM_FOLDER = Path("/etc/systemd/system")
_TIMER = ".timer"


class UnitAction(Enum):
    """What is done with a unit."""

    WRITE = "install"
    # Already written, by an `up` that was killed, or stopped by hand.
    START = "start"
    REMOVE = "remove"


@dataclass(frozen=True)
class UnitChange:
    """A unit's file name, what is done with it, and its new content."""

    name: str
    action: UnitAction
    content: bytes = b""

    @property
    def is_timer(self) -> bool:
        """Whether it is a timer, which is started."""
        return self.name.endswith(_TIMER)


@dataclass(frozen=True)
class Systemd:
    """systemd of the machine, or of a user. `folder` is where its units are."""

    folder: Path
    is_user: bool
    program: str = "systemctl"

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Systemd:
        """The machine's for root, otherwise the user's. Raises ConfigurationError without a home folder."""
        is_user = os.geteuid() != 0
        return cls(config_home(environment) / "systemd" / "user" if is_user else SYSTEM_FOLDER, is_user)

    def plan(self, deployment: Deployment, installed: Installed | None) -> tuple[UnitChange, ...]:
        """What differs from what should be installed; None is nothing.

        Raises PreflightError for a unit of that name that deployer did not write, and HostError.
        """
        wanted = {file.path: file for file in self._wanted(deployment, installed)}
        found = []
        for name, unit in wanted.items():
            before = read_if_there(self.folder / name)
            if before is not None and not _is_ours(before, deployment):
                raise _foreign(self.folder / name)
            if before != unit.content:
                found.append(UnitChange(name, UnitAction.WRITE, unit.content))
        written = {one.name for one in found}
        kept = [name for name in wanted if name.endswith(_TIMER) and name not in written]
        found += [UnitChange(name, UnitAction.START) for name in kept if not self._is_started(name)]
        found += [UnitChange(name, UnitAction.REMOVE) for name in self.present(deployment) if name not in wanted]
        return tuple(found)

    def present(self, deployment: Deployment) -> tuple[str, ...]:
        """The names of the deployment's units that are installed, the timers first."""
        try:
            paths = sorted(self.folder.glob(f"{unit_name(deployment.name, '*')}"), reverse=True)
        except OSError:
            return ()
        # The name of another deployment may begin with this one's.
        return tuple(path.name for path in paths if _is_ours(read_if_there(path) or b"", deployment))

    def check(self) -> None:
        """Make sure that it responds. Raises PreflightError."""
        done = programs.attempt(self._command("show", "--property=Version"))
        if done.code != 0:
            linger = "sudo loginctl enable-linger $USER   (keeps your systemd running without a login)"
            name = "Your user instance of systemd" if self.is_user else "systemd"
            raise PreflightError(
                f"{name}, which starts the commands, does not respond.",
                (
                    *([linger] if self.is_user else []),
                    "Or use the container instead: set schedule.runner: service in deployer.yaml.",
                ),
                done.output.strip(),
            )

    def apply(self, changes: Sequence[UnitChange]) -> None:
        """Install, start and remove units. Raises HostError, after removing what has to be removed."""
        if not changes:
            return
        failed = self._stop([one for one in changes if one.action is UnitAction.REMOVE])
        for one in changes:
            if one.action is UnitAction.WRITE:
                write_atomically(self.folder / one.name, one.content, PUBLIC)
            elif one.action is UnitAction.REMOVE:
                self._remove(self.folder / one.name)
        if failed:
            raise failed
        timers = [one.name for one in changes if one.is_timer and one.action is not UnitAction.REMOVE]
        self._run("daemon-reload")
        if timers:
            self._run("enable", *timers)
            # systemd applies a new time to a running timer only when it is restarted.
            self._run("restart", *timers)

    def _wanted(self, deployment: Deployment, installed: Installed | None) -> tuple[File, ...]:
        if installed is None:
            return ()
        calendars = {str(job): systemd_calendar(one.when) for job, one in installed.jobs.items()}
        return units(deployment.name, deployment.directory, calendars, is_user=self.is_user)

    def _is_started(self, timer: str) -> bool:
        return all(
            programs.attempt(self._command(verb, "--quiet", timer)).code == 0 for verb in ("is-enabled", "is-active")
        )

    def _stop(self, going: Sequence[UnitChange]) -> HostError | None:
        """Stop units; return the first failure, or None."""
        failed = None
        for one in going:
            try:
                self._run(*(("disable", "--now") if one.is_timer else ("stop",)), one.name)
            except HostError as error:
                failed = failed or error
        return failed

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise refusal(path, error) from error

    def _command(self, *arguments: str) -> list[str]:
        if not self.is_user:
            return [self.program, *arguments]
        # Without a login session, as after `su`, it would not find the user's systemd.
        runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
        return ["env", f"XDG_RUNTIME_DIR={runtime}", self.program, "--user", *arguments]

    def _run(self, *arguments: str) -> None:
        done = programs.attempt(self._command(*arguments))
        if done.code != 0:
            said = " ".join(["systemctl", *(["--user"] if self.is_user else []), *arguments])
            raise HostError(f"`{said}` failed.", (), done.output.strip())


def _is_ours(content: bytes, deployment: Deployment) -> bool:
    return content.startswith(f"{UNIT_HEADER}{deployment.directory}\n".encode())


def _foreign(path: Path) -> PreflightError:
    return PreflightError(
        f"{path} exists and is not this deployment's.",
        (
            f"mv {shlex.quote(str(path))} {shlex.quote(str(path))}.old",
            "Or use the container instead: set schedule.runner: service in deployer.yaml.",
        ),
    )
