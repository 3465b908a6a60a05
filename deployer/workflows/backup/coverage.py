"""Whether a backup has everything that its links refer to: read back from the target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.storage.packed import DigestBag
from deployer.storage.removal import digest_of_blob_file
from deployer.workflows.backup.links import Link, LinkKind, read_links

if TYPE_CHECKING:
    from deployer.restic.repository import Repository, StoredFile


@dataclass
class Coverage:
    """What the links of a backup name, and the blobs that it has."""

    repositories: set[str] = field(default_factory=set)
    tags: int = 0
    size: int = 0
    blobs: int = 0
    _needed: DigestBag = field(default_factory=DigestBag)
    _there: DigestBag = field(default_factory=DigestBag)

    @classmethod
    def read(cls, repository: Repository, links: str, blobs: str) -> Coverage:
        """Read it from the parts of a backup. Raises BackupError or EngineError."""
        found = cls()
        read_links(repository, links, found.note_link, once=True)
        repository.each_file(blobs, found.note_file)
        return found

    def note_link(self, link: Link) -> None:
        """Count a link. An earlier digest of a tag needs nothing: it may be gone."""
        if link.kind is LinkKind.HISTORY:
            return
        self.repositories.add(link.repository)
        if link.kind is LinkKind.TAG:
            self.tags += 1
        else:
            self._needed.add(link.named_digest)

    def note_file(self, file: StoredFile) -> None:
        """Count a file of the part with the blobs."""
        digest = digest_of_blob_file(file.path)
        if digest:
            self.blobs += 1
            self.size += file.size
            self._there.add(digest)

    @property
    def missing(self) -> frozenset[str]:
        """The digests that are linked and that the backup does not have."""
        return frozenset(self._needed.without(self._there))
