"""Pulling from the copy of a drill: every tag is looked for, and of a sample every byte is compared with its digest."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.registry.content.children import DEPTH, SCHEMA_1_TYPES, children, is_manifest_type, text_of
from deployer.registry.content.manifests import digest_of
from deployer.registry.parallel import each
from deployer.restic.repository import Progress
from deployer.workflows.backup.links import LinkKind
from deployer.workflows.drill.client import WORKERS, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from deployer.workflows.drill.client import CopyClient
    from deployer.workflows.restore.plan import TagChange


@dataclass(frozen=True)
class Miss:
    """A manifest or blob of an image that the copy does not provide; `kind` is the link that it needs."""

    image: str
    repository: str
    digest: str
    kind: LinkKind
    refused: Refused

    @property
    def sentence(self) -> str:
        """What to say of it."""
        what = "manifest" if self.kind is LinkKind.MANIFEST else "blob"
        return f"{self.image} cannot be pulled: {what} {self.digest}: {self.refused.words}."


@dataclass(frozen=True)
class FoundTag:
    """A tag that the copy has, and the media type of its manifest."""

    tag: TagChange
    media_type: str


@dataclass(frozen=True)
class Tags:
    """The tags that the copy has, and those that it does not have as the backup says."""

    found: tuple[FoundTag, ...]
    misses: tuple[Miss, ...]


@dataclass(frozen=True)
class Pulled:
    """What was compared of the sample: how many manifests and blobs, how many bytes, and what was not right."""

    contents: int
    bytes: int
    misses: tuple[Miss, ...]


def look_for(client: CopyClient, tags: Iterable[TagChange]) -> Tags:
    """Look for every tag, and whether it refers to the manifest that it has in the backup."""

    def look(tag: TagChange) -> FoundTag | Miss:
        try:
            said = client.described(tag.repository, tag.tag)
        except Refused as refused:
            return Miss(str(tag), tag.repository, tag.after, LinkKind.MANIFEST, refused)
        if said.digest != tag.after and said.media_type not in SCHEMA_1_TYPES:
            other = Refused(f"the copy's tag refers to {said.digest}")
            return Miss(str(tag), tag.repository, tag.after, LinkKind.MANIFEST, other)
        return FoundTag(tag, said.media_type)

    results = each(look, tags, WORKERS)
    return Tags(
        tuple(one for one in results if isinstance(one, FoundTag)),
        tuple(one for one in results if isinstance(one, Miss)),
    )


def sample_of(found: Sequence[FoundTag], count: int | None, seed: str) -> tuple[FoundTag, ...]:
    """The newest tag of each of `count` repositories, and at least one of each kind of manifest; None: all tags.

    The same for the same seed, and others for another, so that over time every repository is sampled.
    """
    if count is None:
        return tuple(found)
    newest: dict[str, FoundTag] = {}
    for one in sorted(found, key=lambda one: (one.tag.pushed, one.tag.tag)):
        newest[one.tag.repository] = one
    names = sorted(newest)
    chosen = [newest[name] for name in random.Random(seed).sample(names, min(count, len(names)))]  # noqa: S311 - no secret
    kinds = {one.media_type for one in chosen}
    for one in sorted(found, key=lambda one: one.tag.pushed, reverse=True):
        if one.media_type not in kinds:
            kinds.add(one.media_type)
            chosen.append(one)
    return tuple(sorted(chosen, key=lambda one: str(one.tag)))


def pull(
    client: CopyClient, sample: Sequence[FoundTag], sizes: Mapping[str, int], on_progress: Callable[[Progress], None]
) -> Pulled:
    """Pull these images whole: manifests by their digests, and the bytes of each blob once for a repository.

    `sizes` are those of the backup's blobs, in bytes, by digest.
    """
    images = each(lambda one: _Image.read(client, one), sample, WORKERS)
    manifests = {(one.repository, digest): size for one in images for digest, size in one.manifests.items()}
    wanted = {(one.repository, digest): one.name for one in images for digest in one.blobs}
    total = sum(sizes.get(digest, 0) for _, digest in wanted)
    counter = _Counter(total, on_progress)

    def check(place: tuple[str, str]) -> Miss | None:
        try:
            client.check_blob(*place, counter.add)
        except Refused as refused:
            return Miss(wanted[place], *place, LinkKind.LAYER, refused)
        return None

    checked = each(check, wanted, WORKERS)
    misses = (*(miss for one in images for miss in one.misses), *(miss for miss in checked if miss))
    return Pulled(len(manifests) + checked.count(None), sum(manifests.values()) + counter.done, misses)


@dataclass
class _Counter:
    """Counts bytes that several threads have read."""

    total: int
    on_progress: Callable[[Progress], None]
    done: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, count: int) -> None:
        with self._lock:
            self.done += count
            self.on_progress(Progress(self.done, self.total))


@dataclass
class _Image:
    """The manifests of an image, with their sizes in bytes, and the digests of the blobs that they name."""

    name: str
    repository: str
    manifests: dict[str, int] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)
    misses: list[Miss] = field(default_factory=list)

    @classmethod
    def read(cls, client: CopyClient, one: FoundTag) -> _Image:
        """Read all manifests of a tag's image."""
        found = cls(str(one.tag), one.tag.repository)
        found._read(client, one.tag.after, one.tag.tag, DEPTH)
        return found

    def _read(self, client: CopyClient, digest: str, reference: str, depth: int) -> None:
        if digest in self.manifests:
            return
        try:
            said = client.manifest(self.repository, reference)
            old = said.media_type in SCHEMA_1_TYPES
            # The digest of Docker's first kind is that of another form of it.
            if not old and digest_of(said.content, digest.partition(":")[0]) != digest:
                raise Refused("its content does not match its digest")
            document = json.loads(said.content)
            named = children(document)
        except (ValueError, AttributeError):
            self._miss(digest, Refused("it is not valid JSON"))
            return
        except Refused as refused:
            self._miss(digest, refused)
            return
        self.manifests[digest] = len(said.content)
        descriptors = [*named.layers, *named.blobs, *filter(None, [named.config])]
        self.blobs |= {text_of(one, "digest") for one in descriptors}
        self.blobs |= {text_of(one, "blobSum") for one in document.get("fsLayers") or ()} if old else set()
        self.blobs.discard("")
        for entry in named.entries if depth else ():
            child = text_of(entry, "digest")
            if child and is_manifest_type(text_of(entry, "mediaType")):
                self._read(client, child, child, depth - 1)

    def _miss(self, digest: str, refused: Refused) -> None:
        self.misses.append(Miss(self.name, self.repository, digest, LinkKind.MANIFEST, refused))
