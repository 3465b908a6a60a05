"""Everything that may be wrong between this machine and the registry, looked at in turn."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from deployer.errors import DeployerError, PreflightError
from deployer.host import ports
from deployer.record import Record
from deployer.registry.client import RegistryClient
from deployer.workflows import insecure, preflight, status
from deployer.workflows.stack import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deployer.workflows.stack import Stack


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what was found, and what mends it."""

    state: Literal["ok", "note", "wrong"]
    sentence: str
    advice: tuple[str, ...] = ()
    original: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


def examine(stack: Stack, environment: Mapping[str, str], *, named: bool) -> tuple[Finding, ...]:
    """Look at the engine, the deployment on this machine, the way to the registry, and trust in it.

    With `named` the deployment was named; otherwise a host or port that is not its own is a
    client's question about another registry, and nothing is said of it.
    """
    engine = list(_engine(stack))
    engine_answers = all(finding.state != "wrong" for finding in engine)
    deployed = list(_deployment(stack, named=named)) if engine_answers else []
    way = list(_way(stack, environment))
    trusting = list(_trust(stack)) if engine_answers else []
    return (*engine, *deployed, *way, *trusting)


def _engine(stack: Stack) -> Iterator[Finding]:
    try:
        version = stack.engine.version()
    except DeployerError as error:
        yield _wrong(error)
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
        yield _wrong(error)
        return
    for problem in found.problems:
        yield Finding("wrong", problem, ("deployer up", "deployer logs"))
    if found.is_healthy:
        yield Finding("ok", f"The registry '{found.name}' runs on this machine ({found.version}).")
    try:
        plan = stack.plan()
    except DeployerError as error:
        yield _wrong(error)
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
            yield _wrong(error)
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
    with RegistryClient(stack.settings.url, environment, authority=known) as client:
        client.ping()
    return ""


def _trust(stack: Stack) -> Iterator[Finding]:
    settings = stack.settings
    try:
        registries = stack.engine.insecure_registries()
    except DeployerError as error:
        yield _wrong(error)
        return
    # Docker looks the name up; the other names of this machine are its addresses already.
    address = f"127.0.0.1:{settings.port}" if settings.host == "localhost" else settings.address
    if insecure.accepts(registries, address) or insecure.accepts(registries, settings.address):
        yield Finding("ok", f"The Docker engine accepts {settings.address}.")
    else:
        yield Finding(
            "wrong",
            f"The Docker engine does not trust {settings.address}: pushes and pulls will fail.",
            (f"deployer configure-daemon --host {settings.host} --port {settings.port}",),
        )


def _wrong(error: DeployerError) -> Finding:
    return Finding("wrong", error.message, error.advice, error.original)
