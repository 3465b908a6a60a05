"""A survey in portions finds what one of the whole storage does."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.workflows.integrity import portions, reading
from deployer.workflows.integrity.faults import faults_of, other_findings
from deployer.workflows.integrity.portions import survey_in_portions
from deployer.workflows.restore.selection import Selection
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from deployer.workflows.upkeep.suspects import Suspects
from tests.support.local_storage import DAY, Tree
from tests.support.registry_content import image, index, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.workflows.integrity.portions import Look
    from deployer.workflows.upkeep.survey.garbage import Survey

APP, TOOL, PARTS = image("app"), image("tool"), image("one of two")
INDEX = index([(PARTS, "linux/amd64")])
LAYER = sha256(APP.blobs[1])


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Images that share layers across repositories, one in another's folder, and content of no image."""
    made = Tree(tmp_path / "storage")
    made.push("team", ["1"], TOOL)
    made.push("team/app", ["1", "latest"], APP)
    made.push("copy", ["1"], APP)
    made.push("many", [], PARTS)
    made.push("many", ["all"], INDEX)
    made.blob(b"of no image")
    return made


@pytest.fixture(params=[1, 20_000], ids=["small portions", "one portion"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_FIRST", "_LINKS", "_REST"):
        monkeypatch.setattr(portions, name, request.param)
    monkeypatch.setattr(reading, "_PORTION", request.param)


def file(tree: Tree, digest: str) -> Path:
    return tree.root / f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


def rot(tree: Tree, digest: str) -> None:
    """Other bytes, the same size and time."""
    before = file(tree, digest).stat()
    file(tree, digest).write_bytes(bytes(before.st_size))
    os.utime(file(tree, digest), ns=(before.st_atime_ns, before.st_mtime_ns))


def looks(tree: Tree, *suspects: str) -> tuple[Survey, Look]:
    """The whole storage, and the same in portions."""
    whole = survey(tree.storage(), Manifests(), unreferenced_only, Suspects(frozenset(suspects)))
    return whole, survey_in_portions(tree.storage(), frozenset(suspects), Selection())


def same(tree: Tree, *suspects: str) -> Look:
    """The look in portions, which found what the whole one did."""
    whole, look = looks(tree, *suspects)
    found = look.survey
    assert faults_of(found) == faults_of(whole)
    # Some findings say when they were made.
    at_once = replace(found, snapshot=replace(found.snapshot, moment=whole.snapshot.moment))
    assert other_findings(at_once) == other_findings(whole)
    assert found.links_to_repair == whole.links_to_repair
    assert found.unexpected_paths == whole.unexpected_paths
    assert found.snapshot.is_listing_incomplete == whole.snapshot.is_listing_incomplete
    return look


@pytest.mark.usefixtures("size")
class TestSame:
    def test_of_what_is_whole_nothing_is_kept(self, tree: Tree) -> None:
        look = same(tree)
        assert (look.repositories, look.tags) == (4, 5)
        assert (look.survey.snapshot.repositories, look.survey.snapshot.blobs) == ({}, {})

    def test_a_damaged_layer_of_two_repositories(self, tree: Tree) -> None:
        rot(tree, LAYER)
        look = same(tree, LAYER)
        assert [one.images for one in faults_of(look.survey)] == [("copy:1", "team/app:1", "team/app:latest")]
        assert look.survey.damaged_unreferenced == frozenset()
        assert look.survey.snapshot.blobs.keys() == {LAYER}

    def test_a_missing_layer_and_a_lost_manifest(self, tree: Tree) -> None:
        file(tree, LAYER).unlink()
        file(tree, TOOL.digest).unlink()
        assert len(faults_of(same(tree).survey)) == 2

    def test_links_of_layers_manifests_and_parts_of_an_index(self, tree: Tree) -> None:
        links = tree.root / "repositories"
        (links / f"copy/_layers/sha256/{LAYER[7:]}/link").unlink()
        (links / f"team/app/_manifests/revisions/sha256/{APP.digest[7:]}/link").write_bytes(b"")
        lost = links / f"many/_manifests/revisions/sha256/{PARTS.digest[7:]}"
        (lost / "link").unlink()
        lost.rmdir()
        assert same(tree).survey.links_to_repair

    def test_damaged_content_of_no_image(self, tree: Tree) -> None:
        old, new = tree.blob(b"old"), tree.blob(b"new", age=0)
        rot(tree, old)
        rot(tree, new)
        file(tree, tree.blob(b"empty")).write_bytes(b"")
        assert same(tree, old, new).survey.damaged_unreferenced >= {old, new}

    def test_a_link_of_an_image_that_was_deleted_to_a_layer_of_another(self, tree: Tree) -> None:
        tree.push("gone", ["1"], APP, age=0)
        tree.delete("gone", APP.digest)
        rot(tree, LAYER)
        assert len(faults_of(same(tree, LAYER).survey)) == 1

    def test_what_is_none_of_the_registrys(self, tree: Tree) -> None:
        (tree.root / "repositories/team/app/_manifests/tags/Thumbs.db").write_text("x")
        (tree.root / "repositories/Not A Name/_manifests").mkdir(parents=True)
        (tree.root / f"blobs/sha256/zz/{'c' * 64}").mkdir(parents=True)
        (tree.root / f"blobs/sha256/zz/{'c' * 64}/data").write_text("x")
        (tree.root / f"blobs/sha256/zz/{LAYER[7:]}").mkdir(parents=True)
        (tree.root / f"blobs/sha256/zz/{LAYER[7:]}/data").write_text("x")
        tags = tree.root / "repositories/team/app/_manifests/tags"
        (tags / "1/current/link").unlink()
        (tags / "1/current/link").hardlink_to(tags / "latest/current/link")
        link = tree.root / f"repositories/copy/_manifests/revisions/sha256/{APP.digest[7:]}/link"
        link.unlink()
        link.mkdir()
        assert len(other_findings(same(tree).survey)) >= 5

    def test_dates_of_the_future(self, tree: Tree) -> None:
        tree.push("late", ["1"], image("late"), age=-2 * DAY)
        look = same(tree)
        assert look.survey.snapshot.has_future
        assert look.survey.future_tags == ("late:1",)

    def test_names_of_any_bytes(self, tree: Tree) -> None:
        (tree.root / "repositories" / os.fsdecode(b"\xff") / "_manifests/tags").mkdir(parents=True)
        assert same(tree).survey.snapshot.repositories

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        assert same(Tree(tmp_path / "new")).repositories == 0


def test_an_upload_that_ends_while_portions_are_listed_is_no_damage(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = tree.storage()
    outline = storage.outline()
    tree.push("later", ["1"], image("later"), age=0)
    tree.push("copy", ["2"], image("later"), age=0)
    monkeypatch.setattr(storage, "outline", lambda: outline)
    found = survey_in_portions(storage, frozenset(), Selection())
    assert faults_of(found.survey) == ()
    assert time.time() - outline.moment < DAY
