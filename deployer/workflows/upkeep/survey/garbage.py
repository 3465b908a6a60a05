"""What in the storage nothing references any more, worked out from the storage itself.

The registry's own collector is not used: it pauses writes for all of its run, stops at the first
damaged file, takes the layers of a push in progress, and with its option for untagged
manifests breaks multi-platform images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from deployer.storage.removal import StorageRemoval
from deployer.workflows.upkeep.survey import damage, lost_links
from deployer.workflows.upkeep.survey.damaged_images import find_refused
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, RemovalSet
from deployer.workflows.upkeep.survey.selection import Earlier, Examined, future_tags, select
from deployer.workflows.upkeep.survey.unfinished_uploads import find_unfinished
from deployer.workflows.upkeep.survey.unreferenced import find_unreferenced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.survey.damage import LayersToVerify, Unknown
    from deployer.workflows.upkeep.survey.damaged_images import Damage, Refused
    from deployer.workflows.upkeep.survey.selection import Selection
    from deployer.workflows.upkeep.survey.unfinished_uploads import UnfinishedUploads
    from deployer.workflows.upkeep.survey.unreferenced import Unreferenced
    from deployer.workflows.upkeep.survey.wrong_sizes import WrongSize


class RemovalPolicy(Protocol):
    """Selects the tags and manifests to remove, by repository."""

    def __call__(self, snapshot: Snapshot, manifests: Manifests, /) -> Mapping[str, RemovalSet]:
        """Select from what the storage holds now."""


class DeepCheck(Protocol):
    """Selects the layers that are read to the end, whatever size manifests state, by repository."""

    def __call__(self, storage: Storage, snapshot: Snapshot, manifests: Manifests, /) -> LayersToVerify:
        """Select from what the storage holds now."""


def unreferenced_only(_snapshot: Snapshot, _manifests: Manifests, /) -> Mapping[str, RemovalSet]:
    """Select no tag and no manifest: only content that nothing references is removed."""
    return {}


@dataclass(frozen=True)
class InProgress:
    """Content of no image yet, which a push in progress may still need. The size in bytes."""

    blobs: int = 0
    size: int = 0


@dataclass(frozen=True)
class Survey:
    """What would be removed, and what is kept although nothing references it. Sizes in bytes.

    `to_remove` are the tags and manifests, `removal` is all of it as it is removed; `freed` is what the disk gets back,
    `size` the blobs' own. `in_progress` is what a push in progress may need, `uploads` are those that ended
    halfway.

    Of `skipped_repositories` something was selected, and nothing is removed: what is damaged there, or dated in the
    future, may be what should be kept. `future_tags` were pushed in the future; `tags_without_digest` have a file of
    their own that is missing or holds no digest; both as `repository:tag`. `damaged_unreferenced` are damaged files
    that no image is known to need. `unexpected_paths` are those at which the registry expects a file or folder, and
    there is something else. `links_to_repair` are the paths of links that are missing, do not hold their digest, or are
    one file with another; they are looked for with a deep check alone. `refused` are manifests that are whole, and that
    the registry itself cannot read. `unreadable` are the paths of damaged files that the disk does not give.
    """

    snapshot: Snapshot
    to_remove: Mapping[str, RemovalSet]
    removal: StorageRemoval
    size: int
    freed: int
    in_progress: InProgress
    uploads: UnfinishedUploads
    damages: tuple[Damage, ...]
    unknown: tuple[Unknown, ...]
    wrong_sizes: tuple[WrongSize, ...]
    damaged_unreferenced: frozenset[str]
    skipped_repositories: tuple[str, ...]
    future_tags: tuple[str, ...]
    tags_without_digest: tuple[str, ...]
    unexpected_paths: tuple[str, ...]
    links_to_repair: frozenset[str]
    refused: tuple[Refused, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is removed, and nothing is written."""
        return self.removal.is_empty and not self.links_to_repair

    @property
    def restored(self) -> frozenset[Damage]:
        """Of the damages, those that are repaired without a push: their links are written again."""
        return frozenset(one for one in self.damages if damage.missing_links([one]) & self.links_to_repair)

    @property
    def is_unusual(self) -> bool:
        """Whether so much is removed that the storage may be incomplete, such as while it is being restored."""
        allocated = sum(blob.allocated for blob in self.snapshot.blobs.values())
        has_no_manifests = not any(one.revisions for one in self.snapshot.repositories.values())
        removes = bool(self.removal.blobs or self.removal.repositories)
        freed = self.disk_bytes({*self.removal.blobs, *self.removal.damaged})
        return removes and (has_no_manifests or freed * 2 > allocated)

    @property
    def removes_images(self) -> bool:
        """Whether anything is removed that someone could still pull."""
        return bool(self.removal.tags or self.removal.revisions)

    def disk_bytes(self, digests: Iterable[str]) -> int:
        """Bytes of disk that these blobs hold."""
        return _disk_bytes(digests, self.snapshot)

    def freed_by(self, removal: StorageRemoval) -> int:
        """Bytes of disk that this removal frees."""
        return _freed(removal, self.snapshot)


def survey(
    storage: Storage,
    manifests: Manifests,
    policy: RemovalPolicy,
    deep_check: DeepCheck | None = None,
    before: Survey | None = None,
) -> Survey:
    """List the storage, read what is not known yet, and work out what can be removed.

    `policy` selects tags and manifests; with a `deep_check`, such as `damage.layers_to_verify`, damaged files are
    removed too, so that a push brings the content again; without, a file that the disk does not give is an error, since
    nothing is decided by what it might say. After a survey `before` this one, of what a push in progress
    may need only that is read again which was damaged then. Changes nothing.
    """
    snapshot = storage.snapshot()
    named = _named_manifests(snapshot)
    manifests.learn(storage, named, snapshot)
    lost_links.learn_parts(storage, snapshot, manifests, named)
    to_verify = deep_check(storage, snapshot, manifests) if deep_check else {}
    content = damage.examine(storage, snapshot, manifests, to_verify, before.damages if before else None)
    earlier = Earlier(before.to_remove, before.damaged_unreferenced) if before else None
    examined = Examined(storage, snapshot, manifests, content, deep_check is not None, earlier)
    selection = select(examined, policy(snapshot, manifests))
    blobs = find_unreferenced(examined, selection)
    uploads = find_unfinished(snapshot)
    removal = _removal(snapshot, selection, blobs, uploads, with_damaged=deep_check is not None)
    obstacles = {one.obstacle for one in content.damages if one.obstacle}
    if deep_check is None:
        storage.expect_readable()
    return Survey(
        snapshot=snapshot,
        to_remove=selection.to_remove,
        removal=removal,
        size=sum(snapshot.blobs[digest].size for digest in removal.blobs),
        freed=_freed(removal, snapshot),
        in_progress=InProgress(
            len(blobs.in_progress), sum(snapshot.blobs[digest].size for digest in blobs.in_progress)
        ),
        uploads=uploads,
        damages=selection.damages,
        unknown=selection.unknown,
        wrong_sizes=tuple(
            one for one in content.wrong_sizes if one.manifest not in selection.revisions(one.repository)
        ),
        damaged_unreferenced=blobs.damaged,
        skipped_repositories=tuple(sorted(selection.skipped)),
        future_tags=tuple(
            f"{name}:{tag}"
            for name, one in sorted(snapshot.repositories.items())
            for tag in sorted(future_tags(one, snapshot))
        ),
        tags_without_digest=content.tags_without_digest,
        unexpected_paths=tuple(sorted({*snapshot.unexpected_paths, *obstacles})),
        links_to_repair=_links_to_repair(storage, selection.damages, snapshot) if deep_check else frozenset(),
        refused=tuple(
            one for one in find_refused(snapshot, manifests) if one.digest not in selection.revisions(one.repository)
        ),
        unreadable=tuple(sorted({*storage.unreadable, *snapshot.unreadable})),
    )


def with_idle_uploads(found: Survey, seconds: int | None) -> Survey:
    """The same, with the uploads to which nothing was written for this many seconds; None adds none.

    A repository that has nothing else is found to be empty by the next survey.
    """
    if seconds is None:
        return found
    uploads = find_unfinished(found.snapshot, seconds)
    removal = replace(found.removal, uploads=uploads.abandoned)
    return replace(found, uploads=uploads, removal=removal, freed=found.freed_by(removal))


def _removal(
    snapshot: Snapshot, selection: Selection, blobs: Unreferenced, uploads: UnfinishedUploads, *, with_damaged: bool
) -> StorageRemoval:
    """All of it as it is removed; `with_damaged` files too, which a push then brings again."""
    to_remove = selection.to_remove
    # What a listing leaves out may need any of them.
    garbage = frozenset() if snapshot.is_listing_incomplete else blobs.removable
    damaged = (blobs.damaged_in_use | (blobs.damaged - garbage)) if with_damaged else frozenset()
    busy = blobs.pushed_to | selection.obstructed
    return StorageRemoval(
        tags=tuple(sorted((name, tag) for name, one in to_remove.items() for tag in one.tags)),
        revisions=tuple(sorted((name, digest) for name, one in to_remove.items() for digest in one.revisions)),
        blobs=tuple(sorted(garbage)),
        repositories=tuple(_emptied(snapshot, to_remove, busy, uploads.abandoned)),
        damaged=tuple(sorted(damaged)),
        uploads=uploads.abandoned,
    )


def _named_manifests(snapshot: Snapshot) -> set[str]:
    """All digests that a repository has a link to, or a tag."""
    named = {digest for one in snapshot.repositories.values() for digest in one.revisions}
    return named | {tag.digest for one in snapshot.repositories.values() for tag in one.tags.values()}


def _links_to_repair(storage: Storage, damages: Iterable[Damage], snapshot: Snapshot) -> frozenset[str]:
    return storage.broken_links() | damage.missing_links(damages) | {*snapshot.shared}


def _disk_bytes(digests: Iterable[str], snapshot: Snapshot) -> int:
    return sum(snapshot.blobs[digest].allocated for digest in digests if digest in snapshot.blobs)


def _freed(removal: StorageRemoval, snapshot: Snapshot) -> int:
    uploads = (snapshot.repositories[name].uploads[upload].allocated for name, upload in removal.uploads)
    return _disk_bytes({*removal.blobs, *removal.damaged}, snapshot) + sum(uploads)


def _emptied(
    snapshot: Snapshot,
    to_remove: Mapping[str, RemovalSet],
    busy: AbstractSet[str],
    uploads: Iterable[tuple[str, str]],
) -> Iterable[str]:
    gone = frozenset(uploads)
    for name, repository in sorted(snapshot.repositories.items()):
        removal = to_remove.get(name, RemovalSet())
        has_uploads = any((name, upload) not in gone for upload in repository.uploads)
        has_images = repository.tags.keys() - removal.tags or repository.revisions.keys() - removal.revisions
        if repository.is_ours_to_change and name not in busy and not (has_uploads or has_images):
            yield name
