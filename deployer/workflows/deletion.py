"""Deleting tags and manifests: first a plan that says everything that goes, then exactly that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer.errors import Denied, DeployerError, NotFound, RegistryError, RegistryUnreachable, UsageError
from deployer.order import natural
from deployer.registry import throwaway
from deployer.registry.manifests import Index
from deployer.workflows.naming import own_reference, tags_of, unknown_image
from deployer.workflows.untagging import Target, digest_now, untag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deployer.reference import Reference
    from deployer.registry.client import RegistryClient
    from deployer.registry.manifests import Descriptor


@dataclass(frozen=True)
class TagRemoval:
    """One tag goes, its manifest stays.

    `digest` is "" where the tag names nothing any more: its file or its manifest is damaged or gone.
    `kept_by` are the tags that name the same manifest afterwards; `half_deleted` is the digest
    that the tag had before an earlier deletion was cut off half-way.
    """

    repository: str
    tag: str
    digest: str
    media_type: str
    kept_by: tuple[str, ...]
    half_deleted: str | None = None

    @property
    def name(self) -> str:
        """The name as the user gives it."""
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True)
class ManifestRemoval:
    """A manifest goes, and with it all its tags.

    `breaks` are the tags of multi-platform images that contain it; `attached` the tags that hold
    signatures of it, which stay.
    """

    repository: str
    digest: str
    media_type: str
    tags: tuple[str, ...]
    breaks: tuple[str, ...]
    attached: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name as the user gives it."""
        return f"{self.repository}@{self.digest}"


Removal = TagRemoval | ManifestRemoval


@dataclass(frozen=True)
class Plan:
    """What is to go, in the order in which it goes."""

    removals: tuple[Removal, ...]


@dataclass(frozen=True)
class Outcome:
    """How one removal ended: `error` is None where it did as planned.

    `pushed_anew` is the digest that the tag names now, where somebody pushed it meanwhile.
    """

    removal: Removal
    error: DeployerError | None = None
    pushed_anew: str | None = None


@dataclass(frozen=True)
class _Known:
    """A repository's tags with what they point to, and those that name nothing: damaged, or without a manifest."""

    tags: Mapping[str, Descriptor]
    damaged: frozenset[str]
    dangling: frozenset[str]

    def on(self, digest: str) -> tuple[str, ...]:
        found = [tag for tag, descriptor in self.tags.items() if descriptor.digest == digest]
        return tuple(sorted(found, key=natural))


def plan_deletion(client: RegistryClient, names: Sequence[str]) -> Plan:
    """What deleting these `NAME:TAG` and `NAME@DIGEST` would remove. Changes nothing.

    Raises UsageError and InvalidReference for names that say neither or both, NotFound with the
    nearest names, DeletingDisabled.
    """
    references = list(dict.fromkeys(_target(name, client) for name in names))
    known = {repository: _read(client, repository) for repository in {one.repository for one in references}}
    for repository in sorted(known):
        client.check_deleting(repository)
    removals = [_removal(client, reference, known[reference.repository]) for reference in references]
    going = {(one.repository, one.tag) for one in removals if isinstance(one, TagRemoval)}
    going |= {(one.repository, tag) for one in removals if isinstance(one, ManifestRemoval) for tag in one.tags}
    _expect_no_damage(removals, known, going)
    # Damaged tags first: 2.8 fails on them when it deletes anything else.
    removals.sort(key=lambda one: isinstance(one, ManifestRemoval) or bool(one.digest))
    return Plan(tuple(_without_going(one, going) for one in removals))


def apply_plan(
    client: RegistryClient,
    plan: Plan,
    *,
    nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    on_done: Callable[[Outcome], None] | None = None,
) -> tuple[Outcome, ...]:
    """Remove what the plan names; one failure does not stop the rest.

    A tag that has been pushed anew since the plan was made is left alone. The registry's API has
    no condition on a write, so a push in the few milliseconds between the last look at a tag and
    its removal can still lose the tag; its manifest stays.
    """
    outcomes = []
    for removal in plan.removals:
        outcome = _apply(client, removal, nonce)
        outcomes.append(outcome)
        if on_done:
            on_done(outcome)
    return tuple(outcomes)


def _target(name: str, client: RegistryClient) -> Reference:
    reference = own_reference(name, client.place)
    repository = reference.repository
    if reference.tag and reference.digest:
        raise UsageError(
            f"'{name}' gives a tag and a digest: it is not clear which of the two should go.",
            (
                f"That tag alone: deployer delete {repository}:{reference.tag}",
                f"The manifest and all its tags: deployer delete {repository}@{reference.digest}",
            ),
        )
    if not reference.tag and not reference.digest:
        raise UsageError(
            f"'{name}' does not say which image.",
            (
                f"One tag: deployer delete {repository}:TAG",
                f"A manifest and all its tags: deployer delete {repository}@DIGEST",
                f"What there is: deployer tags {repository}",
            ),
        )
    return reference


def _read(client: RegistryClient, repository: str) -> _Known:
    def look(tag: str) -> Descriptor | RegistryError:
        try:
            return client.head(repository, tag)
        except (RegistryUnreachable, Denied):
            raise
        except RegistryError as error:
            return error

    tags = tags_of(client, repository)
    found = dict(zip(tags, client.each(look, tags), strict=True))
    broken = {tag: error for tag, error in found.items() if isinstance(error, RegistryError)}
    return _Known(
        tags={tag: descriptor for tag, descriptor in found.items() if not isinstance(descriptor, RegistryError)},
        damaged=frozenset(tag for tag, error in broken.items() if not isinstance(error, NotFound)),
        dangling=frozenset(tag for tag, error in broken.items() if isinstance(error, NotFound)),
    )


def _expect_no_damage(removals: list[Removal], known: Mapping[str, _Known], going: set[tuple[str, str]]) -> None:
    """Refuse what 2.8 would do by half: with a damaged tag about, it deletes a manifest and leaves the tags."""
    for removal in removals:
        damaged = sorted(known[removal.repository].damaged, key=natural)
        in_the_way = [tag for tag in damaged if (removal.repository, tag) not in going]
        if isinstance(removal, ManifestRemoval) and in_the_way:
            name = f"{removal.repository}:{in_the_way[0]}"
            raise RegistryError(
                f"The tag '{name}' is damaged; the registry would stumble over it and delete only half.",
                (f"Delete it first: deployer delete {name}", f"Or mend it by a new push: deployer push {name}"),
            )


def _removal(client: RegistryClient, reference: Reference, known: _Known) -> Removal:
    repository, tag = reference.repository, reference.tag
    if tag and tag in known.damaged | known.dangling:
        return TagRemoval(repository, tag, digest="", media_type="", kept_by=())
    try:
        manifest = client.manifest(repository, tag or reference.digest or "").manifest
    except NotFound as error:
        raise unknown_image(client, reference, error) from error
    if tag:
        others = tuple(other for other in known.on(manifest.digest) if other != tag)
        # A throw-away is one tag's alone; whatever else says so is deleted as any image is.
        half_deleted = throwaway.original_of(manifest) if not others else None
        return TagRemoval(repository, tag, manifest.digest, manifest.media_type, others, half_deleted)
    signatures = manifest.digest.replace(":", "-")
    return ManifestRemoval(
        repository=repository,
        digest=manifest.digest,
        media_type=manifest.media_type,
        tags=known.on(manifest.digest),
        breaks=_containing(client, repository, known, manifest.digest),
        attached=tuple(tag for tag in known.tags if tag.startswith(signatures)),
    )


def _containing(client: RegistryClient, repository: str, known: _Known, digest: str) -> tuple[str, ...]:
    """The tags of indexes that hold the digest, at whatever depth."""
    indexes = sorted({descriptor.digest for descriptor in known.tags.values() if descriptor.is_index} - {digest})
    inside = dict(zip(indexes, client.each(lambda index: _below(client, repository, index), indexes), strict=True))
    holding = [index for index, digests in inside.items() if digest in digests]
    return tuple(tag for index in holding for tag in known.on(index))


def _below(client: RegistryClient, repository: str, index: str) -> set[str]:
    seen: set[str] = set()
    waiting = [index]
    while waiting:
        current = waiting.pop()
        try:
            manifest = client.manifest(repository, current).manifest
        except NotFound:
            continue
        if isinstance(manifest, Index):
            waiting += [child.digest for child in manifest.manifests if child.is_index and child.digest not in seen]
            seen.update(child.digest for child in manifest.manifests)
    return seen


def _without_going(removal: Removal, going: set[tuple[str, str]]) -> Removal:
    """Leave out of the remarks what this same plan removes as well."""

    def staying(tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tag for tag in tags if (removal.repository, tag) not in going)

    if isinstance(removal, TagRemoval):
        return replace(removal, kept_by=staying(removal.kept_by))
    return replace(removal, breaks=staying(removal.breaks), attached=staying(removal.attached))


def _apply(client: RegistryClient, removal: Removal, nonce: Callable[[], str]) -> Outcome:
    try:
        if isinstance(removal, ManifestRemoval):
            client.delete_manifest(removal.repository, removal.digest)
            return Outcome(removal)
        untag(client, Target(removal.repository, removal.tag, removal.digest), nonce())
    except NotFound:
        # An earlier removal took it along, or somebody else was quicker.
        return Outcome(removal)
    except DeployerError as failure:
        return Outcome(removal, failure)
    return Outcome(removal, pushed_anew=_pushed_anew(client, removal))


def _pushed_anew(client: RegistryClient, removal: TagRemoval) -> str | None:
    try:
        return digest_now(client, removal.repository, removal.tag)
    except RegistryError:
        # The tag is deleted; this is only a remark.
        return None
