"""What `up` does with each service, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployer.engine.values import ServiceContainer


class Action(Enum):
    """What `up` does with a service."""

    KEEP = "unchanged"
    CREATE = "create"
    RECREATE = "recreate"
    START = "start"
    RELOAD = "reload"
    REMOVE = "remove"

    @property
    def done(self) -> str:
        """How `up` says that it did it."""
        return {
            Action.KEEP: "unchanged",
            Action.CREATE: "created",
            Action.RECREATE: "recreated",
            Action.START: "started",
            Action.RELOAD: "reloaded",
            Action.REMOVE: "removed",
        }[self]

    @property
    def starts(self) -> bool:
        """Whether a container is started, which runs its post_start hooks."""
        return self in {Action.CREATE, Action.RECREATE, Action.START}


class Reason(StrEnum):
    """Why `up` does it, as it is reported."""

    NONE = ""
    CONFIGURATION = "its configuration changed"
    IMAGE = "its image changed"
    STOPPED = "it was not running"
    FILE_CHANGED = "its file was changed"
    FILES_GONE = "its files were missing"
    STORAGE = "the directory with its images was replaced"
    NETWORK = "it lost its network"
    RESOURCES = "its volumes or networks changed"
    HOOKS = "its post_start hooks did not succeed"
    ACCESS = "its users, rules or certificate changed"

    @property
    def is_unknown_to_compose(self) -> bool:
        """Whether Compose would keep the container."""
        return self in {Reason.FILE_CHANGED, Reason.FILES_GONE, Reason.STORAGE, Reason.HOOKS}

    @property
    def is_before_others(self) -> bool:
        """Whether the container is recreated before Compose sees it, which could not start it, or may keep it."""
        return self in {Reason.NETWORK, Reason.RESOURCES}


@dataclass(frozen=True)
class ServiceChange:
    """A service, what `up` does with it, and why."""

    service: str
    action: Action
    reason: Reason = Reason.NONE


def change_of(
    service: str, wanted: str, image_id: str | None, container: ServiceContainer | None, *, outdated: bool
) -> ServiceChange:
    """What becomes of a service's container, by the hash of the configuration and the image that are wanted.

    `image_id` is None if the image is not known; `outdated`: the container may run on another file.
    """
    if container is None:
        return ServiceChange(service, Action.CREATE)
    if container.config_hash != wanted:
        return ServiceChange(service, Action.RECREATE, Reason.CONFIGURATION)
    if image_id is not None and container.image_id != image_id:
        return ServiceChange(service, Action.RECREATE, Reason.IMAGE)
    if not container.is_running and not container.has_finished:
        return ServiceChange(service, Action.START, Reason.STOPPED)
    if outdated:
        return ServiceChange(service, Action.RECREATE, Reason.FILE_CHANGED)
    return ServiceChange(service, Action.KEEP)


def again(change: ServiceChange, reason: Reason) -> ServiceChange:
    """The same for a service whose container was started with what has been replaced since."""
    if change.action is Action.CREATE:
        return change
    return ServiceChange(change.service, Action.RECREATE, reason)
