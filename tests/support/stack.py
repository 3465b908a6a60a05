"""A deployment of the tests' own: its folder, its project name, its port; removed at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from tests.support.bounded import run_bounded
from tests.support.engine_api import containers, remove_project
from tests.support.run import LABEL, PATIENCE_SECONDS
from tests.support.warm import Warm, run_warm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TRIED_REGISTRY = os.environ.get("DEPLOYER_TEST_REGISTRY_IMAGE", "")
"""The registry's image of all deployments that name none, for a run against another version; "" for the built one."""

_SELDOM = "services: {registry: {healthcheck: {interval: 24h}}, frontend: {healthcheck: {interval: 24h}}}\n"


def docker(*arguments: str, check: bool = True, stdin: bytes | None = None, merged: bool = False) -> str:
    """Run the Docker client and return what it printed, with `merged` on either stream."""
    if arguments[0] in {"run", "build"}:
        # What the end of the run removes, should the test not come to it.
        arguments = (arguments[0], "--label", LABEL, *arguments[1:])
    done = run_bounded(["docker", *arguments], stdin=stdin)
    if check and done.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr.decode()}")
    return (done.stdout + (done.stderr if merged else b"")).decode()


@dataclass
class DeployedStack:
    """
    One deployment, driven through the command line as a user would.

    A lasting one checks its health once, when it comes up: those of all workers together would take a tenth of the
    machine with a check every ten seconds.
    """

    folder: Path
    name: str
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    lasting: bool = False

    @property
    def address(self) -> str:
        return f"localhost:{self.port}"

    @property
    def bind(self) -> str:
        """The address that it listens on."""
        host = self.settings.get("DEPLOYER_HOST", "127.0.0.1")
        return self.settings.get("DEPLOYER_BIND", host if host.startswith("127.") else "127.0.0.1")

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def directory(self) -> Path:
        """The deployment's folder."""
        return self.folder / "data" / "deployer" / self.name

    @property
    def client(self) -> httpx.Client:
        """A new client for the registry's own API; close it."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE_SECONDS)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the commands: this machine's, but nothing of its user's deployments."""
        # An installed program is compiled; one whose bytecode may not be kept is not what users run.
        unwanted = ("DEPLOYER_", "PYTHONDONTWRITEBYTECODE")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
        own = {
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "DEPLOYER_NAME": self.name,
            "DEPLOYER_PORT": str(self.port),
        }
        other = {"DEPLOYER_REGISTRY_IMAGE": TRIED_REGISTRY} if TRIED_REGISTRY else {}
        return {**clean, **own, **other, **self.settings}

    def command(self, *arguments: str) -> list[str]:
        """The command line of one deployer command."""
        return [sys.executable, "-m", "deployer", *arguments]

    def deployer(
        self, *arguments: str, check: bool = False, stdin: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command, without a terminal; with `check`, it must succeed."""
        done = run_warm(
            arguments,
            folder=self.folder,
            environment={**self.environment, **(environment or {})},
            stdin=stdin,
            seconds=2 * PATIENCE_SECONDS,
        )
        if check:
            assert done.returncode == 0, (
                f"deployer {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def deployer_in_bytes(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run one command, of which the output matters byte for byte."""
        process = Warm(arguments, folder=self.folder, environment=self.environment)
        printed, said = process.printed(2 * PATIENCE_SECONDS)
        return subprocess.CompletedProcess(["deployer", *arguments], process.returncode, printed, said)

    def up(self, *arguments: str) -> None:
        """Bring it up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.lasting:
            self.directory.mkdir(parents=True, exist_ok=True)
            override = self.directory / "compose.override.yaml"
            if not override.exists():
                override.write_text(_SELDOM)
        self.deployer("up", "--yes", *arguments, check=True)
        if self.lasting:
            self.check_frontend()

    def check_frontend(self) -> None:
        """Run the frontend's health check, which also notes the room on the disk for the page."""
        container = f"{self.name}-frontend-1"
        test = json.loads(docker("inspect", "--format", "{{json .Config.Healthcheck.Test}}", container))
        docker("exec", container, *test[1:])

    def remove(self) -> None:
        """Remove its containers, volumes and network, also when deployer itself is broken."""
        remove_project(self.name)

    def containers(self) -> dict[str, str]:
        """The ID of each service's container."""
        found = containers(f"com.docker.compose.project={self.name}")
        return {each["Labels"]["com.docker.compose.service"]: each["Id"] for each in found}
