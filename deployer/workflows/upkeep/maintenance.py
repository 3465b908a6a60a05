"""What every command that changes the storage goes through: the lock, a helper container, the gate."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer import layout
from deployer.engine.inventory import writers_beside
from deployer.engine.values import of_service
from deployer.errors import DeployerError, GateError, NotFound
from deployer.host.lock import exclusive
from deployer.layout import Service
from deployer.storage.access import Storage
from deployer.storage.helper import REGISTRY_TOOLS, Helper, reader, short_lived
from deployer.workflows.checks import disk_room, service_environment, storage_id
from deployer.workflows.upkeep.gate import Gate, GateHolder, WritePauser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.engine.values import ServiceContainer
    from deployer.storage.helper import HelperTools
    from deployer.storage.removal import StorageRemoval
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.upkeep.gate import DrainPolicy, Pause


@dataclass(frozen=True)
class Upkeep:
    """A command running on the storage: nothing else changes the deployment in the meantime."""

    storage: Storage
    run: str
    pauser: WritePauser
    helper: Helper

    @contextmanager
    def writes_paused(self, drain: DrainPolicy) -> Iterator[Pause]:
        """Pause writes, as `WritePauser.pause` does; after a failure the helper is ended before they resume."""
        with self.pauser.pause(drain, self.helper.stop) as pause:
            yield pause

    def remove(self, removal: StorageRemoval) -> None:
        """Take things out of the storage. Only while writes are paused."""
        self.storage.remove(removal, self.run)

    def empty(self) -> None:
        """Delete what was removed, and have the disk guard see that there is room, if it refuses pushes."""
        self.storage.empty()
        for frontend in self.pauser.frontends():
            disk_room.look(self.pauser.engine, frontend, datetime.now(UTC))


@contextmanager
def upkeep(
    stack: Stack, command: str, tools: HelperTools = REGISTRY_TOOLS, *, concerns_images: bool = True
) -> Iterator[Upkeep]:
    """Begin to work on the storage. Raises HostError if another command does, NotFound without a deployment.

    If it `concerns_images`, raises StorageError where they are not those of the deployment.
    """
    registry = _registry(stack, concerns_images=concerns_images)
    with exclusive(stack.deployment.lock_file, command):
        gate = Gate.of(stack.deployment)
        gate.directory.mkdir(parents=True, exist_ok=True)
        gate.mark_work()
        who = GateHolder(command, os.getpid(), datetime.now(UTC))
        pauser = WritePauser(gate, stack.settings, stack.engine, lambda: _frontends(stack), who)
        helper = Helper(stack.engine, stack.deployment, registry.image_id, registry.id, registry.user_namespace, tools)
        try:
            with helper:
                # Only now is it sure that nothing of an earlier, interrupted command is running any more.
                gate.open()
                gate.mark_work()
                _expect_alone(stack, registry)
                yield Upkeep(Storage(stack.engine, helper.name, remembers=True), secrets.token_hex(4), pauser, helper)
        finally:
            if helper.is_gone and gate.holder() is None:
                gate.open()


def _expect_alone(stack: Stack, registry: ServiceContainer) -> None:
    """Make sure that all writes come through our gate. Raises GateError."""
    if registry.is_published:
        where = f"on port {registry.ports[0]}" if registry.ports else "on a port of this machine"
        raise GateError(
            f"The registry is published directly {where}, so writes to it cannot be paused.",
            (f"Remove `ports` from {stack.deployment.override_file}, then: deployer up",),
        )
    others = writers_beside(stack.engine, registry.id, layout.STORAGE)
    if others:
        raise GateError(
            f"The container {others[0]} has mounted the same storage; its writes cannot be paused.",
            (f"docker stop {others[0]}   (while this runs)",),
        )


def _frontends(stack: Stack) -> tuple[str, ...]:
    return stack.engine.containers.running(stack.deployment.name, Service.FRONTEND)


def reading(stack: Stack) -> Storage:
    """The storage for looking only, in the registry's own container.

    Raises NotFound if it does not run, and StorageError if the images are not those of the deployment.
    """
    registry = _registry(stack)
    if not registry.is_running:
        raise _not_running()
    return Storage(stack.engine, registry.id)


@contextmanager
def reading_long(stack: Stack) -> Iterator[Storage]:
    """The storage for looking only, in a container that ends with the command, and without keeping others out.

    Raises NotFound without a deployment, StorageError if the images are not those of the deployment, and EngineError.
    """
    registry = _registry(stack)
    with short_lived(stack.engine, reader(registry.image_id, registry.id, registry.user_namespace)) as container:
        yield Storage(stack.engine, container)


def expect_own_images(stack: Stack) -> None:
    """Make sure that the images are those of the deployment, as far as that can be known. Raises StorageError."""
    storage_id.expect(stack.deployment, stack.engine, "")
    try:
        registry = of_service(stack.containers(), Service.REGISTRY)
    except DeployerError:
        return
    if registry is not None and registry.is_running:
        storage_id.expect(stack.deployment, stack.engine, registry.id)


def _registry(stack: Stack, *, concerns_images: bool = True) -> ServiceContainer:
    containers = stack.containers()
    registry = of_service(containers, Service.REGISTRY)
    if registry is not None:
        service_environment.refuse_for_storage(containers, stack.deployment)
        if concerns_images:
            storage_id.expect(stack.deployment, stack.engine, registry.id if registry.is_running else "")
        return registry
    if stack.deployment.is_begun:
        raise _not_running()
    raise NotFound(
        f"No deployment named '{stack.deployment.name}' on this machine.",
        ("Run this on the machine that runs the registry.", "deployer up"),
    )


def _not_running() -> NotFound:
    return NotFound("The registry is not running.", ("deployer up",))
