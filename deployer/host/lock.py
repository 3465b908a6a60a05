"""One command at a time on a deployment."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from deployer.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def exclusive(path: Path, command: str) -> Iterator[None]:
    """Hold a lock file while a command changes the deployment.

    The kernel lets go of it when the process ends, however it ends. Raises HostError that names
    the command that is at work already.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+")
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}.") from error
    with opened as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HostError(f"{_named(stream)} is at work on this deployment.", ("Wait until it is done.",)) from error
        stream.truncate(0)
        stream.write(f"`deployer {command}` (process {os.getpid()})")
        stream.flush()
        try:
            yield
        finally:
            stream.truncate(0)


def holder(path: Path) -> str:
    """The command that holds the lock, "" for none."""
    try:
        opened = path.open("r")
    except OSError:
        return ""
    with opened as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _named(stream)
    return ""


def _named(stream: TextIO) -> str:
    stream.seek(0)
    return stream.read().strip() or "another command"
