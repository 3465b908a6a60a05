"""Reading content to its end and comparing it with its digest, while pushes, pulls and deletions go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.restic.repository import Progress
from deployer.storage.removal import blob_file, digest_of_blob_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.integrity.reading_log import ReadingLog


@dataclass(frozen=True)
class Pace:
    """How fast content is read: `rate` bytes a second at most, 0 for no limit; and who is told how far it is."""

    rate: int
    on_progress: Callable[[Progress], None]


@dataclass(frozen=True)
class ReadContent:
    """What was read: blobs and bytes, of which an interrupted check had read some; and what is not its digest's.

    `unread` could not be read to its end, as what is deleted in the meantime.
    """

    blobs: int
    size: int
    blobs_before: int
    damaged: frozenset[str]
    unread: frozenset[str] = frozenset()


def read_content(
    storage: Storage, snapshot: Snapshot, digests: Iterable[str], log: ReadingLog, pace: Pace
) -> ReadContent:
    """Read blobs that the snapshot lists; what is whole is noted in the log. Raises StorageError or EngineError."""
    wanted = {digest: snapshot.blobs[digest] for digest in digests}
    left = {digest: blob for digest, blob in wanted.items() if not log.has(digest, blob)}
    total = sum(blob.size for blob in wanted.values())
    done = total - sum(blob.size for blob in left.values())
    begun_at = done
    damaged: set[str] = set()
    unread = set(left)

    def note(path: str, value: str) -> None:
        nonlocal done
        digest = digest_of_blob_file(path)
        unread.discard(digest)
        done += left[digest].size
        if digest.partition(":")[2] == value:
            log.add(digest, left[digest])
        else:
            damaged.add(digest)
        pace.on_progress(Progress(done - begun_at, total - begun_at))

    storage.scrub({blob_file(digest): blob.size for digest, blob in left.items()}, pace.rate, note)
    return ReadContent(len(wanted), total, len(wanted) - len(left), frozenset(damaged), frozenset(unread))
