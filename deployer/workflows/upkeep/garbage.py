"""What in the storage nothing needs any more, worked out from the storage itself.

The registry's own collector is not used: it pauses writes for all of its run, stops at the first
damaged file, takes the layers of a push that is under way, and with its option for untagged
manifests breaks multi-platform images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deployer.storage.sweep import Sweep, layer_link
from deployer.workflows.upkeep import damage, under_way
from deployer.workflows.upkeep.manifest_graph import Manifests, Marked, by_tags, settle, subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.damage import Damage, Unknown
    from deployer.workflows.upkeep.wrong_sizes import WrongSize


class Choose(Protocol):
    """Says which tags and manifests go, by repository."""

    def __call__(self, snapshot: Snapshot, manifests: Manifests, /) -> Mapping[str, Marked]:
        """Choose from what the storage holds at the moment."""


def no_images(_snapshot: Snapshot, _manifests: Manifests, /) -> Mapping[str, Marked]:
    """Choose no tag and no manifest: only what nothing names any more."""
    return {}


@dataclass(frozen=True)
class Waiting:
    """Content in no image yet, that a push under way may still need."""

    blobs: int = 0
    size: int = 0


@dataclass(frozen=True)
class Survey:
    """What would go, and what stays although nothing names it. Sizes in bytes.

    `freed` is what the disk gets back; `size` the blobs' own. `unfinished` are uploads that ended
    half-way, which the registry itself clears after a week. Of the repositories that are `spared`, something was
    chosen, and nothing goes: what is damaged there, or dated in the future, may be what should stay. `ahead` are
    the tags of the future, as `repository:tag`. `links` are those that are missing, do not hold their digest, or are
    one file with another, by their paths, which are looked for with a cure alone.
    `spoilt` are damaged files that no image is known to need. `irregular` are the paths of what is no file or folder
    where the registry expects one. `nameless` are tags whose own file is missing or holds no digest.
    """

    snapshot: Snapshot
    going: Mapping[str, Marked]
    removal: Sweep
    size: int
    freed: int
    waiting: Waiting
    unfinished: int
    damages: tuple[Damage, ...]
    unknown: tuple[Unknown, ...]
    spoilt: frozenset[str]
    spared: tuple[str, ...]
    ahead: tuple[str, ...]
    links: frozenset[str]
    irregular: tuple[str, ...] = ()
    wrong_sizes: tuple[WrongSize, ...] = ()
    nameless: tuple[str, ...] = ()

    @property
    def is_idle(self) -> bool:
        """Whether nothing goes, and nothing is written."""
        return self.removal.is_empty and not self.links

    @property
    def is_unusual(self) -> bool:
        """Whether so much goes that the storage may not be whole, such as while it is being restored."""
        whole = sum(blob.allocated for blob in self.snapshot.blobs.values())
        nothing_named = not any(one.revisions for one in self.snapshot.repositories.values())
        goes = bool(self.removal.blobs or self.removal.repositories)
        return goes and (nothing_named or self.freed * 2 > whole)

    def held_by(self, digests: Iterable[str]) -> int:
        """Bytes of disk that these blobs hold."""
        return _held(digests, self.snapshot)

    @property
    def moves_images(self) -> bool:
        """Whether anything goes that somebody could still pull."""
        return bool(self.removal.tags or self.removal.revisions)


class Cure(Protocol):
    """Says which layers are read to the end, whatever size manifests tell, by repository."""

    def __call__(self, storage: Storage, snapshot: Snapshot, manifests: Manifests, /) -> damage.Doubted:
        """Choose from what the storage holds at the moment."""


def survey(
    storage: Storage, manifests: Manifests, choose: Choose, cure: Cure | None = None, before: Survey | None = None
) -> Survey:
    """List the storage, read what is not known yet, and work out what goes.

    `choose` says which tags and manifests go, by repository; with a `cure`, such as `damage.layers_in_doubt`, what
    is damaged goes too, so that a push brings it again. After a survey `before` this one, of what waits for its
    image only that is read again which was damaged then. Changes nothing.
    """
    snapshot = storage.snapshot()
    named = {digest for repository in snapshot.repositories.values() for digest in repository.revisions}
    named |= {tag.digest for repository in snapshot.repositories.values() for tag in repository.tags.values()}
    manifests.learn(storage, named, snapshot)
    doubted_parts = cure(storage, snapshot, manifests) if cure else {}
    content = damage.examine(storage, snapshot, manifests, doubted_parts, before.damages if before else None)
    chosen = choose(snapshot, manifests)
    spared = {one.repository for one in content.damages if one.tags - chosen.get(one.repository, Marked()).tags}
    ahead = {name: tags for name, one in snapshot.repositories.items() if (tags := _ahead(one, snapshot))}
    spared |= {name for name, gone in chosen.items() if gone.tags and ahead.get(name, frozenset()) - gone.tags}
    # What cannot be read there may be what keeps the rest.
    obstructed = snapshot.obstructed | {one.repository for one in content.damages if one.obstacle}
    spared |= obstructed & chosen.keys()
    going = {name: gone for name, gone in chosen.items() if name not in spared}
    going = _with_unfinished(going, snapshot, manifests)
    if cure or before:
        going = _with_lost(going, content.damages, snapshot, before)
    going = {name: gone for name, gone in going.items() if name not in obstructed}
    damages = tuple(one for one in content.damages if one.manifests - _revisions(going, one.repository))
    unknown = tuple(one for one in content.unknown if one.digest not in _revisions(going, one.repository))
    kept_whole = {one.repository for one in damages} | {one.repository for one in unknown} | obstructed
    marked = _marked(snapshot, manifests, going)
    loose = snapshot.blobs.keys() - marked
    marked.update(digest for _, digest, _ in storage.layer_links(kept_whole))
    _add_targets(marked, snapshot)
    unnamed = snapshot.blobs.keys() - marked
    manifests.find(storage, loose if under_way.may_be(snapshot, loose) else (), snapshot)
    pushes = under_way.look(storage, snapshot, manifests, going)
    waiting = under_way.needed(snapshot, manifests, going, unnamed) | (pushes.digests & unnamed)
    hurt = _places(damages, snapshot)
    known = (content.spoilt | (_places(content.damages, snapshot) & loose)) - hurt
    is_doubted = bool(cure or content.damages or known or manifests.damaged)
    doubted = before.spoilt if before else waiting if is_doubted else frozenset()
    left = damage.Loose(waiting - known, loose - unnamed - known - hurt, doubted)
    spoilt = known | damage.spoilt(storage, snapshot, manifests, left)
    # No push has left a damaged file, and the next would take it for its layer.
    waiting -= spoilt
    garbage = [] if snapshot.is_blind else sorted(unnamed - waiting)
    removal = Sweep(
        tags=tuple(sorted((name, tag) for name, gone in going.items() for tag in gone.tags)),
        revisions=tuple(sorted((name, digest) for name, gone in going.items() for digest in gone.revisions)),
        blobs=tuple(garbage),
        repositories=tuple(_emptied(snapshot, going, pushes.repositories | obstructed)),
        damaged=tuple(sorted(hurt | (spoilt - set(garbage)))) if cure else (),
    )
    return Survey(
        snapshot=snapshot,
        going=going,
        removal=removal,
        size=sum(snapshot.blobs[digest].size for digest in garbage),
        freed=_held({*removal.blobs, *removal.damaged}, snapshot),
        waiting=Waiting(len(waiting), sum(snapshot.blobs[digest].size for digest in waiting)),
        unfinished=snapshot.unfinished_bytes,
        damages=damages,
        unknown=unknown,
        spoilt=spoilt,
        spared=tuple(sorted(spared & chosen.keys())),
        ahead=tuple(f"{name}:{tag}" for name, tags in sorted(ahead.items()) for tag in sorted(tags)),
        links=storage.broken_links() | damage.missing_links(damages) | {*snapshot.shared} if cure else frozenset(),
        wrong_sizes=tuple(one for one in content.wrong_sizes if one.manifest not in _revisions(going, one.repository)),
        nameless=content.nameless,
        irregular=tuple(sorted({*snapshot.irregular, *(one.obstacle for one in content.damages if one.obstacle)})),
    )


def _ahead(repository: StoredRepository, snapshot: Snapshot) -> frozenset[str]:
    """The tags that were pushed in the future: the clock was wrong, and which are the newest nobody knows."""
    return frozenset(name for name, tag in repository.tags.items() if snapshot.is_ahead(tag.pushed))


def _held(digests: Iterable[str], snapshot: Snapshot) -> int:
    return sum(snapshot.blobs[digest].allocated for digest in digests if digest in snapshot.blobs)


def _places(damages: Iterable[Damage], snapshot: Snapshot) -> set[str]:
    """The blobs that have a file, and not the content that they should."""
    return {snapshot.aliases.get(one.digest, one.digest) for one in damages if not one.is_lost}


def _revisions(going: Mapping[str, Marked], repository: str) -> frozenset[str]:
    return going[repository].revisions if repository in going else frozenset()


def stale_layers(storage: Storage, found: Survey) -> tuple[tuple[str, str], ...]:
    """Layer links that lead, or will lead, to no blob; the registry itself leaves them for ever.

    Looked for where a manifest was deleted or goes, or where there is none.
    """
    there = lead_somewhere(found)
    names = sorted(
        name
        for name, one in found.snapshot.repositories.items()
        if "_layers" in one.folders and one.is_ours_to_change and name not in found.removal.repositories
        if name not in found.snapshot.obstructed
        if one.former or name in found.going or name in found.snapshot.unfinished or not one.revisions
    )
    stale = [(name, digest) for name, digest, _ in storage.layer_links(names) if digest not in there]
    # One that is no file is nothing that a registry made.
    odd = {path for path, obstacle in storage.lacking(layer_link(*one) for one in stale).items() if obstacle}
    return tuple(one for one in stale if layer_link(*one) not in odd)


def lead_somewhere(found: Survey) -> set[str]:
    """Every digest that a layer link may hold: of the blobs that stay, by whatever digest they were pushed."""
    left = found.snapshot.blobs.keys() - set(found.removal.blobs)
    return left | {digest for digest, target in found.snapshot.aliases.items() if target in left}


def limited(choose: Choose, shown: Survey) -> Choose:
    """Choose again later, but of tags and manifests only what was shown before.

    A tag that was pushed again since then stays, with all that it leads to.
    """

    def choose_now(snapshot: Snapshot, manifests: Manifests) -> Mapping[str, Marked]:
        found = {}
        for name, now in choose(snapshot, manifests).items():
            repository, before = snapshot.repositories[name], shown.going.get(name, Marked())
            was = shown.snapshot.repositories[name].tags if name in shown.snapshot.repositories else {}
            tags = {tag for tag in now.tags & before.tags if was.get(tag) == repository.tags[tag]}
            spared = repository.tags.keys() - before.tags
            found[name] = settle(repository, manifests, tags, now.revisions & before.revisions, spared=spared)
        return found

    return choose_now


def left_untagged(found: Survey, manifests: Manifests) -> int:
    """How many manifests stay although no tag reaches them."""
    return sum(
        len(repository.revisions.keys() - found.going.get(name, Marked()).revisions - by_tags(repository, manifests))
        for name, repository in found.snapshot.repositories.items()
    )


def would_go(found: Survey, manifests: Manifests, choose: Choose) -> int:
    """How many manifests another choice would take beside those that go already: none where something is damaged."""
    hurt = {one.repository for one in found.damages if one.tags}
    return sum(
        len(gone.revisions - _revisions(found.going, name))
        for name, gone in choose(found.snapshot, manifests).items()
        if name not in hurt
    )


def held_alone(found: Survey, manifests: Manifests, names: Iterable[str]) -> int:
    """Bytes of disk that only these repositories hold: what a collection would free once they are gone."""
    everything = {
        name: Marked(
            frozenset(found.snapshot.repositories[name].tags), frozenset(found.snapshot.repositories[name].revisions)
        )
        for name in names
    }
    alone = _marked(found.snapshot, manifests, {}) - _marked(found.snapshot, manifests, everything)
    return found.held_by(alone)


def _marked(snapshot: Snapshot, manifests: Manifests, going: Mapping[str, Marked]) -> set[str]:
    """Every digest that a staying manifest names, and the manifests themselves."""
    marked: set[str] = set()
    for name, repository in snapshot.repositories.items():
        gone = going.get(name, Marked())
        staying = repository.revisions.keys() - gone.revisions
        # A tag whose manifest the repository no longer links still says what somebody wanted to keep.
        staying |= {tag.digest for each, tag in repository.tags.items() if each not in gone.tags and tag.digest}
        staying -= gone.revisions
        marked |= staying
        for digest in staying:
            marked |= manifests.references(digest)
    _add_targets(marked, snapshot)
    return marked


def _add_targets(marked: set[str], snapshot: Snapshot) -> None:
    """Mark too where the content is that was pushed by another kind of digest."""
    marked.update([snapshot.aliases[digest] for digest in marked if digest in snapshot.aliases])


def _with_unfinished(going: Mapping[str, Marked], snapshot: Snapshot, manifests: Manifests) -> dict[str, Marked]:
    """Add the manifests whose removal was interrupted after their tags had gone; what was pushed since then stays."""
    found = dict(going)
    for name, digests in snapshot.unfinished.items():
        repository, known = snapshot.repositories.get(name), going.get(name, Marked())
        if repository is None:
            continue
        left = {digest for digest, moment in digests.items() if repository.revisions.get(digest, moment) < moment}
        attached = subjects(repository).items()
        spared = {tag for tag, subject in attached if tag not in known.tags and subject in known.revisions | left}
        more = settle(repository, manifests, known.tags, known.revisions | left, spared=spared)
        if more.revisions:
            found[name] = more
    return found


def _with_lost(
    going: Mapping[str, Marked], damages: Iterable[Damage], snapshot: Snapshot, before: Survey | None
) -> dict[str, Marked]:
    """Add the manifests that are gone and that nothing else here needs: no request can delete them."""
    found = dict(going)
    for one in damages:
        is_alone = one.is_manifest and one.is_lost and one.manifests == {one.digest} and not one.tags
        is_linked = one.digest in snapshot.repositories[one.repository].revisions
        if is_alone and is_linked and (before is None or one.digest in _revisions(before.going, one.repository)):
            gone = found.get(one.repository, Marked())
            found[one.repository] = Marked(gone.tags, gone.revisions | {one.digest})
    return found


def _emptied(snapshot: Snapshot, going: Mapping[str, Marked], busy: AbstractSet[str]) -> Iterable[str]:
    for name, repository in sorted(snapshot.repositories.items()):
        gone = going.get(name, Marked())
        if repository.is_ours_to_change and name not in busy and _is_empty(repository, gone):
            yield name


def _is_empty(repository: StoredRepository, gone: Marked) -> bool:
    return not (
        repository.tags.keys() - gone.tags or repository.revisions.keys() - gone.revisions or repository.uploads
    )
