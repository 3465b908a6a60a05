"""Checking a registry elsewhere through its API: each manifest and blob that a tag refers to is queried or read."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.errors import NOT_OF_CONTENT, NotFound, RegistryError
from deployer.phrases import short
from deployer.reference import is_repository
from deployer.registry.content.children import DEPTH
from deployer.restic.repository import Progress
from deployer.settings.values import globs
from deployer.workflows.integrity.check import Checked
from deployer.workflows.integrity.faults import Fault, FaultKind
from deployer.workflows.integrity.reading import ReadContent
from deployer.workflows.upkeep.survey.manifest_graph import read_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deployer.registry.client import RegistryClient
    from deployer.registry.content.documents import Document
    from deployer.workflows.integrity.check import CheckOptions
    from deployer.workflows.integrity.rate import RateLimit
    from deployer.workflows.restore.selection import Selection


@dataclass(frozen=True)
class _Tag:
    """A tag, and the digest that it named when it was asked for; "" if the registry did not give its manifest."""

    repository: str
    name: str
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.repository}:{self.name}"


@dataclass
class _Found:
    """What is known so far: the blobs that tags need, with their stated sizes, and what is wrong with which tags."""

    sizes: dict[tuple[str, str], set[int | None]] = field(default_factory=lambda: defaultdict(set))
    needed_by: dict[tuple[str, str], set[_Tag]] = field(default_factory=lambda: defaultdict(set))
    wrong: dict[tuple[str, FaultKind, str, bool], set[_Tag]] = field(default_factory=lambda: defaultdict(set))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def need(self, tag: _Tag, digest: str, size: int | None) -> None:
        """A tag needs a blob."""
        with self.lock:
            self.sizes[tag.repository, digest].add(size)
            self.needed_by[tag.repository, digest].add(tag)

    def fault(self, digest: str, kind: FaultKind, state: str, tags: Iterable[_Tag], *, is_manifest: bool) -> None:
        """Something is wrong with what tags need."""
        with self.lock:
            self.wrong[digest, kind, state, is_manifest].update(tags)


def check_remote(
    client: RegistryClient, options: CheckOptions, limit: RateLimit, on_progress: Callable[[Progress], None]
) -> Checked:
    """Check a registry. Unless the check is full, only the size of each blob is asked for.

    Raises NotFound if nothing is selected, and RegistryError if the registry cannot be asked.
    """
    tags = _tags(client, options.selection)
    found = _Found()
    client.each(lambda tag: _walk(client, tag, found), tags)
    client.each(lambda place: _ask(client, *place, found), sorted(found.sizes))
    read = _read(client, found, on_progress, limit) if options.is_full else None
    faults = _confirmed(client, found)
    return Checked(len({tag.repository for tag in tags}), len(tags), faults, (), not faults, read=read)


def _tags(client: RegistryClient, selection: Selection) -> list[_Tag]:
    names = _repositories(client, selection)
    found = [
        _Tag(name, tag)
        for name, tags in zip(names, client.each(lambda one: _tags_of(client, one), names), strict=True)
        for tag in tags
        if selection.names(name, tag)
    ]
    missing = [f"{name}:{tag}" for name, tags in selection.tags.items() for tag in tags if _Tag(name, tag) not in found]
    missing += [one for one in selection.patterns if not any(globs.matches(name, [one]) for name in names)]
    if missing:
        raise NotFound(f"The registry does not have {', '.join(missing)}.", ("deployer catalog --tags",))
    return found


def _repositories(client: RegistryClient, selection: Selection) -> list[str]:
    """Those of which something is selected. The catalog, which not everyone may list, is not asked if each is named."""
    named = tuple(dict.fromkeys((*selection.patterns, *selection.tags)))
    if named and all(map(is_repository, named)):
        are_there = client.each(lambda one: _is_there(client, one), named)
        return [name for name, is_there in zip(named, are_there, strict=True) if is_there]
    return [name for name in client.catalog() if selection.concerns(name)]


def _is_there(client: RegistryClient, name: str) -> bool:
    try:
        client.tags(name)
    except NotFound:
        return False
    return True


def _tags_of(client: RegistryClient, name: str) -> tuple[str, ...]:
    try:
        return client.tags(name)
    except NotFound:
        return ()


def _walk(client: RegistryClient, tag: _Tag, found: _Found) -> None:
    """Note what a tag needs, and what of its manifests is wrong."""
    document = _manifest(client, tag, tag.name, found)
    named = _Tag(tag.repository, tag.name, document.digest) if document else tag
    waiting, known, depth = ([document] if document else []), set[str](), 0
    while waiting and depth <= DEPTH:
        below: list[str] = []
        for each in waiting:
            if each.damage:
                state = f"the manifest {short(each.digest)} is damaged"
                found.fault(each.digest, FaultKind.DAMAGED, state, [named], is_manifest=True)
            elif each.digest not in known and (summary := read_summary(each.content)):
                known.add(each.digest)
                below += summary.children
                for part in summary.parts:
                    if not part.may_be_elsewhere:
                        found.need(named, part.digest, part.size)
        # Of an index, a registry may have a part.
        children = (_manifest(client, named, digest, found) for digest in below if digest not in known)
        waiting, depth = [one for one in children if one], depth + 1


def _manifest(client: RegistryClient, tag: _Tag, reference: str, found: _Found) -> Document | None:
    """A manifest that a tag leads to; None if there is none."""
    try:
        return client.document(tag.repository, reference)
    except NOT_OF_CONTENT:
        raise
    except NotFound:
        if reference == tag.name:
            found.fault("", FaultKind.MISSING, "the manifest is missing", [tag], is_manifest=True)
    except RegistryError as error:
        found.fault("", FaultKind.OTHER, error.message, [tag], is_manifest=True)
    return None


def _ask(client: RegistryClient, repository: str, digest: str, found: _Found) -> None:
    """Compare the size that the registry says with that of the manifests."""
    size = client.blob_size(repository, digest)
    tags = found.needed_by[repository, digest]
    if size is None:
        state = f"the file {short(digest)} is missing"
        found.fault(digest, FaultKind.MISSING, state, tags, is_manifest=False)
        return
    for stated in found.sizes[repository, digest] - {size, None}:
        state = f"the file {short(digest)} has {size} bytes, but the manifest says {stated}"
        found.fault(digest, FaultKind.DAMAGED, state, tags, is_manifest=False)


@dataclass
class _Hashed:
    """Takes the content of a blob, no faster than is allowed, and works out its digest."""

    digest: str
    limit: RateLimit
    on_bytes: Callable[[int], None]
    _hash: hashlib._Hash = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """From the start."""
        self._hash = hashlib.new(self.digest.partition(":")[0])

    def write(self, piece: bytes) -> None:
        """The next piece."""
        self.limit.take(len(piece))
        self._hash.update(piece)
        self.on_bytes(len(piece))

    @property
    def is_whole(self) -> bool:
        """Whether the content has its digest."""
        return self._hash.hexdigest() == self.digest.partition(":")[2]


def _read(
    client: RegistryClient, found: _Found, on_progress: Callable[[Progress], None], limit: RateLimit
) -> ReadContent:
    """Read each blob once that is not known to be damaged."""
    wrong = {digest for digest, *_ in found.wrong}
    places: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for (repository, digest), stated in found.sizes.items():
        if digest not in wrong:
            places[digest] = repository
            sizes[digest] = max(filter(None, stated), default=0)
    total, done = sum(sizes.values()), 0
    damaged: set[str] = set()

    def count(size: int) -> None:
        nonlocal done
        with found.lock:
            done += size
            on_progress(Progress(done, total))

    def read(place: tuple[str, str]) -> None:
        digest, repository = place
        content = _Hashed(digest, limit, count)
        if client.read_blob(repository, digest, content) and not content.is_whole:
            damaged.add(digest)
            tags = set().union(*(one for (_, each), one in found.needed_by.items() if each == digest))
            state = f"the file {short(digest)} is damaged"
            found.fault(digest, FaultKind.DAMAGED, state, tags, is_manifest=False)

    client.each(read, sorted(places.items()))
    return ReadContent(len(places), total, 0, frozenset(damaged))


def _confirmed(client: RegistryClient, found: _Found) -> tuple[Fault, ...]:
    """What is wrong with tags that still name the same: what was deleted or pushed in the meantime is not damage."""
    tags = sorted(set().union(*found.wrong.values()), key=str)
    still = {
        tag for tag, is_same in zip(tags, client.each(lambda tag: _is_same(client, tag), tags), strict=True) if is_same
    }
    faults = []
    for (digest, kind, state, is_manifest), hit in found.wrong.items():
        left = sorted(hit & still, key=str)
        if left:
            names = tuple(dict.fromkeys(tag.repository for tag in left))
            faults.append(Fault(digest, kind, state, is_manifest, None, names, tuple(map(str, left))))
    return tuple(sorted(faults, key=lambda one: one.images))


def _is_same(client: RegistryClient, tag: _Tag) -> bool:
    try:
        return client.head(tag.repository, tag.name).digest == tag.digest
    except NOT_OF_CONTENT:
        raise
    except RegistryError:
        # Without its manifest a tag is still listed, and one that is deleted is not.
        return not tag.digest and tag.name in _tags_of(client, tag.repository)
