"""The running dockerd: which process it is, whether it would accept a file, and its reload."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.host import programs, scratch
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deployer.host.programs import Finished

DEFAULT_ENDPOINT = "unix:///var/run/docker.sock"

_LOOPBACK = ("tcp://127.", "tcp://localhost", "tcp://[::1]")
_PROGRAM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin")


@dataclass(frozen=True)
class Daemon:
    """A running dockerd. `unit` is the systemd service whose main process it is, or ""."""

    pid: int
    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    program: Path | None
    unit: str

    @property
    def config_file(self) -> Path | None:
        """The file that `--config-file` names."""
        named = self._values("--config-file")
        return self.directory / named[-1] if named else None

    @property
    def insecure_registries(self) -> tuple[str, ...]:
        """What `--insecure-registry` names."""
        return self._values("--insecure-registry")

    @property
    def listens_on(self) -> tuple[str, ...]:
        """What `--host` names."""
        return self._values("--host", "-H")

    def _values(self, *options: str) -> tuple[str, ...]:
        found = []
        for word, following in zip(self.arguments, (*self.arguments[1:], ""), strict=False):
            name, equals, value = word.partition("=")
            if name in options:
                found.append(value if equals else following)
        return tuple(found)


def socket_owner(path: str) -> int | None:
    """The process that listens on a socket, None if that cannot be learnt.

    Linux reports it for every connected Unix socket: unix(7), SO_PEERCRED.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.settimeout(2)
            connection.connect(path)
            credentials = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
        except OSError:
            return None
    pid: int = struct.unpack("3i", credentials)[0]
    # 0: a process that this process namespace does not show.
    return pid or None


@dataclass(frozen=True)
class Machine:
    """This machine, as far as dockerd is concerned; a test puts its own in the place of each part."""

    environment: Mapping[str, str]
    platform: str = sys.platform
    processes: Path = Path("/proc")
    pid_file: Path = Path("/var/run/docker.pid")
    owner: Callable[[str], int | None] = socket_owner
    run: Callable[[Sequence[str]], Finished] = programs.attempt
    signal: Callable[[int, int], None] = os.kill
    program_folders: Sequence[str] = field(default=_PROGRAM_FOLDERS)


def is_elsewhere(endpoint: str) -> bool:
    """Whether the engine at that address is on another machine."""
    return endpoint.startswith(("tcp://", "ssh://", "http://", "https://")) and not endpoint.startswith(_LOOPBACK)


def rootless_socket(environment: Mapping[str, str]) -> str:
    """Where a rootless dockerd of this user listens."""
    return f"unix://{environment.get('XDG_RUNTIME_DIR', '')}/docker.sock"


def find(machine: Machine, endpoint: str) -> Daemon | None:
    """The dockerd behind an address: anyone who listens there, or else the one that its pid file names.

    systemd may hold the socket for dockerd; then the pid file, or the only dockerd there is.
    """
    path = endpoint.removeprefix("unix://")
    owner = machine.owner(path) if endpoint.startswith("unix://") else None
    candidates: list[int | None] = [owner]
    if endpoint == rootless_socket(machine.environment):
        candidates.append(_number(Path(path).with_suffix(".pid")))
    elif endpoint in (DEFAULT_ENDPOINT, "unix:///run/docker.sock"):
        candidates.append(_number(machine.pid_file))
    for pid in candidates:
        daemon = _daemon(machine, pid) if pid else None
        if daemon is not None:
            return daemon
    listening = [daemon for daemon in _all(machine) if endpoint in daemon.listens_on]
    return listening[0] if len(listening) == 1 else None


@dataclass(frozen=True)
class Validator:
    """The dockerd that could check a file, None if there is none here, and the options that its help names."""

    program: str | None
    options: frozenset[str] = frozenset()

    @property
    def can_validate(self) -> bool:
        """Whether it can: `--validate` came with 23.0."""
        return "validate" in self.options


def validator(machine: Machine, daemon: Daemon | None) -> Validator:
    """The dockerd that runs, or else the one that is installed."""
    program = _program(machine, daemon)
    if program is None:
        return Validator(None)
    words = machine.run([program, "--help"]).output
    return Validator(program, frozenset(re.findall(r"^\s*(?:-\w,\s*)?--([a-z][a-z0-9-]*)", words, re.MULTILINE)))


def validate(machine: Machine, daemon: Daemon | None, content: bytes) -> bool:
    """Let dockerd check a file's content; False if it cannot: `--validate` came with 23.0.

    Raises HostError with dockerd's own words if it refuses the content.
    """
    found = validator(machine, daemon)
    if found.program is None or not found.can_validate:
        return False
    try:
        with scratch.folder("daemon") as folder:
            copy = folder / "daemon.json"
            # Logins to proxies may be in it: the folder is its owner's alone.
            copy.write_bytes(content)
            done = machine.run([found.program, "--validate", "--config-file", str(copy)])
            words = done.output.strip().replace(str(copy), "daemon.json")
    except OSError as error:
        raise HostError(f"A copy for dockerd to check cannot be written: {error.strerror}.") from error
    if done.code != 0:
        raise HostError("dockerd rejects the file with this change; nothing was changed.", original=words)
    return True


def reload(machine: Machine, daemon: Daemon) -> str:
    """Make dockerd read its file again, without a restart; return what was done, as a command.

    Raises HostError with the command to give instead.
    """
    if daemon.unit and machine.run(["systemctl", "reload", daemon.unit]).code == 0:
        return f"systemctl reload {daemon.unit}"
    if not _is_dockerd(machine, daemon.pid):
        raise HostError(
            f"dockerd (process {daemon.pid}) has ended in the meantime.", ("It reads the file on the next start.",)
        )
    try:
        machine.signal(daemon.pid, signal.SIGHUP)
    except OSError as error:
        raise HostError(
            f"dockerd (process {daemon.pid}) could not be reloaded: {error.strerror}.", (reload_command(daemon),)
        ) from error
    return f"kill -HUP {daemon.pid}"


def reload_command(daemon: Daemon | None) -> str:
    """What to type to make dockerd read its file again."""
    if daemon is not None and not daemon.unit:
        return f"sudo kill -HUP {daemon.pid}"
    return f"sudo systemctl reload {daemon.unit if daemon else 'docker'}"


def log_command(daemon: Daemon | None, kind: EngineKind) -> str:
    """Where to read what the engine says of its file."""
    if kind is EngineKind.ROOTLESS:
        return "journalctl --user --unit docker --lines 20"
    if daemon is not None and not daemon.unit:
        return f"See the log of dockerd (process {daemon.pid})."
    return f"sudo journalctl --unit {daemon.unit if daemon else 'docker'} --lines 20"


def restart_command(daemon: Daemon | None, kind: EngineKind) -> str:
    """What to type to restart the engine."""
    if kind is EngineKind.DESKTOP:
        return "docker desktop restart   (or restart Docker Desktop from its menu)"
    if kind is EngineKind.ROOTLESS:
        return "systemctl --user restart docker"
    if daemon is not None and not daemon.unit:
        return f"sudo kill {daemon.pid}, and then start it again: sudo {shlex.join(daemon.arguments)}"
    return f"sudo systemctl restart {daemon.unit if daemon else 'docker'}"


def _daemon(machine: Machine, pid: int) -> Daemon | None:
    if not _is_dockerd(machine, pid):
        return None
    process = machine.processes / str(pid)
    variables = (word.partition("=") for word in _words(process / "environ"))
    program = _link(process / "exe")
    return Daemon(
        pid=pid,
        arguments=_words(process / "cmdline"),
        directory=_link(process / "cwd") or Path("/"),
        environment={name: value for name, _, value in variables} or dict(machine.environment),
        program=program if program is not None and program.name == "dockerd" and program.is_file() else None,
        unit=_unit(machine, pid),
    )


def _all(machine: Machine) -> list[Daemon]:
    try:
        numbers = [int(entry.name) for entry in machine.processes.iterdir() if entry.name.isdigit()]
    except OSError:
        return []
    return [daemon for pid in numbers if (daemon := _daemon(machine, pid)) is not None]


def _is_dockerd(machine: Machine, pid: int) -> bool:
    process = machine.processes / str(pid)
    # One that has ended and waits for its parent keeps its name, but has no command line.
    return _text(process / "comm").strip() == "dockerd" and bool(_words(process / "cmdline"))


def _unit(machine: Machine, pid: int) -> str:
    """The system service of a process: its control group names it, and systemd must agree."""
    for line in _text(machine.processes / str(pid) / "cgroup").splitlines():
        path = line.split(":", 2)[-1]
        unit = path.rsplit("/", 1)[-1]
        if unit.endswith(".service") and "/user.slice/" not in path:
            main = machine.run(["systemctl", "show", "--property=MainPID", "--value", unit])
            if main.code == 0 and main.output.strip() == str(pid):
                return unit
    return ""


def _program(machine: Machine, daemon: Daemon | None) -> str | None:
    if daemon is not None and daemon.program is not None:
        return str(daemon.program)
    # Root's folders, where dockerd is, are not on everybody's PATH.
    folders = os.pathsep.join((machine.environment.get("PATH", ""), *machine.program_folders))
    return shutil.which("dockerd", path=folders)


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.isdecimal() else None


def _words(file: Path) -> tuple[str, ...]:
    return tuple(word for word in _text(file).split("\0") if word)


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def _link(file: Path) -> Path | None:
    try:
        return file.readlink()
    except OSError:
        return None
