"""What is said if there is no registry whose storage could be changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import NotFound, StorageError
from deployer.layout import STORAGE_ID
from deployer.paths import Deployment
from deployer.record import Owned, Resource, ResourceKind
from deployer.settings.model import Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.upkeep.maintenance import expect_own_images, reading, reading_long, upkeep
from tests.support.fake_engine import FakeContainers, FakeEngine, service_container

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.engine.values import ServiceContainer

ID = "0123abcd"


class NoContainers(FakeContainers):
    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        return ()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "No deployment named 'registry' on this machine."),
        ("compose.yaml", "The registry is not running."),
        ("users", "The registry is not running."),
    ],
)
def test_a_deployment_that_was_taken_down_is_not_said_to_be_missing(
    tmp_path: Path, written: str, sentence: str
) -> None:
    deployment = Deployment("registry", tmp_path)
    if written:
        (tmp_path / written).write_text("")
    with pytest.raises(NotFound) as caught:
        reading(Stack(Settings(), deployment, cast("Engine", FakeEngine(containers=NoContainers()))))
    assert caught.value.message == sentence
    assert caught.value.advice[-1] == "deployer up"


@dataclass
class Registry(FakeContainers):
    """A registry whose container sees a directory with this ID."""

    inside: str = ID

    def run_script(self, container: str, script: str, *arguments: str, **_: object) -> bytes:
        return self.inside.encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory with the images, with its ID."""
    made = tmp_path / "images"
    made.mkdir()
    (made / STORAGE_ID).write_text(f"{ID}\n")
    return made


def stack_of(tmp_path: Path, folder: Path, inside: str = ID) -> Stack:
    deployment = Deployment("registry", tmp_path)
    owned = Owned(storage=Resource(ResourceKind.DIRECTORY, str(folder)), storage_id=ID)
    deployment.owned_file.write_bytes(owned.content)
    registry = replace(service_container("registry", "running"), directory=str(tmp_path))
    containers = Registry(found=[registry], inside=inside)
    return Stack(Settings(), deployment, cast("Engine", FakeEngine(containers=containers)))


def long(stack: Stack) -> object:
    with reading_long(stack) as storage:
        return storage


def changing(stack: Stack) -> object:
    with upkeep(stack, "gc") as work:
        return work


@pytest.mark.parametrize("begin", [reading, long, changing, expect_own_images])
@pytest.mark.parametrize("inside", ["", "of another"])
def test_the_directory_under_a_disk_that_is_not_mounted_is_not_taken_for_the_images(
    tmp_path: Path, folder: Path, begin: Callable[[Stack], object], inside: str
) -> None:
    (folder / STORAGE_ID).unlink()
    with pytest.raises(StorageError, match="Is its disk mounted") as caught:
        begin(stack_of(tmp_path, folder, inside))
    assert caught.value.advice[0].startswith("Mount its disk, then: deployer up")
    assert not (tmp_path / "gate").exists()


@pytest.mark.parametrize("begin", [reading, long, changing, expect_own_images])
def test_a_container_that_has_the_directory_from_before_the_mount_is_not_taken_for_it(
    tmp_path: Path, folder: Path, begin: Callable[[Stack], object]
) -> None:
    with pytest.raises(StorageError, match="still uses what was at"):
        begin(stack_of(tmp_path, folder, ""))


def test_the_right_directory_is_read(tmp_path: Path, folder: Path) -> None:
    assert reading(stack_of(tmp_path, folder)).container == "id of registry"
    expect_own_images(stack_of(tmp_path, folder))
