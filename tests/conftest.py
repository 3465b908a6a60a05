"""The engine and the deployments that tests of several rooms use."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support.stack import DeployedStack, docker, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A busy machine is slow, and no fault of what is tested.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

_OWN_IMAGES = ("deployer-registry", "deployer-frontend", "deployer-base")


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """A Docker engine that answers; images that the tests caused to be built go at the end."""
    if subprocess.run(["docker", "info"], check=False, capture_output=True).returncode != 0:
        pytest.fail("No Docker engine answers. `make test` starts one; `make test-unit` needs none.", pytrace=False)
    before = _own_images()
    yield
    for image in _own_images() - before:
        docker("image", "rm", image, check=False)


@pytest.fixture(scope="session")
def make_stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., DeployedStack]]:
    """Makes deployments, not yet up; all are removed at the end, however the tests end."""
    made: list[DeployedStack] = []

    def make(**settings: str) -> DeployedStack:
        folder = tmp_path_factory.mktemp("stack")
        stack = DeployedStack(folder, f"deployer-test-{os.getpid()}-{len(made)}", free_port(), settings)
        made.append(stack)
        return stack

    try:
        yield make
    finally:
        for stack in made:
            stack.remove()


@pytest.fixture(scope="session")
def stack(make_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """One deployment for all tests that bring their own repositories."""
    shared = make_stack()
    shared.up()
    return shared


@pytest.fixture(scope="session")
def page_stack(stack: DeployedStack) -> DeployedStack:
    """The deployment whose page the browser opens."""
    return stack


@pytest.fixture
def fresh_stack(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    """An empty deployment of the test's own, not yet up."""
    own = make_stack()
    yield own
    own.remove()


def _own_images() -> set[str]:
    listed = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return {name for name in listed if name.startswith(_OWN_IMAGES)}
