"""What is in the way of `up`, found before anything is changed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine.values import ContainerState, of_service
from deployer.errors import EngineError, EngineUnavailable, ImagesDiskFull, PreflightError
from deployer.host import ports
from deployer.host.files import nearest_directory
from deployer.layout import Service
from deployer.record import ResourceKind
from deployer.settings.values.reserve import LEAST_FREE_BYTES

if TYPE_CHECKING:
    from datetime import datetime

    from deployer.engine.engine import Engine
    from deployer.engine.values import EngineFacts, ServiceContainer
    from deployer.paths import Deployment
    from deployer.record import Resource
    from deployer.settings.model import Settings

OLDEST_ENGINE = (20, 10)
# docker/compose: `up --pull`, without which it would pull the images by itself, came with 2.8.
OLDEST_COMPOSE = (2, 8)
_COLLECT = "deployer gc   (frees the space of deleted images)"


def check_engine(engine: Engine) -> EngineFacts:
    """Make sure of an engine and a Compose that are new enough, on this machine; return what the engine says of itself.

    Raises EngineUnavailable or PreflightError.
    """
    facts = engine.system.describe()
    # Asked for only if the client does not report it: each question is a process, and every `up` waits for it.
    compose = facts.compose_version or _compose_version(engine)
    # One that was built by hand may have no number ("dev"); then a missing feature fails when it is used.
    if () < _numbers(facts.version) < OLDEST_ENGINE:
        raise EngineUnavailable(
            f"The Docker engine is version {facts.version}; "
            f"deployer needs {'.'.join(map(str, OLDEST_ENGINE))} or newer.",
            ("Update Docker Engine on this machine.",),
        )
    if () < _numbers(compose) < OLDEST_COMPOSE:
        raise EngineUnavailable(
            f"Docker Compose is version {compose}; deployer needs {'.'.join(map(str, OLDEST_COMPOSE))} or newer.",
            ("Install or update the package docker-compose-plugin, docker-compose-v2 or docker-compose.",),
        )
    _refuse_elsewhere(facts.endpoint)
    return facts


def _compose_version(engine: Engine) -> str:
    try:
        return engine.compose.version()
    except EngineUnavailable:
        raise
    except EngineError as error:
        reason = (error.original or "it gave no reason").strip().splitlines()[-1].rstrip(".")
        raise EngineUnavailable(
            f"Docker's Compose plugin cannot be run: {reason}.",
            (
                "docker compose version   (to try it by hand)",
                "Install the package docker-compose-plugin, docker-compose-v2 or docker-compose again.",
            ),
            error.original,
        ) from error


def check_here(engine: Engine) -> None:
    """Make sure that the engine is this machine's: one elsewhere may have a deployment of the same name.

    Raises PreflightError or EngineError.
    """
    _refuse_elsewhere(engine.system.endpoint())


def _refuse_elsewhere(endpoint: str) -> None:
    if not re.match(r"(unix|npipe):|tcp://(127\.|localhost|\[::1\])", endpoint):
        raise PreflightError(
            f"The Docker engine is on another machine ({endpoint}) and cannot read the files that deployer writes "
            "on this one.",
            (
                "Run deployer on that machine.",
                "Or use this machine's engine: unset DOCKER_HOST DOCKER_CONTEXT; docker context use default",
            ),
        )


def check_paused(containers: tuple[ServiceContainer, ...]) -> None:
    """Make sure that no container is paused, which Compose does not start. Raises PreflightError."""
    names = [container.name for container in containers if container.state is ContainerState.PAUSED]
    if names:
        what = f"The container {names[0]} is" if len(names) == 1 else f"The containers {', '.join(names)} are"
        raise PreflightError(f"{what} paused.", (f"docker unpause {' '.join(names)}",))


def check_port(settings: Settings, engine: Engine, command: str = "deployer up") -> None:
    """Make sure that the ports can be published, unless this deployment has them already.

    `command` is the one to be run with another port. Raises PreflightError.
    """
    addresses = settings.bind_addresses or ("",)
    for address in addresses:
        if address and not ports.is_own_address(address):
            raise PreflightError(
                f"This machine has no address {address}, so nothing can listen there.",
                ("Set `bind` (and `host`) to an address of this machine, or set `bind` to auto.",),
            )
        for port in (settings.port, *settings.acme_ports):
            if not ports.is_free(address, port):
                _refuse_foreign(port, settings, engine, command)


def _refuse_foreign(port: int, settings: Settings, engine: Engine, command: str) -> None:
    owners = engine.containers.publishing(port)
    if any(owner.project == settings.name for owner in owners):
        return
    holder = f"the container {owners[0].name}" if owners else ports.listener(port) or "another program"
    if port != settings.port:
        raise PreflightError(
            f"Port {port} is already in use by {holder}, but an ACME server needs it to check that you own "
            f"{settings.host}.",
            (f"{command} --port 443   (ACME works there too; or stop what uses the port)",),
        )
    free = ports.free_near(port, settings.bind_addresses or ("",))
    raise PreflightError(
        f"Port {port} is already in use by {holder}.",
        (f"{command} --port {free}   (or any free port; or stop what uses it)",),
    )


def check_certificate(settings: Settings, now: datetime) -> tuple[str, ...]:
    """Make sure that clients will accept a certificate of the user's own; what should be told about it.

    Raises ConfigurationError or HostError.
    """
    tls = settings.tls
    if not tls.is_own:
        return ()
    from deployer.tls.own_certificate import check_own

    return check_own(Path(tls.certificate), Path(tls.key), settings.host, now).warnings


def free_space(containers: tuple[ServiceContainer, ...], *, is_deployed: bool) -> tuple[str, ...]:
    """How to have free space on a full disk again: `gc` needs the registry's container, running or not."""
    if of_service(containers, Service.REGISTRY) is not None:
        return (_COLLECT,)
    if not is_deployed:
        return ()
    least = LEAST_FREE_BYTES // 2**20
    return (
        f"Free at least {least} MiB there in some other way, such as by temporarily moving files to another disk.",
        f"Then: deployer up; {_COLLECT}",
    )


def folder_of_images(settings: Settings, facts: EngineFacts, storage: Resource | None) -> Path:
    """A folder on the disk with the images, which are in `storage`, or where the settings say if that is not known."""
    if storage and storage.kind is ResourceKind.DIRECTORY:
        return Path(storage.name)
    own = None if storage else settings.registry.data_directory
    return own or Path(facts.data_directory)


_IMAGES = "pushed images"


def check_disk(
    settings: Settings,
    facts: EngineFacts,
    deployment: Deployment,
    storage: Resource | None,
    containers: tuple[ServiceContainer, ...],
) -> None:
    """Make sure of room on the disks to be written, with `storage` as `folder_of_images`. Raises PreflightError."""
    where = {"deployer's files": deployment.directory, _IMAGES: folder_of_images(settings, facts, storage)}
    for purpose, folder in where.items():
        existing = nearest_directory(folder)
        usage = shutil.disk_usage(existing)
        free = usage.free
        # A file system that is no disk, such as /proc, has no size; a failed write is reported when it happens.
        if usage.total and free < LEAST_FREE_BYTES:
            of_images = nearest_directory(where[_IMAGES]).stat().st_dev == existing.stat().st_dev
            raise (ImagesDiskFull if of_images else PreflightError)(
                f"The disk for {purpose} is full: {existing} has {free // 2**20} MiB left, but at least "
                f"{LEAST_FREE_BYTES // 2**20} MiB is required.",
                (
                    f"df -h {shlex.quote(str(existing))}   (free some space there)",
                    *free_space(containers, is_deployed=deployment.is_there),
                ),
            )


def check_data_directory(folder: Path) -> None:
    """Make sure that the directory for pushed images is there or can be made. Raises PreflightError."""
    existing = next((one for one in (folder, *folder.parents) if os.path.lexists(one)), folder)
    if not existing.is_dir():
        raise _cannot_make(folder, f"{existing} is not a directory" if existing != folder else "it is not a directory")


def _cannot_make(folder: Path, reason: str) -> PreflightError:
    return PreflightError(
        f"Cannot create the directory for pushed images, {folder}: {reason}.",
        ("Set registry.data to a directory that you can write to.",),
    )


def make_data_directory(folder: Path) -> None:
    """Make the directory for pushed images, and make sure that it can be written. Raises PreflightError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        read_only = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError as error:
        raise _cannot_make(folder, str(error.strerror)) from error
    if read_only:
        raise PreflightError(
            f"The directory for pushed images, {folder}, is on a disk that is mounted read-only.",
            ("Set registry.data to another directory.",),
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
