"""A registry that deployer did not set up: the same program, with a configuration of the test's own."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.run import PATIENCE_SECONDS, free_port
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.stack import DeployedStack


@dataclass(frozen=True)
class OtherRegistry:
    container: str
    port: int
    file: Path

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://localhost:{self.port}", trust_env=False, timeout=PATIENCE_SECONDS)

    def configure(self, **storage: Any) -> None:
        """Start it again with these keys under `storage`, on the images that it has."""
        self.file.write_text(_configuration(**storage))
        docker("restart", "--time", "1", self.container)
        self.wait()

    def shell(self, script: str) -> None:
        """Run a script in its container."""
        docker("exec", self.container, "sh", "-c", script)

    def wait(self) -> None:
        """Return when it answers."""
        for _ in range(10 * PATIENCE_SECONDS):
            try:
                with self.client as client:
                    if client.get("/v2/").status_code == 200:
                        return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(docker("logs", self.container, check=False))


@contextmanager
def other_registry(
    stack: DeployedStack, folder: Path, maxentries: int = 1000, **storage: Any
) -> Iterator[OtherRegistry]:
    """Run a registry from the image of the stack's own, beside it."""
    file = folder / "other.yaml"
    file.write_text(_configuration(maxentries=maxentries, **storage))
    image = docker("inspect", "--format", "{{.Config.Image}}", stack.containers()["registry"]).strip()
    port = free_port()
    container = docker(
        "run", "--detach", "--publish", f"127.0.0.1:{port}:5000", "--volume", f"{file}:/etc/other.yaml:ro",
        "--env", "OTEL_TRACES_EXPORTER=none", "--entrypoint", "registry", image, "serve", "/etc/other.yaml",
    ).strip()  # fmt: skip
    try:
        made = OtherRegistry(container, port, file)
        made.wait()
        yield made
    finally:
        docker("rm", "--force", "--volumes", container, check=False)


def _configuration(maxentries: int = 1000, **storage: Any) -> str:
    # JSON is YAML too.
    return json.dumps(
        {
            "version": 0.1,
            "storage": {"filesystem": {"rootdirectory": "/var/lib/registry"}, **storage},
            "catalog": {"maxentries": maxentries},
            "http": {"addr": ":5000", "secret": "of the tests"},
        }
    )
