"""What `up` does with each service, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployer.engine.values import ServiceContainer

FILES_GONE = "its files were gone"
FILE_CHANGED = "its file was changed"


class Action(Enum):
    """What `up` does with a service."""

    KEEP = "unchanged"
    CREATE = "create"
    RECREATE = "recreate"
    START = "start"
    RELOAD = "reload"
    REMOVE = "remove"


@dataclass(frozen=True)
class ServiceChange:
    """A service, what `up` does with it, and why."""

    service: str
    action: Action
    reason: str = ""


def change_of(
    service: str, wanted: str, image_id: str | None, container: ServiceContainer | None, *, outdated: bool
) -> ServiceChange:
    """What becomes of a service's container, by the hash of the configuration and the image that are wanted.

    `image_id` is None where the image is not known; `outdated`: the container may run on another file.
    """
    if container is None:
        return ServiceChange(service, Action.CREATE)
    if container.config_hash != wanted:
        return ServiceChange(service, Action.RECREATE, "its configuration changed")
    if image_id is not None and container.image_id != image_id:
        return ServiceChange(service, Action.RECREATE, "its image changed")
    if container.state != "running" and not container.has_finished:
        return ServiceChange(service, Action.START, f"it is {container.state}")
    if outdated:
        return ServiceChange(service, Action.RECREATE, FILE_CHANGED)
    return ServiceChange(service, Action.KEEP)


def again(change: ServiceChange) -> ServiceChange:
    """The same for a service whose files were gone."""
    if change.action is Action.CREATE:
        return change
    return ServiceChange(change.service, Action.RECREATE, FILES_GONE)
