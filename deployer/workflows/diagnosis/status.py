"""How a deployment is, and what its services wrote."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from deployer.engine.values import Health, of_service, running
from deployer.errors import DeployerError, NotFound, StorageError, StorageUnreadable, UsageError
from deployer.host.files import read_if_there
from deployer.layout import GRANTS, STORAGE, Service
from deployer.storage.access import Storage
from deployer.workflows.checks import preflight, readiness
from deployer.workflows.deployment import access as sign_in
from deployer.workflows.deployment import authority, files
from deployer.workflows.finding import Finding
from deployer.workflows.upkeep import storage_findings
from deployer.workflows.upkeep.garbage import no_images, survey
from deployer.workflows.upkeep.gate import Gate
from deployer.workflows.upkeep.manifest_graph import Manifests

if TYPE_CHECKING:
    from deployer.engine.values import ServiceContainer
    from deployer.settings.model import Settings
    from deployer.workflows.deployment.stack import Stack

# What Docker takes: a duration, seconds since 1970, or a moment by RFC 3339, cut off where one likes.
_SINCE = re.compile(
    r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+|\d{9,}(\.\d+)?"
    r"|\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?(Z|[+-]\d\d:\d\d)?"
)


DISK_FULL = "The disk that holds the images is full: pushes will fail."
_CATALOGUE = "http://127.0.0.1:2020/v2/_catalog?n=1000000"


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is. `image_bytes` None where the image is gone."""

    service: str
    container: str
    state: str
    health: str
    restart_policy: str
    image: str
    image_bytes: int | None


@dataclass(frozen=True)
class Status:
    """A deployment as it is; None or "" where something cannot be known. Sizes in bytes.

    `garbage_bytes` is what a collection would free; `upkeep` says who pauses writes, and since when.
    `content` is what is wrong with what it holds: the rest is served all the same. Where its storage is `unreadable`,
    that is among the problems, and this tells how to fix it.
    """

    name: str
    address: str
    page: str
    version: str
    data: str
    repositories: int | None
    used_bytes: int | None
    garbage_bytes: int | None
    free_bytes: int | None
    services: tuple[ServiceStatus, ...]
    problems: tuple[str, ...]
    upkeep: str = ""
    sign_in: str = ""
    encryption: str = ""
    content: tuple[Finding, ...] = ()
    unreadable: Finding | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether the registry serves as it should."""
        return bool(self.services) and not self.problems

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {"ready": self.is_healthy, **asdict(self)}


def read(stack: Stack) -> Status:
    """Look at a deployment. Raises EngineError where no engine answers."""
    settings = stack.settings
    preflight.check_engine(stack.engine)
    containers = stack.engine.containers.of_project(stack.deployment.name)
    preflight.check_conflict(stack.deployment, containers)
    registry = running(containers, Service.REGISTRY)
    used, free = _storage(stack, registry) if registry else (None, None)
    content = _content(stack, registry) if registry else _Content()
    publishes = _publishes(containers, settings.port)
    answer = readiness.probe(settings, stack.engine, stack.deployment.name) if publishes else None
    version = _version(stack, registry) if registry else ""
    return Status(
        name=settings.name,
        address=settings.address,
        page=f"{settings.url}/" if settings.frontend.page != "none" else "",
        version=version,
        data=_place(stack),
        repositories=_repositories(stack, containers) if answer and not answer.api else None,
        used_bytes=used,
        garbage_bytes=content.garbage,
        free_bytes=free,
        services=tuple(_service(stack, container) for container in containers),
        upkeep=_upkeep(stack),
        sign_in=_sign_in(stack),
        encryption=_encryption(stack),
        content=content.findings,
        unreadable=content.unreadable,
        problems=(
            *_elsewhere(containers, settings.port),
            *_problems(containers, answer, free),
            *((content.unreadable.sentence,) if content.unreadable else ()),
            *_certificate(stack),
            *_page(settings, version),
        ),
    )


def follow_logs(stack: Stack, services: tuple[str, ...], *, follow: bool, tail: str, since: str) -> None:
    """Let Compose print the services' logs. Raises UsageError for an unknown service, NotFound for none."""
    preflight.check_engine(stack.engine)
    if tail and not (tail.isdecimal() or tail == "all"):
        raise UsageError(f"--tail takes a number of lines, not '{tail}'.")
    if since and not _SINCE.fullmatch(since):
        raise UsageError(
            f"--since takes a length of time such as 10m or 1h30m, or a moment such as 2026-01-31, not '{since}'."
        )
    known = [container.service for container in stack.engine.containers.of_project(stack.deployment.name)]
    if not known or not stack.deployment.compose_file.exists():
        raise NotFound(f"There is no deployment named '{stack.deployment.name}' here.", ("deployer up",))
    for service in services:
        if service not in known:
            raise UsageError(f"There is no service '{service}'.", tuple(f"deployer logs {one}" for one in known))
    stack.engine.compose.follow_logs(stack.project(), services, follow=follow, tail=tail, since=since)


def _service(stack: Stack, container: ServiceContainer) -> ServiceStatus:
    image = stack.engine.images.find(container.image_id)
    return ServiceStatus(
        service=container.service,
        container=container.name,
        state=container.state,
        health=container.health,
        restart_policy=container.restart_policy,
        image=container.image,
        image_bytes=image.size if image else None,
    )


def _version(stack: Stack, registry: ServiceContainer) -> str:
    try:
        printed = stack.engine.containers.execute(registry.id, "registry", "--version")
    except DeployerError:
        return ""
    number = re.search(r"\bv?(\d+\.\d+[\w.+~-]*)", printed)
    return f"distribution {number[1]}" if number else printed.strip()


def _storage(stack: Stack, registry: ServiceContainer) -> tuple[int | None, int | None]:
    """Bytes that pushed images use, and bytes free on their disk, as the registry's container sees them."""
    try:
        used = stack.engine.containers.execute(registry.id, "du", "-sk", STORAGE).split()[0]
        free = stack.engine.containers.execute(registry.id, "df", "-Pk", STORAGE).splitlines()[-1].split()[3]
        return int(used) * 1024, int(free) * 1024
    except (DeployerError, ValueError, IndexError):
        return None, None


@dataclass(frozen=True)
class _Content:
    """What the storage holds: the bytes that a collection would free, None where it cannot be read."""

    garbage: int | None = None
    findings: tuple[Finding, ...] = ()
    unreadable: Finding | None = None


def _content(stack: Stack, registry: ServiceContainer) -> _Content:
    try:
        found = survey(Storage(stack.engine, registry.id), Manifests(), no_images)
    except StorageUnreadable as error:
        return _Content(unreadable=Finding.of(error))
    except StorageError as error:
        return _Content(findings=(Finding.of(error),))
    except DeployerError:
        return _Content()
    return _Content(found.freed, tuple(storage_findings.of_survey(found)))


def _sign_in(stack: Stack) -> str:
    """Who gets in, in a line."""
    try:
        accounts = sign_in.accounts_of(stack.deployment)
    except DeployerError as error:
        return str(error)
    exposed = sign_in.exposure(stack.settings, accounts)
    if not accounts:
        return exposed or "none, and none needed: only this machine reaches it"
    # Those in force, whatever the settings say that are read here.
    rules = len((read_if_there(stack.deployment.directory / GRANTS) or b"").splitlines())
    told = f"{_counted(len(accounts), 'user')}, {_counted(rules, 'rule') if rules else 'who may do everything'}"
    return f"{told}. {exposed}" if exposed else told


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _encryption(stack: Stack) -> str:
    tls = stack.settings.tls
    if tls.mode == "internal":
        fingerprint = authority.fingerprint(stack.deployment)
        return f"TLS, by the CA with SHA-256 {fingerprint}" if fingerprint else "TLS, once it is up"
    if tls.is_own:
        return f"TLS, with the certificate {tls.certificate}{_until(stack)}"
    return "TLS, with a certificate fetched by ACME" if tls.is_on else "none"


def _until(stack: Stack) -> str:
    """Until when the deployed certificate of the user's own is valid."""
    content = read_if_there(stack.deployment.directory / "frontend/tls/certificate.pem")
    if not content:
        return ""
    from deployer.tls.certificate import describe

    ends = describe(content).not_after
    return f", {'expired on' if ends < stack.now() else 'until'} {ends:%Y-%m-%d}"


def _upkeep(stack: Stack) -> str:
    held = Gate.of(stack.deployment).held()
    return f"paused since {held.since:%Y-%m-%d %H:%M:%S} UTC by {held}" if held else ""


def _repositories(stack: Stack, containers: tuple[ServiceContainer, ...]) -> int | None:
    """How many there are, asked where no sign-in is wanted: inside the frontend's container."""
    frontend = of_service(containers, Service.FRONTEND)
    if frontend is None:
        return None
    try:
        return len(
            json.loads(stack.engine.containers.execute(frontend.id, "wget", "-q", "-O", "-", _CATALOGUE))[
                "repositories"
            ]
        )
    except (DeployerError, ValueError, KeyError, TypeError):
        return None


def _place(stack: Stack) -> str:
    """Where the deployed registry keeps its images, whatever the settings say by now."""
    deployed = files.deployed_storage(stack.deployment)
    wanted = str(stack.settings.registry.data_directory or "data")
    return f"volume {stack.data_volume}" if (deployed or wanted) == "data" else str(deployed or wanted)


def _publishes(containers: tuple[ServiceContainer, ...], port: int) -> bool:
    """Whether what answers on a port is this deployment, and no other registry."""
    return any(port in container.ports for container in containers if container.is_running)


def _elsewhere(containers: tuple[ServiceContainer, ...], port: int) -> tuple[str, ...]:
    """Whether the deployment was brought up with another port than the settings say."""
    published = sorted({found for container in containers for found in container.ports})
    if not published or port in published:
        return ()
    return (f"It was brought up on port {published[0]}, and the settings say {port}: `deployer up` moves it.",)


def _certificate(stack: Stack) -> tuple[str, ...]:
    """What clients will have against the user's own certificate."""
    try:
        preflight.check_certificate(stack.settings, stack.now())
    except DeployerError as error:
        return (error.message,)
    return ()


def _page(settings: Settings, version: str) -> tuple[str, ...]:
    """Whether the page reads what the registry answers, whose image's name may have told nothing of it."""
    if settings.frontend.page != "kwk" or not version.startswith("distribution 3"):
        return ()
    return (f"The page kwk shows no image's details: it needs registry 2.8, and this is {version}.",)


def _problems(
    containers: tuple[ServiceContainer, ...], answer: readiness.Answer | None, free: int | None
) -> tuple[str, ...]:
    if not containers:
        return ("It is not running.",)
    found = [
        f"The service {container.service} is {container.health if container.is_running else container.state}."
        for container in containers
        if not (container.is_running or container.has_finished) or container.health is Health.UNHEALTHY
    ]
    found += [
        f"The service {container.service} does not come back after a reboot "
        f"(restart policy: {container.restart_policy})."
        for container in containers
        if container.service in set(Service) and container.restart_policy not in {"always", "unless-stopped"}
    ]
    if answer is not None and readiness.is_unpublished(answer, containers):
        found.append(readiness.UNPUBLISHED)
    elif answer is not None:
        found += [complaint[:1].upper() + complaint[1:] + "." for complaint in (answer.api, answer.page) if complaint]
    if free is not None and free < preflight.LEAST_FREE_BYTES:
        found.append(DISK_FULL)
    return tuple(found)
