"""Temporary folders that do not outlive their command, even if it is killed: the next one that makes any removes them.

Each has a file that is locked as long as its process lives. Only what has such a file, unlocked, is removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "deployer-"
_LOCK = ".deployer-temporary"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in it is made so that no one else can enter


@dataclass(frozen=True)
class ScratchFolder:
    """A temporary folder, which only its owner may enter, and the lock that says that it is in use."""

    path: Path
    _lock: int

    def remove(self) -> None:
        """Remove it with all that is in it, as far as possible."""
        _empty(self.path)
        os.close(self._lock)


def parents() -> tuple[Path, ...]:
    """Where temporary folders may be made: the usual place, and memory, so that `gc` works on a full disk."""
    usual: tuple[Path, ...] = ()
    with suppress(OSError):
        usual = (Path(tempfile.gettempdir()),)
    return (*usual, *((_MEMORY,) if _MEMORY.is_dir() and _MEMORY not in usual else ()))


def make(purpose: str, parent: Path) -> ScratchFolder:
    """Make a folder, and remove those of commands that were killed. Raises OSError."""
    for place in {parent, *parents()}:
        sweep(place)
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{purpose}-", dir=parent))
        try:
            lock = _locked(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        # Another command may have taken it for one of a killed command, before it was locked.
        if lock is not None:
            return ScratchFolder(path, lock)


@contextmanager
def folder(purpose: str) -> Iterator[Path]:
    """A temporary folder for a block. Raises OSError."""
    made = make(purpose, Path(tempfile.gettempdir()))
    try:
        yield made.path
    finally:
        made.remove()


def sweep(parent: Path) -> None:
    """Remove the folders in a place that were left by this user's commands that were killed."""
    with suppress(OSError):
        for entry in os.scandir(parent):
            if entry.name.startswith(_PREFIX) and _is_own_folder(entry):
                _remove_if_left(Path(entry.path))


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _remove_if_left(path: Path) -> None:
    with suppress(OSError):
        lock = _locked(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        if lock is not None:
            try:
                _empty(path)
            finally:
                os.close(lock)


def _locked(file: Path, flags: int) -> int | None:
    """Open and lock a file; None if another process has locked it, or removed it. Raises OSError."""
    opened = os.open(file, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(opened), file.lstat()):
            return opened
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(opened)
        raise
    os.close(opened)
    return None


def _empty(path: Path) -> None:
    """Remove a folder. The lock's file goes last, so that what is interrupted is continued by the next command."""
    with suppress(OSError):
        for entry in os.scandir(path):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            elif entry.name != _LOCK:
                Path(entry.path).unlink(missing_ok=True)
        (path / _LOCK).unlink(missing_ok=True)
        path.rmdir()
