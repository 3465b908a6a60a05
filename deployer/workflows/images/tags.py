"""Tags and repositories as a listing has them, and what is wrong with each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer.errors import NOT_OF_CONTENT, NotFound
from deployer.registry.content.attached import attached_to, is_attached_tag, listed_tags
from deployer.registry.content.manifests import SCHEMA_1_TYPES
from deployer.registry.content.moments import Moment, Source

if TYPE_CHECKING:
    from datetime import datetime

    from deployer.errors import RegistryError
    from deployer.workflows.images.reading import Damaged


class State(StrEnum):
    """What is wrong with a tag; the value is the word for it in a list, "" if nothing is known to be."""

    WHOLE = ""
    HALF = "partially deleted"
    GONE = "manifest missing"
    UNREADABLE = "unreadable"
    UNREAD = "not read"
    BROKEN = "incomplete"
    EMPTY = "empty"


@dataclass(frozen=True)
class NestedIndex:
    """An index inside another, with the platforms of the images that it names itself.

    Of an image there, many clients find nothing by the outer index: Docker without the containerd image store, podman
    and skopeo read one index alone.
    """

    digest: str
    platforms: tuple[str, ...]


@dataclass(frozen=True)
class Tag:
    """One tag, and the image that it names.

    `size` is in bytes, compressed, None if not all is here or could be read; `half_deleted` is the digest
    that the tag had before a deletion was interrupted halfway, `missing` the digests without which the image cannot
    be pulled whole, `not_read` those that could not be read, for these `reasons`. `created` is a real time
    alone; `pushed` and `damaged`, what it needs and no one can pull, are known of our own registry alone.
    """

    name: str
    digest: str
    media_type: str
    size: int | None
    created: datetime | None
    platforms: tuple[str, ...]
    half_deleted: str | None = None
    missing: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
    reasons: tuple[RegistryError, ...] = field(default=(), hash=False)
    pushed: datetime | None = None
    damaged: tuple[Damaged, ...] = ()
    names_nothing: bool = False
    """Whether it is an index that names no image."""
    nested: tuple[NestedIndex, ...] = ()
    """The indexes in it that alone name the images for some platforms."""

    @property
    def state(self) -> State:
        """What is wrong with it."""
        if self.half_deleted:
            return State.HALF
        if self.damaged or self.missing:
            return State.BROKEN
        return State.EMPTY if self.names_nothing else State.WHOLE

    @property
    def lost(self) -> tuple[str, ...]:
        """What it needs and the registry does not have, beside what is damaged."""
        told = {one.digest for one in self.damaged}
        return tuple(digest for digest in self.missing if digest not in told)

    @property
    def moment(self) -> Moment | None:
        """What its age, and its place among others, are by."""
        if self.created:
            return Moment(self.created, Source.CREATED)
        return Moment(self.pushed, Source.PUSHED) if self.pushed else None

    @property
    def attached_to(self) -> str:
        """The digest of what it only attaches something to, such as a signature; "" for any other tag."""
        return attached_to(self.name) if is_attached_tag(self.name, self.digest) else ""

    @property
    def is_schema_1(self) -> bool:
        """Whether it is of Docker's first kind, which current Docker does not pull any more."""
        return self.media_type in SCHEMA_1_TYPES


@dataclass(frozen=True)
class Unread:
    """A tag whose manifest cannot be read, or was not; `digest` is "" if not even that is known.

    `damaged` is what our own registry reports about why.
    """

    name: str
    error: RegistryError
    digest: str = ""
    damaged: tuple[Damaged, ...] = ()

    @property
    def is_restorable(self) -> bool:
        """Whether all that is wrong is repaired without a push."""
        return bool(self.damaged) and all(one.is_restorable for one in self.damaged)

    @property
    def may_be_whole(self) -> bool:
        """Whether there was no answer, so that nothing is known of it."""
        return isinstance(self.error, NOT_OF_CONTENT)

    @property
    def state(self) -> State:
        """What is wrong with it."""
        if self.may_be_whole:
            return State.UNREAD
        return State.GONE if isinstance(self.error, NotFound) else State.UNREADABLE


@dataclass(frozen=True)
class Repository:
    """One repository: its tags, and the tags that could not be read, each with the reason.

    `failed` is why nothing of it is known, where this user may not read it, or there was no answer. `foreign` are files
    of other programs that the registry lists as tags. `is_unchecked` if our own frontend did not look for damage.
    """

    name: str
    tags: tuple[Tag, ...]
    unread: tuple[Unread, ...] = ()
    failed: RegistryError | None = None
    foreign: tuple[str, ...] = ()
    is_unchecked: bool = False

    @property
    def listed(self) -> tuple[Tag, ...]:
        """The tags that are listed: all but the attached ones, or these if there are no others."""
        names = set(listed_tags({tag.name: tag.digest for tag in self.tags}))
        return tuple(tag for tag in self.tags if tag.name in names)

    @property
    def attached(self) -> tuple[Tag, ...]:
        """The tags that are not listed, as they only attach something to an image."""
        listed = set(self.listed)
        return tuple(tag for tag in self.tags if tag not in listed)

    @property
    def is_whole(self) -> bool:
        """Whether everything of it was read."""
        return not (self.unread or self.failed or any(tag.not_read for tag in self.tags))
