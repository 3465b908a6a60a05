"""What an engine has of containers, volumes and networks, anyone who made them, and what a project's files ask for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.engine.containers import HELPER_LABEL
from deployer.engine.values import PROJECT_LABEL, SERVICE_LABEL, ServiceContainer, by_service
from deployer.record import Resource, ResourceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deployer.engine.engine import Engine
    from deployer.engine.values import Project

# The engine gives a volume without a name 32 random bytes as one.
_ANONYMOUS = re.compile("[0-9a-f]{64}")


def _texts(found: Mapping[str, object] | None) -> dict[str, str]:
    """Labels or options, as the engine and Compose give them: null for none, and numbers unquoted."""
    return {name: str(value) for name, value in (found or {}).items()}


@dataclass(frozen=True)
class Container:
    """A container, running or not. `project` and `directory` are those of its Compose project, "" for none.

    `folders` are those of this machine that it may write to; `helper_of` is the folder of the
    deployment whose helper it is; `places` are its volumes, each with where it is mounted. `writable` are the
    mounts that it may write to, as the engine reports them.
    """

    id: str
    name: str
    service: str
    project: str
    directory: str
    helper_of: str
    volumes: frozenset[str]
    folders: frozenset[str]
    networks: frozenset[str]
    places: frozenset[tuple[str, str]] = frozenset()
    writable: tuple[Mapping[str, Any], ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Container:
        """Read what the engine reports about a container."""
        labels = _texts(raw["Config"]["Labels"])
        mounts = raw.get("Mounts") or ()
        places = [(mount["Name"], mount["Destination"]) for mount in mounts if mount["Type"] == "volume"]
        return cls(
            id=raw["Id"],
            name=raw["Name"].lstrip("/"),
            service=labels.get(SERVICE_LABEL, ""),
            project=labels.get(PROJECT_LABEL, ""),
            directory=labels.get(f"{PROJECT_LABEL}.working_dir", ""),
            helper_of=labels.get(HELPER_LABEL, ""),
            volumes=frozenset(name for name, _ in places),
            folders=frozenset(
                os.path.realpath(mount["Source"]) for mount in mounts if mount["Type"] == "bind" and mount["RW"]
            ),
            networks=frozenset((raw.get("NetworkSettings") or {}).get("Networks") or ()),
            places=frozenset(places),
            writable=tuple(mount for mount in mounts if mount["RW"]),
        )


@dataclass(frozen=True)
class Volume:
    """A volume. `project` is the Compose project that made it, "" for none; `options` are its driver's.

    `folder` is where the engine's machine has its content.
    """

    name: str
    project: str
    driver: str
    options: Mapping[str, str]
    labels: Mapping[str, str]
    folder: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Volume:
        """Read what the engine reports about a volume."""
        labels = _texts(raw.get("Labels"))
        return cls(
            raw["Name"], labels.get(PROJECT_LABEL, ""), raw["Driver"], _texts(raw.get("Options")), labels,
            str(raw.get("Mountpoint") or ""),
        )  # fmt: skip

    @property
    def is_anonymous(self) -> bool:
        """Whether it is anonymous."""
        return not self.project and bool(_ANONYMOUS.fullmatch(self.name))

    @property
    def elsewhere(self) -> str:
        """Where its content really is and stays when it is removed, "" for in the volume itself."""
        return self.options.get("device", "") if self.driver == "local" else f"driver {self.driver}"


@dataclass(frozen=True)
class Network:
    """A network. `project` is the Compose project that made it, "" for none."""

    id: str
    name: str
    project: str


@dataclass(frozen=True)
class AnonymousVolume:
    """A volume without a name, the container that has it and its service, and where it is mounted there.

    `folder` is where the engine's machine has its content.
    """

    volume: str
    service: str
    container: str
    target: str
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.target} of {self.container} (volume {self.volume})"


@dataclass(frozen=True)
class Inventory:
    """The engine's containers, and those volumes and networks that concern one Compose project.

    `services` are the project's containers as `Containers.of_project` returns them; `devices` are all mounted
    volumes whose content is elsewhere, with where.
    """

    project: str
    containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    networks: tuple[Network, ...] = ()
    services: tuple[ServiceContainer, ...] = ()
    devices: Mapping[str, str] = field(default_factory=dict)

    @property
    def own(self) -> tuple[Container, ...]:
        """The project's containers."""
        return tuple(container for container in self.containers if container.project == self.project)

    @property
    def anonymous(self) -> tuple[AnonymousVolume, ...]:
        """The volumes without a name that the project's containers have."""
        folders = {volume.name: volume.folder for volume in self.volumes if volume.is_anonymous}
        return tuple(
            AnonymousVolume(volume, container.service, container.name, target, folders[volume])
            for container in self.own
            for volume, target in sorted(container.places, key=lambda place: place[1])
            if volume in folders
        )

    def others_using(self, resource: Resource, directory: str) -> tuple[str, ...]:
        """The names of other containers, running or not, that have a volume, network or directory in use.

        `directory` is the deployment's folder, by which its helper is known.
        """
        return tuple(
            container.name
            for container in self.containers
            if container.project != self.project
            and container.helper_of != directory
            and resource.name in _used(container, resource.kind)
        )

    def others_at(self, places: Iterable[str], directory: str, target: str) -> tuple[str, ...]:
        """The names of other containers, running or not, that may write to these paths of this machine.

        They may reach them by another path: a link, a folder below, or a volume whose device it is. A folder above
        counts where it is mounted at `target`. `directory` is the deployment's folder, by which its helper is known.
        """
        kept = {os.path.realpath(place) for place in places}

        def reaches(mount: Mapping[str, Any], place: str) -> bool:
            is_above = mount["Destination"] == target and any(_within(one, (place,)) for one in kept)
            return is_above or _within(place, kept)

        return tuple(
            container.name
            for container in self.containers
            if container.project != self.project and container.helper_of != directory
            if any(reaches(mount, place) for mount in container.writable for place in _places(mount, self.devices))
        )


def _used(container: Container, kind: ResourceKind) -> frozenset[str]:
    return {
        ResourceKind.VOLUME: container.volumes,
        ResourceKind.NETWORK: container.networks,
        ResourceKind.DIRECTORY: container.folders,
    }[kind]


def read(engine: Engine, project: str, names: Iterable[str] = ()) -> Inventory:
    """What there is of a project: by its label, by these names, and by what its containers use. Raises EngineError."""
    found = engine.containers.inspect()
    containers = tuple(sorted((Container.of(raw) for raw in found), key=lambda container: container.name))
    mounted = (container.volumes for container in containers if container.project == project)
    wanted = {*names}.union(*mounted)
    volumes = {one.name for one in engine.volumes.all() if one.project == project or one.name in wanted}
    beside = {mount["Name"] for container in containers for mount in container.writable if mount["Type"] == "volume"}
    known = tuple(map(Volume.of, engine.volumes.inspect(sorted(volumes | beside))))
    networks = tuple(
        Network(one.id, one.name, one.project)
        for one in engine.networks.all()
        if one.project == project or one.name in wanted
    )
    own = (raw for raw in found if (raw["Config"]["Labels"] or {}).get(PROJECT_LABEL) == project)
    return Inventory(
        project, containers, tuple(one for one in known if one.name in volumes), networks, by_service(own),
        {one.name: one.elsewhere for one in known if one.elsewhere},
    )  # fmt: skip


def has_volumes(engine: Engine, project: str) -> bool:
    """Whether a Compose project has volumes. Raises EngineError."""
    return any(one.project == project for one in engine.volumes.all())


def writers_beside(engine: Engine, container: str, target: str) -> tuple[str, ...]:
    """The names of other running containers that may write to what this one has mounted at `target`.

    A mount is followed through symbolic links and to the device of a volume that is another place
    (`docker volume create -o type=none -o o=bind -o device=…`). Raises EngineError.
    """
    found = [raw for raw in engine.containers.inspect() if raw["State"]["Running"]]
    mine = [
        mount for raw in found if raw["Id"] == container for mount in raw["Mounts"] if mount["Destination"] == target
    ]
    others = {
        raw["Name"].lstrip("/"): [mount for mount in raw["Mounts"] if mount["RW"]]
        for raw in found
        if raw["Id"] != container and HELPER_LABEL not in (raw["Config"]["Labels"] or {})
    }
    devices = _devices(engine, [*mine, *(mount for mounts in others.values() for mount in mounts)])
    kept = {place for mount in mine for place in _places(mount, devices)}
    return tuple(
        name
        for name, mounts in others.items()
        if any(_within(place, kept) for mount in mounts for place in _places(mount, devices))
    )


def _devices(engine: Engine, mounts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The volumes among the mounts whose content is elsewhere, with where."""
    names = sorted({mount["Name"] for mount in mounts if mount["Type"] == "volume"})
    volumes = map(Volume.of, engine.volumes.inspect(names)) if names else ()
    return {volume.name: volume.elsewhere for volume in volumes if volume.elsewhere}


def _places(mount: Mapping[str, Any], devices: Mapping[str, str]) -> set[str]:
    """Where a mount leads to: a path of this machine, or whatever else a volume's driver calls its device."""
    texts = {str(mount.get("Source") or ""), devices.get(str(mount.get("Name") or ""), "")}
    return {os.path.realpath(text) if text.startswith("/") else text for text in texts if text}


def _within(place: str, kept: Iterable[str]) -> bool:
    # A folder above may be mounted for other ends, such as all of the engine's volumes.
    return any(f"{place}/".startswith(f"{one.rstrip('/')}/") for one in kept)


@dataclass(frozen=True)
class WantedVolume:
    """A volume as a project's files ask for it."""

    name: str
    is_external: bool
    driver: str
    options: Mapping[str, str]
    labels: Mapping[str, str]

    def differs(self, volume: Volume) -> bool:
        """Whether Compose would want to remove a volume that it made, and make it again with other options."""
        own = {key: value for key, value in volume.labels.items() if not key.startswith("com.docker.compose.")}
        made_by_compose = bool(volume.labels.get("com.docker.compose.config-hash"))
        given = (self.driver or volume.driver, dict(self.options), dict(self.labels))
        return made_by_compose and given != (volume.driver, dict(volume.options), own)


@dataclass(frozen=True)
class Wanted:
    """What a project's files ask for, as Compose reads them.

    `containers` are the names of its first containers; `storage` is the volume or the directory at
    the place where a registry keeps images, None if the files do not say. `images` are the services with
    their images, `places` a service and a place in it with what is mounted there ("" for a volume without a
    name), `pre_stop` the services with hooks that run before they are stopped, and `post_start` those with hooks that
    run after they are started. `mounted` are the names of the services' volumes, each by its place, `connected` those
    of the services' networks, and `external_networks` those of another's networks that they use. `environments` are the
    services' variables, also those of the files that they name; some are secret. `programs` are what they run: the
    words of the entrypoint, and of the command.
    """

    volumes: tuple[WantedVolume, ...] = ()
    networks: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    storage: Resource | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[tuple[str, str], str] = field(default_factory=dict)
    pre_stop: frozenset[str] = frozenset()
    post_start: frozenset[str] = frozenset()
    mounted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    connected: Mapping[str, frozenset[str]] = field(default_factory=dict)
    external_networks: frozenset[str] = frozenset()
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False, repr=False)
    programs: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Mapping[str, Any], storage: str) -> Wanted:
        """Read what Compose reports about a project; `storage` is the place in the registry's container."""
        volumes = {
            key: WantedVolume(
                name=found["name"],
                is_external=bool(found.get("external")),
                driver=found.get("driver") or "",
                options=_texts(found.get("driver_opts")),
                labels=_texts(found.get("labels")),
            )
            for key, found in (raw.get("volumes") or {}).items()
        }
        declared = raw.get("networks") or {}
        networks = [found["name"] for found in declared.values() if not found.get("external")]
        services = raw.get("services") or {}
        connected = {
            service: frozenset(declared[key]["name"] for key in found.get("networks") or () if key in declared)
            for service, found in services.items()
        }
        names = [found.get("container_name") or f"{raw['name']}-{service}-1" for service, found in services.items()]
        return cls(
            tuple(volumes.values()), tuple(networks), tuple(names),
            _storage((services.get("registry") or {}).get("volumes") or (), volumes, storage),
            {service: str(found.get("image") or "") for service, found in services.items()},
            {
                (service, str(mount.get("target"))): str(mount.get("source") or "")
                for service, found in services.items()
                for mount in found.get("volumes") or ()
            },
            frozenset(service for service, found in services.items() if found.get("pre_stop")),
            frozenset(service for service, found in services.items() if found.get("post_start")),
            {
                service: {
                    str(mount.get("target")): volumes[mount["source"]].name
                    for mount in found.get("volumes") or ()
                    if mount.get("type") == "volume" and mount.get("source") in volumes
                }
                for service, found in services.items()
            },
            connected,
            frozenset().union(*connected.values()).difference(networks),
            {service: _set_variables(found.get("environment")) for service, found in services.items()},
            {
                service: tuple(tuple(found.get(key) or ()) for key in ("entrypoint", "command"))
                for service, found in services.items()
            },
        )  # fmt: skip

    @property
    def external(self) -> frozenset[str]:
        """The volumes that the files say are another's."""
        return frozenset(volume.name for volume in self.volumes if volume.is_external)

    @property
    def resources(self) -> frozenset[Resource]:
        """The volumes and networks that Compose uses, and would create if they are missing."""
        volumes = {Resource(ResourceKind.VOLUME, volume.name) for volume in self.volumes if not volume.is_external}
        return frozenset(volumes | {Resource(ResourceKind.NETWORK, name) for name in self.networks})


def _set_variables(found: Mapping[str, object] | None) -> dict[str, str]:
    """The variables of a service. One without a value is taken from Compose's own environment, which has none."""
    return {name: str(value) for name, value in (found or {}).items() if value is not None}


def _storage(mounts: Iterable[Mapping[str, Any]], volumes: Mapping[str, WantedVolume], target: str) -> Resource | None:
    for mount in mounts:
        if mount.get("target") == target and mount.get("source"):
            source = str(mount["source"])
            if mount.get("type") == "bind":
                return Resource(ResourceKind.DIRECTORY, source)
            return Resource(ResourceKind.VOLUME, volumes[source].name if source in volumes else source)
    return None


def wanted(engine: Engine, project: Project, storage: str) -> Wanted:
    """What a project's files ask for. Raises EngineError if Compose does not accept them."""
    return Wanted.of(engine.compose.resolved(project), storage)
