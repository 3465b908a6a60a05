"""The images of one repository that cannot be pulled, by what of them is wrong.

Refused are those whose bytes are whole, and that the registry itself cannot read: it answers with an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from deployer.storage.printed import Lack
from deployer.storage.removal import blob_file, layer_link, revision_link
from deployer.workflows.upkeep.survey.manifest_graph import pulled_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests


@dataclass(frozen=True)
class Damage:
    """A manifest, configuration or layer of a repository that cannot be pulled.

    `size` are the bytes that its file holds instead, None if it is missing. `tags` and `manifests` are those
    of the repository that need it, `own_tags` those that point to it. One that is `unlinked` has its file, and in the
    repository no link to it, or one of `link_size` bytes that does not hold its digest. `obstacle` is the path of what
    is in place of its file or link, below the registry's root. What is `foreign` a tag names without a link, and it is
    not a manifest: it may be an intact layer of other images.
    """

    stated: ClassVar[None] = None

    repository: str
    digest: str
    size: int | None
    is_manifest: bool
    tags: frozenset[str]
    manifests: frozenset[str]
    own_tags: frozenset[str] = frozenset()
    is_unlinked: bool = False
    link_size: int | None = None
    obstacle: str = ""
    is_foreign: bool = False

    @property
    def is_restorable(self) -> bool:
        """Whether only its link is missing or damaged, and can be written again."""
        return self.is_unlinked and not self.obstacle

    @property
    def is_lost(self) -> bool:
        """Whether there is no file at all: then pushing the image again is enough."""
        return self.size is None

    @property
    def images(self) -> tuple[str, ...]:
        """What needs it, as one writes it: the tags, or the manifests if there is no tag."""
        named = [f"{self.repository}:{tag}" for tag in sorted(self.tags)]
        return tuple(named or (f"{self.repository}@{digest}" for digest in sorted(self.manifests)))


@dataclass(frozen=True)
class Obstacles:
    """What is in place of files and links, as the list tells it and the search for links."""

    snapshot: Snapshot
    lacking: Mapping[str, Lack]

    def to(self, repository: str, digest: str, size: int | None) -> str:
        """The path of what keeps content from being in its place, "" if nothing does."""
        places = [revision_link(repository, digest), layer_link(repository, digest)]
        if size is None:
            places.insert(0, blob_file(self.snapshot.aliases.get(digest, digest)))
        return next((found for path in places if (found := self._at(path))), "")

    def _at(self, path: str) -> str:
        return self.snapshot.in_place_of(path) or self.lacking.get(path, Lack()).obstacle


@dataclass(frozen=True)
class RepositoryFaults:
    """What is wrong in one repository: the `sizes` of damaged files, None if there is none, and links.

    These are the links of `manifests` and of `layers`, by their digests. Of the manifests that are `lost` it has no
    link, and had one.
    """

    sizes: Mapping[str, int | None]
    manifests: Mapping[str, Lack]
    layers: Mapping[str, Lack]
    obstacles: Obstacles
    lost: AbstractSet[str]

    def __bool__(self) -> bool:
        return bool(self.sizes or self.manifests or self.layers)

    def concerns(self, digest: str, *, is_manifest: bool) -> bool:
        """Whether it cannot be pulled as a manifest, or as a part of one: each has its own link."""
        return digest in self.sizes or digest in self.layers or (is_manifest and digest in self.manifests)

    def link_size(self, digest: str, *, is_manifest: bool) -> int | None:
        """The size of its link, if that is damaged."""
        return (self.manifests if is_manifest else self.layers).get(digest, Lack()).size


def damages_of(
    repository: StoredRepository, manifests: Manifests, wrong: RepositoryFaults, to_verify: frozenset[str]
) -> Iterator[Damage]:
    """What is wrong, each with the images that need it."""
    if not wrong:
        return
    foreign = {
        digest
        for digest in wrong.manifests.keys() - wrong.sizes.keys() - repository.revisions.keys()
        if _is_foreign(digest, manifests)
    }
    for digest in sorted(foreign):
        tags = frozenset(repository.on(digest))
        yield Damage(
            repository.name,
            digest,
            size=None,
            is_manifest=True,
            tags=tags,
            manifests=frozenset({digest}),
            own_tags=tags,
            is_foreign=True,
        )
    roots = repository.revisions.keys() | {tag.digest for tag in repository.tags.values() if tag.digest} | wrong.lost
    roots -= foreign
    needs = {root: set(_needs(root, repository, manifests, wrong, to_verify)) for root in roots}
    for damaged in sorted(set().union(*needs.values())):
        hit = frozenset(root for root, needed in needs.items() if damaged in needed)
        yield Damage(
            repository=repository.name,
            digest=damaged,
            size=wrong.sizes.get(damaged),
            is_manifest=damaged in roots,
            tags=frozenset(name for name, tag in repository.tags.items() if tag.digest in hit),
            manifests=hit,
            own_tags=frozenset(repository.on(damaged)),
            is_unlinked=damaged not in wrong.sizes,
            link_size=wrong.link_size(damaged, is_manifest=damaged in roots),
            obstacle=wrong.obstacles.to(repository.name, damaged, wrong.sizes.get(damaged)),
        )


def _needs(
    root: str,
    repository: StoredRepository,
    manifests: Manifests,
    wrong: RepositoryFaults,
    to_verify: frozenset[str],
) -> Iterator[str]:
    """What is wrong of what is pulled with a manifest."""
    pulled = pulled_with(root, repository, manifests, to_verify, wrong.lost)
    named = {root}.union(*(manifests.children(one) for one in pulled))
    return (one for one in pulled if wrong.concerns(one, is_manifest=one in named))


def _is_foreign(digest: str, manifests: Manifests) -> bool:
    """Whether it was read, and is no manifest that the registry can read."""
    summary = manifests.known.get(digest)
    return digest in manifests.known and (summary is None or summary.is_refused)


@dataclass(frozen=True)
class Refused:
    """A manifest of a repository, with the tags that point to it."""

    repository: str
    digest: str
    tags: tuple[str, ...]

    @property
    def images(self) -> tuple[str, ...]:
        """What it is pulled as, as one writes it."""
        return tuple(f"{self.repository}:{tag}" for tag in self.tags) or (f"{self.repository}@{self.digest}",)


def find_refused(snapshot: Snapshot, manifests: Manifests) -> Iterator[Refused]:
    """Those of every repository."""
    for name, one in sorted(snapshot.repositories.items()):
        for digest in sorted(one.revisions):
            summary = manifests.known.get(digest)
            if summary and summary.is_refused:
                yield Refused(name, digest, one.on(digest))
