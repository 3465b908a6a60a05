"""Uploads that ended half-way: those that the registry removes itself, and those that would stay for ever.

The registry's own purge goes by the date in an upload's `startedat`, a week later. Where a power cut or a full disk
left none, it takes the upload for one of the future (distribution, registry/storage/purgeuploads.go).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployer.storage.snapshot import Snapshot, Upload

# A day more than the registry's own week: what it would remove is gone by then.
ABANDONED_DAYS = 8


@dataclass(frozen=True)
class UnfinishedUploads:
    """The `abandoned` ones, by repository and name, that only `gc` removes, and the bytes of those that are kept.

    Of these the registry removes what is dated, and `gc` later what is undated, but for what is in a folder that no
    registry has made.
    """

    abandoned: tuple[tuple[str, str], ...] = ()
    kept_bytes: int = 0
    dated_bytes: int = 0
    undated_bytes: int = 0


def find_unfinished(snapshot: Snapshot) -> UnfinishedUploads:
    """Tell them apart by what the storage holds now."""
    uploads = [
        (one, name, upload) for one in snapshot.repositories.values() for name, upload in sorted(one.uploads.items())
    ]
    abandoned = {
        (one.name, name): upload
        for one, name, upload in uploads
        if one.is_ours_to_change and _is_abandoned(upload, snapshot)
    }
    kept = [(one, upload) for one, name, upload in uploads if (one.name, name) not in abandoned]
    return UnfinishedUploads(
        abandoned=tuple(sorted(abandoned)),
        kept_bytes=sum(upload.size for _, upload in kept),
        dated_bytes=sum(upload.size for _, upload in kept if upload.is_dated),
        undated_bytes=sum(upload.size for one, upload in kept if one.is_ours_to_change and not upload.is_dated),
    )


def _is_abandoned(upload: Upload, snapshot: Snapshot) -> bool:
    return not upload.is_dated and upload.modified < snapshot.moment - ABANDONED_DAYS * 24 * 3600
