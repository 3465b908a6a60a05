"""Deleting tags and manifests: first a plan that says everything that goes, then exactly that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeGuard

from deployer.errors import NOT_OF_CONTENT, DeployerError, NotFound, RegistryError, UsageError
from deployer.printable import printable
from deployer.registry.content.attached import is_attached_to
from deployer.registry.content.manifests import MANIFEST_TYPES, Descriptor
from deployer.registry.content.order import natural
from deployer.workflows.images import half_deleted
from deployer.workflows.images.foreign_files import foreign_advice
from deployer.workflows.images.naming import own_reference, unknown_image
from deployer.workflows.images.pointers import Pointers, containing, read_pointers
from deployer.workflows.images.untagging import Target, cover, digest_now, untag

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deployer.reference import Reference
    from deployer.registry.client import RegistryClient


@dataclass(frozen=True)
class TagRemoval:
    """One tag goes, its manifest stays.

    `digest` is "" if the registry gives nothing for the tag: its file or its manifest is damaged or gone.
    `kept_by` are the tags that name the same manifest afterwards; `half_deleted` is the digest
    that the tag had before an earlier deletion was interrupted halfway.
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

    `breaks` are the tags of multi-platform images that contain it, `not_looked_into` the tags that may
    contain it too, and cannot be read; `attached` the tags that hold signatures of it, which stay.
    """

    repository: str
    digest: str
    media_type: str
    tags: tuple[str, ...]
    breaks: tuple[str, ...]
    attached: tuple[str, ...]
    not_looked_into: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name as the user gives it."""
        return f"{self.repository}@{self.digest}"


Removal = TagRemoval | ManifestRemoval


@dataclass(frozen=True)
class DeletionPlan:
    """What is to go, in the order in which it goes, and the names of which there is nothing any more."""

    removals: tuple[Removal, ...]
    already_deleted: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeletionOutcome:
    """How one removal ended: `error` is None if it did as planned.

    `pushed_again` is the digest that the tag names now, where someone pushed it in the meantime.
    """

    removal: Removal
    error: DeployerError | None = None
    pushed_again: str | None = None


def plan_deletion(client: RegistryClient, names: Sequence[str]) -> DeletionPlan:
    """What deleting these `NAME:TAG` and `NAME@DIGEST` would remove. Changes nothing.

    Where one of several is not there, an interrupted deletion of all has probably removed it. Raises UsageError and
    InvalidReference for names that say neither or both, NotFound with the nearest names if none is there or the
    repository is not, DeletingDisabled.
    """
    references = list(dict.fromkeys(_target(name, client) for name in names))
    known = {repository: read_pointers(client, repository) for repository in {one.repository for one in references}}
    for repository in sorted(known):
        client.check_deleting(repository)
    removals, already_deleted = _removals(client, references, known)
    going = {(one.repository, one.tag) for one in removals if isinstance(one, TagRemoval)}
    going |= {(one.repository, tag) for one in removals if isinstance(one, ManifestRemoval) for tag in one.tags}
    _expect_no_damage(client, removals, known, going)
    # Damaged tags first: 2.8 fails on them when it deletes anything else.
    removals.sort(key=lambda one: isinstance(one, ManifestRemoval) or bool(one.digest))
    return DeletionPlan(tuple(_without_going(one, going) for one in removals), already_deleted)


def apply_plan(
    client: RegistryClient,
    plan: DeletionPlan,
    *,
    nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    on_done: Callable[[DeletionOutcome], None] | None = None,
    otherwise: Callable[[TagRemoval, DeployerError], bool] | None = None,
) -> tuple[DeletionOutcome, ...]:
    """Remove what the plan names; one failure does not stop the rest.

    `otherwise` is given a tag that the registry could not remove, and why; it says whether it has removed it itself.

    A tag that has been pushed again since the plan was made is left alone. The registry's API has
    no condition on a write, so a push in the few milliseconds between the last look at a tag and
    its removal can still lose the tag; its manifest stays.
    """
    damaged = [Target(one.repository, one.tag, "") for one in plan.removals if _is_damaged(one)]
    covered = cover(client, damaged, nonce) if len(damaged) > 1 else {}
    outcomes = []
    for removal in plan.removals:
        outcome = _otherwise(_apply(client, removal, covered.get(removal.name), nonce), otherwise)
        outcomes.append(outcome)
        if on_done:
            on_done(outcome)
    return tuple(outcomes)


def _target(name: str, client: RegistryClient) -> Reference:
    reference = own_reference(name, client.place)
    repository = reference.repository
    if reference.tag and reference.digest:
        raise UsageError(
            f"'{name}' has a tag and a digest; specify which one to delete.",
            (
                f"Only the tag: deployer delete {repository}:{reference.tag}",
                f"The manifest and all its tags: deployer delete {repository}@{reference.digest}",
            ),
        )
    if not reference.tag and not reference.digest:
        raise UsageError(
            f"'{name}' does not specify a tag or digest.",
            (
                f"One tag: deployer delete {repository}:TAG",
                f"A manifest and all its tags: deployer delete {repository}@DIGEST",
                f"To list the tags: deployer tags {repository}",
            ),
        )
    return reference


def _expect_no_damage(
    client: RegistryClient, removals: list[Removal], known: Mapping[str, Pointers], going: set[tuple[str, str]]
) -> None:
    """Refuse what 2.8 would do by half: it reads every tag's file when it deletes, and stumbles over a damaged one."""
    for repository, pointers in known.items():
        damaged = sorted(pointers.damaged, key=natural)
        in_the_way = [tag for tag in damaged if (repository, tag) not in going]
        own = [removal for removal in removals if removal.repository == repository]
        if not (in_the_way or pointers.foreign):
            continue
        if all(isinstance(removal, TagRemoval) for removal in own):
            # Whether something is in the way shows when it is tried, as long as the tag can be put back then.
            is_harmless = all(removal.media_type in MANIFEST_TYPES for removal in own) and not pointers.is_certain
            if is_harmless or client.deletes_tags(repository):
                continue
        if pointers.foreign:
            raise _foreign(repository, pointers.foreign)
        # Of several damaged ones, none can go alone.
        together = [removal.name for removal in own if removal.name not in {f"{repository}:{tag}" for tag in damaged}]
        names = " ".join([*together, *(f"{repository}:{tag}" for tag in damaged)])
        raise RegistryError(
            f"The tag '{repository}:{in_the_way[0]}' is damaged; the registry would fail on it and leave the "
            "deletion incomplete.",
            (f"Delete it too: deployer delete {names}", "Or push the image again under the same name."),
        )


def _foreign(repository: str, names: Sequence[str]) -> RegistryError:
    return RegistryError(
        f"The tags directory of '{repository}' contains '{printable(names[0])}', which is not a tag; the registry "
        "would fail on it and leave the deletion incomplete.",
        (foreign_advice(repository, names[0]),),
    )


def _removals(
    client: RegistryClient, references: Sequence[Reference], known: Mapping[str, Pointers]
) -> tuple[list[Removal], tuple[str, ...]]:
    """What goes, and the names of what is not there. Raises NotFound if nothing is."""
    removals: list[Removal] = []
    missing: dict[str, NotFound] = {}
    for reference in references:
        try:
            removals.append(_removal(client, reference, known[reference.repository]))
        except NotFound as error:
            missing[str(reference)] = error
    if missing and not removals:
        raise next(iter(missing.values()))
    return removals, tuple(missing)


def _removal(client: RegistryClient, reference: Reference, known: Pointers) -> Removal:
    """What goes for one name. The digest decides; what the manifest says only makes the remarks fuller."""
    repository, tag = reference.repository, reference.tag
    if tag and tag in known.foreign:
        raise _foreign(repository, (tag,))
    if tag and tag in known.without_manifest:
        return TagRemoval(repository, tag, digest="", media_type="", kept_by=())
    try:
        found = _descriptor(client, repository, tag or "", reference.digest or "", known)
    except NotFound as error:
        raise unknown_image(client, reference, error) from error
    if tag:
        others = tuple(other for other in known.on(found.digest) if other != tag)
        # A placeholder is one tag's alone; whatever else says so is deleted as any image is.
        pointed = _half_deleted(client, repository, found) if not others else None
        return TagRemoval(repository, tag, found.digest, found.media_type, others, pointed)
    own = known.on(found.digest)
    breaks, not_looked_into = containing(client, repository, known, found.digest)
    return ManifestRemoval(
        repository=repository,
        digest=found.digest,
        media_type=found.media_type,
        tags=own,
        breaks=breaks,
        attached=tuple(tag for tag in known.tags if is_attached_to(tag, found.digest) and tag not in own),
        not_looked_into=not_looked_into,
    )


def _descriptor(client: RegistryClient, repository: str, tag: str, digest: str, known: Pointers) -> Descriptor:
    """What the registry says of a tag or digest. Of a manifest that it cannot read, only the digest is known."""
    if tag in known.tags:
        return known.tags[tag]
    try:
        return client.head(repository, tag or digest)
    except (NotFound, *NOT_OF_CONTENT):
        raise
    except RegistryError:
        if tag:
            raise
        return Descriptor("", digest, 0)


def _half_deleted(client: RegistryClient, repository: str, found: Descriptor) -> str | None:
    if found.media_type not in MANIFEST_TYPES:
        return None
    try:
        read = partial(client.manifest, repository)
        return half_deleted.original_of(read(found.digest), read)
    except NOT_OF_CONTENT:
        raise
    except RegistryError:
        return None


def _without_going(removal: Removal, going: set[tuple[str, str]]) -> Removal:
    """Leave out of the remarks what this same plan removes as well."""

    def staying(tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tag for tag in tags if (removal.repository, tag) not in going)

    if isinstance(removal, TagRemoval):
        return replace(removal, kept_by=staying(removal.kept_by))
    return replace(
        removal,
        breaks=staying(removal.breaks),
        attached=staying(removal.attached),
        not_looked_into=staying(removal.not_looked_into),
    )


def _is_damaged(removal: Removal) -> TypeGuard[TagRemoval]:
    return isinstance(removal, TagRemoval) and not removal.digest


def _apply(client: RegistryClient, removal: Removal, covered: str | None, nonce: Callable[[], str]) -> DeletionOutcome:
    """Remove one; `covered` is the placeholder that its tag is on already, and that no other can be on."""
    try:
        if isinstance(removal, ManifestRemoval):
            client.delete_manifest(removal.repository, removal.digest)
            return DeletionOutcome(removal)
        if covered:
            client.delete_manifest(removal.repository, covered)
        else:
            untag(client, Target(removal.repository, removal.tag, removal.digest, removal.kept_by), nonce())
    except NotFound:
        # An earlier removal included it, or another client was faster.
        return DeletionOutcome(removal)
    except DeployerError as failure:
        return DeletionOutcome(removal, None if _is_gone(client, removal) else failure)
    return DeletionOutcome(removal, pushed_again=_pushed_again(client, removal))


def _otherwise(outcome: DeletionOutcome, remove: Callable[[TagRemoval, DeployerError], bool] | None) -> DeletionOutcome:
    """What became of a removal that failed, if there is another way."""
    if remove is None or outcome.error is None or not isinstance(outcome.removal, TagRemoval):
        return outcome
    try:
        return DeletionOutcome(outcome.removal) if remove(outcome.removal, outcome.error) else outcome
    except DeployerError as failure:
        return DeletionOutcome(outcome.removal, failure)


def _is_gone(client: RegistryClient, removal: Removal) -> bool:
    """Whether it is deleted all the same: a lost answer, or a proxy's, does not tell what the registry did."""
    try:
        tags = _tags_now(client, removal.repository)
        if isinstance(removal, TagRemoval):
            return removal.tag not in tags
        if tags.isdisjoint(removal.tags):
            client.head(removal.repository, removal.digest)
    except NotFound:
        return True
    except RegistryError:
        return False
    return False


def _tags_now(client: RegistryClient, repository: str) -> frozenset[str]:
    """The repository's tags; none if it is not there, as on object storage when it is emptied."""
    try:
        return frozenset(client.tags(repository))
    except NotFound:
        return frozenset()


def _pushed_again(client: RegistryClient, removal: TagRemoval) -> str | None:
    try:
        return digest_now(client, removal.repository, removal.tag)
    except RegistryError:
        # The tag is deleted; this is only a remark.
        return None
