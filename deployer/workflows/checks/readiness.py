"""Waiting until the registry and its page really answer, through the published port."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from deployer.engine.values import ContainerState, Health, of_service, running
from deployer.errors import EngineError, NotReady
from deployer.layout import Service
from deployer.tls.unverified import unverified
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx

    from deployer.engine.engine import Engine
    from deployer.engine.values import ServiceContainer
    from deployer.settings.model import Settings

UNPUBLISHED = (
    "The frontend is healthy in its container, but its port does not respond; the engine may not be publishing ports."
)
# moby: libnetwork/portmapper and drivers/bridge; without both, a port is kept free and leads nowhere.
UNPUBLISHED_ADVICE = (
    "Check iptables and userland-proxy in the engine's daemon.json: if both are false, no published port works.",
    "If both are false, set one of them to true and restart the engine.",
    "Otherwise check for a firewall on this machine: sudo nft list ruleset",
)
_TIMEOUT_SECONDS = 5.0
_POLL_SECONDS = 0.05
_LOOK_AT_CONTAINERS_SECONDS = 1.0
_LOG_LINES = 15
# The frontend logs each of our own questions, up to 40 a second: the reason is before them.
_LOG_LINES_READ = 10_000
_OWN_QUESTION = re.compile(r'http\.log\.access.*"method": ?"GET", ?"host": ?"[^"]*", ?"uri": ?"/(v2/)?"')

# The states of a container whose programs have ended.
_ENDED = (ContainerState.EXITED, ContainerState.DEAD, ContainerState.RESTARTING)


class Fault(Enum):
    """What is wrong with how an address answers."""

    NONE = auto()
    # No connection is accepted: it is refused, or times out.
    UNREACHABLE = auto()
    # Something takes the connection, and does not answer in HTTP.
    SILENT = auto()
    NOT_A_REGISTRY = auto()
    STATUS = auto()
    LOGIN_REQUIRED = auto()
    SERVICE_SILENT = auto()


@dataclass(frozen=True)
class Reply:
    """How one address answers; `words` say what is wrong, "" for nothing."""

    fault: Fault = Fault.NONE
    words: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it answers as it should."""
        return self.fault is Fault.NONE


@dataclass(frozen=True)
class Answer:
    """How the published port answers: the registry's API, and the page."""

    api: Reply
    page: Reply = field(default_factory=Reply)

    @property
    def is_ready(self) -> bool:
        """Whether both answer as they should."""
        return self.api.is_ready and self.page.is_ready


def probe(settings: Settings, engine: Engine, project: str) -> Answer:
    """Ask for `/v2/` and the page as a client would, and for a page's own service behind the login too."""
    import httpx

    # Nothing secret is said here; who may trust the certificate is the clients' question.
    verify = unverified() if settings.tls.is_on else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(base_url=settings.local_url, timeout=_TIMEOUT_SECONDS, trust_env=False, verify=verify) as client:
        api = _ask(client, "/v2/", settings.host, _api_reply)
        page = _ask(client, "/", settings.host, _page_reply) if settings.page_url else Reply()
    if page.fault is Fault.LOGIN_REQUIRED:
        page = _reply_behind_login(engine, project) if settings.frontend.page_service_image else Reply()
    return Answer(api, page)


def disconnected(containers: Iterable[ServiceContainer]) -> tuple[Finding, ...]:
    """The running containers that are not in their network; the engine publishes no port of such a one."""
    return tuple(
        Finding(
            FindingState.WRONG,
            f"The service {container.service} is not connected to its network {container.network}.",
            (
                f"docker network connect {_alias(container)}{container.network} {container.name}",
                "Or, to recreate the service: deployer up",
            ),
        )
        for container in containers
        if container.is_running and container.is_disconnected
    )


def _alias(container: ServiceContainer) -> str:
    # Others are found by their service's name; these two share a socket.
    return "" if container.service in {Service.REGISTRY, Service.FRONTEND} else f"--alias {container.service} "


def is_unpublished(answer: Answer, containers: Iterable[ServiceContainer]) -> bool:
    """Whether the frontend answers in its container, by its own health check, and not on its port.

    Where the registry does not run (it is paused, for example), it is the registry that does not answer.
    """
    containers = tuple(containers)
    registry = of_service(containers, Service.REGISTRY)
    if registry is not None and not registry.is_running:
        return False
    frontend = running(containers, Service.FRONTEND)
    is_well = frontend is not None and frontend.health is Health.HEALTHY
    return is_well and answer.api.fault is Fault.UNREACHABLE


def wait(settings: Settings, engine: Engine, project: str, timeout: float) -> None:
    """Return once `/v2/` and the page answer. `timeout` in seconds.

    Raises NotReady, with the last log lines of the service at fault, when a service has ended or
    the time is over.
    """
    deadline = time.monotonic() + timeout
    look = time.monotonic() + _LOOK_AT_CONTAINERS_SECONDS
    while not (answer := probe(settings, engine, project)).is_ready:
        now = time.monotonic()
        if now >= look:
            _refuse_ended(engine, project)
            look = now + _LOOK_AT_CONTAINERS_SECONDS
        if now >= deadline:
            raise _late(answer, settings, engine, project, timeout)
        time.sleep(_POLL_SECONDS)


def _ask(client: httpx.Client, path: str, host: str, judge: Callable[[httpx.Response], Reply]) -> Reply:
    import httpx

    try:
        response = client.get(path, extensions={"sni_hostname": host})
    except httpx.HTTPError as error:
        fault = Fault.UNREACHABLE if _is_unreachable(error) else Fault.SILENT
        return Reply(fault, f"no response from {path} ({error})")
    return judge(response)


def _is_unreachable(error: httpx.HTTPError) -> bool:
    import httpx

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (httpx.TimeoutException, ConnectionRefusedError)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _api_reply(response: httpx.Response) -> Reply:
    if response.status_code not in {200, 401}:
        return Reply(Fault.STATUS, f"/v2/ responded with {response.status_code}")
    if "docker-distribution-api-version" not in response.headers:
        return Reply(Fault.NOT_A_REGISTRY, "the server that responds is not a registry")
    return Reply()


def _page_reply(response: httpx.Response) -> Reply:
    if response.status_code == 401:
        return Reply(Fault.LOGIN_REQUIRED, "the page requires login")
    if response.status_code != 200:
        return Reply(Fault.STATUS, f"the page responded with {response.status_code}")
    return Reply()


def _reply_behind_login(engine: Engine, project: str) -> Reply:
    """How a page that is its own service answers, asked where no login is required."""
    frontend = of_service(engine.containers.of_project(project), Service.FRONTEND)
    try:
        if frontend is not None:
            engine.containers.execute(frontend.id, "wget", "-q", "-T", "5", "-O", "/dev/null", "http://page/")
    except EngineError:
        return Reply(Fault.SERVICE_SILENT, "the page's own service does not respond to the frontend")
    return Reply()


def _refuse_ended(engine: Engine, project: str) -> None:
    for container in engine.containers.of_project(project, _ENDED):
        if container.state in _ENDED and not container.has_finished:
            raise _failure(
                f"The service {container.service} does not keep running (it is {container.state}).", engine, container
            )


def _late(answer: Answer, settings: Settings, engine: Engine, project: str, timeout: float) -> NotReady:
    if not answer.api.is_ready:
        is_silent = answer.api.fault in {Fault.UNREACHABLE, Fault.SILENT}
        at_fault = Service.FRONTEND if is_silent else Service.REGISTRY
    else:
        at_fault = Service.PAGE if settings.frontend.page_service_image else Service.FRONTEND
    what = "; ".join(reply.words for reply in (answer.api, answer.page) if not reply.is_ready)
    containers = engine.containers.of_project(project)
    container = of_service(containers, at_fault)
    message = f"{settings.local_url} did not become ready within {timeout:.0f} s: {what}."
    for lost in disconnected(containers):
        return NotReady(f"{message} {lost.sentence}", lost.advice)
    if is_unpublished(answer, containers):
        return NotReady(f"{message} {UNPUBLISHED}", UNPUBLISHED_ADVICE)
    return NotReady(message, ("deployer logs",)) if container is None else _failure(message, engine, container)


def _failure(message: str, engine: Engine, container: ServiceContainer) -> NotReady:
    lines = [
        line
        for line in engine.containers.last_log_lines(container.id, _LOG_LINES_READ)
        if not _OWN_QUESTION.search(line)
    ]
    return NotReady(message, (f"deployer logs {container.service}",), "\n".join(lines[-_LOG_LINES:]))
