"""Whether a file was written: by all that writing changes, and by nothing that reading does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Written:
    inode: int
    modified_ns: int
    mode: int
    owner: tuple[int, int]
    content: bytes


def written(file: Path) -> Written:
    """How a file was written last; the time of access, which a reader moves on, is left out."""
    found = file.stat()
    return Written(found.st_ino, found.st_mtime_ns, found.st_mode, (found.st_uid, found.st_gid), file.read_bytes())
