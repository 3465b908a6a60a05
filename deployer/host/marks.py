"""Marks of changes that were begun: one that is still there tells how its command ended."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.host.files import PRIVATE, read_if_there, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FAILED = "failed"


@dataclass(frozen=True)
class Mark:
    """A change whose mark is there: the command that began it, and whether that failed, or was interrupted."""

    command: str
    has_failed: bool


@contextmanager
def begun(path: Path, command: str) -> Iterator[None]:
    """Leave a mark, which the caller removes once the change has come to its end.

    A command that is killed or interrupted leaves it as it is; to that of one that fails it is added.
    Raises HostError.
    """
    write_atomically(path, command.encode(), PRIVATE)
    try:
        yield
    except Exception:
        # Where not even that can be written, what failed is reported as interrupted.
        with suppress(HostError):
            write_atomically(path, f"{command}\n{_FAILED}".encode(), PRIVATE)
        raise


def read(path: Path) -> Mark | None:
    """The mark at a path, None if there is none. Raises HostError."""
    content = read_if_there(path)
    if content is None:
        return None
    command, _, end = content.decode(errors="replace").partition("\n")
    return Mark(command, end == _FAILED)
