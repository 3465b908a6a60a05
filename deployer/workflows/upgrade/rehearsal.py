"""Test-starting new images next to the running ones, with their configuration and without their storage.

Most faults show here, and nothing that runs is changed. Faults with the storage or the network show only in place.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from deployer.engine.values import Rehearsal
from deployer.errors import EngineError, UpgradeFailed
from deployer.layout import FRONTEND_DATA, SERVICE_FILES, SOCKETS, STORAGE, Service
from deployer.storage.helper import remove_leftover
from deployer.workflows.upkeep.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.engine.values import ServiceContainer
    from deployer.record import PinnedImage
    from deployer.workflows.deployment.stack import Stack

_FOLDER = "/etc/deployer"
_POLL_SECONDS = 0.1
_HEALTH = ("wget", "-q", "-O", "/dev/null", "http://127.0.0.1:5001/debug/health")
_SERVES = {
    Service.REGISTRY: ("registry", "serve", f"{_FOLDER}/config.yaml"),
    Service.FRONTEND: ("caddy", "validate", "--config", f"{_FOLDER}/Caddyfile", "--adapter", "caddyfile"),
}


def rehearse(
    stack: Stack, images: Iterable[PinnedImage], running: tuple[ServiceContainer, ...], timeout: float
) -> None:
    """Start each image of the registry and the frontend with the deployed configuration. `timeout` in seconds.

    Raises UpgradeFailed if one does not start; nothing was changed then.
    """
    gate = Gate.of(stack.deployment)
    gate.directory.mkdir(parents=True, exist_ok=True)
    # So that the next command looks for a leftover container, should this one be killed.
    gate.mark_work()
    try:
        remove_leftover(stack.engine, stack.deployment)
        for image in images:
            if image.service in _SERVES:
                namespace = next((one.user_namespace for one in running if one.service == image.service), "")
                _start(stack, image, namespace, timeout)
    finally:
        remove_leftover(stack.engine, stack.deployment)
        gate.open()


def _start(stack: Stack, image: PinnedImage, user_namespace: str, timeout: float) -> None:
    service = Service(image.service)
    wanted = Rehearsal(
        name=f"{stack.deployment.name}-upgrade-check",
        label=str(stack.deployment.directory),
        image=image.id,
        folder=(stack.deployment.directory / SERVICE_FILES[service]).parent,
        target=_FOLDER,
        scratch=("/tmp", "/config", FRONTEND_DATA, STORAGE, SOCKETS),  # noqa: S108 - inside the container
        command=_SERVES[service],
        user_namespace=user_namespace,
    )
    try:
        if service is Service.FRONTEND:
            # It reads the configuration, and exits.
            stack.engine.containers.rehearse(wanted, detached=False)
        else:
            container = stack.engine.containers.rehearse(wanted, detached=True).strip()
            _wait(stack, container, timeout)
            stack.engine.containers.remove([container])
    except EngineError as error:
        raise UpgradeFailed(
            f"The new image of the service {service} does not start with this deployment's configuration "
            f"({image.name}, {image.id}); nothing was changed.",
            (),
            error.original or error.message,
        ) from error


def _wait(stack: Stack, container: str, timeout: float) -> None:
    """Return when the registry is healthy. Raises EngineError with its last log lines if that takes too long."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            stack.engine.containers.execute(container, *_HEALTH)
        except EngineError as error:
            if time.monotonic() >= deadline or not stack.engine.containers.is_running(container):
                said = stack.engine.containers.last_log_lines(container, 15)
                said = (*said, error.original or error.message)
                raise EngineError("It is not healthy.", (), "\n".join(said)) from error
            time.sleep(_POLL_SECONDS)
        else:
            return
