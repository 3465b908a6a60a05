"""What a full check has read and found whole, so that the next one goes on where it was interrupted."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deployer.errors import Busy
from deployer.host.files import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from deployer.storage.snapshot import Blob

# What was read in an interrupted check counts for so long after that began.
VALID = timedelta(days=7)


@dataclass(frozen=True)
class ReadingLog:
    """The log. `before` are the blobs that an interrupted check found whole: size and modification time.

    Without a file, nothing is kept.
    """

    before: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    _file: int | None = None

    def has(self, digest: str, blob: Blob) -> bool:
        """Whether a blob was read before, and its file is still the same."""
        return self.before.get(digest) == (blob.size, blob.modified)

    def add(self, digest: str, blob: Blob) -> None:
        """Note that a blob was read and is whole. At once: a kill loses nothing that is noted."""
        if self._file is not None:
            os.write(self._file, f"{digest} {blob.size} {blob.modified}\n".encode())

    def finish(self) -> None:
        """Forget all of it: everything was read."""
        if self._file is not None:
            os.ftruncate(self._file, 0)


@contextmanager
def opened(path: Path, now: datetime) -> Iterator[ReadingLog]:
    """The log at a path, for one check at a time. Raises HostError, and Busy while another check has it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise refusal(path, error) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(
                "Another full check is already running for this deployment.", ("Wait until it is done.",)
            ) from error
        begun, before = _parsed(path.read_text(errors="replace"))
        if begun is None or not timedelta() <= now - begun <= VALID:
            before = {}
            os.ftruncate(file, 0)
            os.write(file, f"begun {now.astimezone(UTC).isoformat()}\n".encode())
        yield ReadingLog(before, file)
    finally:
        os.close(file)


def _parsed(text: str) -> tuple[datetime | None, dict[str, tuple[int, int]]]:
    """When it was begun and what it has; a line that was cut off is left out."""
    first, *lines = text.split("\n")
    try:
        begun = datetime.fromisoformat(first.removeprefix("begun "))
    except ValueError:
        return None, {}
    found = {}
    # Without a line break at its end, the last line is incomplete.
    for line in lines[:-1]:
        digest, _, rest = line.partition(" ")
        size, _, modified = rest.partition(" ")
        if size.isdecimal() and modified.lstrip("-").isdecimal():
            found[digest] = (int(size), int(modified))
    return (begun if begun.tzinfo else None), found
