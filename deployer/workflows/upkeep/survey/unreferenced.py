"""Blobs that nothing references any more: those that can be removed, and those that a push may still need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.workflows.upkeep.survey import damage, lost_links, pushes_in_progress
from deployer.workflows.upkeep.survey.damage import UnreferencedBlobs
from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.survey.damaged_images import Damage
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests
    from deployer.workflows.upkeep.survey.selection import Examined, Selection

# Of a manifest that only attaches something; it names one or a few files.
_ATTACHED_MAX_BYTES = 1 << 16


@dataclass(frozen=True)
class Unreferenced:
    """Blobs that no kept manifest names: the `removable`, and those that a push `in_progress` may need.

    A push to the repositories `pushed_to` is in progress. `damaged` are files that no image is known to need, and
    `damaged_in_use` those of images that are kept.
    """

    removable: AbstractSet[str]
    in_progress: AbstractSet[str]
    pushed_to: AbstractSet[str]
    damaged: frozenset[str]
    damaged_in_use: frozenset[str]


def find_unreferenced(examined: Examined, selection: Selection) -> Unreferenced:
    """Find them. Of what a push in progress may need, the first survey reads everything if anything is doubtful.

    The next one reads only that again which was damaged then.
    """
    storage, snapshot, manifests, content = (
        examined.storage, examined.snapshot, examined.manifests, examined.content,
    )  # fmt: skip
    found = _find(examined, selection)
    in_use = _files(selection.damages, snapshot)
    known = content.damaged_unreferenced | (_files(content.damages, snapshot) & (found.removable | found.kept))
    known -= in_use
    is_doubtful = bool(examined.is_deep or content.damages or known or manifests.damaged)
    to_verify = found.in_progress if is_doubtful else frozenset()
    if examined.earlier:
        to_verify = examined.earlier.damaged_unreferenced
    rest = UnreferencedBlobs(found.in_progress - known, found.kept - known - in_use, to_verify)
    damaged = frozenset(known | damage.damaged_unreferenced(storage, snapshot, manifests, rest))
    # No push has left a damaged file, and the next would take it for its layer.
    in_progress = found.in_progress - damaged
    return Unreferenced(found.removable - in_progress, in_progress, found.pushed_to, damaged, frozenset(in_use))


@dataclass(frozen=True)
class _Found:
    """Blobs that no kept manifest names; the `removable` can be removed unless a push `in_progress` may need them.

    `kept` are those of repositories that keep all that they have. A push to those `pushed_to` is in progress.
    """

    removable: AbstractSet[str]
    in_progress: AbstractSet[str]
    kept: AbstractSet[str]
    pushed_to: AbstractSet[str]


def _find(examined: Examined, selection: Selection) -> _Found:
    storage, snapshot, manifests = examined.storage, examined.snapshot, examined.manifests
    to_remove = selection.to_remove
    kept = referenced(snapshot, manifests, to_remove)
    kept |= _attached(examined, to_remove, snapshot.blobs.keys() - kept)
    unreferenced = snapshot.blobs.keys() - kept
    kept.update(digest for _, digest, _ in storage.layer_links(selection.keeps_all))
    _add_targets(kept, snapshot)
    removable = snapshot.blobs.keys() - kept
    may_be_pushed = pushes_in_progress.may_exist(snapshot, unreferenced)
    manifests.find(storage, unreferenced if may_be_pushed else (), snapshot)
    pushes = pushes_in_progress.find_pushes(storage, snapshot, manifests, to_remove)
    needed = pushes_in_progress.needed_blobs(snapshot, manifests, to_remove, removable)
    return _Found(removable, needed | (pushes.digests & removable), unreferenced - removable, pushes.repositories)


def _attached(examined: Examined, to_remove: Mapping[str, RemovalSet], unreferenced: AbstractSet[str]) -> set[str]:
    """What is attached to manifests that are kept, with all that it names, though the link to it was lost."""
    storage, snapshot, manifests = examined.storage, examined.snapshot, examined.manifests
    small = {digest for digest in unreferenced if snapshot.blobs[digest].size <= _ATTACHED_MAX_BYTES}
    manifests.find(storage, small, snapshot)
    kept: Mapping[str, AbstractSet[str]] = {
        name: one.revisions.keys() - to_remove.get(name, RemovalSet()).revisions
        for name, one in snapshot.repositories.items()
    }
    found: set[str] = set()
    while True:
        candidates = lost_links.attached_to(snapshot, manifests, kept, small - found)
        own = lost_links.with_own_layers(storage, snapshot, manifests, candidates)
        new = {digest for digests in own.values() for digest in digests}
        if not new:
            break
        found |= new
        # What is attached to them, such as their signatures, in turn.
        kept = own
    return found.union(*(manifests.references(digest) for digest in found))


def _files(damages: Iterable[Damage], snapshot: Snapshot) -> set[str]:
    """The blobs that have a file, and not the content that they should."""
    return {snapshot.aliases.get(one.digest, one.digest) for one in damages if not one.is_lost}


def referenced(snapshot: Snapshot, manifests: Manifests, to_remove: Mapping[str, RemovalSet]) -> set[str]:
    """Every digest that a kept manifest names, and the manifests themselves."""
    found: set[str] = set()
    for name, repository in snapshot.repositories.items():
        removal = to_remove.get(name, RemovalSet())
        kept = repository.revisions.keys() - removal.revisions
        # A tag whose manifest the repository no longer links still says what someone wanted to keep.
        kept |= {tag.digest for each, tag in repository.tags.items() if each not in removal.tags and tag.digest}
        kept -= removal.revisions
        kept |= lost_links.parts_of(repository, manifests, kept)
        found |= kept
        for digest in kept:
            found |= manifests.references(digest)
    _add_targets(found, snapshot)
    return found


def _add_targets(digests: set[str], snapshot: Snapshot) -> None:
    """Add where the content is that was pushed by another kind of digest."""
    digests.update([snapshot.aliases[digest] for digest in digests if digest in snapshot.aliases])
