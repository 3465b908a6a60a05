"""Which tags and manifests are removed: what a policy selects, without what has to stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet, resolve_removal, subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.damage import Examination, Unknown
    from deployer.workflows.upkeep.survey.damaged_images import Damage
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests


@dataclass(frozen=True)
class Selection:
    """The tags and manifests that are removed, by repository, and what is wrong with the rest.

    Of the `skipped` repositories something was selected, and nothing is removed. Of the `obstructed` not everything can
    be read, and that may need anything in them. `damages` and `unknown` are of what is kept.
    """

    to_remove: Mapping[str, RemovalSet]
    skipped: AbstractSet[str]
    obstructed: AbstractSet[str]
    damages: tuple[Damage, ...]
    unknown: tuple[Unknown, ...]

    @property
    def keeps_all(self) -> frozenset[str]:
        """The repositories of which every layer is kept: something incomplete there may need it."""
        unsafe = {one.repository for one in self.damages} | {one.repository for one in self.unknown}
        return frozenset(unsafe | self.obstructed)

    def revisions(self, repository: str) -> frozenset[str]:
        """The manifests of a repository that are removed."""
        return _revisions(self.to_remove, repository)


@dataclass(frozen=True)
class Earlier:
    """What the survey before found: the tags and manifests to remove, and the damaged files that no image needs."""

    to_remove: Mapping[str, RemovalSet]
    damaged_unreferenced: AbstractSet[str]


@dataclass(frozen=True)
class Examined:
    """The storage as a survey has read it: listed, its manifests learned and its content examined.

    `is_deep` if damaged files are removed too; `earlier` is None in the first of two surveys.
    """

    storage: Storage
    snapshot: Snapshot
    manifests: Manifests
    content: Examination
    is_deep: bool
    earlier: Earlier | None


def select(examined: Examined, selected: Mapping[str, RemovalSet]) -> Selection:
    """Leave out of what a policy `selected` all that has to stay, and add what an earlier run began to remove."""
    snapshot, content = examined.snapshot, examined.content
    # What cannot be read there may be what keeps the rest.
    obstructed = snapshot.obstructed | {one.repository for one in content.damages if one.obstacle}
    skipped = _skipped(selected, content.damages, snapshot) | (obstructed & selected.keys())
    to_remove = {name: removal for name, removal in selected.items() if name not in skipped}
    to_remove = _with_interrupted(to_remove, snapshot, examined.manifests)
    if examined.is_deep or examined.earlier:
        to_remove = _with_lost(to_remove, content.damages, snapshot, examined.earlier)
    to_remove = {name: removal for name, removal in to_remove.items() if name not in obstructed}
    return Selection(
        to_remove,
        skipped & selected.keys(),
        obstructed,
        tuple(one for one in content.damages if one.manifests - _revisions(to_remove, one.repository)),
        tuple(one for one in content.unknown if one.digest not in _revisions(to_remove, one.repository)),
    )


def _skipped(selected: Mapping[str, RemovalSet], damages: Iterable[Damage], snapshot: Snapshot) -> set[str]:
    """The repositories with something damaged, or a tag of the future, that was not itself selected."""
    skipped = {one.repository for one in damages if one.tags - selected.get(one.repository, RemovalSet()).tags}
    future = {name: future_tags(one, snapshot) for name, one in snapshot.repositories.items()}
    return skipped | {name for name, one in selected.items() if one.tags and future.get(name, frozenset()) - one.tags}


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
    to_remove: Mapping[str, RemovalSet],
    damages: Iterable[Damage],
    snapshot: Snapshot,
    earlier: Earlier | None,
) -> dict[str, RemovalSet]:
    """Add the manifests that are gone and that nothing else here needs: no request can delete them."""
    found = dict(to_remove)
    for one in damages:
        is_gone = one.is_lost and not one.is_unlinked
        is_alone = one.is_manifest and is_gone and one.manifests == {one.digest} and not one.tags
        is_linked = one.digest in snapshot.repositories[one.repository].revisions
        if is_alone and is_linked and (earlier is None or one.digest in _revisions(earlier.to_remove, one.repository)):
            removal = found.get(one.repository, RemovalSet())
            found[one.repository] = RemovalSet(removal.tags, removal.revisions | {one.digest})
    return found


def future_tags(repository: StoredRepository, snapshot: Snapshot) -> frozenset[str]:
    """The tags that were pushed in the future: the clock was wrong, and which are the newest no one knows."""
    return frozenset(name for name, tag in repository.tags.items() if snapshot.is_in_future(tag.pushed))


def _revisions(to_remove: Mapping[str, RemovalSet], repository: str) -> frozenset[str]:
    return to_remove[repository].revisions if repository in to_remove else frozenset()
