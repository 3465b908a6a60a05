"""What is wrong with one image, in sentences: for tags, inspect and pull, and for the findings about the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from deployer.phrases import listed, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.workflows.images.reading import Damaged
    from deployer.workflows.images.tags import Tag

CURE = "deployer gc --damaged"


class BadFile(Protocol):
    """A file of the storage that an image cannot be pulled with; `size` are its bytes, None if there is none.

    `stated` is the size that a manifest says, if it differs from the file's and the file may be intact.
    """

    @property
    def digest(self) -> str:
        """The digest that it should have."""

    @property
    def size(self) -> int | None:
        """Its size in bytes."""

    @property
    def stated(self) -> int | None:
        """The size in bytes that a manifest states incorrectly, or correctly, of what it was."""

    @property
    def is_manifest(self) -> bool:
        """Whether it is a manifest's."""

    @property
    def is_unlinked(self) -> bool:
        """Whether it is its link in the repository that is missing or damaged; then `size` is that of the link."""


def state(one: BadFile) -> str:
    """What is wrong with one file."""
    what = f"the {'manifest' if one.is_manifest else 'file'} {short(one.digest)}"
    if one.is_unlinked:
        what = f"the link to {what}"
    if one.size is None:
        return f"{what} is missing"
    if one.stated is not None:
        return f"{what} has {one.size} bytes, but the manifest says {one.stated}"
    return f"{what} is empty" if one.size == 0 else f"{what} is damaged ({one.size} bytes)"


def not_whole(name: str, damaged: Sequence[Damaged]) -> str:
    """What is wrong with one image, and how to repair it, for a user on any machine."""
    cut = any(one.size is not None for one in damaged)
    cure = f"On the machine that runs the registry: {CURE}, then push it again." if cut else "Push it again."
    return f"{name} is incomplete: {listed([state(one) for one in damaged])}. {cure}"


def tag_sentence(name: str, tag: Tag) -> str:
    """Why one tag cannot be pulled, or not in full, and how to repair it; "" if nothing is known."""
    if tag.damaged:
        return not_whole(name, tag.damaged)
    if tag.lost:
        lost = listed([short(digest) for digest in tag.lost])
        return f"{name} is incomplete: the registry does not have {lost}. Push it again."
    return f"{name} is empty: its index contains no images, so there is nothing to pull." if tag.names_nothing else ""
