"""What in the storage nothing references any more, worked out from the storage itself.

The registry's own collector is not used: it pauses writes for all of its run, stops at the first
damaged file, takes the layers of a push in progress, and with its option for untagged
manifests breaks multi-platform images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deployer.storage.removal import StorageRemoval
from deployer.workflows.upkeep.survey import damage, pushes_in_progress
from deployer.workflows.upkeep.survey.damage import UnreferencedBlobs
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, RemovalSet, resolve_removal, subjects
from deployer.workflows.upkeep.survey.unfinished_uploads import find_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.damage import Damage, LayersToVerify, Unknown
    from deployer.workflows.upkeep.survey.unfinished_uploads import UnfinishedUploads
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
    one file with another; they are looked for with a deep check alone.
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

    @property
    def is_idle(self) -> bool:
        """Whether nothing is removed, and nothing is written."""
        return self.removal.is_empty and not self.links_to_repair

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
    removed too, so that a push brings the content again. After a survey `before` this one, of what a push in progress
    may need only that is read again which was damaged then. Changes nothing.
    """
    snapshot = storage.snapshot()
    manifests.learn(storage, _named_manifests(snapshot), snapshot)
    to_verify = deep_check(storage, snapshot, manifests) if deep_check else {}
    content = damage.examine(storage, snapshot, manifests, to_verify, before.damages if before else None)
    selected = policy(snapshot, manifests)
    # What cannot be read there may be what keeps the rest.
    obstructed = snapshot.obstructed | {one.repository for one in content.damages if one.obstacle}
    skipped = _skipped(selected, content.damages, snapshot) | (obstructed & selected.keys())
    to_remove = {name: removal for name, removal in selected.items() if name not in skipped}
    to_remove = _with_interrupted(to_remove, snapshot, manifests)
    if deep_check or before:
        to_remove = _with_lost(to_remove, content.damages, snapshot, before)
    to_remove = {name: removal for name, removal in to_remove.items() if name not in obstructed}
    damages = tuple(one for one in content.damages if one.manifests - _revisions(to_remove, one.repository))
    unknown = tuple(one for one in content.unknown if one.digest not in _revisions(to_remove, one.repository))
    keeps_all = {one.repository for one in damages} | {one.repository for one in unknown} | obstructed
    blobs = _find_unreferenced(storage, snapshot, manifests, to_remove, keeps_all)
    damaged_blobs = _damaged_blobs(damages, snapshot)
    known = content.damaged_unreferenced | (_damaged_blobs(content.damages, snapshot) & (blobs.removable | blobs.kept))
    known -= damaged_blobs
    is_doubtful = bool(deep_check or content.damages or known or manifests.damaged)
    to_read = before.damaged_unreferenced if before else blobs.in_progress if is_doubtful else frozenset()
    rest = UnreferencedBlobs(blobs.in_progress - known, blobs.kept - known - damaged_blobs, to_read)
    damaged_unreferenced = known | damage.damaged_unreferenced(storage, snapshot, manifests, rest)
    # No push has left a damaged file, and the next would take it for its layer.
    in_progress = blobs.in_progress - damaged_unreferenced
    garbage = [] if snapshot.is_listing_incomplete else sorted(blobs.removable - in_progress)
    uploads = find_unfinished(snapshot)
    removal = StorageRemoval(
        tags=tuple(sorted((name, tag) for name, one in to_remove.items() for tag in one.tags)),
        revisions=tuple(sorted((name, digest) for name, one in to_remove.items() for digest in one.revisions)),
        blobs=tuple(garbage),
        repositories=tuple(_emptied(snapshot, to_remove, blobs.pushed_to | obstructed, uploads.abandoned)),
        damaged=tuple(sorted(damaged_blobs | (damaged_unreferenced - set(garbage)))) if deep_check else (),
        uploads=uploads.abandoned,
    )
    obstacles = {one.obstacle for one in content.damages if one.obstacle}
    return Survey(
        snapshot=snapshot,
        to_remove=to_remove,
        removal=removal,
        size=sum(snapshot.blobs[digest].size for digest in garbage),
        freed=_freed(removal, snapshot),
        in_progress=InProgress(len(in_progress), sum(snapshot.blobs[digest].size for digest in in_progress)),
        uploads=uploads,
        damages=damages,
        unknown=unknown,
        wrong_sizes=tuple(
            one for one in content.wrong_sizes if one.manifest not in _revisions(to_remove, one.repository)
        ),
        damaged_unreferenced=damaged_unreferenced,
        skipped_repositories=tuple(sorted(skipped & selected.keys())),
        future_tags=tuple(
            f"{name}:{tag}"
            for name, one in sorted(snapshot.repositories.items())
            for tag in sorted(_future(one, snapshot))
        ),
        tags_without_digest=content.tags_without_digest,
        unexpected_paths=tuple(sorted({*snapshot.unexpected_paths, *obstacles})),
        links_to_repair=_links_to_repair(storage, damages, snapshot) if deep_check else frozenset(),
    )


def _named_manifests(snapshot: Snapshot) -> set[str]:
    """All digests that a repository has a link to, or a tag."""
    named = {digest for one in snapshot.repositories.values() for digest in one.revisions}
    return named | {tag.digest for one in snapshot.repositories.values() for tag in one.tags.values()}


def _skipped(selected: Mapping[str, RemovalSet], damages: Iterable[Damage], snapshot: Snapshot) -> set[str]:
    """The repositories with something damaged, or a tag of the future, that was not itself selected."""
    skipped = {one.repository for one in damages if one.tags - selected.get(one.repository, RemovalSet()).tags}
    future = {name: _future(one, snapshot) for name, one in snapshot.repositories.items()}
    return skipped | {name for name, one in selected.items() if one.tags and future.get(name, frozenset()) - one.tags}


@dataclass(frozen=True)
class _Unreferenced:
    """Blobs that no kept manifest names; the `removable` can be removed unless a push `in_progress` may need them.

    `kept` are those of repositories that keep all that they have. A push to those `pushed_to` is in progress.
    """

    removable: AbstractSet[str]
    in_progress: AbstractSet[str]
    kept: AbstractSet[str]
    pushed_to: AbstractSet[str]


def _find_unreferenced(
    storage: Storage,
    snapshot: Snapshot,
    manifests: Manifests,
    to_remove: Mapping[str, RemovalSet],
    keeps_all: AbstractSet[str],
) -> _Unreferenced:
    kept = referenced(snapshot, manifests, to_remove)
    unreferenced = snapshot.blobs.keys() - kept
    kept.update(digest for _, digest, _ in storage.layer_links(keeps_all))
    _add_targets(kept, snapshot)
    removable = snapshot.blobs.keys() - kept
    may_be_pushed = pushes_in_progress.may_exist(snapshot, unreferenced)
    manifests.find(storage, unreferenced if may_be_pushed else (), snapshot)
    pushes = pushes_in_progress.find_pushes(storage, snapshot, manifests, to_remove)
    needed = pushes_in_progress.needed_blobs(snapshot, manifests, to_remove, removable)
    return _Unreferenced(
        removable, needed | (pushes.digests & removable), unreferenced - removable, pushes.repositories
    )


def _links_to_repair(storage: Storage, damages: Iterable[Damage], snapshot: Snapshot) -> frozenset[str]:
    return storage.broken_links() | damage.missing_links(damages) | {*snapshot.shared}


def _future(repository: StoredRepository, snapshot: Snapshot) -> frozenset[str]:
    """The tags that were pushed in the future: the clock was wrong, and which are the newest no one knows."""
    return frozenset(name for name, tag in repository.tags.items() if snapshot.is_in_future(tag.pushed))


def _disk_bytes(digests: Iterable[str], snapshot: Snapshot) -> int:
    return sum(snapshot.blobs[digest].allocated for digest in digests if digest in snapshot.blobs)


def _freed(removal: StorageRemoval, snapshot: Snapshot) -> int:
    uploads = (snapshot.repositories[name].uploads[upload].allocated for name, upload in removal.uploads)
    return _disk_bytes({*removal.blobs, *removal.damaged}, snapshot) + sum(uploads)


def _damaged_blobs(damages: Iterable[Damage], snapshot: Snapshot) -> set[str]:
    """The blobs that have a file, and not the content that they should."""
    return {snapshot.aliases.get(one.digest, one.digest) for one in damages if not one.is_lost}


def _revisions(to_remove: Mapping[str, RemovalSet], repository: str) -> frozenset[str]:
    return to_remove[repository].revisions if repository in to_remove else frozenset()


def referenced(snapshot: Snapshot, manifests: Manifests, to_remove: Mapping[str, RemovalSet]) -> set[str]:
    """Every digest that a kept manifest names, and the manifests themselves."""
    found: set[str] = set()
    for name, repository in snapshot.repositories.items():
        removal = to_remove.get(name, RemovalSet())
        kept = repository.revisions.keys() - removal.revisions
        # A tag whose manifest the repository no longer links still says what someone wanted to keep.
        kept |= {tag.digest for each, tag in repository.tags.items() if each not in removal.tags and tag.digest}
        kept -= removal.revisions
        found |= kept
        for digest in kept:
            found |= manifests.references(digest)
    _add_targets(found, snapshot)
    return found


def _add_targets(digests: set[str], snapshot: Snapshot) -> None:
    """Add where the content is that was pushed by another kind of digest."""
    digests.update([snapshot.aliases[digest] for digest in digests if digest in snapshot.aliases])


def _with_interrupted(
    to_remove: Mapping[str, RemovalSet], snapshot: Snapshot, manifests: Manifests
) -> dict[str, RemovalSet]:
    """Add the manifests whose removal was interrupted after their tags had gone; what was pushed since then stays."""
    found = dict(to_remove)
    for name, digests in snapshot.interrupted_removals.items():
        repository, known = snapshot.repositories.get(name), to_remove.get(name, RemovalSet())
        if repository is None:
            continue
        left = {digest for digest, moment in digests.items() if repository.revisions.get(digest, moment) < moment}
        attached = subjects(repository).items()
        kept = {tag for tag, subject in attached if tag not in known.tags and subject in known.revisions | left}
        more = resolve_removal(repository, manifests, known.tags, known.revisions | left, kept=kept)
        if more.revisions:
            found[name] = more
    return found


def _with_lost(
    to_remove: Mapping[str, RemovalSet], damages: Iterable[Damage], snapshot: Snapshot, before: Survey | None
) -> dict[str, RemovalSet]:
    """Add the manifests that are gone and that nothing else here needs: no request can delete them."""
    found = dict(to_remove)
    for one in damages:
        is_alone = one.is_manifest and one.is_lost and one.manifests == {one.digest} and not one.tags
        is_linked = one.digest in snapshot.repositories[one.repository].revisions
        if is_alone and is_linked and (before is None or one.digest in _revisions(before.to_remove, one.repository)):
            removal = found.get(one.repository, RemovalSet())
            found[one.repository] = RemovalSet(removal.tags, removal.revisions | {one.digest})
    return found


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
