"""One command at a time on a deployment."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from deployer.errors import Busy, HostError
from deployer.host.files import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_TRIES = 10
_PAUSE_SECONDS = 0.1
_NAME_MAX_BYTES = 1000


@contextmanager
def exclusive(path: Path, command: str = "") -> Iterator[None]:
    """Pause a lock file, and the folder that it is in, while a command changes the deployment.

    The kernel lets go of both when the process ends, however it ends. The folder's lock holds where the file is
    replaced in the meantime. Who takes it for a moment only gives no command. Raises HostError, and Busy that names the
    command that is already running.
    """
    file, folder = _held(path)
    try:
        # On a full disk it holds without a name.
        with suppress(OSError):
            os.ftruncate(file, 0)
            if command:
                os.pwrite(file, f"`deployer {command}` (process {os.getpid()})".encode(), 0)
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(file, 0)
    finally:
        _close(file, folder)


def _held(path: Path) -> tuple[int, int]:
    """The lock file and its folder, opened and locked. Raises HostError and Busy."""
    for attempt in range(1, _TRIES + 1):
        file, folder = _opened(path)
        name = ""
        try:
            if _lock(file, folder, path):
                return file, folder
        except BlockingIOError:
            name = _named(file)
        except BaseException:
            _close(file, folder)
            raise
        _close(file, folder)
        # A command that only makes order holds it for a moment, and says nothing.
        if attempt == _TRIES or name:
            who = name or "Another command"
            raise Busy(f"{who} is already running for this deployment.", ("Wait until it is done.",))
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError


def _opened(path: Path) -> tuple[int, int]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            return file, os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            os.close(file)
            raise
    except OSError as error:
        found = refusal(path, error)
        found.advice = (
            *found.advice,
            "Or keep deployments in another directory: export XDG_DATA_HOME=/path/to/directory",
        )
        raise found from error


def _lock(file: int, folder: int, path: Path) -> bool:
    """Lock both; False if the file is not the one at the path any more. Raises BlockingIOError and HostError."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        raise HostError(f"{path} cannot be locked: {error.strerror}.") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        # Not every network disk locks folders: there the file's lock must do.
        pass
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except OSError:
        return False


def _named(file: int) -> str:
    return os.pread(file, _NAME_MAX_BYTES, 0).decode(errors="replace").strip()


def _close(file: int, folder: int) -> None:
    os.close(file)
    os.close(folder)
