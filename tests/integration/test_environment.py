"""What we run for ourselves has nothing of the variables and settings that the user gave Docker."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from deployer.engine.client import Client
from deployer.engine.engine import Engine
from deployer.engine.values import Project
from tests.support.docker_variables import CONFIGURATION, EVERYTHING, PROXY
from tests.support.run import OWN
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.support.stack import DeployedStack

LOOKS = (("up",), ("status",), ("gc",), ("logs", "--tail", "1"), ("doctor",))
# Each does harm alone too. That nothing passes at all is the unit tests' matter.
ALONE = (
    "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_CONTENT_TRUST",
    "COMPOSE_ENV_FILES",
)


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder of Docker with settings that change what Docker's commands do and print."""
    folder = tmp_path_factory.mktemp("docker")
    (folder / "config.json").write_text(json.dumps(dict(CONFIGURATION)))
    return folder


def variables_of(stack: DeployedStack) -> str:
    """The variables of all containers."""
    return docker("container", "inspect", "--format", "{{.Config.Env}}", *stack.containers().values())


def test_a_whole_life_with_everything_set(fresh_stack: DeployedStack, configured: Path) -> None:
    fresh_stack.folder.mkdir(parents=True, exist_ok=True)
    for place in (fresh_stack.folder, fresh_stack.directory):
        place.mkdir(parents=True, exist_ok=True)
        (place / ".env").write_text("".join(f"{name}={value}\n" for name, value in EVERYTHING.items()))
    variables = {**EVERYTHING, "DOCKER_CONFIG": str(configured)}
    for command in (("up", "--yes"), *LOOKS, ("gc", "--yes"), ("down", "--volumes", "--yes")):
        done = fresh_stack.deployer(*command, environment=variables)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        if command == ("up", "--yes"):
            assert PROXY not in variables_of(fresh_stack)
    assert fresh_stack.containers() == {}


@pytest.mark.parametrize("name", ALONE)
def test_each_alone_changes_nothing(name: str, stack: DeployedStack) -> None:
    before = stack.containers()
    for command in (("up",), ("gc",)):
        stack.deployer(*command, check=True, environment={name: EVERYTHING[name]})
    assert stack.containers() == before


@pytest.mark.parametrize("used", ["${OF_THE_SHELL}", "${TZ}", "$LANG", "${PWD}", "${HOME}", "${PATH}"])
def test_a_variable_in_the_users_own_compose_file_is_refused_before_anything_changes(
    used: str, stack: DeployedStack
) -> None:
    before = stack.containers()
    override = stack.directory / "compose.override.yaml"
    kept = override.read_text()
    try:
        override.write_text(f'services: {{registry: {{labels: {{a: "{used}"}}}}}}\n')
        done = stack.deployer("up", environment={"OF_THE_SHELL": "x", "TZ": "UTC", "LANG": "C.UTF-8"})
    finally:
        override.write_text(kept)
    assert done.returncode == 1
    assert f"use ${{{used.strip('${}')}}}. To keep the environment from changing a running registry" in done.stderr
    assert stack.containers() == before


def test_compose_reads_the_users_own_file_alike_in_every_shell(tmp_path: Path, engine: None) -> None:
    file = tmp_path / "compose.yaml"
    # A variable with a default, and some that a service would take over.
    file.write_text(
        "services: {a: {image: x, environment: [TZ, LANG, HTTPS_PROXY], labels: "
        '{t: "${TZ:-UTC}", l: "${LANG:-x}", h: "${https_proxy:-none}", u: "${USER:-z}"}}}\n'
    )
    project = Project("x", tmp_path, (file,))
    names = ("TZ", "LANG", "USER", "https_proxy", "HTTPS_PROXY", "LC_ALL")
    without = {name: value for name, value in os.environ.items() if name not in names}
    composes = [Engine(Client({**without, **dict.fromkeys(names, one)})).compose for one in ("/a", "/b")]
    composes.append(Engine(Client(without)).compose)
    first, *others = [(compose.config_hashes(project), compose.resolved(project)) for compose in composes]
    assert others == [first, first]
    assert first[1]["services"]["a"]["labels"]["t"] == "UTC"


@pytest.fixture
def built() -> Iterator[str]:
    name = f"{OWN}-build"
    yield name
    docker("image", "rm", "--force", name, check=False)


@pytest.mark.parametrize("variables", [{}, EVERYTHING], ids=["nothing", "everything"])
def test_a_build_has_the_proxies_of_the_configuration_and_keeps_none(
    variables: Mapping[str, str], built: str, configured: Path, tmp_path: Path, engine: None
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM deployer-registry:debian\nRUN env > /during\n")
    engine_ = Engine(Client({**os.environ, **variables, "DOCKER_CONFIG": str(configured)}))
    engine_.images.build(tmp_path, tmp_path / "Dockerfile", built)
    assert PROXY in docker("run", "--rm", "--entrypoint", "cat", built, "/during")
    assert PROXY not in docker("image", "inspect", built) + docker("image", "history", "--no-trunc", built)


def test_the_users_pull_is_for_the_platform_of_the_variable_which_is_told(
    stack: DeployedStack, make_image: Callable[..., str], forget: None
) -> None:
    name = f"env-{os.getpid()}:1"
    make_image(name)
    stack.deployer("push", name, check=True)
    done = stack.deployer("pull", name, environment={"DOCKER_DEFAULT_PLATFORM": "linux/arm64"})
    # The engine warns, or refuses, as it does for the user's own `docker pull`.
    assert "DOCKER_DEFAULT_PLATFORM is set: Docker pulls for the platform linux/arm64." in done.stderr
    assert (
        "DOCKER_DEFAULT_PLATFORM"
        not in stack.deployer("pull", name, environment={"DOCKER_DEFAULT_PLATFORM": ""}, check=True).stderr
    )


def test_content_trust_on_a_push_is_told_beforehand(
    stack: DeployedStack, make_image: Callable[..., str], forget: None
) -> None:
    name = f"env-{os.getpid()}:2"
    make_image(name)
    done = stack.deployer("push", "--dry-run", name, environment={"DOCKER_CONTENT_TRUST": "1"}, check=True)
    assert f"Notary server https://{stack.address}" in done.stderr
