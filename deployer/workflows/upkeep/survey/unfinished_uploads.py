"""Uploads that ended half-way: those that the registry removes itself, and those that would stay for ever.

The registry's own purge goes by the date in an upload's `startedat`, a week later. Where a power cut or a full disk
left none, it takes the upload for one of the future (distribution, registry/storage/purgeuploads.go), and where a clock
that was ahead wrote the date, it is one. Until then an interrupted push keeps its space, unless `gc` is told to remove
what was not written to for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.settings.values import duration
from deployer.workflows.upkeep.survey.pushes_in_progress import GRACE_SECONDS

if TYPE_CHECKING:
    from deployer.storage.snapshot import Snapshot
    from deployer.storage.uploads import Upload

# A day more than the registry's own week: what it would remove is gone by then.
ABANDONED_DAYS = 8


@dataclass(frozen=True)
class UnfinishedUploads:
    """The `abandoned` ones, by repository and name, that `gc` removes, and the bytes of those that are kept.

    Of these the registry removes what is dated, and `gc` later what is undated, but for what is in a folder that no
    registry has made. `idle_bytes` are those to which nothing was written for so long that no push is in progress.
    `idle_seconds` is after what time all of them count as abandoned, None for what only `gc` removes.
    """

    abandoned: tuple[tuple[str, str], ...] = ()
    kept_bytes: int = 0
    dated_bytes: int = 0
    undated_bytes: int = 0
    idle_bytes: int = 0
    idle_seconds: int | None = None

    @property
    def abandoned_after(self) -> str:
        """How long ago the abandoned ones were last written to, in words."""
        return f"{ABANDONED_DAYS} days" if self.idle_seconds is None else duration.written(self.idle_seconds)


def find_unfinished(snapshot: Snapshot, idle_seconds: int | None = None) -> UnfinishedUploads:
    """Tell them apart by what the storage holds now."""
    uploads = [
        (one, name, upload) for one in snapshot.repositories.values() for name, upload in sorted(one.uploads.items())
    ]
    abandoned = {
        (one.name, name): upload
        for one, name, upload in uploads
        if one.is_ours_to_change and _is_abandoned(upload, snapshot, idle_seconds)
    }
    kept = [(one, upload) for one, name, upload in uploads if (one.name, name) not in abandoned]
    return UnfinishedUploads(
        abandoned=tuple(sorted(abandoned)),
        kept_bytes=sum(upload.size for _, upload in kept),
        dated_bytes=sum(upload.size for _, upload in kept if upload.is_dated),
        undated_bytes=sum(upload.size for one, upload in kept if one.is_ours_to_change and not upload.is_dated),
        idle_bytes=sum(
            upload.size for one, upload in kept if one.is_ours_to_change and _is_idle(upload, snapshot, GRACE_SECONDS)
        ),
        idle_seconds=idle_seconds,
    )


def _is_abandoned(upload: Upload, snapshot: Snapshot, idle_seconds: int | None) -> bool:
    if idle_seconds is not None and _is_idle(upload, snapshot, idle_seconds):
        return True
    return not upload.is_dated and _is_idle(upload, snapshot, ABANDONED_DAYS * 24 * 3600)


def _is_idle(upload: Upload, snapshot: Snapshot, seconds: int) -> bool:
    return upload.modified < snapshot.moment - seconds
