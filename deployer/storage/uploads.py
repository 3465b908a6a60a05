"""Unfinished uploads, as the list of the storage has them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_BLOCK = 512
# The last day of the year 9999, in every time zone.
_LAST = 253_402_214_400
_UPLOAD = re.compile(r"[0-9a-f-]+")


class Upload(NamedTuple):
    """An unfinished upload: the size of its content and the disk space that it holds, in bytes, and its newest write.

    One that `is_dated` says when it began. The registry removes it a week later, and never one that does not. `began`
    is that time if it is one of the future: the registry keeps it until then, and a week.
    """

    size: int = 0
    allocated: int = 0
    modified: int = 0
    is_dated: bool = False
    began: int = 0


def read(sections: Mapping[str, Sequence[str]], latest: int) -> dict[tuple[str, str], Upload]:
    """The unfinished uploads, by repository and name; what began after `latest`, began in the future."""
    started = dict(_began(sections["started"]))
    found: dict[tuple[str, str], Upload] = {}
    for line in sections["uploads"]:
        size, blocks, modified, path = line.split(" ", 3)
        name, _, inside = path.partition("/_uploads/")
        upload, _, file = inside.partition("/")
        if not _UPLOAD.fullmatch(upload):
            # Left by a NAS or a Mac.
            continue
        key = (name.removeprefix("repositories/"), upload)
        known, began = found.get(key, Upload()), started.get(path, 0)
        found[key] = Upload(
            size=known.size + (int(size) if file == "data" else 0),
            allocated=known.allocated + int(blocks) * _BLOCK,
            modified=max(known.modified, int(modified)),
            is_dated=known.is_dated or 0 < began <= latest,
            began=began if began > latest else known.began,
        )
    return found


def _began(lines: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The files that say when an upload began, and that time; the registry writes it in UTC."""
    for line in lines:
        path, _, date = line.partition("/startedat:")
        try:
            yield f"{path}/startedat", min(max(1, int(datetime.fromisoformat(date).timestamp())), _LAST)
        except (ValueError, OverflowError):
            # Of the form of a date, such as 2026-13-45: the registry cannot read it either.
            continue
