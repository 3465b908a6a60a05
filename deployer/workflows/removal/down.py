"""Taking a deployment down, and, when asked for, everything it holds.

What is removed is what the plan names, each by its own ID or name: Compose would remove by name
whatever the files say, and anyone who made it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from deployer.errors import EngineError, EngineUnavailable, HostError
from deployer.host.lock import exclusive
from deployer.record import ResourceKind
from deployer.storage.helper import remove_leftover
from deployer.workflows.deployment import files, provision
from deployer.workflows.removal.down_plan import LOCK_FILE, DownPlan, ToRemove, plan_down
from deployer.workflows.removal.stopping import remove_containers
from deployer.workflows.schedule import install

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.workflows.deployment.stack import Stack


def apply(stack: Stack, agreed: DownPlan, *, volumes: bool, say: Callable[[str], None]) -> None:
    """Remove what the plan names and is still the same. Raises EngineError or HostError.

    What came since stays, and so does what is in use by then; HostError names it.
    """
    if agreed.is_empty:
        return
    engine = stack.engine
    with exclusive(stack.deployment.lock_file, "down"):
        now = plan_down(stack, volumes=volumes)
        going = DownPlan(tuple(one for one in now.going if one in agreed.going), (), loses_images=False)
        # The lock's own file is made by anyone who takes it.
        new = [one for one in now.going if one not in agreed.going and one.name != LOCK_FILE]
        left = [f"{one.kind} {one.name}: appeared or changed in the meantime" for one in new]
        # Before the containers: what is running is ended, and nothing begins in the meantime.
        left += _remove_schedule(stack)
        # Its hold on a volume would keep that from going.
        remove_leftover(engine, stack.deployment)
        identities = {one.identity for one in going.of(ResourceKind.CONTAINER)}
        remove_containers(stack, [one for one in now.services if one.id in identities], now.hooks, say)
        for one in going.of(ResourceKind.NETWORK):
            left += _tried(one, engine.networks.remove, one.identity)
        left += _remove_volumes(stack, going.of(ResourceKind.VOLUME))
        _remove_files(stack, going, left)
        if volumes:
            for name in provision.kept_names(engine, stack.deployment):
                engine.images.untag(name)
            stack.deployment.lock_file.unlink(missing_ok=True)
    if volumes:
        _remove_empty_folders(stack)
    if left:
        raise HostError(
            "Not everything was removed: " + "; ".join(left) + ".",
            (f"deployer down{' --volumes' if volumes else ''}   (shows what is left)",),
        )


def _remove_schedule(stack: Stack) -> list[str]:
    """Remove the schedule; what to say if systemd does not."""
    units = install.removal(stack.deployment, stack.environment)
    try:
        install.remove(stack.deployment, stack.environment, units)
    except HostError as error:
        return [f"systemd's timers: {' '.join((error.message, *error.original.splitlines()[-1:]))}".rstrip(".")]
    return []


def _remove_volumes(stack: Stack, volumes: Sequence[ToRemove]) -> list[str]:
    """Remove volumes; what to say of those that the engine does not remove."""
    if not volumes:
        return []
    try:
        stack.engine.volumes.remove_all([one.name for one in volumes])
    except EngineUnavailable:
        raise
    except EngineError:
        # One by one, to find out which of them it is.
        return [line for one in volumes for line in _tried(one, stack.engine.volumes.remove, one.name)]
    return []


def _tried(one: ToRemove, remove: Callable[[str], None], identity: str) -> list[str]:
    """Remove a resource; what to say if the engine does not, because it is in use by now."""
    try:
        remove(identity)
    except EngineUnavailable:
        raise
    except EngineError as error:
        return [f"{one.kind} {one.name}: {(error.original or error.message).strip().splitlines()[-1]}"]
    return []


def _remove_files(stack: Stack, going: DownPlan, left: list[str]) -> None:
    """Remove the files; those that record what was created stay until all of it is removed."""
    last = {stack.deployment.owned_file.name, stack.deployment.compose_file.name, stack.deployment.record_file.name}
    for one in going.of(ResourceKind.FILE):
        if not (left and one.name in last):
            (stack.deployment.directory / one.name).unlink(missing_ok=True)


def _remove_empty_folders(stack: Stack) -> None:
    """Remove the folders that deployer made and that are empty, never the one in which the images are."""
    root = stack.deployment.directory
    images = stack.settings.registry.data_directory
    folders = (*files.FOLDERS, stack.deployment.previous_folder.name, stack.deployment.undo_folder.name)
    inside = [path for name in folders for path in (root / name, *(root / name).rglob("*"))]
    for folder in (*sorted(inside, reverse=True), root):
        if folder.is_dir() and not folder.is_symlink() and folder != images:
            # One that is not empty, or that a disk is mounted on, stays.
            with suppress(OSError):
                folder.rmdir()
