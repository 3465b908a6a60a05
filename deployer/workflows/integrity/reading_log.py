"""What a full check has verified, so that the next one continues where it was interrupted."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deployer.errors import Busy
from deployer.host.files import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deployer.storage.packed import PackedBlobs
    from deployer.storage.snapshot import Blob

# How long the log of an interrupted check is used, from its beginning.
VALID = timedelta(days=7)
_FIRST_LINE = 100


@dataclass(frozen=True)
class ReadingLog:
    """The log. Without a file, nothing is kept."""

    _path: Path | None = None
    _file: int | None = None

    def before(self, blobs: PackedBlobs) -> bytearray:
        """By the numbers of blobs, 1 for those that an interrupted check found whole, and whose files are the same."""
        found = bytearray(len(blobs))
        if self._path is None:
            return found
        with self._path.open(errors="replace") as lines:
            for line in lines:
                digest, _, rest = line.partition(" ")
                number = blobs.number(digest)
                # Without a line break at its end, the last line is incomplete.
                if number is not None and rest == f"{blobs[digest].size} {blobs[digest].modified}\n":
                    found[number] = 1
        return found

    def add(self, digest: str, blob: Blob) -> None:
        """Note that a blob was verified. Written immediately, so that a kill loses nothing."""
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
        begun = _begun(path)
        if begun is None or not timedelta() <= now - begun <= VALID:
            os.ftruncate(file, 0)
            os.write(file, f"begun {now.astimezone(UTC).isoformat()}\n".encode())
        yield ReadingLog(path, file)
    finally:
        os.close(file)


def _begun(path: Path) -> datetime | None:
    """When it was begun; None if it does not say."""
    with path.open(errors="replace") as lines:
        # What is no log may have no lines.
        first = lines.readline(_FIRST_LINE)
    try:
        begun = datetime.fromisoformat(first.rstrip("\n").removeprefix("begun "))
    except ValueError:
        return None
    return begun if begun.tzinfo else None
