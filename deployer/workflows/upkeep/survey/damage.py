"""Content that is not what its digest promises, and the images that cannot be pulled because of it.

A power cut or a full disk leaves files empty or truncated, and the registry never looks: it says of
such a layer that it is there, so that a push sends nothing, and hands out what is left.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.registry.content.imageconfig import CONFIG_MAX_BYTES
from deployer.registry.content.manifests import digest_of
from deployer.storage.printed import Lack
from deployer.storage.removal import blob_file, layer_link, revision_link, tag_link
from deployer.workflows.upkeep.survey import lost_links
from deployer.workflows.upkeep.survey.damaged_images import Obstacles, RepositoryFaults, damages_of
from deployer.workflows.upkeep.survey.wrong_sizes import find_wrong_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.printed import Verified
    from deployer.storage.snapshot import Blob, Snapshot, StoredRepository, StoredTag
    from deployer.workflows.upkeep.survey.damaged_images import Damage
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests
    from deployer.workflows.upkeep.survey.wrong_sizes import WrongSize

_NOTHING = frozenset({digest_of(b""), digest_of(b"", "sha512")})


@dataclass(frozen=True)
class Unknown:
    """A manifest of a repository that is whole, and of a form that is not read here, or `is_new`, pushed since."""

    repository: str
    digest: str
    is_new: bool = False


@dataclass(frozen=True)
class Examination:
    """What is wrong with the content, and what cannot be judged.

    `damaged_unreferenced` are damaged files that no image is known to need: a push that does would take them for
    whole. `tags_without_digest` have their own file that is missing or holds no digest, as `repository:tag`.
    """

    damages: tuple[Damage, ...]
    unknown: tuple[Unknown, ...]
    damaged_unreferenced: frozenset[str]
    wrong_sizes: tuple[WrongSize, ...] = ()
    tags_without_digest: tuple[str, ...] = ()


# By repository, layers that are read whatever their size: manifests that are damaged themselves tell none, and
# one that was pushed over a truncated layer tells that of the file.
LayersToVerify = dict[str, frozenset[str]]


def layers_to_verify(storage: Storage, snapshot: Snapshot, manifests: Manifests) -> LayersToVerify:
    """All layers of the repositories in which something is damaged, and every configuration, whatever its size."""
    wrong = _of_another_size(snapshot, manifests) | {
        one for one, blob in snapshot.blobs.items() if _is_empty(one, blob)
    }
    names = [
        name
        for name, one in snapshot.repositories.items()
        if _unread(one, manifests) or any(wrong & manifests.references(digest) for digest in one.revisions)
    ]
    found: dict[str, set[str]] = {name: set() for name in names}
    for name, digest, _ in storage.layer_links(names):
        if snapshot.aliases.get(digest, digest) in snapshot.blobs:
            found[name].add(digest)
    for name, one in snapshot.repositories.items():
        found.setdefault(name, set()).update(_configurations(one, manifests))
    return {name: frozenset(digests) for name, digests in found.items()}


def every_layer(storage: Storage, snapshot: Snapshot, manifests: Manifests) -> LayersToVerify:
    """All layers and configurations that are there, by the repositories that have or need them."""
    found = {name: manifests.parts(one.revisions) for name, one in snapshot.repositories.items()}
    for name, digest, _ in storage.layer_links(snapshot.repositories):
        found[name].add(digest)
    return {
        name: frozenset(one for one in digests if snapshot.aliases.get(one, one) in snapshot.blobs)
        for name, digests in found.items()
    }


def examine(
    storage: Storage,
    snapshot: Snapshot,
    manifests: Manifests,
    to_verify: LayersToVerify,
    known: Iterable[Damage] | None = None,
) -> Examination:
    """Compare what manifests say with the files that there are; what looks wrong is read, to be sure.

    A manifest may say a wrong size of content that is whole, and a list made while someone pushes misses
    what comes since. Configurations are read too, but for large ones, and what is `to_verify`. Where damage is
    `known`, of configurations and links only those are checked again.
    """
    unread = {digest for one in snapshot.repositories.values() for digest in _unread(one, manifests)}
    unread |= {tag.digest for _, tag in _unlinked_tags(snapshot) if manifests.known.get(tag.digest) is None}
    empty = {digest for digest, blob in snapshot.blobs.items() if _is_empty(digest, blob)}
    suspects = unread.union(_of_another_size(snapshot, manifests), empty, *to_verify.values())
    suspects |= _small_configurations(snapshot, manifests) if known is None else {one.digest for one in known}
    files = {digest: blob_file(snapshot.aliases.get(digest, digest)) for digest in suspects}
    links = {revision_link(name, tag.digest): (name, tag.digest) for name, tag in _unlinked_tags(snapshot)}
    without_digest = {
        tag_link(name, tag): f"{name}:{tag}"
        for name, one in snapshot.repositories.items()
        for tag, named in one.tags.items()
        if not named.digest
    }
    found = storage.verify(files.values())
    sizes = {digest: found[file].size for digest, file in files.items() if not _is_whole(file, found[file])}
    lost = _lost(storage, snapshot, manifests) if known is None else {}
    links |= _links(snapshot, manifests, lost) if known is None else _unlinked(known)
    lacking = storage.lacking({*links, *without_digest})
    unlinked = {path: lack for path, lack in lacking.items() if path in links}
    of_manifests = _by_repository(
        {links[path]: lack for path, lack in unlinked.items() if path == revision_link(*links[path])}
    )
    of_layers = _by_repository(
        {links[path]: lack for path, lack in unlinked.items() if path == layer_link(*links[path])}
    )
    repositories = [one for _, one in sorted(snapshot.repositories.items())]
    damages = tuple(
        damage
        for one in repositories
        for damage in damages_of(
            one,
            manifests,
            RepositoryFaults(
                sizes,
                of_manifests.get(one.name, {}),
                of_layers.get(one.name, {}),
                Obstacles(snapshot, lacking),
                lost.get(one.name, frozenset()),
            ),
            to_verify.get(one.name, frozenset()),
        )
    )
    return Examination(
        damages=damages,
        unknown=tuple(
            Unknown(one.name, digest, snapshot.aliases.get(digest, digest) not in snapshot.blobs)
            for one in repositories
            for digest in sorted(_unread(one, manifests) - sizes.keys())
        ),
        damaged_unreferenced=frozenset(
            snapshot.aliases.get(digest, digest) for digest, size in sizes.items() if size is not None
        ).difference(snapshot.aliases.get(one.digest, one.digest) for one in damages),
        wrong_sizes=tuple(one for each in repositories for one in find_wrong_sizes(each, snapshot, manifests, sizes)),
        # What is something else than a file there is told by its path.
        tags_without_digest=tuple(sorted(name for path, name in without_digest.items() if lacking.get(path) == Lack())),
    )


def _unlinked_tags(snapshot: Snapshot) -> Iterator[tuple[str, StoredTag]]:
    """The tags that name a manifest to which their repository has no link, each with its repository."""
    for name, one in snapshot.repositories.items():
        yield from ((name, tag) for tag in one.tags.values() if tag.digest and tag.digest not in one.revisions)


@dataclass(frozen=True)
class UnreferencedBlobs:
    """Blobs that no image is known to need, and that are kept: for a push `in_progress`, or since one may need them.

    All of what is `to_verify` is read to the end.
    """

    in_progress: AbstractSet[str]
    kept: AbstractSet[str]
    to_verify: AbstractSet[str] = frozenset()


def damaged_unreferenced(
    storage: Storage, snapshot: Snapshot, manifests: Manifests, blobs: UnreferencedBlobs
) -> frozenset[str]:
    """Those files that are not what their digests promise; no push has left them, and the next must not find them.

    The rest is read only if it contradicts a manifest, such as that of an image that was deleted: it
    has another size, or was changed after the image was pushed.
    """
    both = blobs.in_progress | blobs.kept
    suspects = (manifests.damaged & both) | set(_contradicting(snapshot, manifests, blobs)) | (blobs.to_verify & both)
    files = {blob_file(digest): digest for digest in suspects}
    found = storage.verify(files)
    return frozenset(files[file] for file, one in found.items() if one.size is not None and not _is_whole(file, one))


def _contradicting(snapshot: Snapshot, manifests: Manifests, blobs: UnreferencedBlobs) -> Iterator[str]:
    if not (blobs.in_progress or blobs.kept):
        return
    for manifest, summary in manifests.known.items():
        pushed = snapshot.blobs.get(snapshot.aliases.get(manifest, manifest))
        if summary is None or pushed is None:
            continue
        for part in summary.parts:
            place = snapshot.aliases.get(part.digest, part.digest)
            if (place in blobs.in_progress or place in blobs.kept) and snapshot.blobs[place].size != part.size:
                yield place
        for digest in summary.references:
            place = snapshot.aliases.get(digest, digest)
            if place in blobs.in_progress and snapshot.blobs[place].modified > pushed.modified:
                yield place


def _is_empty(digest: str, blob: Blob) -> bool:
    return blob.size == 0 and digest not in _NOTHING


def _by_repository(lacking: Mapping[tuple[str, str], Lack]) -> dict[str, dict[str, Lack]]:
    found: dict[str, dict[str, Lack]] = defaultdict(dict)
    for (name, digest), lack in lacking.items():
        found[name][digest] = lack
    return found


def _lost(storage: Storage, snapshot: Snapshot, manifests: Manifests) -> dict[str, set[str]]:
    """The parts of indexes to which their repository lost the link, by repository."""
    parts = {
        name: lost_links.parts_of(one, manifests, {*one.revisions, *(tag.digest for tag in one.tags.values())})
        for name, one in snapshot.repositories.items()
    }
    return lost_links.with_own_layers(storage, snapshot, manifests, parts)


def _links(
    snapshot: Snapshot, manifests: Manifests, lost: Mapping[str, AbstractSet[str]]
) -> dict[str, tuple[str, str]]:
    """The links by their paths: of manifests, and of the layers and configurations that are pulled with them."""
    found = {}
    for name, one in snapshot.repositories.items():
        for digest in one.revisions.keys() | lost.get(name, frozenset()):
            found[revision_link(name, digest)] = (name, digest)
            summary = manifests.known.get(digest)
            parts = (part for part in (summary.parts if summary else ()) if not part.may_be_elsewhere)
            found.update({layer_link(name, part.digest): (name, part.digest) for part in parts})
    return found


def missing_links(damages: Iterable[Damage]) -> frozenset[str]:
    """The paths of the links whose files are there."""
    return frozenset(_unlinked(damages))


def _unlinked(known: Iterable[Damage]) -> dict[str, tuple[str, str]]:
    return {_link_of(one): (one.repository, one.digest) for one in known if one.is_restorable}


def _link_of(one: Damage) -> str:
    return (revision_link if one.is_manifest else layer_link)(one.repository, one.digest)


def _configurations(repository: StoredRepository, manifests: Manifests) -> set[str]:
    return {
        summary.config for digest in repository.revisions if (summary := manifests.known.get(digest)) and summary.config
    }


def _small_configurations(snapshot: Snapshot, manifests: Manifests) -> set[str]:
    """What is read although its size is right: a file system that lost writes keeps sizes."""
    found = set().union(*(_configurations(one, manifests) for one in snapshot.repositories.values()))
    files = {digest: snapshot.blobs.get(snapshot.aliases.get(digest, digest)) for digest in found}
    return {digest for digest, blob in files.items() if blob and blob.size <= CONFIG_MAX_BYTES}


def _unread(repository: StoredRepository, manifests: Manifests) -> set[str]:
    return {digest for digest in repository.revisions if manifests.known.get(digest) is None}


def _is_whole(file: str, found: Verified) -> bool:
    return file.split("/")[-2] == found.value


def _of_another_size(snapshot: Snapshot, manifests: Manifests) -> set[str]:
    """What is missing, or has another size than a manifest that is linked somewhere says."""
    linked = {digest for one in snapshot.repositories.values() for digest in one.revisions}
    found = set()
    for manifest in linked:
        summary = manifests.known.get(manifest)
        for part in summary.parts if summary else ():
            blob = snapshot.blobs.get(snapshot.aliases.get(part.digest, part.digest))
            wrong = not part.may_be_elsewhere if blob is None else blob.size != part.size
            if wrong:
                found.add(part.digest)
    return found
