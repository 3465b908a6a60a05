"""What a repository's tags point to, as deleting needs it: the digests, whatever the manifests are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import NOT_OF_CONTENT, NotFound, RegistryError
from deployer.reference import is_digest, is_tag
from deployer.registry.content.manifests import Index
from deployer.registry.content.order import natural
from deployer.workflows.images.foreign_files import is_file
from deployer.workflows.images.naming import tags_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from deployer.registry.client import RegistryClient
    from deployer.registry.content.manifests import Descriptor
    from deployer.registry.overview import Overview


@dataclass(frozen=True)
class Pointers:
    """A repository's tags with what they point to, and those for which the registry gives nothing.

    `unread` are those that point to a manifest that the registry cannot read, `damaged` those whose own file it
    cannot read, or of which that is not known; `dangling` those without a manifest. `foreign` are files of
    another program in the registry's list: names that no tag can have, and those that it says are files. `is_certain`
    where it is known that all the `damaged` are.
    """

    tags: Mapping[str, Descriptor]
    damaged: frozenset[str]
    dangling: frozenset[str]
    unread: Mapping[str, str]
    foreign: tuple[str, ...] = ()
    is_certain: bool = False

    @property
    def without_manifest(self) -> AbstractSet[str]:
        """The tags for which the registry gives nothing."""
        return self.damaged | self.dangling | self.unread.keys()

    def on(self, digest: str) -> tuple[str, ...]:
        """The tags that point to the digest."""
        found = [tag for tag, descriptor in self.tags.items() if descriptor.digest == digest]
        found += [tag for tag, known in self.unread.items() if known == digest]
        return tuple(sorted(found, key=natural))


def read_pointers(client: RegistryClient, repository: str) -> Pointers:
    """Look at every tag of a repository. Raises NotFound with the nearest names, and NOT_OF_CONTENT."""

    def look(tag: str) -> Descriptor | RegistryError:
        try:
            return client.head(repository, tag)
        except NOT_OF_CONTENT:
            raise
        except RegistryError as error:
            return error

    listed = tags_of(client, repository)
    tags = [tag for tag in listed if is_tag(tag)]
    found = dict(zip(tags, client.each(look, tags), strict=True))
    broken = {tag: error for tag, error in found.items() if isinstance(error, RegistryError)}
    dangling = frozenset(tag for tag, error in broken.items() if isinstance(error, NotFound))
    overview = client.overview(repository) if broken.keys() - dangling else None
    unread = _pointing(client, repository, broken.keys() - dangling, overview) if overview else {}
    damaged = sorted(broken.keys() - dangling - unread.keys())
    files = [tag for tag in damaged if is_file(client, repository, tag)]
    return Pointers(
        tags={tag: descriptor for tag, descriptor in found.items() if not isinstance(descriptor, RegistryError)},
        damaged=frozenset(damaged).difference(files),
        dangling=dangling,
        unread=unread,
        foreign=(*files, *(tag for tag in listed if not is_tag(tag))),
        is_certain=overview is not None,
    )


def _pointing(client: RegistryClient, repository: str, tags: AbstractSet[str], overview: Overview) -> dict[str, str]:
    """What these tags, which the registry cannot read, point to as the storage has it: those whose file is sound."""
    pointing = {tag: overview.tags.get(tag, "") for tag in tags}

    def is_unread(tag: str) -> bool:
        try:
            client.head(repository, pointing[tag])
        except NotFound:
            return False
        except NOT_OF_CONTENT:
            raise
        except RegistryError:
            return True
        # The manifest can be read: then the tag's own file is what is damaged.
        return False

    known = sorted(tag for tag, digest in pointing.items() if is_digest(digest))
    results = zip(known, client.each(is_unread, known), strict=True)
    return {tag: pointing[tag] for tag, unread in results if unread}


def containing(
    client: RegistryClient, repository: str, known: Pointers, digest: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tags of indexes that hold the digest, at whatever depth, and those that could not be read."""
    indexes = sorted({descriptor.digest for descriptor in known.tags.values() if descriptor.is_index} - {digest})
    inside = dict(zip(indexes, client.each(lambda index: _below(client, repository, index), indexes), strict=True))
    holding = [index for index, below in inside.items() if digest in below.digests]
    blind = [index for index, below in inside.items() if not below.is_whole and index not in holding]
    unread = [tag for tag, pointed in known.unread.items() if pointed != digest]
    tags = {tag for index in blind for tag in known.on(index)}.union(unread)
    return tuple(tag for index in holding for tag in known.on(index)), tuple(sorted(tags, key=natural))


@dataclass(frozen=True)
class _Below:
    """The digests that an index names at whatever depth; incomplete where some could not be read."""

    digests: frozenset[str]
    is_whole: bool


def _below(client: RegistryClient, repository: str, index: str) -> _Below:
    seen: set[str] = set()
    is_whole = True
    waiting = [index]
    while waiting:
        try:
            manifest = client.manifest(repository, waiting.pop())
        except NotFound:
            continue
        except NOT_OF_CONTENT:
            raise
        except RegistryError:
            is_whole = False
            continue
        if isinstance(manifest, Index):
            waiting += [child.digest for child in manifest.manifests if child.is_index and child.digest not in seen]
            seen.update(child.digest for child in manifest.manifests)
    return _Below(frozenset(seen), is_whole)
