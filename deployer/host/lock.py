"""One command at a time on a deployment."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from deployer.errors import HostError
from deployer.host.files import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_TRIES = 10
_PAUSE_SECONDS = 0.1


@contextmanager
def exclusive(path: Path, command: str = "") -> Iterator[None]:
    """Hold a lock file while a command changes the deployment.

    The kernel lets go of it when the process ends, however it ends. Who takes it for a moment only
    gives no command. Raises HostError that names the command that is at work already.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+")
    except OSError as error:
        found = refusal(path, error)
        found.advice = (*found.advice, "Or keep deployments in another folder: export XDG_DATA_HOME=/path/to/folder")
        raise found from error
    with opened as stream:
        _lock(stream, path)
        stream.truncate(0)
        if command:
            # On a full disk the lock holds without a name, so that `gc` can free some space.
            with suppress(OSError):
                os.write(stream.fileno(), f"`deployer {command}` (process {os.getpid()})".encode())
        try:
            yield
        finally:
            stream.truncate(0)


def _named(stream: TextIO) -> str:
    stream.seek(0)
    return stream.read().strip()


def _lock(stream: TextIO, path: Path) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            # A command that only makes order holds it for a moment, and says nothing.
            if attempt == _TRIES or _named(stream):
                holder = _named(stream) or "Another command"
                raise HostError(f"{holder} is at work on this deployment.", ("Wait until it is done.",)) from error
            time.sleep(_PAUSE_SECONDS)
        except OSError as error:
            raise HostError(f"{path} cannot be locked: {error.strerror}.") from error
        else:
            return
