"""Which images a backup would have damaged."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from deployer.paths import Deployment
from deployer.storage.access import Storage
from deployer.workflows.integrity.check import CheckOptions, check
from deployer.workflows.integrity.damaged_images import damaged_images
from deployer.workflows.restore.selection import Selection
from tests.support.local_storage import LocalEngine, Tree
from tests.support.registry_content import image, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.engine.engine import Engine
    from deployer.workflows.backup.damage import DamagedImages

APP, TOOL = image("app"), image("tool")
LAYER = sha256(APP.blobs[1])


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def empty(file: Path) -> None:
    os.truncate(file, 0)


class Registry:
    """A registry with two images, and the deployment that it is of."""

    def __init__(self, folder: Path) -> None:
        self.tree = Tree(folder / "storage")
        self.deployment = Deployment("registry", folder / "deployment")
        self.deployment.directory.mkdir()
        self.storage = Storage(cast("Engine", LocalEngine(self.tree.folder)), "container")
        self.tree.push("app", ["1"], APP)
        self.tree.push("tool", ["1"], TOOL)

    def file(self, digest: str) -> Path:
        return self.tree.root / f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"

    def damaged(self, *names: str) -> DamagedImages:
        return damaged_images(self.deployment, self.storage, Selection.parse(names))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def test_an_intact_registry_has_none(registry: Registry) -> None:
    assert not registry.damaged()


@pytest.mark.parametrize("harm", [empty, cut, Path.unlink])
@pytest.mark.parametrize("digest", [LAYER, sha256(APP.content)])
def test_what_has_another_size_than_manifests_state_is_named_with_its_images(
    registry: Registry, digest: str, harm: Callable[[Path], None]
) -> None:
    harm(registry.file(digest))
    found = registry.damaged()
    assert (found.images, found.is_repairable) == (("app:1",), True)
    assert registry.damaged("app:1") == found
    assert not registry.damaged("tool")


def test_what_the_last_check_found_damaged_is_read_again(registry: Registry) -> None:
    file = registry.file(LAYER)
    whole = file.read_bytes()
    file.write_bytes(bytes(len(whole)))
    assert not registry.damaged()
    options = CheckOptions(Selection.parse(()), is_full=True)
    check(registry.deployment, registry.storage, options, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda _: None)
    assert registry.damaged().images == ("app:1",)
    file.write_bytes(whole)
    assert not registry.damaged()


def test_a_tag_that_names_nothing_is_not_repaired_by_a_backup(registry: Registry) -> None:
    registry.tree.empty_file("repositories/tool/_manifests/tags/1/current/link")
    found = registry.damaged()
    assert (found.images, found.is_repairable) == (("tool:1",), False)
