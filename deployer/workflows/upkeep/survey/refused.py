"""Manifests whose bytes are whole, and that the registry itself cannot read: it answers with an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests


@dataclass(frozen=True)
class Refused:
    """A manifest of a repository, with the tags that point to it."""

    repository: str
    digest: str
    tags: tuple[str, ...]

    @property
    def images(self) -> tuple[str, ...]:
        """What it is pulled as, as one writes it."""
        return tuple(f"{self.repository}:{tag}" for tag in self.tags) or (f"{self.repository}@{self.digest}",)


def find_refused(snapshot: Snapshot, manifests: Manifests) -> Iterator[Refused]:
    """Those of every repository."""
    for name, one in sorted(snapshot.repositories.items()):
        for digest in sorted(one.revisions):
            summary = manifests.known.get(digest)
            if summary and summary.is_refused:
                yield Refused(name, digest, one.on(digest))
