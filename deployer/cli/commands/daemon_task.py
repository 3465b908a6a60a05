"""One run of configure-daemon: what was asked for, and the machine that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.cli.session import Session
from deployer.errors import EngineUnavailable

if TYPE_CHECKING:
    from deployer.host.daemon.process import Machine
    from deployer.tls.places import ClientPaths
    from deployer.workflows.trust import decision, insecure
    from deployer.workflows.trust.engine_view import EngineView, Whereabouts
    from deployer.workflows.trust.engine_way import EngineWay


@dataclass(frozen=True)
class DaemonOptions:
    """The options of the command, paths absolute."""

    file: Path | None
    ca: Path | None
    fingerprint: str
    system: bool
    insecure: bool
    remove: bool
    yes: bool
    dry_run: bool
    json: bool

    @property
    def wants_authority(self) -> bool:
        """Whether a CA is to be installed for sure."""
        return bool(self.ca or self.fingerprint or self.system)


@dataclass(frozen=True)
class DaemonChange:
    """The session, the options, this machine, and its engine."""

    session: Session
    given: DaemonOptions
    ground: ClientPaths
    machine: Machine
    engine: EngineView
    where: Whereabouts

    @classmethod
    def of(cls, session: Session, given: DaemonOptions) -> DaemonChange:
        """Look at the machine. Raises DeployerError."""
        from deployer.host.daemon.process import Machine
        from deployer.workflows.trust.engine_view import locate

        engine, machine = engine_of(session), Machine(session.environment)
        return cls(session, given, ground_of(session), machine, engine, locate(machine, engine))

    @property
    def address(self) -> str:
        """The registry's, HOST:PORT."""
        return self.session.settings.address

    @property
    def is_said_plain(self) -> bool:
        """Whether an option or the settings say that the registry has no TLS; by default that is left open."""
        return self.given.insecure or self.session.settings.tls.is_off

    def entry(self, *, remove: bool) -> insecure.DaemonPlan:
        """What would become of the entry in daemon.json. Raises HostError, UsageError."""
        from deployer.rendering import snippets
        from deployer.workflows.trust import insecure

        request = insecure.DaemonRequest(self.address, snippets.daemon_snippet(self.address), remove, self.given.file)
        return insecure.plan(request, self.machine, self.engine)

    def carry_out(self, entry: insecure.DaemonPlan) -> insecure.DaemonOutcome:
        """Do it, unless nothing is to be changed. Raises HostError."""
        import time

        from deployer.workflows.trust import insecure

        if self.given.dry_run:
            return insecure.DaemonOutcome(entry)
        return insecure.apply(entry, self.machine, self.engine, lambda: now().astimezone(), time.sleep)


def engine_of(session: Session) -> EngineView:
    """The engine, asked now, or why it does not answer."""
    from deployer.workflows.trust.engine_view import EngineView

    try:
        facts = session.engine.system.describe()
        return EngineView(facts, session.engine.system.insecure_registries, proxies=facts.proxies)
    except EngineUnavailable as error:
        return EngineView(None, session.engine.system.insecure_registries, error.message)


def ground_of(session: Session) -> ClientPaths:
    """This machine's files and programs."""
    from deployer.tls.places import ClientPaths

    return ClientPaths(session.environment)


def way_of(task: DaemonChange) -> EngineWay:
    """The way that the engine takes to the registry."""
    from deployer.workflows.trust.engine_way import engine_way

    return engine_way(task.session.settings, task.engine.proxies, task.where)


def registry_of(task: DaemonChange) -> decision.Registry:
    """What answers the engine at the registry's address."""
    return way_of(task).peer


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)
