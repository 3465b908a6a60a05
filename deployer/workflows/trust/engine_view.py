"""What trust needs to know of the Docker engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from deployer.host.daemon import process
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deployer.host.daemon.process import Daemon, Machine


class EngineFacts(Protocol):
    """What must be known of the engine."""

    @property
    def version(self) -> str:
        """Such as "28.5.2"."""

    @property
    def kind(self) -> EngineKind:
        """Whose it is."""

    @property
    def endpoint(self) -> str:
        """Where it listens."""


class Registries(Protocol):
    """The registries that the running engine accepts without verified TLS."""

    @property
    def cidrs(self) -> Sequence[str]:
        """Networks."""

    @property
    def hosts(self) -> Sequence[str]:
        """Names with their ports."""


@dataclass(frozen=True)
class EngineView:
    """The engine, asked at the moment: `facts` is None if none answers, and `unavailable_reason` says why.

    `proxies` are the variables that name its proxies.
    """

    facts: EngineFacts | None
    registries: Callable[[], Registries]
    unavailable_reason: str = ""
    proxies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineLocation:
    """Where the engine in use is, running or not; `daemon` is its process where that can be seen."""

    endpoint: str
    kind: EngineKind
    daemon: Daemon | None

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is on another machine."""
        return process.is_elsewhere(self.endpoint)


def locate(machine: Machine, engine: EngineView) -> EngineLocation:
    """Find the engine; if none answers, by what the environment says."""
    facts, environment = engine.facts, machine.environment
    endpoint = facts.endpoint if facts else environment.get("DOCKER_HOST") or process.DEFAULT_ENDPOINT
    kind = facts.kind if facts else _kind_by(machine, endpoint)
    is_here = kind is not EngineKind.DESKTOP and not process.is_elsewhere(endpoint)
    return EngineLocation(endpoint, kind, process.find(machine, endpoint) if is_here else None)


def _kind_by(machine: Machine, endpoint: str) -> EngineKind:
    """What the machine and the place of the socket say, if no engine answers."""
    if machine.platform != "linux" or "/.docker/" in endpoint:
        return EngineKind.DESKTOP
    is_own = endpoint == process.rootless_socket(machine.environment)
    return EngineKind.ROOTLESS if is_own else EngineKind.SYSTEM
