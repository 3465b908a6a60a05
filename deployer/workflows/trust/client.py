"""A machine that is to trust a registry: its files, its Docker engine, and its clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer.errors import EngineUnavailable
from deployer.host.daemon.process import Machine
from deployer.tls.places import ClientPaths, TrustTarget
from deployer.workflows.trust.engine_route import engine_route
from deployer.workflows.trust.engine_view import EngineView, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.engine.engine import Engine
    from deployer.settings.model import Settings
    from deployer.workflows.trust.decision import Registry
    from deployer.workflows.trust.engine_route import EngineRoute
    from deployer.workflows.trust.engine_view import EngineLocation


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class ClientMachine:
    """What is checked and changed; a test puts its own in the place of each part."""

    paths: ClientPaths
    machine: Machine
    engine: EngineView
    location: EngineLocation
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, engine: Engine, environment: Mapping[str, str]) -> ClientMachine:
        """This machine, with its engine asked now."""
        view, machine = view_of(engine), Machine(environment)
        return cls(ClientPaths(environment), machine, view, locate(machine, view))

    def target(self, address: str) -> TrustTarget:
        """The registry at an address, and this machine's files."""
        return TrustTarget(self.paths, address)

    def route(self, settings: Settings) -> EngineRoute:
        """The route of the engine to the registry."""
        return engine_route(settings, self.engine.proxies, self.location)

    def registry(self, settings: Settings) -> Registry:
        """What answers the engine at the registry's address."""
        return self.route(settings).peer


def view_of(engine: Engine) -> EngineView:
    """The engine as it answers now, or why it does not."""
    try:
        facts = engine.system.describe()
        return EngineView(facts, engine.system.insecure_registries, proxies=facts.proxies)
    except EngineUnavailable as error:
        return EngineView(None, engine.system.insecure_registries, error.message)
