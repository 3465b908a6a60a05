"""Surveying a storage in portions of its repositories, so that it does not matter how many there are.

Each portion is surveyed as if the storage had nothing else, with the blobs that its manifests and links lead to; and
last what no portion has. What is found is put together. Blobs are kept packed, and nothing else of a portion that is
whole. A repository is never divided.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from deployer.errors import StorageError, StorageUnreadable
from deployer.storage.access import Storage
from deployer.storage.removal import StorageRemoval
from deployer.workflows.upkeep.survey import lost_links
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from deployer.workflows.upkeep.suspects import Suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from deployer.storage.outline import Outline
    from deployer.storage.snapshot import Blob, Snapshot, StoredRepository
    from deployer.workflows.restore.selection import Selection
    from deployer.workflows.upkeep.survey.garbage import Survey

_Result = TypeVar("_Result")
_TRIES = 3
_PAUSE_SECONDS = 1.0
# The number of links in a portion, estimated from the one before, and of repositories in the first.
_LINKS = 20_000
_FIRST = 100
_REST = 20_000


@dataclass(frozen=True)
class Look:
    """A survey of everything, of which the snapshot has only what something is wrong with; and what there is.

    `repositories` and `tags` are the numbers of those that are selected.
    """

    survey: Survey
    outline: Outline
    repositories: int
    tags: int


@dataclass
class Portion(Storage):
    """A storage that lists only what some repositories have, and what that leads to; `size` is the number of links."""

    listed: Snapshot = field(kw_only=True)
    manifests: Manifests = field(kw_only=True)
    links: tuple[tuple[str, str, int], ...] = ()

    def snapshot(self) -> Snapshot:
        """What was listed of them."""
        return self.listed

    def layer_links(self, repositories: Iterable[str]) -> Iterator[tuple[str, str, int]]:
        """Of these repositories, which are some of its own."""
        names = frozenset(repositories)
        return (one for one in self.links if one[0] in names)

    def broken_links(self) -> frozenset[str]:
        """Those of its repositories."""
        return self.broken_links_of(self.listed.repositories)

    @property
    def size(self) -> int:
        """The number of links."""
        repositories = self.listed.repositories.values()
        return len(self.links) + sum(2 * len(one.tags) + len(one.revisions) for one in repositories)


def survey_in_portions(storage: Storage, suspects: AbstractSet[str], selection: Selection) -> Look:
    """Survey everything, and read the suspects to their ends. Changes nothing. Raises StorageError or EngineError."""
    outline = storage.outline()
    whole = _Whole(outline, suspects, selection)
    for portion in portions(storage, outline, outline.folders):
        whole.add(portion)
        del portion
    return whole.finished(storage)


def portions(storage: Storage, outline: Outline, repositories: Iterable[str]) -> Iterator[Portion]:
    """These repositories in portions; what is removed while it is read is listed again."""
    left = iter(sorted(repositories))
    count = _FIRST
    while names := tuple(islice(left, count)):
        portion = _repeated(partial(_listed, storage, outline, names))
        count = max(1, min(4 * len(names), len(names) * _LINKS // max(1, portion.size)))
        yield portion
        # Or there would be two at a time.
        del portion


def _listed(storage: Storage, outline: Outline, names: tuple[str, ...]) -> Portion:
    listed, manifests = storage.portion(outline, names), Manifests()
    links = tuple(storage.layer_links(names))
    repositories = listed.repositories.values()
    named = {digest for one in repositories for digest in one.revisions}
    named |= {tag.digest for one in repositories for tag in one.tags.values()}
    manifests.learn(storage, named, listed)
    lost_links.learn_parts(storage, listed, manifests, named)
    named |= manifests.known.keys() | {digest for one in repositories for digest in one.unlinked_revisions}
    named |= {digest for _, digest, _ in links}
    named = named.union(*map(manifests.references, manifests.known))
    places = named | {listed.aliases[one] for one in named if one in listed.aliases}
    blobs = {digest: blob for digest in places if (blob := outline.blobs.get(digest))}
    return Portion(
        storage.engine, storage.container, listed=replace(listed, blobs=blobs), manifests=manifests, links=links
    )


@dataclass
class _Whole:
    """What was found until now; of each blob it is `seen` whether a portion had it, and whether an image needs it."""

    outline: Outline
    suspects: AbstractSet[str]
    selection: Selection
    seen: bytearray = field(init=False)
    needed: bytearray = field(init=False)
    surveys: list[Survey] = field(default_factory=list)
    repositories: int = 0
    tags: int = 0

    def __post_init__(self) -> None:
        self.seen = bytearray(len(self.outline.blobs))
        self.needed = bytearray(len(self.outline.blobs))

    def add(self, portion: Portion) -> None:
        """Survey a portion, and keep what is wrong with it."""
        self._survey(portion)
        listed = portion.listed
        self._mark(self.seen, listed.blobs)
        roots = {digest for one in listed.repositories.values() for digest in one.revisions}
        roots |= {tag.digest for one in listed.repositories.values() for tag in one.tags.values()}
        roots = roots.union(*map(portion.manifests.references, roots))
        self._mark(self.needed, (listed.aliases.get(digest, digest) for digest in roots))
        chosen = [one for one in listed.repositories.values() if one.revisions and self.selection.concerns(one.name)]
        self.repositories += len(chosen)
        self.tags += sum(self.selection.names(one.name, tag) for one in chosen for tag in one.tags)

    def finished(self, storage: Storage) -> Look:
        """Survey what no portion had, and put everything together."""
        blobs = self.outline.blobs
        rest = (digest for number, digest, _ in blobs.numbered() if not self.seen[number])
        more = True
        while more:
            listed = self.outline.of_blobs(islice(rest, _REST))
            portion = Portion(storage.engine, storage.container, listed=listed, manifests=Manifests())
            self._survey(portion)
            more = len(listed.blobs) == _REST
        merged = _merged(self.surveys)
        unneeded = frozenset(one for one in merged.damaged_unreferenced if not self._is_needed(one))
        snapshot = merged.snapshot
        misplaced = [f"sha{len(value) * 4}:{value}" for one in snapshot.misplaced if (value := one.rpartition("/")[2])]
        there = {digest: blob for digest in misplaced if (blob := blobs.get(digest))}
        survey_of_all = replace(
            merged, damaged_unreferenced=unneeded, snapshot=replace(snapshot, blobs={**snapshot.blobs, **there})
        )
        return Look(survey_of_all, self.outline, self.repositories, self.tags)

    def _survey(self, portion: Portion) -> None:
        suspects = Suspects(self.suspects)
        found = _repeated(partial(survey, portion, portion.manifests, unreferenced_only, suspects))
        self.surveys.append(_what_is_wrong(found))

    def _mark(self, marks: bytearray, digests: Iterable[str]) -> None:
        for digest in digests:
            number = self.outline.blobs.number(digest)
            if number is not None:
                marks[number] = 1

    def _is_needed(self, digest: str) -> bool:
        number = self.outline.blobs.number(digest)
        return number is not None and bool(self.needed[number])


def _what_is_wrong(found: Survey) -> Survey:
    """A survey with a snapshot of only what the findings name."""
    snapshot = found.snapshot
    told = {snapshot.aliases.get(one.digest, one.digest) for one in found.damages} | found.damaged_unreferenced
    blobs = {digest: blob for digest in told if (blob := snapshot.blobs.get(digest))}
    blobs |= dict(islice(_in_future(snapshot), 1))
    repositories = {
        name: one
        for name, one in snapshot.repositories.items()
        if not one.is_ours_to_change or _is_in_future(one, snapshot)
    }
    return replace(
        found,
        snapshot=replace(snapshot, repositories=repositories, blobs=blobs),
        to_remove={},
        removal=StorageRemoval(),
    )


def _in_future(snapshot: Snapshot) -> Iterator[tuple[str, Blob]]:
    return (one for one in snapshot.blobs.items() if snapshot.is_in_future(one[1].modified))


def _is_in_future(repository: StoredRepository, snapshot: Snapshot) -> bool:
    moments = (repository.active, *repository.revisions.values())
    return any(map(snapshot.is_in_future, moments)) or any(
        snapshot.is_in_future(upload.modified) for upload in repository.uploads.values()
    )


def _merged(surveys: list[Survey]) -> Survey:
    """What several surveys have found; the last one is of the blobs that no repository needs."""
    last = surveys[-1]
    snapshots = [one.snapshot for one in surveys]
    unexpected = {path for one in surveys for path in one.unexpected_paths}
    return replace(
        last,
        snapshot=replace(
            last.snapshot,
            repositories={name: one for each in snapshots for name, one in each.repositories.items()},
            blobs={digest: blob for each in snapshots for digest, blob in each.blobs.items()},
            aliases={alias: place for each in snapshots for alias, place in each.aliases.items()},
            foreign=tuple(path for each in snapshots for path in each.foreign),
            shared=tuple(path for each in snapshots for path in each.shared),
            unexpected_paths=tuple(sorted(unexpected)),
        ),
        damages=tuple(one for each in surveys for one in each.damages),
        unknown=tuple(one for each in surveys for one in each.unknown),
        wrong_sizes=tuple(one for each in surveys for one in each.wrong_sizes),
        damaged_unreferenced=frozenset().union(*(one.damaged_unreferenced for one in surveys)),
        future_tags=tuple(tag for each in surveys for tag in each.future_tags),
        tags_without_digest=tuple(tag for each in surveys for tag in each.tags_without_digest),
        unexpected_paths=tuple(sorted(unexpected)),
        unreadable=tuple(sorted({path for one in surveys for path in one.unreadable})),
        links_to_repair=frozenset().union(*(one.links_to_repair for one in surveys)),
        refused=tuple(one for each in surveys for one in each.refused),
    )


def _repeated(work: Callable[[], _Result]) -> _Result:
    """Do it again where content is removed while it is read."""
    for _ in range(_TRIES - 1):
        try:
            return work()
        except StorageUnreadable:
            raise
        except StorageError:
            time.sleep(_PAUSE_SECONDS)
    return work()
