"""Whether the engine starts at boot, and what makes it start."""

from __future__ import annotations

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.host import programs
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.host.programs import Finished

_UNIT = "docker.service"
# sd_booted(3), and what a kernel of WSL calls itself.
_BOOTED = Path("/run/systemd/system")
_OPENRC = Path("/run/openrc")
_LINGERING = Path("/var/lib/systemd/linger")
_RELEASE = Path("/proc/sys/kernel/osrelease")
# systemctl(1), is-enabled: the states in which a unit starts at boot.
_STARTS = {"enabled", "enabled-runtime", "static", "indirect", "generated", "alias", "linked"}


@dataclass(frozen=True)
class StartPlan:
    """The commands after which the engine starts at boot, or no longer does; none if nothing has to change."""

    commands: tuple[tuple[str, ...], ...]
    remove: bool = False


@dataclass(frozen=True)
class Machine:
    """What starts programs on this machine, and the current user. `run` runs a program."""

    has_systemd: bool
    has_openrc: bool
    is_wsl: bool
    user: str
    is_root: bool
    run: Callable[[Sequence[str]], Finished] = programs.attempt
    lingering: Path = _LINGERING

    @classmethod
    def here(cls) -> Machine:
        """This machine."""
        return cls(
            _BOOTED.is_dir(),
            _OPENRC.is_dir() and shutil.which("rc-update") is not None,
            "microsoft" in _text(_RELEASE).lower(),
            _user(),
            os.geteuid() == 0,
        )

    @property
    def lingers(self) -> bool:
        """Whether the user's programs run without a login."""
        return (self.lingering / self.user).exists()

    def systemctl(self, *arguments: str, is_user: bool) -> tuple[str, ...]:
        """A command for the machine's systemd, or for the user's."""
        if not is_user:
            return ("systemctl", *arguments)
        runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
        return ("env", f"XDG_RUNTIME_DIR={runtime}", "systemctl", "--user", *arguments)

    def state(self, *, is_user: bool) -> str:
        """What systemd says of the engine's unit: "enabled", "disabled", …; "" if it has none."""
        printed = self.run(self.systemctl("is-enabled", _UNIT, is_user=is_user)).output.strip().splitlines()
        word = printed[-1] if printed else ""
        return "" if " " in word or word == "not-found" else word

    def openrc_has_it(self) -> bool:
        """Whether OpenRC starts the engine."""
        return any(
            line.split("|")[0].strip() == "docker" for line in self.run(["rc-update", "show"]).output.splitlines()
        )


def starts(machine: Machine, kind: EngineKind) -> bool | None:
    """Whether the engine starts at boot; None if that cannot be known."""
    if kind is EngineKind.DESKTOP:
        return None
    is_user = kind is EngineKind.ROOTLESS
    if machine.has_systemd:
        state = machine.state(is_user=is_user)
        # Whether a rootless engine ends when its user logs out is checked elsewhere in `doctor`.
        return state in _STARTS if state else None
    if machine.has_openrc and not is_user:
        return machine.openrc_has_it()
    return None


def plan(machine: Machine, kind: EngineKind, *, remove: bool) -> StartPlan:
    """What has to be done. Raises HostError, with what to do instead, if it cannot be done here."""
    if kind is EngineKind.DESKTOP:
        raise HostError(
            "Only Docker Desktop's own settings change when it starts.",
            ("In its settings, under General, have Docker Desktop start when you log in.",),
        )
    if machine.has_systemd:
        found = _with_systemd(machine, is_user=kind is EngineKind.ROOTLESS, remove=remove)
    elif machine.has_openrc and kind is EngineKind.SYSTEM:
        verb = "del" if remove else "add"
        found = () if machine.openrc_has_it() is not remove else (("rc-update", verb, "docker", "default"),)
    else:
        raise _no_init(machine, kind, remove=remove)
    if found and kind is EngineKind.SYSTEM and not machine.is_root:
        raise HostError("Only root can change what starts at boot.", tuple(f"sudo {' '.join(one)}" for one in found))
    return StartPlan(found, remove)


def apply(machine: Machine, what: StartPlan) -> None:
    """Run the commands. Raises HostError with the output of the one that failed."""
    for command in what.commands:
        done = machine.run(command)
        if done.code != 0:
            by_root = ("loginctl" in command and not machine.is_root) or "rc-update" in command
            advice = (f"sudo {' '.join(command)}",) if by_root else ()
            raise HostError(f"`{' '.join(command)}` failed.", advice, done.output.strip())


def _with_systemd(machine: Machine, *, is_user: bool, remove: bool) -> tuple[tuple[str, ...], ...]:
    state = machine.state(is_user=is_user)
    if not state:
        raise HostError(
            f"systemd has no unit {_UNIT}, so it cannot start the engine.",
            ("dockerd-rootless-setuptool.sh install   (creates it)",) if is_user else
            ("systemctl list-unit-files '*docker*'   (shows under which name the engine was installed)",),
        )  # fmt: skip
    if remove:
        # Whether the user's other programs run without a login is not ours to change.
        return (machine.systemctl("disable", _UNIT, is_user=is_user),) if state in _STARTS else ()
    enable = () if state in _STARTS else (machine.systemctl("enable", _UNIT, is_user=is_user),)
    linger = (("loginctl", "enable-linger", machine.user),) if is_user and not machine.lingers else ()
    return (*enable, *linger)


def _no_init(machine: Machine, kind: EngineKind, *, remove: bool) -> HostError:
    if remove:
        return HostError(
            "What starts the engine with this machine is unknown.",
            ("Remove what starts dockerd: in the init, a supervisor, the container's entrypoint, or a crontab.",),
        )
    if machine.is_wsl:
        return HostError(
            "systemd is not running in this WSL distribution, so nothing starts the engine.",
            (
                "Add to /etc/wsl.conf, under [boot]: systemd=true   (then, in Windows: wsl --shutdown)",
                'Or, under [boot]: command="service docker start"',
            ),
        )
    sentence = (
        "OpenRC does not start the engine of a user, so deployer cannot have it started at boot."
        if machine.has_openrc
        else "Neither systemd nor OpenRC runs here, so deployer cannot have the engine started at boot."
    )
    return HostError(
        sentence,
        (
            "Let what starts this machine start dockerd: its init, its supervisor, or the container's entrypoint.",
            # Cron has no runtime directory of a user, which a rootless engine needs.
            *((f"Or, if cron is running: {_crontab(machine)}",) if kind is EngineKind.SYSTEM else ()),
        ),
    )


def _crontab(machine: Machine) -> str:
    """The command that has cron start the engine, in root's crontab."""
    sudo = "" if machine.is_root else "sudo "
    return f"({sudo}crontab -l; echo '@reboot dockerd') | {sudo}crontab -"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
