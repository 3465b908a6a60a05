"""Everything that may be wrong between this machine and the registry, looked at in turn."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, PreflightError
from deployer.host import ports
from deployer.host.daemon_reload import Machine
from deployer.host.probe import Peer
from deployer.host.trust_places import Ground
from deployer.record import Record
from deployer.registry.client import RegistryClient
from deployer.workflows import preflight, status, trust_findings
from deployer.workflows.engine_view import EngineView, locate
from deployer.workflows.finding import Finding
from deployer.workflows.stack import Action
from deployer.workflows.trust_findings import Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deployer.workflows.stack import Stack


def examine(stack: Stack, environment: Mapping[str, str], *, named: bool) -> tuple[Finding, ...]:
    """Look at the engine, the deployment on this machine, the way to the registry, and trust in it.

    With `named` the deployment was named; otherwise a host or port that is not its own is a
    client's question about another registry, and nothing is said of it.
    """
    engine = list(_engine(stack))
    engine_answers = all(finding.state != "wrong" for finding in engine)
    deployed = list(_deployment(stack, named=named)) if engine_answers else []
    way = list(_way(stack, environment))
    trusting = list(_trust(stack, environment)) if engine_answers else []
    return (*engine, *deployed, *way, *trusting)


def _engine(stack: Stack) -> Iterator[Finding]:
    try:
        version = stack.engine.version()
    except DeployerError as error:
        yield Finding.of(error)
        return
    yield Finding("ok", f"The Docker engine answers (version {version}).")
    try:
        preflight.check_engine(stack.engine)
    except DeployerError as error:
        # A client pushes and pulls without Compose, and with an engine elsewhere; only `up` cannot.
        yield Finding("note", f"{error.message} Only the machine that runs the registry needs that.", error.advice)


def _deployment(stack: Stack, *, named: bool) -> Iterator[Finding]:
    containers = stack.engine.containers(stack.deployment.name)
    if not (_is_meant(stack) or (named and containers)):
        return
    if not containers:
        try:
            preflight.check_port(stack.settings, stack.engine)
        except PreflightError as error:
            yield Finding("note", f"No registry named '{stack.settings.name}' runs here. {error.message}")
        else:
            yield Finding("note", f"No registry named '{stack.settings.name}' runs on this machine.")
        return
    try:
        found = status.read(stack)
    except DeployerError as error:
        yield Finding.of(error)
        return
    for problem in found.problems:
        yield Finding("wrong", problem, ("deployer up", "deployer logs"))
    if found.is_healthy:
        yield Finding("ok", f"The registry '{found.name}' runs on this machine ({found.version}).")
    try:
        plan = stack.plan()
    except DeployerError as error:
        yield Finding.of(error)
        return
    if plan.files or any(change.action in {Action.CREATE, Action.RECREATE} for change in plan.services):
        yield Finding("note", "What is deployed differs from the settings.", ("deployer render --diff", "deployer up"))


def _is_meant(stack: Stack) -> bool:
    """Whether the settings' host and port are this machine's deployment, or one that it could have."""
    settings = stack.settings
    record = Record.read(stack.deployment.record_file)
    if record is not None:
        return (record.host, record.port) == (settings.host, settings.port)
    if settings.is_loopback:
        return True
    try:
        return any(map(ports.is_own_address, _addresses(settings.host)))
    except OSError:
        return False


def _way(stack: Stack, environment: Mapping[str, str]) -> Iterator[Finding]:
    """From here to the registry's API, step by step; the first step that fails ends it."""
    settings = stack.settings
    steps: tuple[tuple[Callable[[], str], str], ...] = (
        (lambda: _resolve(settings.host), f"The name {settings.host} resolves"),
        (lambda: _ask(stack, environment), f"{settings.url} answers as a registry"),
    )
    for step, sentence in steps:
        try:
            yield Finding("ok", f"{sentence}{step()}.")
        except DeployerError as error:
            yield Finding.of(error)
            return


def _addresses(host: str) -> list[str]:
    return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})


def _resolve(host: str) -> str:
    try:
        addresses = _addresses(host)
    except OSError as error:
        raise DeployerError(
            f"The name {host} does not resolve on this machine.",
            ("Use the registry's IP address as --host, or add the name to DNS or /etc/hosts.",),
            str(error),
        ) from error
    return "" if addresses == [host] else f" to {', '.join(addresses)}"


def _ask(stack: Stack, environment: Mapping[str, str]) -> str:
    authority = stack.deployment.authority_file
    known = authority if authority.is_file() else None
    settings = stack.settings
    with RegistryClient(settings.url, environment, plain=settings.tls.is_off, authority=known) as client:
        client.ping()
    return ""


def _trust(stack: Stack, environment: Mapping[str, str]) -> Iterator[Finding]:
    settings, engine = stack.settings, stack.engine
    try:
        view = EngineView(engine.describe(), engine.insecure_registries)
        where = locate(Machine(environment), view)
        registries = engine.insecure_registries()
    except DeployerError as error:
        yield Finding.of(error)
        return
    peer = Peer(settings.host, settings.port)
    yield from trust_findings.examine(Scene(settings, peer, Ground(environment), where, registries), datetime.now(UTC))
