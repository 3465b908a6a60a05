"""Something else than a file where the registry expects one: told by its path, and nothing of it is garbage."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, cast

import pytest

from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.gate import DrainPolicy
from deployer.workflows.upkeep.survey import storage_findings
from deployer.workflows.upkeep.survey.damage import layers_to_verify
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from deployer.workflows.upkeep.untagged import untagged
from tests.support.local_storage import LocalWork, Tree
from tests.support.registry_content import Image, image, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import DeepCheck, RemovalPolicy, Survey
    from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet

WHOLE = image("x")
CONFIG, LAYER = map(sha256, WHOLE.blobs)


def blob(digest: str) -> str:
    return f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


PLACES = {
    "manifest": blob(WHOLE.digest),
    "configuration": blob(CONFIG),
    "layer": blob(LAYER),
    "tag's link": "repositories/app/_manifests/tags/1/current/link",
    "manifest's link": f"repositories/app/_manifests/revisions/sha256/{WHOLE.digest[7:]}/link",
    "layer's link": f"repositories/app/_layers/sha256/{LAYER[7:]}/link",
    "folder of the layer": f"blobs/sha256/{LAYER[7:9]}/{LAYER[7:]}",
    "tag's folder": "repositories/app/_manifests/tags/1/current",
    "tags": "repositories/app/_manifests/tags",
    "manifests": "repositories/app/_manifests",
    "layers": "repositories/app/_layers",
}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path)
    tree.push("app", ["1", "2"], WHOLE)
    tree.push("app", ["2", "3"], image("y"))
    tree.push("copy", ["1"], image("z"))
    return tree


def everything(snapshot: Snapshot, manifests: Manifests, /) -> dict[str, RemovalSet]:
    return untagged(snapshot, manifests, 0)


def look(tree: Tree, choose: RemovalPolicy = unreferenced_only, *, damaged: bool = False) -> Survey:
    return survey(tree.storage(), Manifests(), choose, layers_to_verify if damaged else None)


def run(tree: Tree, choose: RemovalPolicy = unreferenced_only, by: DeepCheck | None = None) -> None:
    storage, manifests = tree.storage(remembers=True), Manifests()
    shown = survey(storage, manifests, choose, by)
    collect(cast("Upkeep", LocalWork(storage)), manifests, choose, shown, DrainPolicy(0, lambda _: None))


def as_directory(place: Path) -> None:
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    place.mkdir()
    (place / "inside").write_bytes(b"x")


def as_pipe(place: Path) -> None:
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    os.mkfifo(place)


def as_other_kind(place: Path) -> None:
    """A directory in place of a file, and a file in place of a directory."""
    if place.is_dir():
        shutil.rmtree(place)
        place.write_bytes(b"x")
    else:
        as_directory(place)


@pytest.mark.parametrize("make", [as_other_kind, as_pipe])
@pytest.mark.parametrize("name", PLACES)
def test_it_is_told_by_its_path_and_the_rest_goes_on(tree: Tree, name: str, make: Callable[[Path], None]) -> None:
    tree.delete("copy", tree.push("copy", ["gone"], image("gone")))
    gone = sha256(image("gone").blobs[1])
    assert gone in look(tree).removal.blobs
    place = tree.root / PLACES[name]
    make(place)
    inside = place / "inside"
    had_inside = inside.exists()
    kept = tree.blobs()
    if name not in {"manifests", "layers"}:
        kept -= {gone, sha256(image("gone").blobs[0]), image("gone").digest}

    told = [one for one in storage_findings.of_survey(look(tree)) if PLACES[name] in one.sentence]
    assert len(told) == 1
    assert f"/var/lib/registry/docker/registry/v2/{PLACES[name]}" in told[0].sentence
    assert PLACES[name] in told[0].advice[0]
    for damaged in (None, layers_to_verify):
        run(tree, everything, damaged)
        assert tree.blobs() == kept
        assert os.path.lexists(place)
        assert inside.exists() == had_inside


def test_what_it_hits_is_told_with_a_fix_that_moves_it_first(tree: Tree) -> None:
    as_directory(tree.root / PLACES["layer"])
    (told,) = [one for one in storage_findings.of_survey(look(tree)) if "cannot be pulled whole" in one.sentence]
    path = f"/var/lib/registry/docker/registry/v2/{PLACES['layer']}"
    assert told.sentence == f"app:1 cannot be pulled whole: the file {LAYER[7:19]} is missing."
    assert told.advice[0].startswith(f"Move {path} away")
    assert "push it again" in told.advice[1]
    (tree.root / PLACES["layer"] / "inside").unlink()
    (tree.root / PLACES["layer"]).rmdir()
    tree.push("app", ["1"], WHOLE)
    assert not [*storage_findings.of_survey(look(tree))]


def test_a_missing_link_that_cannot_be_written_is_not_offered_to_be_written(tree: Tree) -> None:
    as_directory(tree.root / PLACES["layer's link"])
    assert not look(tree, damaged=True).links_to_repair
    (told,) = [one for one in storage_findings.of_survey(look(tree)) if "cannot be pulled whole" in one.sentence]
    assert told.advice[0].startswith("Move /var/lib/registry/docker/registry/v2/repositories/app/_layers")
    assert told.advice[1].startswith("deployer gc --damaged")


def test_a_lost_manifest_with_something_in_its_place_stays_with_its_link(tree: Tree) -> None:
    alone = Image(WHOLE.content + b" ", WHOLE.media_type, WHOLE.blobs)
    tree.push("app", [], alone)
    as_directory(tree.root / blob(alone.digest))
    before = tree.listing()
    run(tree, unreferenced_only, layers_to_verify)
    assert tree.listing() == before


def test_a_second_look_still_tells_it(tree: Tree) -> None:
    as_directory(tree.root / PLACES["tag's link"])
    storage = tree.storage(remembers=True)
    assert storage.snapshot().unexpected_paths == (PLACES["tag's link"],)
    tree.push("copy", ["2"], image("late"), age=0)
    assert storage.snapshot().unexpected_paths == (PLACES["tag's link"],)


@pytest.mark.parametrize("tag", ["link", "current", "index", "revisions"])
def test_a_tag_of_the_name_of_a_file_is_none_of_them(tree: Tree, tag: str) -> None:
    tree.push("app", [tag], WHOLE)
    tree.push("app/revisions/sha256", [tag], WHOLE)
    found = tree.storage().snapshot()
    assert found.unexpected_paths == ()
    assert tag in found.repositories["app/revisions/sha256"].tags
