"""Sizes that manifests say wrongly of files that are whole, as a push over a truncated layer leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from deployer.workflows.upkeep.survey.manifest_graph import pulled_with

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests


@dataclass(frozen=True)
class WrongSize:
    """A file that is what its digest promises, and a manifest that says another size of it: containerd refuses both.

    `size` is that of the file and `stated` what the manifest says, in bytes. `is_manifest` is of the file, such as an
    image of an index. `tags` are those of the repository with which the manifest is pulled, at least one.
    """

    repository: str
    manifest: str
    digest: str
    size: int
    stated: int
    is_manifest: bool
    tags: frozenset[str]

    is_unlinked: ClassVar[bool] = False
    obstacle: ClassVar[str] = ""
    is_foreign: ClassVar[bool] = False

    @property
    def images(self) -> tuple[str, ...]:
        """What the manifest is pulled with, as one writes it."""
        return tuple(f"{self.repository}:{tag}" for tag in sorted(self.tags))


def find_wrong_sizes(
    repository: StoredRepository, snapshot: Snapshot, manifests: Manifests, damaged: Container[str]
) -> Iterator[WrongSize]:
    """What manifests that a tag needs say wrongly of files that are whole."""
    found = [
        (manifest, part.digest, blob.size, part.size)
        for manifest in sorted(repository.revisions)
        if (summary := manifests.known.get(manifest))
        for part in sorted(summary.parts, key=lambda one: one.digest)
        if (blob := snapshot.blobs.get(snapshot.aliases.get(part.digest, part.digest)))
        and part.size is not None
        and part.size != blob.size
        and part.digest not in damaged
    ]
    if not found:
        return
    needed = {
        name: pulled_with(tag.digest, repository, manifests) for name, tag in repository.tags.items() if tag.digest
    }
    for manifest, digest, size, stated in dict.fromkeys(found):
        tags = frozenset(name for name, digests in needed.items() if manifest in digests)
        if tags:
            yield WrongSize(repository.name, manifest, digest, size, stated, digest in repository.revisions, tags)
