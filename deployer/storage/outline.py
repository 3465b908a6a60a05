"""A registry's storage in little memory: its repositories by name, and its blobs packed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deployer.storage.packed import PackedBlobs
from deployer.storage.printed import cut_short
from deployer.storage.removal import parse_interrupted
from deployer.storage.snapshot import (
    Snapshot,
    behind_a_link,
    read_blob,
    repository_at,
    sections_of,
    unexpected_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass
class Outline:
    """`folders` are the lines of `list.sh` for each repository; the rest is as a snapshot has it."""

    moment: int
    folders: Mapping[str, Sequence[str]]
    leftover_bytes: int = 0
    interrupted_removals: dict[str, dict[str, int]] = field(default_factory=dict)
    unexpected_paths: set[str] = field(default_factory=set)
    misplaced: list[str] = field(default_factory=list)
    blobs: PackedBlobs = field(default_factory=PackedBlobs)
    _last: str = ""

    @classmethod
    def parse(cls, printed: bytes) -> Outline:
        """Read the list of the folders. Raises StorageError if it is truncated."""
        sections = sections_of(printed)
        folders: dict[str, list[str]] = defaultdict(list)
        for line in sections["folders"]:
            folders[repository_at(line.split(" ", 1)[1])].append(line)
        return cls(
            moment=int(sections["now"][0]),
            folders=dict(folders),
            leftover_bytes=sum(map(int, sections["left"])) * 1024,
            interrupted_removals=parse_interrupted(sections["unfinished"]),
            unexpected_paths=set(filter(None, map(unexpected_path, sections["other"]))),
        )

    def note_blob(self, line: str) -> None:
        """Read a line of the list of the blobs. Raises StorageError."""
        self._last = line
        if line.startswith("symbolic "):
            raise behind_a_link(line.removeprefix("symbolic "))
        if line.startswith("other "):
            if path := unexpected_path(line.removeprefix("other ")):
                self.unexpected_paths.add(path)
        elif not line.startswith("# "):
            read_blob(line, self.blobs.add, self.misplaced.append)

    def finish(self) -> None:
        """Make sure that the list of the blobs had its end. Raises StorageError."""
        if self._last != "# end":
            raise cut_short()

    def with_portion(self, listed: Snapshot) -> Snapshot:
        """A list of some repositories, with what the outline tells."""
        return replace(
            listed,
            moment=self.moment,
            blobs=self.blobs,
            interrupted_removals={
                name: one for name, one in self.interrupted_removals.items() if name in listed.repositories
            },
            unexpected_paths=tuple(sorted({*self.unexpected_paths, *listed.unexpected_paths})),
        )

    def of_blobs(self, digests: Iterable[str]) -> Snapshot:
        """A snapshot of some blobs, and no repository."""
        return Snapshot(
            self.moment,
            {},
            {digest: self.blobs[digest] for digest in digests},
            leftover_bytes=self.leftover_bytes,
            unexpected_paths=tuple(sorted(self.unexpected_paths)),
            misplaced=tuple(sorted(self.misplaced)),
        )
