"""The users' file and the Secret made of it, with a real registry that asks for a login, and Docker's own client."""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml

from tests.support.bounded import run_bounded
from tests.support.run import PATIENCE_SECONDS, free_port
from tests.support.stack import docker

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.stack import DeployedStack

PASSWORD = 'Übung macht: den "$Meister"'


@dataclass(frozen=True)
class Guarded:
    """A registry that checks passwords itself, against the file that `deployer user` wrote."""

    stack: DeployedStack

    def docker(self, folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
        """Run the Docker client with the logins of a folder."""
        return run_bounded(["docker", *words], env={**os.environ, "DOCKER_CONFIG": str(folder)})


@pytest.fixture(scope="module")
def guarded(stack: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder, port = tmp_path_factory.mktemp("guarded"), free_port()
    own = replace(stack, folder=folder, name="guarded", port=port, settings={})
    for name, cost in (("ci", "10"), ("bob", "12")):
        own.deployer("user", "add", name, "--cost", cost, "--password-stdin", stdin=f"{PASSWORD}\n", check=True)
    settings = folder / "registry.yaml"
    settings.write_text(
        json.dumps(
            {
                "version": 0.1,
                "storage": {"filesystem": {"rootdirectory": "/var/lib/registry"}},
                "auth": {"htpasswd": {"realm": "tests", "path": "/etc/users"}},
                "http": {"addr": ":5000", "secret": "of the tests"},
            }
        )
    )
    image = docker("inspect", "--format", "{{.Config.Image}}", stack.containers()["registry"]).strip()
    container = docker(
        "run", "--detach", "--user", "0", "--publish", f"127.0.0.1:{port}:5000",
        "--volume", f"{settings}:/etc/other.yaml:ro", "--volume", f"{own.directory / 'users'}:/etc/users:ro",
        "--env", "OTEL_TRACES_EXPORTER=none", "--entrypoint", "registry", image, "serve", "/etc/other.yaml",
    ).strip()  # fmt: skip
    try:
        _wait(own)
        yield Guarded(own)
    finally:
        docker("rm", "--force", "--volumes", container, check=False)


def _wait(stack: DeployedStack) -> None:
    for _ in range(10 * PATIENCE_SECONDS):
        try:
            with stack.client as client:
                if client.get("/v2/").status_code == 401:
                    return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("the registry with the users' file does not require login")


def elsewhere(guarded: Guarded, folder: Path) -> DeployedStack:
    """A machine that keeps no users."""
    return replace(guarded.stack, folder=folder)


@pytest.mark.parametrize("kept", [True, False], ids=["kept here", "asked there"])
def test_docker_pushes_and_pulls_with_what_the_secret_holds(
    guarded: Guarded, tmp_path: Path, make_image: Callable[..., str], kept: bool
) -> None:
    machine = guarded.stack if kept else elsewhere(guarded, tmp_path)
    made = machine.deployer("pull-secret", "ci", "--password-stdin", stdin=PASSWORD, check=True)
    (tmp_path / "config.json").write_bytes(base64.b64decode(yaml.safe_load(made.stdout)["data"][".dockerconfigjson"]))
    name = f"{guarded.stack.address}/team/app:1"
    make_image(name)
    (tmp_path / "none").mkdir()
    assert guarded.docker(tmp_path / "none", "push", name).returncode != 0
    pushed = guarded.docker(tmp_path, "push", name)
    assert pushed.returncode == 0, pushed.stderr
    docker("image", "rm", name)
    assert guarded.docker(tmp_path / "none", "pull", name).returncode != 0
    pulled = guarded.docker(tmp_path, "pull", name)
    assert pulled.returncode == 0, pulled.stderr


@pytest.mark.parametrize("kept", [True, False], ids=["kept here", "asked there"])
@pytest.mark.parametrize(("user", "password"), [("ci", f"{PASSWORD}x"), ("nobody", PASSWORD)])
def test_a_wrong_login_makes_no_secret(guarded: Guarded, tmp_path: Path, kept: bool, user: str, password: str) -> None:
    machine = guarded.stack if kept else elsewhere(guarded, tmp_path)
    done = machine.deployer("pull-secret", user, "--password-stdin", stdin=password)
    assert done.returncode == 1
    assert done.stdout == ""
    assert password not in done.stderr
    assert f"'{user}'" in done.stderr


def test_a_registry_without_login_needs_no_secret(stack: DeployedStack) -> None:
    done = stack.deployer("pull-secret", "ci", "--password-stdin", stdin=PASSWORD)
    assert done.returncode == 1
    assert "does not require login" in done.stderr
