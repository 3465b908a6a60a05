"""What a push in progress has left in the storage so far, and must find again.

A push uploads its layers first, and its manifest last. Until then nothing names the layers, and they
look like those of an image that was deleted. Two things tell them apart: they are younger than any
push takes, and no deleted manifest explains them. A deletion leaves the manifest's content until it
is collected, and in its repository the folder of its link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests, RemovalSet

# In this time a push is over: what is younger may be part of one that is in progress.
GRACE_SECONDS = 3600


@dataclass(frozen=True)
class Pushes:
    """Repositories in which a push may be in progress, and the layers that it has linked."""

    repositories: AbstractSet[str]
    digests: AbstractSet[str]


def may_exist(snapshot: Snapshot, unreferenced: Iterable[str]) -> bool:
    """Whether anything is young enough that it matters which deleted manifests explain it."""
    horizon = _grace_began(snapshot)
    return bool(_active(snapshot)) or any(snapshot.blobs[digest].modified > horizon for digest in unreferenced)


def find_pushes(
    storage: Storage, snapshot: Snapshot, manifests: Manifests, to_remove: Mapping[str, RemovalSet]
) -> Pushes:
    """Find the layer links that no manifest of their repository, deleted or about to be removed, explains."""
    active = _active(snapshot)
    explained = {one.name: _explained(one, snapshot, manifests, to_remove.get(one.name)) for one in active}
    horizons = {one.name: _horizon(one, snapshot) for one in active}
    found = [
        (name, digest)
        for name, digest, moment in storage.layer_links(one.name for one in active)
        if moment > max(horizons[name], explained[name].get(digest, 0))
    ]
    return Pushes(
        {name for name, _ in found},
        {part for _, digest in found for part in (digest, snapshot.aliases.get(digest, digest))},
    )


def needed_blobs(
    snapshot: Snapshot, manifests: Manifests, to_remove: Mapping[str, RemovalSet], unreferenced: AbstractSet[str]
) -> set[str]:
    """The content that is young, and that no manifest explains wherever it was deleted or is removed."""
    horizon = _grace_began(snapshot)
    young = {digest for digest in unreferenced if snapshot.blobs[digest].modified > horizon}
    if not young:
        return set()
    moments = {digest: _stored(digest, snapshot) for digest in unreferenced if manifests.known.get(digest) is not None}
    for name, one in to_remove.items():
        for digest, moment in _pushed(snapshot.repositories[name], one, snapshot).items():
            moments[digest] = max(moments.get(digest, 0), moment)
    explained = _named(moments, manifests)
    return {digest for digest in young if snapshot.blobs[digest].modified > explained.get(digest, 0)}


def _grace_began(snapshot: Snapshot) -> int:
    return snapshot.moment - GRACE_SECONDS


def _horizon(repository: StoredRepository, snapshot: Snapshot) -> int:
    """Since when layers may belong to a push in progress: at any time while one is being uploaded."""
    horizon = _grace_began(snapshot)
    return 0 if any(upload.modified > horizon for upload in repository.uploads.values()) else horizon


def _active(snapshot: Snapshot) -> list[StoredRepository]:
    horizon = _grace_began(snapshot)
    return [
        one
        for one in snapshot.repositories.values()
        if "_layers" in one.folders
        and (one.active > horizon or any(each.modified > horizon for each in one.uploads.values()))
    ]


def _explained(
    repository: StoredRepository, snapshot: Snapshot, manifests: Manifests, to_remove: RemovalSet | None
) -> dict[str, int]:
    moments = {digest: _stored(digest, snapshot) for digest in repository.unlinked_revisions}
    moments.update(_pushed(repository, to_remove, snapshot) if to_remove else {})
    return _named(moments, manifests)


def _pushed(repository: StoredRepository, to_remove: RemovalSet, snapshot: Snapshot) -> dict[str, int]:
    return {digest: max(repository.revisions[digest], _stored(digest, snapshot)) for digest in to_remove.revisions}


def _stored(digest: str, snapshot: Snapshot) -> int:
    return snapshot.blobs[digest].modified if digest in snapshot.blobs else 0


def _named(moments: Mapping[str, int], manifests: Manifests) -> dict[str, int]:
    """All that manifests name, with the moment of their push, until which that explains it, in whole seconds."""
    explained: dict[str, int] = {}
    for digest, moment in moments.items():
        for part in (digest, *manifests.references(digest)):
            explained[part] = max(explained.get(part, 0), moment)
    return explained
