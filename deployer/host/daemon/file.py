"""daemon.json as a file: found, read, compared, backed up, replaced in one step."""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.host.daemon.kind import EngineKind
from deployer.host.files import nearest_directory, remember
from deployer.paths import config_home, home

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from deployer.host.daemon.process import Daemon

SYSTEM_FILE = Path("/etc/docker/daemon.json")

_BOM = b"\xef\xbb\xbf"
_NEW_MODE = 0o644


class NoPermission(HostError):
    """The file belongs to another user: run the same command as root."""


@dataclass(frozen=True)
class DaemonFile:
    """daemon.json as it was read: its name, the file behind a link, its bytes, None if it is missing."""

    path: Path
    target: Path
    content: bytes | None

    @property
    def text(self) -> str:
        """The content as text, without a byte order mark. Raises HostError."""
        try:
            return (self.content or b"").removeprefix(_BOM).decode()
        except UnicodeDecodeError as error:
            raise HostError(
                f"{self.path} is not valid UTF-8 (byte {error.start + 1}).",
                ("Save it as UTF-8 and run the command again. The file was not changed.",),
            ) from error

    @property
    def has_mark(self) -> bool:
        """Whether it begins with a byte order mark."""
        return (self.content or b"").startswith(_BOM)

    def encoded(self, text: str) -> bytes:
        """A new text as bytes, with the byte order mark that the file has."""
        mark = _BOM if self.has_mark else b""
        return mark + text.encode()

    def diff(self, text: str) -> str:
        """What a new text changes, as a unified diff; "" if it changes nothing."""
        before, after = _lines(self.text), _lines(text)
        name = "/dev/null" if self.content is None else str(self.path)
        found = difflib.unified_diff(before, after, name, str(self.path), lineterm="\n")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)


def locate(daemon: Daemon | None, environment: Mapping[str, str], kind: EngineKind) -> Path:
    """Where the engine looks for daemon.json.

    `dockerd --config-file` wins; Desktop reads ~/.docker, a rootless daemon its own user's
    configuration folder, all others /etc/docker (docs.docker.com, "Docker daemon configuration").
    """
    if kind is EngineKind.DESKTOP:
        return home(environment) / ".docker" / "daemon.json"
    if daemon is not None and daemon.config_file is not None:
        return daemon.config_file
    if kind is EngineKind.ROOTLESS:
        return config_home(daemon.environment if daemon else environment) / "docker" / "daemon.json"
    return SYSTEM_FILE


def resolved(path: Path) -> Path:
    """The file itself, behind every link; it need not exist."""
    return Path(os.path.realpath(path))


def read(path: Path) -> DaemonFile:
    """Read the file, through links. Raises NoPermission, HostError."""
    target = resolved(path)
    try:
        if not stat.S_ISREG(target.stat().st_mode):
            raise HostError(f"{path} is not a regular file.")
        return DaemonFile(path, target, target.read_bytes())
    except FileNotFoundError:
        return DaemonFile(path, target, None)
    except OSError as error:
        raise _refusal(path, "read", error) from error


def require_permission(path: Path) -> None:
    """Make sure that this user may put a file here, in the place of another or not. Raises NoPermission."""
    folder = nearest_directory(path.parent)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise NoPermission(f"{path} cannot be changed: Permission denied.")


def back_up(file: DaemonFile, now: datetime) -> Path | None:
    """Keep a copy beside the file; None if there is nothing to keep. Raises NoPermission, HostError.

    A copy that is there already with the same bytes is the backup.
    """
    if file.content is None:
        return None
    folder, name = file.target.parent, f"{file.target.name}.backup-"
    try:
        for known in sorted(entry for entry in folder.iterdir() if entry.name.startswith(name)):
            if known.is_file() and known.read_bytes() == file.content:
                return known
        stamp = now.strftime("%Y%m%d-%H%M%S")
        choices = [folder / f"{name}{stamp}", *(folder / f"{name}{stamp}-{number}" for number in range(2, 100))]
        copy = next(choice for choice in choices if not choice.exists())
        _put(copy, file.content, like=file.target, still=None)
    except OSError as error:
        raise _refusal(file.path, "changed", error) from error
    return copy


def replace(file: DaemonFile, content: bytes) -> None:
    """Put the new content in the file's place in one step, keeping mode and owner.

    Raises NoPermission, HostError; HostError too if the file was changed since it was read.
    """
    try:
        _compare(file)
        if file.content is None:
            file.target.parent.mkdir(parents=True, exist_ok=True)
        _put(file.target, content, like=None if file.content is None else file.target, still=file)
    except OSError as error:
        raise _refusal(file.path, "changed", error) from error


def _put(path: Path, content: bytes, *, like: Path | None, still: DaemonFile | None) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            _resemble(stream.fileno(), like)
            os.fsync(stream.fileno())
        if still is not None:
            _compare(still)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    remember(path.parent)


def _compare(file: DaemonFile) -> None:
    """Make sure that the file is still as it was read."""
    if read(file.path) != file:
        raise HostError(
            f"Another process changed {file.path} at the same time; deployer did not change it.",
            ("Run the command again.",),
        )


def _resemble(descriptor: int, like: Path | None) -> None:
    """Give a new file the owner, the mode and the labels (SELinux, access lists) of the old one."""
    if like is None:
        os.fchmod(descriptor, _NEW_MODE)
        return
    old, new = like.stat(), os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
    if hasattr(os, "listxattr"):
        # Not every file system has them, and some labels only the system itself may set.
        with contextlib.suppress(OSError):
            for label in os.listxattr(like):
                os.setxattr(descriptor, label, os.getxattr(like, label))


def _refusal(path: Path, deed: str, error: OSError) -> HostError:
    words = f"{path} cannot be {deed}: {error.strerror}."
    if not isinstance(error, PermissionError):
        return HostError(words)
    if os.geteuid() == 0:
        return HostError(words, (f"lsattr {path}   (shows whether it is immutable)",))
    return NoPermission(words)


def _lines(text: str) -> list[str]:
    # Not splitlines: it also splits at characters that end no line in a file.
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])
