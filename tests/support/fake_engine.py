"""An engine for unit tests: it holds image names, and remembers what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from deployer.engine.client import Client
from deployer.engine.containers import Containers
from deployer.engine.engine import Engine
from deployer.engine.images import Images
from deployer.engine.system import System
from deployer.engine.values import ContainerState, EngineFacts, Health, LocalImage, ServiceContainer, Transferred
from deployer.errors import EngineError
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from deployer.engine.compose import Compose
    from deployer.layout import Service

ENDPOINT = "unix:///var/run/docker.sock"
FACTS = EngineFacts("28.5.2", "Debian", EngineKind.SYSTEM, ENDPOINT, "/", compose_version="2.40.3")


def service_container(service: str, state: str) -> ServiceContainer:
    """A container that Compose could have made for a service."""
    return ServiceContainer(
        id=f"id of {service}",
        name=f"registry-{service}-1",
        service=service,
        state=ContainerState(state),
        started=datetime(2026, 1, 1, tzinfo=UTC),
        health=Health.HEALTHY,
        exit_code=0,
        restart_policy="always",
        image=service,
        image_id=f"image of {service}",
        config_hash="hash",
        directory="",
        ports=(),
    )


class NoClient(Client):
    """A client that must not be run."""

    def __init__(self) -> None:
        super().__init__({})

    def begin(self, *arguments: str, **_: object) -> subprocess.CompletedProcess[str]:
        raise AssertionError(f"a unit test asked a real engine: docker {' '.join(arguments)}")


@dataclass
class FakeSystem(System):
    """What an engine says of itself."""

    client: Client = field(default_factory=NoClient)
    facts: EngineFacts = FACTS

    def version(self) -> str:
        return self.facts.version

    def describe(self) -> EngineFacts:
        return self.facts

    def endpoint(self) -> str:
        return self.facts.endpoint


@dataclass
class FakeImages(Images):
    """Images by name, and for some names the error that pushing or pulling them gives."""

    client: Client = field(default_factory=NoClient)
    ids: dict[str, str] = field(default_factory=dict)
    failures: Mapping[str, BaseException] = field(default_factory=dict)
    pullable: Iterable[str] = ()
    done: list[tuple[str, ...]] = field(default_factory=list)

    def find(self, name: str) -> LocalImage | None:
        found = self.ids.get(name) or self.ids.get(f"{name}:latest")
        return LocalImage(found, 1) if found else None if name not in self.ids.values() else LocalImage(name, 1)

    def find_all(self, names: Iterable[str]) -> dict[str, LocalImage | None]:
        return {name: self.find(name) for name in names}

    def names(self) -> tuple[str, ...]:
        return tuple(self.ids)

    def environments(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        return {name: {} for name in names}

    def digests(self, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        return {one: (f"elsewhere@sha256:{one}", f"mine@sha256:{one}") for one in ids}

    def tag(self, image: str, name: str) -> None:
        self.done.append(("tag", image, name))
        self.ids[name] = self.ids.get(image, image)

    def untag(self, name: str) -> None:
        self.done.append(("untag", name))
        self.ids.pop(name)

    def push(self, name: str, *, address: str, on_line: Callable[[str], None] | None) -> Transferred | None:
        self.done.append(("push", name))
        if name in self.failures:
            raise self.failures[name]
        return Transferred("sha256:" + "0" * 64, 527)

    def pull(
        self, name: str, *, address: str, on_line: Callable[[str], None] | None, platform: str = ""
    ) -> Transferred | None:
        self.done.append(("pull", name, *([platform] if platform else [])))
        if name in self.failures:
            raise self.failures[name]
        if name not in self.pullable:
            raise EngineError("no", original="dial tcp: no such host")
        self.ids[name] = f"id of {name}"
        return Transferred("sha256:" + "1" * 64, None)

    def fetch(self, name: str) -> None:
        self.pull(name, address="", on_line=None)

    def import_image(self, archive: Path, name: str) -> None:
        self.done.append(("import", name))
        self.ids[name] = f"id of {name}"

    def build(self, context: Path, dockerfile: Path, name: str) -> None:
        self.done.append(("build", dockerfile.name, name))
        self.ids[name] = f"id of {name}"


@dataclass
class FakeContainers(Containers):
    """The containers of a project, and what each of them wrote."""

    client: Client = field(default_factory=NoClient)
    found: Sequence[ServiceContainer] = ()
    log_lines: Callable[[str], Sequence[str]] = lambda _: ()

    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        return tuple(self.found)

    def running(self, project: str, service: Service) -> tuple[str, ...]:
        return tuple(one.id for one in self.found if one.service == service and one.is_running)

    def last_log_lines(self, container: str, count: int) -> tuple[str, ...]:
        return tuple(self.log_lines(container)[-count:])


class FakeEngine(Engine):
    """The parts that a test needs; the others must not be asked.

    `images`, `failures` and `pullable` are those of `FakeImages`, unless a part is given instead.
    """

    images: FakeImages

    def __init__(
        self,
        images: FakeImages | Mapping[str, str] = MappingProxyType({}),
        *,
        failures: Mapping[str, BaseException] = MappingProxyType({}),
        pullable: Iterable[str] = (),
        containers: Containers | None = None,
        system: System | None = None,
        compose: Compose | None = None,
    ) -> None:
        super().__init__(NoClient())
        if not isinstance(images, FakeImages):
            images = FakeImages(ids=dict(images), failures=failures, pullable=pullable)
        self.images = images
        self.containers = containers or self.containers
        self.system = system or FakeSystem()
        self.compose = compose or self.compose


def elsewhere(endpoint: str) -> System:
    """An engine that is elsewhere."""
    return FakeSystem(facts=replace(FACTS, endpoint=endpoint))
