"""What `doctor` checks: every family of findings starts from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from deployer.engine.values import ContainerState
from deployer.host import ports
from deployer.layout import Service
from deployer.record import Record
from deployer.registry.client import RegistryClient
from deployer.registry.connection.transport import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deployer.engine.system import EngineInfo
    from deployer.engine.values import ServiceContainer
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.finding import Finding


@dataclass(frozen=True)
class Examined:
    """A deployment or a registry elsewhere, and the machine that asks.

    With `named` the deployment was named; otherwise a host or port that is not its own is a
    client's question about another registry, and nothing is said of the deployment here.
    """

    stack: Stack
    environment: Mapping[str, str]
    named: bool

    @cached_property
    def engine_info(self) -> EngineInfo:
        """What the engine says of itself, asked once. Raises EngineError."""
        return self.stack.engine.system.info()

    @cached_property
    def containers(self) -> tuple[ServiceContainer, ...]:
        """Those of the deployment here. Raises EngineError."""
        return self.stack.engine.containers.of_project(self.stack.deployment.name)

    def client(self, *, patience: float) -> RegistryClient:
        """A client of the registry that waits `patience` seconds for a response; the caller closes it."""
        stack, timeouts = self.stack, Timeouts(read=patience)
        return RegistryClient.of(stack.settings, self.environment, stack.deployment.ca_file, timeouts=timeouts)

    @property
    def is_of_deployment(self) -> bool:
        """Whether the deployment here is examined, or one that could be here. Raises EngineError."""
        return _is_meant(self.stack) or (self.named and bool(self.containers))

    @property
    def paused(self) -> ServiceContainer | None:
        """What takes a connection of those who ask the registry, and never answers. Raises EngineError."""
        if not self.is_of_deployment:
            return None
        on_the_way = {Service.REGISTRY, Service.FRONTEND}
        stopped = (one for one in self.containers if one.state is ContainerState.PAUSED and one.service in on_the_way)
        return next(stopped, None)


def _is_meant(stack: Stack) -> bool:
    """Whether the settings' host and port are this machine's deployment, or one that it could have."""
    settings = stack.settings
    record = Record.read(stack.deployment.record_file)
    if record is not None:
        return (record.host, record.port) == (settings.host, settings.port)
    try:
        return settings.is_loopback or any(map(ports.is_own_address, ports.addresses(settings.host)))
    except OSError:
        return False


@dataclass(frozen=True)
class Family:
    """Findings of one kind.

    With `needs_engine` they are not looked for where no engine answers, with `needs_registry` where the registry, or
    what is before it, is paused: each question would be waited for in vain.
    """

    examine: Callable[[Examined], Iterator[Finding]]
    needs_engine: bool = False
    needs_registry: bool = False
