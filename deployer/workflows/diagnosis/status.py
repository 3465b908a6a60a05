"""How a deployment is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deployer.engine.values import of_service, running
from deployer.errors import DeployerError, StorageError, StorageUnreadable
from deployer.host.files import read_if_there
from deployer.layout import GRANTS, OWN_CERTIFICATE, STORAGE, STORAGE_ID, Service
from deployer.record import Owned, Record, Release, ResourceKind
from deployer.reference import is_repository
from deployer.rendering.snippets import storage_script
from deployer.storage.access import Storage
from deployer.workflows.backup import record
from deployer.workflows.checks import (
    disk_room,
    problems,
    readiness,
    served_certificate,
    service_environment,
    storage_id,
)
from deployer.workflows.deployment import access, ca, files
from deployer.workflows.drill import findings as drills
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.restore.deployment import unfinished_restore
from deployer.workflows.schedule.state import ScheduleState, look
from deployer.workflows.upkeep import last_check
from deployer.workflows.upkeep.gate import Gate
from deployer.workflows.upkeep.last_check import LastCheck
from deployer.workflows.upkeep.survey import storage_findings
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from deployer.workflows.users import lost_users

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from deployer.engine.values import LocalImage, ServiceContainer
    from deployer.record import PinnedImage
    from deployer.settings.model import TlsMode
    from deployer.workflows.backup.record import LastBackup
    from deployer.workflows.checks.disk_room import DiskRoom
    from deployer.workflows.deployment.stack import Stack

_CATALOGUE = "http://127.0.0.1:2020/v2/_catalog?n=1000000"


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is. `image_bytes` None if the image is gone.

    `image` is the name that asked for the image, `image_id` its ID, and `image_digest` that of the registry that it was
    pulled from, None for one that was made here. `is_pinned`: `up` keeps it, whatever its name leads to.
    """

    service: str
    container: str
    state: str
    health: str
    restart_policy: str
    image: str
    image_bytes: int | None
    image_id: str = ""
    image_digest: str | None = None
    is_pinned: bool = False


@dataclass(frozen=True)
class Login:
    """Who has access: how many users there are, how many rules are in effect, and what others can do ("": nothing).

    Where the users cannot be read, or are lost, `problem` says so.
    """

    users: int = 0
    rules: int = 0
    exposure: str = ""
    problem: Finding | None = None


@dataclass(frozen=True)
class Encryption:
    """TLS on the port. `authority_sha256` is the fingerprint of the registry's own CA, "" before it is made.

    `certificate` is the user's own, with the end of its validity where it is deployed.
    """

    mode: TlsMode
    authority_sha256: str = ""
    certificate: str = ""
    ends: datetime | None = None
    has_ended: bool = False


@dataclass(frozen=True)
class WritesPaused:
    """Since when writes are paused, in UTC, and by which command."""

    since: datetime
    by: str


@dataclass(frozen=True)
class Status:
    """A deployment as it is; None or "" if something cannot be known. Sizes in bytes.

    `garbage_bytes` is what a collection would free, and `unfinished_upload_bytes` what interrupted pushes hold beside
    it; `upkeep` is what pauses writes, None for nothing.
    `problems` keep it from being ready; the one of a storage that cannot be read is `unreadable` too.
    `content` is what is wrong with what it holds: the rest is served all the same. `remarks` are of what the user set,
    and of drills of the backups. `backups` are the last ones at each target, the newest last. `disk` is that of the
    images, as the guard sees it; `last_check` is that of the content. `schedule` is what is scheduled.
    """

    name: str
    address: str
    page: str
    version: str
    data: str
    repositories: int | None
    used_bytes: int | None
    garbage_bytes: int | None
    unfinished_upload_bytes: int | None
    free_bytes: int | None
    services: tuple[ServiceStatus, ...]
    problems: tuple[Finding, ...]
    upkeep: WritesPaused | None
    sign_in: Login
    encryption: Encryption
    content: tuple[Finding, ...] = ()
    unreadable: Finding | None = None
    remarks: tuple[Finding, ...] = ()
    backups: tuple[LastBackup, ...] = ()
    disk: DiskRoom | None = None
    last_check: LastCheck = field(default_factory=LastCheck)
    schedule: ScheduleState = ScheduleState()

    @property
    def is_healthy(self) -> bool:
        """Whether the registry serves as it should."""
        return bool(self.services) and not self.problems


def read(stack: Stack) -> Status:
    """Look at a deployment. Raises EngineError if no engine answers."""
    settings = stack.settings
    containers = stack.containers()
    registry = running(containers, Service.REGISTRY)
    inside = _look_inside(stack, registry) if registry else _Inside()
    is_hidden = service_environment.hides_storage(containers)
    if is_hidden:
        inside = replace(inside, used=None, free=None)
    content = _content(stack, registry) if registry and not is_hidden else _Content()
    overridden = service_environment.findings(service_environment.of_containers(containers), stack.deployment)
    certificate = served_certificate.findings(settings, stack.deployment, stack.now()) if containers else ()
    new_ca = tuple(_ca_findings(stack, containers))
    publishes = _publishes(containers, settings.port)
    # What is paused takes a connection and never answers.
    asks = publishes and not problems.paused(containers)
    answer = readiness.probe(settings, stack.engine, stack.deployment.name) if asks else None
    frontend = None if is_hidden else running(containers, Service.FRONTEND)
    room = disk_room.look(stack.engine, frontend.id, stack.now()) if frontend else None
    disk = disk_room.findings(room)
    return Status(
        name=settings.name,
        address=settings.address,
        page=settings.page_url,
        version=inside.version,
        data="" if is_hidden else _place(stack),
        repositories=_repositories(stack, containers) if answer and answer.api.is_ready else None,
        used_bytes=inside.used,
        garbage_bytes=content.garbage,
        unfinished_upload_bytes=content.unfinished_uploads,
        free_bytes=inside.free,
        services=_services(stack, containers),
        upkeep=_upkeep(stack),
        sign_in=_login(stack, containers),
        encryption=_encryption(stack),
        content=content.findings,
        unreadable=content.unreadable,
        remarks=(
            *_with_state((*overridden, *certificate, *disk), FindingState.NOTE),
            *drills.findings(stack.deployment, stack.now()),
        ),
        backups=record.read(stack.deployment),
        disk=room,
        last_check=last_check.read(stack.deployment),
        schedule=look(settings, stack.deployment, stack.now()),
        problems=(
            *unfinished_restore(stack.deployment),
            *_with_state(overridden, FindingState.WRONG),
            *problems.on_other_port(containers, settings.port),
            *(problems.for_other_host(Record.read(stack.deployment.record_file), settings) if containers else ()),
            *storage_id.findings(Owned.read(stack.deployment.owned_file), inside.storage_id),
            *problems.without_container(containers),
            *problems.of_containers(containers, answer, None if room and room.limit else inside.free),
            *_with_state(disk, FindingState.WRONG),
            *((content.unreadable,) if content.unreadable else ()),
            *_with_state(certificate, FindingState.WRONG),
            *new_ca,
            *problems.of_page(settings, inside.version),
        ),
    )


def _with_state(findings: Iterable[Finding], state: FindingState) -> tuple[Finding, ...]:
    return tuple(one for one in findings if one.state is state)


def _services(stack: Stack, containers: Sequence[ServiceContainer]) -> tuple[ServiceStatus, ...]:
    images = stack.engine.images.find_all(container.image_id for container in containers)
    release = Release.read(stack.deployment.release_file) or Release()
    return tuple(
        _service(container, images[container.image_id], _pin(release, container.service)) for container in containers
    )


def _pin(release: Release, service: str) -> PinnedImage | None:
    """The image of a service that `up` keeps. The scheduler has the registry's, also if it came after the last `up`."""
    return release.image_of(Service.REGISTRY if service == Service.SCHEDULER else service)


def _service(container: ServiceContainer, image: LocalImage | None, pin: PinnedImage | None) -> ServiceStatus:
    is_pinned = pin is not None and pin.id == container.image_id
    return ServiceStatus(
        service=container.service,
        container=container.name,
        state=container.state,
        health=container.health,
        restart_policy=container.restart_policy,
        image=pin.name if pin is not None and is_pinned else container.image,
        image_bytes=image.size if image else None,
        image_id=container.image_id,
        image_digest=(pin.digest or None) if pin is not None and is_pinned else None,
        is_pinned=is_pinned,
    )


@dataclass(frozen=True)
class _Inside:
    """What the registry's container tells: its version, the bytes of pushed images, and those free on their disk.

    `storage_id` is that of the directory of the images, "" for none; None if it cannot be known.
    """

    version: str = ""
    used: int | None = None
    free: int | None = None
    storage_id: str | None = None


def _look_inside(stack: Stack, registry: ServiceContainer) -> _Inside:
    """Ask all of it at once: each question is a program that the engine starts in the container."""
    try:
        arguments = (STORAGE, f"{STORAGE}/{STORAGE_ID}")
        printed = stack.engine.containers.run_script(registry.id, storage_script("status"), *arguments).decode()
        used, free, own_id, *version = (line.strip() for line in printed.splitlines())
    except (DeployerError, ValueError):
        return _Inside()
    number = re.search(r"\bv?(\d+\.\d+[\w.+~-]*)", " ".join(version))
    told = f"distribution {number[1]}" if number else " ".join(version)
    if not (used.isdecimal() and free.isdecimal()):
        return _Inside(told, storage_id=own_id)
    return _Inside(told, int(used) * 1024, int(free) * 1024, own_id)


@dataclass(frozen=True)
class _Content:
    """What the storage holds: the bytes that a collection would free, and those of uploads of interrupted pushes.

    None if it cannot be read.
    """

    garbage: int | None = None
    unfinished_uploads: int | None = None
    findings: tuple[Finding, ...] = ()
    unreadable: Finding | None = None


def _content(stack: Stack, registry: ServiceContainer) -> _Content:
    try:
        found = survey(Storage(stack.engine, registry.id), Manifests(), unreferenced_only)
    except StorageUnreadable as error:
        return _Content(unreadable=Finding.of(error))
    except StorageError as error:
        return _Content(findings=(Finding.of(error),))
    except DeployerError:
        return _Content()
    has_backups = bool(record.read(stack.deployment))
    findings = tuple(storage_findings.of_survey(found, has_backups=has_backups))
    known = last_check.read(stack.deployment).findings(found.snapshot, findings)
    return _Content(found.freed, found.uploads.idle_bytes, (*findings, *known))


def _login(stack: Stack, containers: tuple[ServiceContainer, ...]) -> Login:
    try:
        accounts = access.accounts_of(stack.deployment)
        lost = lost_users.find(stack, accounts, containers)
    except DeployerError as error:
        return Login(problem=Finding.of(error))
    if lost:
        return Login(problem=lost)
    # Those in effect, whatever the settings here say.
    rules = len((read_if_there(stack.deployment.directory / GRANTS) or b"").splitlines())
    return Login(len(accounts), rules, access.exposure(stack.settings, accounts))


def _encryption(stack: Stack) -> Encryption:
    tls = stack.settings.tls
    if tls.is_internal:
        return Encryption(tls.mode, authority_sha256=ca.fingerprint(stack.deployment))
    if not tls.is_own:
        return Encryption(tls.mode)
    ends = _end_of_certificate(stack)
    has_ended = ends is not None and ends < stack.now()
    return Encryption(tls.mode, certificate=tls.certificate, ends=ends, has_ended=has_ended)


def _ca_findings(stack: Stack, containers: Sequence[ServiceContainer]) -> Iterator[Finding]:
    if stack.settings.tls.is_internal:
        yield from ca.findings(stack.engine, stack.deployment, running(containers, Service.FRONTEND))


def _end_of_certificate(stack: Stack) -> datetime | None:
    """Until when the deployed certificate of the user's own is valid."""
    content = read_if_there(stack.deployment.directory / OWN_CERTIFICATE)
    if not content:
        return None
    from deployer.tls.certificate import describe

    return describe(content).not_after


def _upkeep(stack: Stack) -> WritesPaused | None:
    holder = Gate.of(stack.deployment).holder()
    return WritesPaused(holder.since, str(holder)) if holder else None


def _repositories(stack: Stack, containers: tuple[ServiceContainer, ...]) -> int | None:
    """How many there are, asked where no login is required: inside the frontend's container."""
    frontend = of_service(containers, Service.FRONTEND)
    if frontend is None:
        return None
    try:
        answer = json.loads(stack.engine.containers.execute(frontend.id, "wget", "-q", "-O", "-", _CATALOGUE))
        # The registry lists whatever folders there are; the page shows those that can be asked for.
        return sum(map(is_repository, answer["repositories"]))
    except (DeployerError, ValueError, KeyError, TypeError):
        return None


def _place(stack: Stack) -> str:
    """Where the deployed registry keeps its images, whatever the settings say by now and an override says of them."""
    owned = Owned.read(stack.deployment.owned_file)
    if owned and owned.storage:
        return owned.storage.name if owned.storage.kind is ResourceKind.DIRECTORY else str(owned.storage)
    deployed = files.deployed_storage(stack.deployment)
    wanted = str(stack.settings.registry.data_directory or "data")
    return f"volume {stack.data_volume}" if (deployed or wanted) == "data" else str(deployed or wanted)


def _publishes(containers: tuple[ServiceContainer, ...], port: int) -> bool:
    """Whether what answers on a port is this deployment, and no other registry."""
    return any(port in container.ports for container in containers if container.is_running)
