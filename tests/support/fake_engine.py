"""An engine for unit tests: it holds image names, and remembers what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer.engine.client import Engine
from deployer.engine.docker import Client
from deployer.engine.values import ContainerState, EngineFacts, Health, LocalImage, ServiceContainer, Transferred
from deployer.errors import EngineError
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


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
        restart_policy="unless-stopped",
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
class FakeEngine(Engine):
    """Images by name, and for some names the error that pushing or pulling them gives."""

    client: Client = field(default_factory=NoClient)
    images: dict[str, str] = field(default_factory=dict)
    failures: dict[str, BaseException] = field(default_factory=dict)
    pullable: set[str] = field(default_factory=set)
    done: list[tuple[str, ...]] = field(default_factory=list)

    def describe(self) -> EngineFacts:
        return EngineFacts("28.5.2", "Debian", EngineKind.SYSTEM, "unix:///var/run/docker.sock", "/")

    def endpoint(self) -> str:
        return self.describe().endpoint

    def image(self, name: str) -> LocalImage | None:
        found = self.images.get(name) or self.images.get(f"{name}:latest")
        return LocalImage(found, 1) if found else None if name not in self.images.values() else LocalImage(name, 1)

    def image_names(self) -> tuple[str, ...]:
        return tuple(self.images)

    def tag(self, image: str, name: str) -> None:
        self.done.append(("tag", image, name))
        self.images[name] = self.images.get(image, image)

    def untag(self, name: str) -> None:
        self.done.append(("untag", name))
        self.images.pop(name)

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
        self.images[name] = f"id of {name}"
        return Transferred("sha256:" + "1" * 64, None)

    def fetch(self, name: str) -> None:
        self.pull(name, address="", on_line=None)

    def import_image(self, archive: Path, name: str) -> None:
        self.done.append(("import", name))
        self.images[name] = f"id of {name}"

    def build(self, context: Path, dockerfile: Path, name: str) -> None:
        self.done.append(("build", dockerfile.name, name))
        self.images[name] = f"id of {name}"
