"""Which tags are said to be lost to version 3, and where nobody can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import StorageError
from deployer.layout import Service
from deployer.paths import Deployment
from deployer.record import PinnedImage, Release
from deployer.settings.model import Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.upgrade import schema_1, versions
from deployer.workflows.upgrade.newer import Sought
from deployer.workflows.upkeep import maintenance
from tests.support.fake_engine import FakeEngine
from tests.support.local_storage import Tree
from tests.support.planted import SCHEMA_1
from tests.support.registry_content import Image, image

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = PinnedImage(Service.REGISTRY, "registry:2", "sha256:1")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Also with a tag whose file is empty, and a manifest that is gone."""
    found = Tree(tmp_path / "images")
    found.push("app", ["new", "empty"], image("x"))
    found.link("app", ["2", "1"], Image(SCHEMA_1, ""))
    found.link("other/old", ["1"], Image(SCHEMA_1, ""))
    found.link("odd", ["1"], Image(b'{"schemaVersion": 1', ""))
    found.empty_file("repositories/app/_manifests/tags/empty/current/link")
    return found


def test_tags_of_schema_1_are_found_among_others(tree: Tree) -> None:
    assert schema_1.tags_of_schema_1(tree.storage()) == ("app:1", "app:2", "other/old:1")


@pytest.mark.parametrize(
    ("version", "sought", "told"),
    [
        ("2.8.2+debian", "registry:3", True),
        ("2.8.3", "registry", True),
        ("2.8.3", "", True),
        # The tag of an image of the user's own says nothing.
        ("2.8.3", "mirror.example:5000/own:2", True),
        ("2.8.3", "registry:2", False),
        ("2.8.3", "mirror.example:5000/library/registry:2.8.3", False),
        ("3.1.1", "registry:3", False),
        ("", "registry:3", False),
    ],
)
def test_they_are_told_where_version_3_may_follow_version_2(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, sought: str, told: bool
) -> None:
    stack = Stack(Settings(), Deployment("registry", tmp_path), FakeEngine())
    monkeypatch.setattr(versions, "running", lambda _engine, found: versions.Running(found, version))
    monkeypatch.setattr(maintenance, "reading", lambda _stack: tree.storage())
    found = schema_1.unserved(stack, Release((IMAGE,)), Sought(sought, "built"))
    assert bool(found) is told


def test_a_storage_that_cannot_be_read_prevents_no_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stack: Stack) -> None:
        raise StorageError("The disk with the images is failing.")

    stack = Stack(Settings(), Deployment("registry", tmp_path), FakeEngine())
    monkeypatch.setattr(versions, "running", lambda _engine, found: versions.Running(found, "2.8.3"))
    monkeypatch.setattr(maintenance, "reading", refuse)
    assert schema_1.unserved(stack, Release((IMAGE,)), Sought("registry:3", "")) == ()
    assert schema_1.unserved(stack, Release(), Sought("registry:3", "")) == ()
