"""Deleting one tag in the storage itself, where the registry has no room to do it: on a full disk.

Registry 2.8 deletes a single tag only by way of a placeholder manifest; taking the tag's folder away needs no room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import RegistryError, StorageFull
from deployer.storage.removal import StorageRemoval
from deployer.workflows.upkeep.maintenance import upkeep

if TYPE_CHECKING:
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.images.deletion import TagRemoval
    from deployer.workflows.upkeep.gate import DrainPolicy


def is_for_want_of_room(error: BaseException | None) -> bool:
    """Whether something failed since the registry's disk is full, at whatever depth that was said."""
    while error is not None:
        if isinstance(error, StorageFull):
            return True
        error = error.__cause__
    return False


def delete_stored(stack: Stack, removal: TagRemoval, drain: DrainPolicy) -> None:
    """Delete a tag while writes are paused, unless it was pushed again; its manifest stays.

    Raises RegistryError if it was, StorageError, EngineError, GateError, or Busy.
    """
    tag = (removal.repository, removal.tag)
    with upkeep(stack, "delete") as work:
        with work.writes_paused(drain):
            now = work.storage.snapshot()
            repository = now.repositories.get(removal.repository)
            found = repository.tags.get(removal.tag) if repository else None
            # An attempt to overwrite it may have left it empty.
            if found is not None and found.digest not in {removal.digest, ""}:
                raise RegistryError(
                    f"'{removal.name}' has been pushed again in the meantime and is kept; it now points to "
                    f"{found.digest}."
                )
            work.remove(StorageRemoval(tags=(tag,)))
        if not now.interrupted_removals:
            # Else it tells the next gc or prune what an earlier, interrupted one was to remove.
            work.empty()
