"""What a deployment goes back to: the images that ran and the files that were rendered for them."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer import layout
from deployer.errors import Busy, EngineError
from deployer.host.files import PRIVATE, PUBLIC, read_if_there, refusal, write_atomically
from deployer.host.lock import exclusive
from deployer.record import Release
from deployer.rendering.templates import File
from deployer.workflows.deployment import files, provision

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.paths import Deployment
    from deployer.workflows.deployment.stack import Stack

_RELEASE = "release.json"
_FILES = "files"


@dataclass(frozen=True)
class Kept:
    """A release that ran, with its rendered files.

    That of an earlier command has no users, rules and certificates: they may have changed since, and stay in effect.
    """

    release: Release
    files: tuple[File, ...]

    @property
    def without_access(self) -> Kept:
        """The same without users, rules and certificates."""
        return replace(self, files=tuple(one for one in self.files if not one.path.startswith(layout.RELOADED)))


def of_today(stack: Stack, release: Release) -> Kept:
    """What runs now, as it is to be kept."""
    found = tuple(_rendered(stack.deployment))
    return Kept(replace(release, files=digest_of(found)), found)


def digest_of(rendered: Iterable[File]) -> str:
    """The digest of rendered files, without users, rules and certificates."""
    lines = sorted(
        f"{hashlib.sha256(file.content).hexdigest()} {file.path}"
        for file in rendered
        if not file.path.startswith(layout.RELOADED)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _rendered(deployment: Deployment) -> Iterable[File]:
    ours = files.is_ours(deployment)
    paths = (deployment.compose_file.name, *files.written(deployment))
    for path in paths:
        content = read_if_there(deployment.directory / path)
        if content is not None and ours(path) and not path.startswith(layout.NOT_RENDERED):
            yield File(path, content, (deployment.directory / path).stat().st_mode & 0o777)


def write(folder: Path, kept: Kept) -> None:
    """Write it to a folder that other users cannot read; if killed in between, it is not there. Raises HostError."""
    remove(folder)
    try:
        folder.mkdir(mode=0o700)
        for file in kept.files:
            target = folder / _FILES / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=PRIVATE)
            target.write_bytes(file.content)
            target.chmod(file.mode)
    except OSError as error:
        raise refusal(folder, error) from error
    # Last: it makes the folder complete.
    write_atomically(folder / _RELEASE, kept.release.content, PRIVATE)


def read(folder: Path) -> Kept | None:
    """What is kept in a folder; None if nothing is, or not all of it. Raises HostError."""
    release = Release.read(folder / _RELEASE)
    if release is None:
        return None
    root = folder / _FILES
    found = tuple(
        File(path.relative_to(root).as_posix(), read_if_there(path) or b"", path.stat().st_mode & 0o777)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    )
    return Kept(release, found)


def remove(folder: Path) -> None:
    """Remove what is kept in a folder, beginning with the file that makes it complete."""
    (folder / _RELEASE).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def commit(stack: Stack, release: Release) -> None:
    """Record `release` as running, and what ran before it as the previous one; can be repeated after a kill."""
    deployment = stack.deployment
    write_atomically(deployment.release_file, release.content, PUBLIC)
    settle(deployment)


def settle(deployment: Deployment) -> None:
    """Make what the upgrade would have gone back to the previous release, without users and certificates."""
    undo = read(deployment.undo_folder)
    if undo is not None:
        write(deployment.previous_folder, undo.without_access)
        remove(deployment.undo_folder)
    deployment.upgrade_pending_file.unlink(missing_ok=True)


def unfinished(deployment: Deployment) -> Kept | None:
    """What an interrupted upgrade goes back to, or None. If it was interrupted after its last step, that is recorded.

    Without users, rules and certificates: a user who was removed since would get in again.
    """
    if not deployment.upgrade_pending_file.exists():
        return None
    undo = read(deployment.undo_folder)
    now = Release.read(deployment.release_file)
    if undo is not None and (now is None or now.images == undo.release.images):
        return undo.without_access
    settle(deployment)
    return None


def interrupted(deployment: Deployment) -> str:
    """What to say of an upgrade that was interrupted, "" for none, or while one is running. Raises HostError."""
    try:
        with exclusive(deployment.lock_file):
            if unfinished(deployment) is None:
                return ""
    except Busy:
        # It may be the upgrade that wrote this mark.
        return ""
    return (
        "An upgrade was interrupted; some services may run new images, and some the previous ones. To continue: "
        "deployer upgrade. To roll back: deployer upgrade --rollback"
    )


def abandon(deployment: Deployment) -> None:
    """Remove the traces of an upgrade that was undone."""
    deployment.upgrade_pending_file.unlink(missing_ok=True)
    remove(deployment.undo_folder)


def keep_images(engine: Engine, deployment: Deployment, release: Release) -> None:
    """Give each image a name of deployer's own, so that no clean-up removes it. Raises EngineError."""
    for one in release.images:
        engine.images.tag(one.id, one.kept_as(deployment.name))


def forget_images(stack: Stack) -> None:
    """Remove deployer's names from images that are neither in use nor kept.

    A name that a container still uses stays until the next call. Raises EngineError.
    """
    deployment = stack.deployment
    places = (deployment.release_file, deployment.previous_folder / _RELEASE, deployment.undo_folder / _RELEASE)
    releases = [found for place in places if (found := Release.read(place)) is not None]
    wanted = {one.kept_as(deployment.name) for release in releases for one in release.images}
    for name in provision.kept_names(stack.engine, stack.deployment):
        if name not in wanted:
            with suppress(EngineError):
                stack.engine.images.untag(name)
