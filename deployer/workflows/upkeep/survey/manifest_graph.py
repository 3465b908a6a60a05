"""Which manifests lead to which: what a registry's tags reach, and what goes when some of them go."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING

from deployer.reference import is_digest
from deployer.registry.content import attached
from deployer.registry.content.children import Children, RawDescriptor, children, text_of
from deployer.registry.content.decoding import is_refused
from deployer.registry.content.json_text import read_json, read_size
from deployer.registry.content.kinds import Kind, kind_of
from deployer.registry.content.manifests import MANIFEST_MAX_BYTES, digest_of
from deployer.registry.content.moments import parse_time
from deployer.registry.content.placeholder import original_said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository, StoredTag

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_CREATED = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class Part:
    """Content that a manifest needs: its size in bytes as the manifest says, None if it says none.

    It `may_be_elsewhere` where it has addresses of its own (`urls`, as Windows' base layers have), or is in an
    index, of which a registry may hold a part.
    """

    digest: str
    size: int | None
    may_be_elsewhere: bool


@dataclass(frozen=True, slots=True)
class ManifestSummary:
    """What a manifest names: every digest in it, and of these an index's children, the subject, the configuration.

    `parts` is what is pulled with it, `images` are those of the children that are manifests and no attestations,
    `is_image` is by itself: of an index, that it puts manifests together and says no other type. `created` is what the
    annotation says. "" stands for no subject or configuration. An interrupted
    deletion leaves a placeholder on a tag. One that `is_refused` the registry itself cannot read.
    """

    references: frozenset[str]
    children: tuple[str, ...] = ()
    subject: str = ""
    config: str = ""
    is_placeholder: bool = False
    parts: tuple[Part, ...] = ()
    images: tuple[str, ...] = ()
    is_image: bool = False
    created: datetime | None = None
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class RemovalSet:
    """Tags and manifests of one repository that are removed."""

    tags: frozenset[str] = frozenset()
    revisions: frozenset[str] = frozenset()


@dataclass
class Manifests:
    """Manifests by digest, each read once; None if the content is damaged, or no manifest.

    `damaged` are those whose content was not what the digest promises when it was read.
    """

    known: dict[str, ManifestSummary | None] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    def learn(self, storage: Storage, digests: Iterable[str], snapshot: Snapshot) -> None:
        """Read those that are there and not known yet; what could not be read is tried again."""
        blobs, aliases = snapshot.blobs, snapshot.aliases
        places = {digest: aliases.get(digest, digest) for digest in digests if not self.known.get(digest)}
        places = {digest: place for digest, place in places.items() if place in blobs}
        self.known.update(dict.fromkeys(places))
        small = sorted({place for place in places.values() if blobs[place].size <= MANIFEST_MAX_BYTES})
        names = defaultdict(list)
        for digest, place in places.items():
            names[place].append(digest)
        for place, content in storage.contents(small, blobs):
            for digest in names[place]:
                is_whole = digest_of(content, digest.partition(":")[0]) == digest
                self.known[digest] = read_summary(content) if is_whole else None
                (self.damaged.discard if is_whole else self.damaged.add)(digest)

    def find(self, storage: Storage, digests: Iterable[str], snapshot: Snapshot) -> None:
        """Find out which blobs are manifests; each is read once."""
        self.learn(storage, set(digests) - self.known.keys(), snapshot)

    def references(self, digest: str) -> frozenset[str]:
        """Every digest that a manifest names; none if it cannot be read."""
        summary = self.known.get(digest)
        return summary.references if summary else frozenset()

    def parts(self, digests: Iterable[str]) -> set[str]:
        """What these manifests are pulled with; nothing of those that cannot be read."""
        return {part.digest for digest in digests if (summary := self.known.get(digest)) for part in summary.parts}

    def children(self, digest: str) -> tuple[str, ...]:
        """The manifests that an index puts together; none for anything else."""
        summary = self.known.get(digest)
        return summary.children if summary else ()


def read_summary(content: bytes) -> ManifestSummary | None:
    """Read a manifest, of whatever kind: any digest that is anywhere in it counts as named.

    None if the content is not a manifest.
    """
    try:
        document = read_json(content)
    except ValueError:
        return None
    # Configurations, the other JSON that a registry keeps, have no version of their form.
    if not isinstance(document, dict) or "schemaVersion" not in document:
        return None
    # Written with escapes, a digest would not be found in the bytes; of keys that stand twice, JSON keeps one.
    plain = content + json.dumps(document).encode() if b"\\" in content else content
    # Of a digest that many manifests name, one text is kept.
    references = frozenset(intern(found.decode()) for found in _DIGEST.findall(plain))
    named, annotations = children(document), document.get("annotations")
    config, images = _digest_of(named.config), _digests_of(named.images)
    stated = annotations if isinstance(annotations, dict) else {}
    kind = kind_of(document)
    return ManifestSummary(
        references=references,
        children=_digests_of(named.entries),
        images=images,
        is_image=kind.kind is Kind.IMAGE or (kind.kind is Kind.INDEX and bool(images) and not kind.type),
        created=parse_time(stated.get(_CREATED)),
        subject=_digest_of(named.subject),
        config=config,
        is_placeholder=bool(original_said(config, has_layers=bool(document.get("layers")), annotations=stated)),
        parts=tuple(_parts(named)),
        is_refused=is_refused(document),
    )


def _parts(named: Children) -> Iterator[Part]:
    for descriptor in (named.config, *named.layers):
        if descriptor and (digest := _digest_of(descriptor)):
            yield Part(digest, read_size(descriptor.get("size")), bool(descriptor.get("urls")))
    for descriptor in named.entries:
        if digest := _digest_of(descriptor):
            yield Part(digest, read_size(descriptor.get("size")), may_be_elsewhere=True)


def _digests_of(descriptors: Iterable[RawDescriptor]) -> tuple[str, ...]:
    return tuple(digest for descriptor in descriptors if (digest := _digest_of(descriptor)))


def _digest_of(descriptor: RawDescriptor | None) -> str:
    digest = text_of(descriptor, "digest")
    return intern(digest) if is_digest(digest) else ""


def is_attached_tag(name: str, tag: StoredTag) -> bool:
    """Whether a tag only attaches something to another manifest; one that names its own digest does not."""
    return attached.is_attached_tag(name, tag.digest)


def subjects(repository: StoredRepository) -> dict[str, str]:
    """The attached tags of a repository, with the digests of what they are attached to."""
    tags = {name: tag.digest for name, tag in repository.tags.items()}
    return {name: found.to for name, found in attached.read_attached(tags, repository.revisions).items()}


def reached(repository: StoredRepository, manifests: Manifests, roots: Iterable[str]) -> set[str]:
    """The repository's manifests that the roots need, themselves included.

    Whatever a manifest names anywhere counts as needed, an index's images above all; and what is
    attached to a manifest, such as its signature, stays with it (OCI image specification, image
    manifest property `subject`).
    """
    return _closure(repository, manifests, roots, manifests.references)


def reached_by_tags(repository: StoredRepository, manifests: Manifests) -> set[str]:
    """The repository's manifests that some tag reaches."""
    return reached(repository, manifests, [tag.digest for tag in repository.tags.values()])


def parts(repository: StoredRepository, manifests: Manifests, roots: Iterable[str]) -> set[str]:
    """The repository's manifests that are parts of the roots, themselves included: children, and what is attached."""
    return _closure(repository, manifests, roots, manifests.children)


def _closure(
    repository: StoredRepository, manifests: Manifests, roots: Iterable[str], below: Callable[[str], Iterable[str]]
) -> set[str]:
    about = _attached(repository, manifests)
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        digest = waiting.pop()
        if digest in found:
            continue
        found.add(digest)
        # A root whose own link is lost still says what it needs.
        waiting += [other for other in below(digest) if other in repository.revisions]
        waiting += about.get(digest, ())
    return found & repository.revisions.keys()


def _attached(repository: StoredRepository, manifests: Manifests) -> dict[str, list[str]]:
    about: dict[str, list[str]] = defaultdict(list)
    for digest in repository.revisions:
        summary = manifests.known.get(digest)
        if summary and summary.subject:
            about[summary.subject].append(digest)
    for name, subject in subjects(repository).items():
        about[subject].append(repository.tags[name].digest)
    return {subject: [one for one in found if one in repository.revisions] for subject, found in about.items()}


def resolve_removal(
    repository: StoredRepository,
    manifests: Manifests,
    tags: AbstractSet[str],
    revisions: AbstractSet[str],
    *,
    kept: AbstractSet[str] = frozenset(),
) -> RemovalSet:
    """What is removed when these tags are, and these manifests may be.

    A manifest is kept while a kept tag, or a manifest that may not be removed, reaches it. An attached tag, such as a
    signature's, is removed with what it is attached to, if that may be removed and the tag is not `kept`. While a kept
    manifest cannot be read, it may need any other: then tags are removed, and no manifest.
    """
    attached_tags = {
        name: subject
        for name, subject in subjects(repository).items()
        if name not in tags | kept and subject in revisions
    }
    free = [tag.digest for name, tag in repository.tags.items() if name not in tags and name not in attached_tags]
    attachments = {repository.tags[name].digest for name in attached_tags}
    needed = reached(repository, manifests, [*free, *(repository.revisions.keys() - revisions - attachments)])
    # What is attached to something that may not be removed is reached through it.
    removed_with_subject = {name for name, subject in attached_tags.items() if subject not in needed}
    removable = set(revisions) | {repository.tags[name].digest for name in removed_with_subject}
    to_remove = (removable & repository.revisions.keys()) - needed
    left = {tag.digest for name, tag in repository.tags.items() if name not in tags and tag.digest}
    left = (left | repository.revisions.keys()) - to_remove
    if any(manifests.known.get(digest) is None for digest in left):
        return RemovalSet(frozenset(tags))
    return RemovalSet(frozenset(tags) | frozenset(removed_with_subject), frozenset(to_remove))


def pulled_with(
    root: str,
    repository: StoredRepository,
    manifests: Manifests,
    to_verify: AbstractSet[str] = frozenset(),
    lost: AbstractSet[str] = frozenset(),
) -> set[str]:
    """What is pulled with a manifest: itself, its parts, and those of the images that it is an index of.

    One that cannot be read may need all that is `to_verify`. Of manifests that are `lost` the repository had a link.
    """
    here = repository.revisions.keys() | lost
    found: set[str] = set()
    waiting = [root]
    while waiting:
        digest = waiting.pop()
        if digest in found:
            continue
        found.add(digest)
        summary = manifests.known.get(digest)
        parts = {part.digest for part in summary.parts} if summary else to_verify
        found |= parts - repository.revisions.keys()
        waiting += [child for child in manifests.children(digest) if child in here]
    return found
