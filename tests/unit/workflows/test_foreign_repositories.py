"""Directories with names that no registry takes: named by their path, and no command is advised that cannot work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from deployer.workflows.upkeep.survey import storage_findings
from deployer.workflows.upkeep.survey.damage import every_layer
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from tests.support.local_storage import DAY, Tree
from tests.support.registry_content import Image, image, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployer.workflows.finding import Finding

WHOLE = image("x")
CONFIG, LAYER = map(sha256, WHOLE.blobs)
ROOT = "/var/lib/registry/docker/registry/v2/repositories"
FOREIGN = ("#recycle/old", "Upper", "team/@eaDir/it's")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def file_of(tree: Tree, digest: str) -> Path:
    return tree.root / f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


def place_of(tree: Tree, name: str) -> Path:
    return tree.root / "repositories" / name


def file_is_empty(tree: Tree, _name: str) -> None:
    file_of(tree, LAYER).write_bytes(b"")


def file_is_gone(tree: Tree, _name: str) -> None:
    file_of(tree, WHOLE.digest).unlink()


def link_of_layer_is_gone(tree: Tree, name: str) -> None:
    (place_of(tree, name) / f"_layers/sha256/{LAYER[7:]}/link").unlink()


def link_of_manifest_is_gone(tree: Tree, name: str) -> None:
    (place_of(tree, name) / f"_manifests/revisions/sha256/{WHOLE.digest[7:]}/link").unlink()


def link_is_empty(tree: Tree, name: str) -> None:
    (place_of(tree, name) / f"_layers/sha256/{LAYER[7:]}/link").write_bytes(b"")


def tag_is_empty(tree: Tree, name: str) -> None:
    (place_of(tree, name) / "_manifests/tags/1/current/link").write_bytes(b"")


def tag_is_of_tomorrow(tree: Tree, name: str) -> None:
    tree.push(name, ["2"], WHOLE, age=-3 * DAY)


def tags_are_one_file(tree: Tree, name: str) -> None:
    tags = place_of(tree, name) / "_manifests/tags"
    tree.push(name, ["2"], WHOLE)
    (tags / "2/current/link").unlink()
    os.link(tags / "1/current/link", tags / "2/current/link")


def tag_is_a_folder(tree: Tree, name: str) -> None:
    link = place_of(tree, name) / "_manifests/tags/1/current/link"
    link.unlink()
    link.mkdir()


def size_is_wrong(tree: Tree, name: str) -> None:
    document = WHOLE.document
    document["layers"][0]["size"] += 1
    tree.push(name, ["2"], Image(json.dumps(document).encode(), WHOLE.media_type, WHOLE.blobs))


def form_is_unknown(tree: Tree, name: str) -> None:
    tree.push(name, ["2"], Image(b'{"of": "tomorrow"}', "x"))


def file_among_tags(tree: Tree, name: str) -> None:
    (place_of(tree, name) / "_manifests/tags/.DS_Store").write_bytes(b"x")


FAULTS = [
    *(file_is_empty, file_is_gone, link_of_layer_is_gone, link_of_manifest_is_gone, link_is_empty, tag_is_empty),
    *(tag_is_of_tomorrow, tags_are_one_file, tag_is_a_folder, size_is_wrong, form_is_unknown, file_among_tags),
]


def told(tree: Tree) -> list[Finding]:
    storage = tree.storage()
    found = survey(storage, Manifests(), unreferenced_only, every_layer)
    return [*storage_findings.of_survey(found), *storage_findings.of_links(storage.broken_links())]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
def test_every_fault_is_told_of_a_repository(tree: Tree, fault: Callable[[Tree, str], None]) -> None:
    """Otherwise the next test would prove nothing."""
    tree.push("app", ["1"], WHOLE)
    fault(tree, "app")
    assert any("app" in finding.sentence for finding in told(tree))


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
def test_of_a_name_that_no_registry_takes_the_path_alone_is_told(
    tree: Tree, fault: Callable[[Tree, str], None], name: str
) -> None:
    tree.push("other", ["1"], image("y"))
    tree.push(name, ["1"], WHOLE)
    fault(tree, name)
    found = told(tree)
    assert any(f"{ROOT}/{name}" in finding.sentence for finding in found)
    for finding in found:
        words = " ".join((finding.sentence, *finding.advice)).replace(f"{ROOT}/{name}", "PATH")
        assert f"{name}:" not in words
        assert f"{name}@" not in words
        assert not [line for line in finding.advice if "deployer delete" in line or "ush" in line.partition("(")[0]]


@pytest.mark.parametrize("name", FOREIGN)
def test_the_command_moves_it_away(tree: Tree, name: str) -> None:
    tree.push("other", ["1"], image("y"))
    tree.push("team/app", ["1"], image("y"))
    tree.push(name, ["1"], WHOLE)
    tree.push(f"{name}er", ["1"], WHOLE)
    (finding,) = told(tree)
    command = finding.advice[0].partition(" directory: ")[2].replace("/var/lib/registry", str(tree.folder))
    assert command.startswith("mv ")
    subprocess.run(["sh", "-c", command], check=True)
    assert not told(tree)
    assert place_of(tree, "team/app").is_dir()
    shutil.rmtree(tree.folder / "docker")
    assert any(tree.folder.iterdir())
