"""Reading content completely and comparing it with its digest, while pushes, pulls and deletions continue."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from deployer.restic.repository import Progress
from deployer.storage.removal import blob_file, digest_of_blob_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.packed import PackedBlobs
    from deployer.storage.snapshot import Blob
    from deployer.workflows.integrity.reading_log import ReadingLog


@dataclass(frozen=True)
class Pace:
    """How fast content is read: `rate` bytes a second at most, 0 for no limit; and who is told how far it is."""

    rate: int
    on_progress: Callable[[Progress], None]


@dataclass(frozen=True)
class ReadContent:
    """What was read: blobs and bytes, of which an interrupted check had read some; and what is not its digest's.

    `unread` could not be read to its end, as what is deleted in the meantime: by its digest, what was to be read.
    """

    blobs: int
    size: int
    blobs_before: int
    damaged: frozenset[str]
    unread: Mapping[str, Blob] = field(default_factory=dict)


# Told to the container and kept here at once. Each portion is read on all processors, the largest first.
_PORTION = 20_000


def read_content(
    storage: Storage, blobs: PackedBlobs, wanted: AbstractSet[str] | None, log: ReadingLog, pace: Pace
) -> ReadContent:
    """Read what is wanted of the blobs, None for all; what is whole is noted in the log.

    Raises StorageError or EngineError.
    """
    before = log.before(blobs)

    def chosen() -> Iterator[tuple[int, str, Blob]]:
        return (one for one in blobs.numbered() if wanted is None or one[1] in wanted)

    count = total = begun_at = blobs_before = 0
    for number, _, blob in chosen():
        count, total = count + 1, total + blob.size
        if before[number]:
            blobs_before, begun_at = blobs_before + 1, begun_at + blob.size
    done = begun_at
    damaged: set[str] = set()
    unread: dict[str, Blob] = {}
    left = ((digest, blob) for number, digest, blob in chosen() if not before[number])
    while portion := dict(islice(left, _PORTION)):

        def note(path: str, value: str, portion: dict[str, Blob] = portion) -> None:
            nonlocal done
            digest = digest_of_blob_file(path)
            blob = portion.pop(digest)
            done += blob.size
            if digest.partition(":")[2] == value:
                log.add(digest, blob)
            else:
                damaged.add(digest)
            pace.on_progress(Progress(done - begun_at, total - begun_at))

        storage.scrub({blob_file(digest): blob.size for digest, blob in portion.items()}, pace.rate, note)
        unread |= portion
    return ReadContent(count, total, blobs_before, frozenset(damaged), unread)
