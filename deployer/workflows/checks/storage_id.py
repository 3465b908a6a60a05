"""The ID in a directory of images, by which another disk in its place is noticed.

An inode tells less: the root of each file system of one type has the same. A directory under a mount point need not be
empty either, and a container keeps the directory that it was started with, whatever is mounted over it later.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, StorageError
from deployer.host.files import read_whole
from deployer.layout import STORAGE, STORAGE_ID
from deployer.record import Owned, ResourceKind
from deployer.rendering.snippets import storage_script
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from deployer.engine.engine import Engine
    from deployer.paths import Deployment
    from deployer.record import Resource

_HIDDEN = "(images pushed in the meantime stay in the directory underneath, hidden by the mount)"


def on_host(storage: Resource | None) -> str | None:
    """The ID in a directory of images: "" for none, None if that cannot be known."""
    if storage is None or storage.kind is not ResourceKind.DIRECTORY:
        return None
    try:
        return _id(read_whole(Path(storage.name) / STORAGE_ID))
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError:
        return None


def in_container(engine: Engine, registry: str) -> str | None:
    """The ID that the registry's container sees: "" for none, None if that cannot be known."""
    return _run(engine, registry, "")


def ensured(engine: Engine, registry: str) -> str:
    """The ID of the storage that the registry's container has, which is given one first; "" if it could not be."""
    return _run(engine, registry, secrets.token_hex(16)) or ""


def is_other(owned: Owned) -> bool:
    """Whether the directory is not the one that the deployment used."""
    return _differs(owned, on_host(owned.storage))


def is_other_in_container(owned: Owned, inside: str | None) -> bool:
    """Whether the container has a directory that is not the one of this deployment, though that is there."""
    return _differs(owned, inside) and not is_other(owned)


def findings(owned: Owned | None, inside: str | None) -> tuple[Finding, ...]:
    """What is wrong with where the images are; `inside` is the ID that the registry's container sees."""
    if owned is None or owned.storage is None:
        return ()
    place = owned.storage.name
    if is_other(owned):
        return (
            Finding(
                FindingState.WRONG,
                f"{place} is not the directory that contained the images: its file {STORAGE_ID} is missing or "
                "belongs to another deployment. Is its disk mounted?",
                (
                    f"Mount its disk, then: deployer up   {_HIDDEN}",
                    "If it was replaced on purpose: deployer up   (asks, and uses the directory as it is)",
                ),
            ),
        )
    if _differs(owned, inside):
        return (
            Finding(
                FindingState.WRONG,
                f"The registry still uses what was at {place} when it started, not the images that are there now.",
                (f"deployer up   {_HIDDEN}",),
            ),
        )
    return ()


def expect(deployment: Deployment, engine: Engine, registry: str) -> None:
    """Make sure that the images are those of the deployment: what is read of others looks like a loss of all of them.

    `registry` is its container, "" if that does not run. Raises StorageError.
    """
    owned = Owned.read(deployment.owned_file)
    if owned is None or not owned.storage_id:
        return
    inside = in_container(engine, registry) if registry and not is_other(owned) else None
    for one in findings(owned, inside):
        raise StorageError(one.sentence, one.advice)


def _differs(owned: Owned, found: str | None) -> bool:
    return bool(owned.storage_id) and found not in {None, owned.storage_id}


def _run(engine: Engine, registry: str, new: str) -> str | None:
    try:
        return _id(engine.containers.run_script(registry, storage_script("id"), f"{STORAGE}/{STORAGE_ID}", new))
    except DeployerError:
        # A registry that may not write there, or an image without a shell: then nothing is compared.
        return None


def _id(content: bytes) -> str:
    return content.decode(errors="replace").strip()
