"""What the engine reports and accepts, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from deployer.host.daemon.kind import EngineKind
    from deployer.layout import Service

# What Compose labels its containers, volumes and networks with.
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True)
class EngineFacts:
    """What an engine says of itself.

    With `user_namespaces`, root in a container is another user of the machine (`userns-remap`), unless
    the container asks for the machine's own. `runtime` is what runs containers that name none. `proxies` are
    the variables that name its proxies, with a login to them masked. `compose_version` is the client's Compose
    plugin's, such as "2.40.3", "" if the client does not report it. `id` distinguishes it from every other engine, as
    long as it keeps its data directory; "" if it has none.
    """

    version: str
    operating_system: str
    kind: EngineKind
    endpoint: str
    data_directory: str
    user_namespaces: bool = False
    runtime: str = "runc"
    proxies: Mapping[str, str] = field(default_factory=dict)
    compose_version: str = ""
    id: str = ""


@dataclass(frozen=True)
class InsecureRegistries:
    """The registries that the running engine accepts without verified TLS."""

    cidrs: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class LocalImage:
    """An image that the engine holds. `size` in bytes."""

    id: str
    size: int


class ContainerState(StrEnum):
    """What Docker says of a container (moby, container/state.go)."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"
    UNKNOWN = "in an unknown state"

    @classmethod
    def _missing_(cls, _value: object) -> ContainerState:
        # Another engine's own word.
        return cls.UNKNOWN


class Health(StrEnum):
    """What Docker's health check says; NONE if a container has none."""

    NONE = ""
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"

    @classmethod
    def _missing_(cls, _value: object) -> Health:
        return cls.NONE


@dataclass(frozen=True)
class ServiceContainer:
    """A container that Compose made for a service.

    `started` is when it was last started, `directory` the project's folder, and `ports` are those of
    this machine that it is to publish; `is_published` even if the engine chooses one.
    `user_namespace` is "host" where root in it is root of the machine whatever the engine's default.
    `network` is the network that it was made for, "" for one of the engine's own or another container's, and
    `networks` are the names of those that it is in, with the ID of each. `volumes` are the places in it where volumes
    are mounted, with the name of each. `environment` are its variables, also those of its image; some are secret.
    """

    id: str
    name: str
    service: str
    state: ContainerState
    started: datetime
    health: Health
    exit_code: int
    restart_policy: str
    image: str
    image_id: str
    config_hash: str
    directory: str
    ports: tuple[int, ...]
    is_published: bool = False
    user_namespace: str = ""
    network: str = ""
    networks: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_disconnected(self) -> bool:
        """Whether it is not in the network that it was made for, so that no port of it is published."""
        return self.network != "" and self.network not in self.networks

    @property
    def is_running(self) -> bool:
        """Whether its programs run; a paused one's do not."""
        return self.state is ContainerState.RUNNING

    @property
    def has_finished(self) -> bool:
        """Whether it ran to its end, as a task of the user's own is to."""
        return (
            self.state is ContainerState.EXITED and self.exit_code == 0 and self.restart_policy in {"no", "on-failure"}
        )

    @classmethod
    def of(cls, raw: dict[str, Any]) -> ServiceContainer:
        """Read what the engine reports about a container."""
        labels = raw["Config"]["Labels"] or {}
        state = raw["State"]
        return cls(
            id=raw["Id"],
            name=raw["Name"].lstrip("/"),
            service=labels.get(SERVICE_LABEL, ""),
            state=ContainerState(state["Status"]),
            started=datetime.fromisoformat(state["StartedAt"]),
            health=Health((state.get("Health") or {}).get("Status", "")),
            exit_code=state["ExitCode"],
            restart_policy=raw["HostConfig"]["RestartPolicy"]["Name"] or "no",
            image=raw["Config"]["Image"],
            image_id=raw["Image"],
            config_hash=labels.get("com.docker.compose.config-hash", ""),
            directory=labels.get(f"{PROJECT_LABEL}.working_dir", ""),
            ports=tuple(
                sorted(
                    _published(raw["HostConfig"].get("PortBindings"))
                    | _published((raw.get("NetworkSettings") or {}).get("Ports"))
                )
            ),
            is_published=raw["HostConfig"].get("NetworkMode") == "host" or bool(raw["HostConfig"].get("PortBindings")),
            user_namespace=raw["HostConfig"].get("UsernsMode") or "",
            network=_made_network(raw["HostConfig"].get("NetworkMode") or ""),
            networks={
                name: str((endpoint or {}).get("NetworkID") or "")
                for name, endpoint in ((raw.get("NetworkSettings") or {}).get("Networks") or {}).items()
            },
            volumes={one["Destination"]: one["Name"] for one in raw.get("Mounts") or () if one["Type"] == "volume"},
            environment=dict(one.partition("=")[::2] for one in raw["Config"].get("Env") or ()),
        )


def _made_network(mode: str) -> str:
    """The network that a network mode names, "" for one of the engine's own, or another container's."""
    return "" if mode in {"default", "bridge", "host", "none", "nat"} or ":" in mode else mode


def _published(ports: dict[str, list[dict[str, str]] | None] | None) -> set[int]:
    """The ports of this machine in one of the engine's tables, which has null for a port that is only exposed.

    Where it is to choose, as with "127.0.0.1:5640-5645:5001", it has a range or nothing among the options, and its
    choice among the state of a running container.
    """
    bindings = (binding for each in (ports or {}).values() for binding in each or ())
    return {int(binding["HostPort"]) for binding in bindings if (binding.get("HostPort") or "").isdecimal()} - {0}


def by_service(found: Iterable[dict[str, Any]]) -> tuple[ServiceContainer, ...]:
    """Read what the engine reports about containers, ordered by service."""
    return tuple(sorted(map(ServiceContainer.of, found), key=lambda container: container.service))


def of_service(containers: Iterable[ServiceContainer], service: Service) -> ServiceContainer | None:
    """The container of a service, running or not; None if there is none."""
    return next((container for container in containers if container.service == service), None)


def running(containers: Iterable[ServiceContainer], service: Service) -> ServiceContainer | None:
    """The running container of a service; None if none runs."""
    return of_service((container for container in containers if container.is_running), service)


@dataclass(frozen=True)
class Publisher:
    """A running container that has published a port."""

    name: str
    project: str


@dataclass(frozen=True)
class Transferred:
    """What Docker says at the end of a push or pull. `size` is the manifest's, in bytes; a pull says none."""

    digest: str
    size: int | None


@dataclass(frozen=True)
class Project:
    """A Compose project: its name, its folder, and the files in it, the later over the earlier."""

    name: str
    directory: Path
    files: tuple[Path, ...]


@dataclass(frozen=True)
class HostMount:
    """A folder, or a socket, of the engine's machine in a container."""

    source: Path
    target: str
    is_read_only: bool = False


@dataclass(frozen=True)
class Rehearsal:
    """A container that tries an image: it has a folder of this machine, to read, and empty places to write to."""

    name: str
    label: str
    image: str
    folder: Path
    target: str
    scratch: tuple[str, ...]
    command: tuple[str, ...]
    user_namespace: str = ""


@dataclass(frozen=True)
class HelperContainer:
    """Our own container that works on a registry's storage.

    It has the volumes of the container `beside`, "" for none, and folders of this machine at `mounts`; it
    runs `script` with `arguments` in a shell. By its label it is found again. `user_namespace` is to be that of the
    container `beside`, so that it may read the same files. `network` is "none", or the engine's network that it uses.
    Where it `reads_anywhere`, SELinux does not keep it from folders with other labels.
    """

    name: str
    label: str
    image: str
    beside: str
    mounts: tuple[HostMount, ...]
    script: str
    arguments: tuple[str, ...]
    user_namespace: str = ""
    network: str = "none"
    hostname: str = ""
    reads_anywhere: bool = False
