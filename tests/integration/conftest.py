"""Small local images, and the names that they have here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.local_images import local_images
from tests.support.stack import docker
from tests.support.stored import IMAGES, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.stack import DeployedStack


@pytest.fixture(scope="session")
def shared(make_lasting_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """One deployment for all tests that read its storage; they leave it running, with the settings it has."""
    made = make_lasting_stack(DEPLOYER_REGISTRY_DATA=IMAGES)
    made.up()
    return made


@pytest.fixture
def stored(shared: DeployedStack) -> Stored:
    """The shared deployment with nothing in it."""
    found = Stored(shared)
    found.clear()
    return found


@pytest.fixture
def client(shared: DeployedStack) -> Iterator[httpx.Client]:
    with shared.client as made:
        yield made


@pytest.fixture
def make_image(engine: None) -> Iterator[Callable[..., str]]:
    """Makes local images of random content; their names go at the end, and what had a name before has it again."""
    with local_images() as make:
        yield make


@pytest.fixture
def forget(stack: DeployedStack) -> Iterator[None]:
    """Takes the names for the shared registry from local images at the end."""
    yield
    untag_all(stack)


def untag_all(stack: DeployedStack) -> None:
    """Take every name for a registry from the local images."""
    for name in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines():
        if name.startswith(f"{stack.address}/") and not name.endswith("<none>"):
            docker("image", "rm", name, check=False)
