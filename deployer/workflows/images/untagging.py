"""Removing one tag and nothing else, on registries that can and on those that only delete digests."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from deployer.errors import NOT_OF_CONTENT, DeployerError, Forbidden, NotFound, RegistryError, TryAgain
from deployer.reference import is_tag
from deployer.registry.connection.transport import MEGABYTE
from deployer.registry.content import manifests, placeholder
from deployer.workflows.images import half_deleted
from deployer.workflows.images.foreign_files import foreign_advice, is_file, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.registry.client import RegistryClient
    from deployer.registry.content.documents import Document
    from deployer.registry.content.placeholder import Placeholder


# How long to wait, in seconds, before each try: a push at the same time makes the registry stumble for a moment.
_PAUSES = (0.0, 0.1, 0.5)
# How large a manifest may be to be put back, in bytes; distribution takes 4 MiB.
_MOST = 64 * MEGABYTE


class _SharedFile(RegistryError):
    """The tag's file in the storage is another tag's too."""


@dataclass(frozen=True)
class Target:
    """A tag to remove while it points to `digest`, which is "" if it names nothing.

    `kept_by` are the tags of the same digest that have to stay.
    """

    repository: str
    tag: str
    digest: str
    kept_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name as the user gives it."""
        return f"{self.repository}:{self.tag}"


def untag(client: RegistryClient, target: Target, nonce: str) -> None:
    """Remove a tag; its manifest and the manifest's other tags stay.

    `nonce` is random, for our own placeholder. Check first that the registry deletes at all:
    where it only refuses the last step, the tag has to be put back. Raises NotFound if the tag
    is gone, RegistryError if it points elsewhere by now.
    """
    if target.digest:
        _expect_unchanged(target, client.head(target.repository, target.tag).digest)
    else:
        _expect_unchanged(target, digest_now(client, target.repository, target.tag))
    if not _by_name(client, target):
        _by_placeholder(client, target, _original(client, target), nonce)


def _by_name(client: RegistryClient, target: Target, pauses: tuple[float, ...] = _PAUSES[1:]) -> bool:
    """Remove the tag as a tag (distribution 3); False if only digests can be deleted.

    3 removes the tag's directory, and fails halfway if a push writes into it at the same time: what it left is removed
    again, unless the push has given the tag another image.
    """
    try:
        return client.delete_tag(target.repository, target.tag)
    except RegistryError as error:
        if not pauses or not _is_of_a_push(error):
            raise
    time.sleep(pauses[0])
    now = digest_now(client, target.repository, target.tag)
    if now:
        _expect_unchanged(target, now)
    try:
        return _by_name(client, target, pauses[1:])
    except NotFound:
        return True


def _is_of_a_push(error: RegistryError) -> bool:
    """Whether the registry could not remove the tag's directory, since a push wrote into it at that moment."""
    return "directory not empty" in error.original


def cover(client: RegistryClient, targets: Sequence[Target], nonce: Callable[[], str]) -> dict[str, str]:
    """Put a placeholder onto each tag that the registry cannot read; returns what they point to then, by name.

    2.8 reads every tag's file when it deletes one, and fails on a damaged one: of several, none could go before
    the others. Where a tag is deleted as a tag, and where this fails, nothing is done.
    """
    covered: dict[str, str] = {}
    for target in targets:
        stand_in = placeholder.make(target.tag, manifests.NO_DIGEST, manifests.DOCKER_MANIFEST, nonce())
        try:
            if client.deletes_tags(target.repository) or digest_now(client, target.repository, target.tag):
                continue
            client.put_blob(target.repository, placeholder.CONFIG)
            client.put_manifest(target.repository, target.tag, stand_in.media_type, stand_in.content)
        except DeployerError:
            # Deleting it will say why.
            continue
        covered[target.name] = stand_in.digest
    return covered


def _original(client: RegistryClient, target: Target) -> Document | None:
    """The manifest's exact bytes, for putting the tag back; None if the registry does not give them."""
    if not target.digest:
        return None
    try:
        found = client.document(target.repository, target.tag, limit=_MOST)
    except (NotFound, *NOT_OF_CONTENT):
        raise
    except RegistryError:
        return None
    _expect_unchanged(target, found.digest)
    return found


def _expect_unchanged(target: Target, digest: str | None) -> None:
    if (digest or "") != target.digest:
        if not digest:
            raise RegistryError(f"'{target.name}' has been deleted in the meantime.", ("Nothing is left to do.",))
        raise RegistryError(
            f"'{target.name}' has been pushed again in the meantime and is kept; it now points to {digest}.",
            (f"To delete the new image's tag too: deployer delete {target.name}",),
        )


def digest_now(client: RegistryClient, repository: str, tag: str) -> str | None:
    """What a tag points to, or None if it is gone or names nothing. Raises NOT_OF_CONTENT."""
    try:
        return client.head(repository, tag).digest
    except NOT_OF_CONTENT:
        raise
    except RegistryError:
        return None


def _by_placeholder(client: RegistryClient, target: Target, original: Document | None, nonce: str) -> None:
    """Move the tag to a placeholder image, then delete that image by its digest (regclient's way, for 2.8).

    Deleting the tag's own digest would take the manifest and its other tags along. Whatever fails
    between the two steps, the tag is put back.
    """
    family = original.media_type if original else manifests.DOCKER_MANIFEST
    named = _named_by(client, target, original) or target.digest or manifests.NO_DIGEST
    stand_in = placeholder.make(target.tag, named, family, nonce)
    try:
        client.put_blob(target.repository, placeholder.CONFIG)
    except Forbidden as error:
        raise _needs_push(target, error) from error
    _expect_unchanged(target, digest_now(client, target.repository, target.tag))
    try:
        _move_and_delete(client, target, stand_in)
    except DeployerError as error:
        _put_back(client, target, original, stand_in.digest, str(error))
        advice = (*(() if isinstance(error, _SharedFile) else _in_the_way(client, target)), *error.advice)
        message = f"'{target.name}' could not be deleted and was not changed. {error}"
        raise RegistryError(message, advice, error.original) from error
    except BaseException:
        _put_back(client, target, original, stand_in.digest, "it was interrupted.")
        raise


def _named_by(client: RegistryClient, target: Target, original: Document | None) -> str | None:
    """The digest that the tag's own placeholder names; a second one that named the first would lose it."""
    try:
        read = partial(client.manifest, target.repository)
        return half_deleted.original_of(original.interpreted(), read) if original else None
    except RegistryError:
        return None


def _needs_push(target: Target, error: Forbidden) -> Forbidden:
    """Why a user with delete permission cannot remove one tag here, and what can be done instead."""
    whole = f"Deleting the image with all its tags needs no push: deployer delete {target.repository}@{target.digest}"
    return Forbidden(
        f"'{target.name}' was not changed. This registry cannot delete a single tag; deployer has to push a "
        f"placeholder manifest to it, which you are not allowed to do. {error}",
        (*([whole] if target.digest else []), *error.advice),
        error.original,
    )


def _move_and_delete(client: RegistryClient, target: Target, stand_in: Placeholder) -> None:
    failure: RegistryError | None = None
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            now = digest_now(client, target.repository, target.tag) if failure else None
            if now not in {None, stand_in.digest, target.digest}:
                # Pushed again while we waited: that push stays.
                return
            client.put_manifest(target.repository, target.tag, stand_in.media_type, stand_in.content)
            _expect_alone(client, target, stand_in)
            client.delete_manifest(target.repository, stand_in.digest)
        except RegistryError as error:
            if type(error) not in {RegistryError, TryAgain}:
                raise
            # 2.8 deletes the manifest first; failing after that, it leaves a tag that names nothing.
            failure = error
        else:
            return
    if failure:
        raise failure


def _expect_alone(client: RegistryClient, target: Target, stand_in: Placeholder) -> None:
    """Look whether another tag has moved along, as a link in the file system makes it: it would go along too.

    2.8 writes into a tag's file in place. Raises _SharedFile.
    """
    along = [tag for tag in target.kept_by if digest_now(client, target.repository, tag) == stand_in.digest]
    if along:
        names = [f"{target.repository}:{tag}" for tag in along]
        raise _SharedFile(
            f"In the registry's storage it shares a file with {', '.join(names)}, which would be deleted with it.",
            (
                (
                    f"To delete {'both' if len(names) == 1 else 'all of them'}: deployer delete "
                    f"{' '.join([target.name, *names])}"
                ),
            ),
        )


def _put_back(client: RegistryClient, target: Target, original: Document | None, stand_in: str, cause: str) -> None:
    """Undo a deletion that failed halfway. A tag that someone has pushed again is left alone.

    Raises RegistryError if the tag stays on the placeholder, or on nothing.
    """
    why: DeployerError | None = None
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            now = digest_now(client, target.repository, target.tag)
            if now not in {None, stand_in} or (now is None and not target.digest):
                return
            # Damaged bytes would give the tag another digest.
            if original is not None and original.damage is None:
                client.put_manifest(target.repository, target.tag, original.media_type, original.content)
                return
        except TryAgain as error:
            why = error
        except DeployerError as error:
            why = error
            break
        else:
            break
    raise RegistryError(
        f"'{target.name}' is only partially deleted: {cause}",
        (f"To finish when the registry works again: deployer delete {target.name}",),
        why.original if why else "",
    ) from why


def _in_the_way(client: RegistryClient, target: Target) -> tuple[str, ...]:
    """Advice that names damaged tags: 2.8 reads all of a repository's tags whenever it deletes, and fails on them."""
    try:
        others = [tag for tag in client.tags(target.repository) if tag != target.tag]
        unread = [tag for tag in others if is_tag(tag) and _is_damaged(client, target.repository, tag)]
        files = [tag for tag in unread if is_file(client, target.repository, tag)]
    except DeployerError:
        return ()
    damaged = [tag for tag in unread if tag not in files]
    names = " ".join(f"{target.repository}:{tag}" for tag in damaged)
    found = (
        "A damaged tag prevents this; delete it first"
        if len(damaged) == 1
        else "Damaged tags prevent this; delete them first"
    )
    advice = (
        *((f"{found}: deployer delete {names}",) if damaged else ()),
        *(foreign_advice(target.repository, tag) for tag in others if tag in files or not is_tag(tag)),
    )
    if target.digest or advice:
        return advice
    # A file of another program can have the name of a tag; the registry cannot write there.
    return (
        (
            "On the machine that runs the registry, remove it from the storage: "
            f"{place_of(target.repository, target.tag)}"
        ),
    )


def _is_damaged(client: RegistryClient, repository: str, tag: str) -> bool:
    try:
        client.head(repository, tag)
    except (NotFound, *NOT_OF_CONTENT):
        return False
    except RegistryError:
        return True
    return False
