"""What is wrong with one image, in sentences: for tags, inspect and pull, and for the findings about the storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from deployer.phrases import listed, short
from deployer.registry.content.manifests import NO_DIGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.workflows.images.reading import Damaged
    from deployer.workflows.images.tags import Tag

# What every message about a tag says first whose deletion was interrupted.
PARTIALLY_DELETED = "is partially deleted: a deletion was interrupted."
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

    @property
    def obstacle(self) -> str:
        """The path of what is in place of it or of its link, "" if there is nothing."""

    @property
    def is_foreign(self) -> bool:
        """Whether a tag names it and it is not a manifest; as a layer it may be intact."""


def pointed_to(digest: str) -> str:
    """What a partially deleted tag pointed to, after another sentence; "" if that could not be read."""
    return "" if digest == NO_DIGEST else f" It pointed to {digest}."


def pulling_it(repository: str, digest: str) -> tuple[str, ...]:
    """How to get the image of a partially deleted tag: it is kept without a tag. Nothing if it is not known."""
    return () if digest == NO_DIGEST else (f"To pull that image: deployer pull {repository}@{digest}",)


def state(one: BadFile) -> str:
    """What is wrong with one file."""
    if one.is_foreign:
        return f"the content {short(one.digest)} is not a valid manifest"
    what = f"the {'manifest' if one.is_manifest else 'file'} {short(one.digest)}"
    if one.is_unlinked:
        what = f"the link to {what}"
    if one.size is None:
        return f"something else is in place of {what}" if one.obstacle else f"{what} is missing"
    if one.stated is not None:
        return f"{what} has {one.size} bytes, but the manifest says {one.stated}"
    return f"{what} is empty" if one.size == 0 else f"{what} is damaged ({one.size} bytes)"


def not_whole(name: str, damaged: Sequence[Damaged]) -> str:
    """What is wrong with one image, and how to repair it, for a user on any machine.

    Of sizes alone, `deployer status` shows which is wrong, the file or the manifest: it reads the file.
    """
    if all(one.stated is not None for one in damaged):
        return (
            f"{name} may be incomplete: {listed([state(one) for one in damaged])}. On the machine that runs the "
            "registry, deployer status shows whether the file or the manifest is wrong, and how to fix it."
        )
    return f"{name} is incomplete: {listed([state(one) for one in damaged])}. {_cure(damaged)}"


def _cure(damaged: Sequence[Damaged]) -> str:
    obstacles = sorted({one.obstacle for one in damaged if one.obstacle})
    must_push = not all(one.is_restorable for one in damaged)
    steps = [f"move {listed(obstacles)} away (a path in the registry's container)"] if obstacles else []
    # A push restores missing links too, and no damaged file.
    if not must_push or any(one.size is not None for one in damaged):
        steps.append(CURE)
    if must_push:
        steps.append("push it again")
    if steps == [CURE]:
        links = "link" if len(damaged) == 1 else "links"
        # A push stumbles over a damaged link, and restores a missing one.
        push = " Or push it again." if all(one.size is None for one in damaged) else ""
        return f"On the machine that runs the registry: {CURE}, which restores the {links}.{push}"
    return f"On the machine that runs the registry: {', then '.join(steps)}." if len(steps) > 1 else "Push it again."


def tag_sentence(name: str, tag: Tag) -> str:
    """Why one tag cannot be pulled, or not in full, and how to repair it; "" if nothing is known."""
    if tag.damaged:
        return not_whole(name, tag.damaged)
    if tag.lost:
        lost = listed([short(digest) for digest in tag.lost])
        return f"{name} is incomplete: the registry does not have {lost}. Push it again."
    return f"{name} is empty: its index contains no images, so there is nothing to pull." if tag.names_nothing else ""
