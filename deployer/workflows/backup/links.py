"""The links of a registry as a backup has them: a line each, of tags, manifests and layers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from deployer.errors import BackupError
from deployer.reference import is_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.restic.repository import Repository

# The name of the file in a backup.
LINKS = "links"
_REPOSITORIES = "repositories/"


class LinkKind(Enum):
    """What a link is of; in the order in which a push writes them."""

    LAYER = "layer"
    MANIFEST = "manifest"
    HISTORY = "earlier digest of a tag"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Link:
    """One link: its path below the registry's root, the digest in it, "" if it is damaged, and its time in seconds."""

    path: str
    digest: str
    modified: int

    @classmethod
    def parse(cls, line: str) -> Link:
        """What `links.sh` printed. Raises BackupError for anything else."""
        try:
            modified, digest, path = line.split(" ", 2)
            return cls(path, digest if is_digest(digest) else "", int(modified))
        except ValueError as error:
            raise BackupError("The backup's list of links is damaged.", (), line[:200]) from error

    @property
    def repository(self) -> str:
        """The name of the repository that it belongs to."""
        return self.path.removeprefix(_REPOSITORIES).partition("/_")[0]

    @property
    def kind(self) -> LinkKind:
        """What it is of."""
        # What comes first counts: a tag may be called like a folder of the storage.
        inside = self.path.partition("/_")[2]
        if inside.startswith("layers/"):
            return LinkKind.LAYER
        if inside.startswith("manifests/revisions/"):
            return LinkKind.MANIFEST
        return LinkKind.TAG if self.path.endswith("/current/link") else LinkKind.HISTORY

    @property
    def tag(self) -> str:
        """The tag's name; "" if it is of something else."""
        return self.path.removesuffix("/current/link").rpartition("/")[2] if self.kind is LinkKind.TAG else ""

    @property
    def place_digest(self) -> str:
        """The digest that the place of a manifest's or layer's link says; "" of a tag's."""
        if self.kind in {LinkKind.TAG, LinkKind.HISTORY}:
            return ""
        algorithm, value = ("", "", *self.path.split("/"))[-3:-1]
        return f"{algorithm}:{value}"

    @property
    def named_digest(self) -> str:
        """The digest of the content that it leads to: what is in it, or what its place says where that is damaged."""
        return self.digest or self.place_digest

    @property
    def content(self) -> bytes:
        """What its file holds."""
        return self.digest.encode()


def read_links(repository: Repository, part: str, on_link: Callable[[Link], object], *, once: bool = False) -> None:
    """Hand on each link that a part of a backup lists; `once`: they are not read again.

    Raises BackupError or EngineError.
    """

    def read(line: str) -> None:
        if not line.startswith("#"):
            on_link(Link.parse(line))

    repository.each_line(part, LINKS, read, once=once)
