"""Something else than a file where the registry expects one: told by its path, and nothing of it is garbage."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast

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
    from deployer.workflows.finding import Finding
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import DeepCheck, RemovalPolicy, Survey
    from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet

WHOLE = image("x")
CONFIG, LAYER = map(sha256, WHOLE.blobs)


def blob(digest: str) -> str:
    return f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


def places(repository: str, whole: Image) -> dict[str, str]:
    """Where the registry has what of an image that is tagged `1`; by kind."""
    config, layer = map(sha256, whole.blobs)
    return {
        "manifest": blob(whole.digest),
        "configuration": blob(config),
        "layer": blob(layer),
        "tag's link": f"repositories/{repository}/_manifests/tags/1/current/link",
        "manifest's link": f"repositories/{repository}/_manifests/revisions/sha256/{whole.digest[7:]}/link",
        "layer's link": f"repositories/{repository}/_layers/sha256/{layer[7:]}/link",
        "folder of the layer": f"blobs/sha256/{layer[7:9]}/{layer[7:]}",
        "tag's folder": f"repositories/{repository}/_manifests/tags/1/current",
        "tags": f"repositories/{repository}/_manifests/tags",
        "manifests": f"repositories/{repository}/_manifests",
        "layers": f"repositories/{repository}/_layers",
    }


PLACES = places("app", WHOLE)
# As many as a finding names; and alone, those without which nothing at all is collected.
TOGETHER = (
    ("manifest", "configuration", "layer", "tag's link", "manifest's link"),
    ("layer's link", "folder of the layer", "tag's folder", "tags"),
    ("manifests",),
    ("layers",),
)


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


@dataclass(frozen=True)
class Irregular:
    """A place with something irregular in it: what was reported of it, and what was there before and after the runs."""

    path: str
    told: list[Finding]
    lies: list[bool]
    inside: list[bool]
    gone: set[str]
    blobs: list[set[str]]


@pytest.fixture(scope="module")
def irregular(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Irregular]:
    """Looks at places and runs collections, once for all places that can be irregular in the same storage."""

    @cache
    def seen(group: tuple[str, ...], make: Callable[[Path], None]) -> dict[str, Irregular]:
        return {one.kind: one.seen for one in make_irregular(Tree(tmp_path_factory.mktemp("tree")), group, make)}

    def of(name: str, make: Callable[[Path], None]) -> Irregular:
        return seen(next(group for group in TOGETHER if name in group), make)[name]

    return of


class Made(NamedTuple):
    kind: str
    seen: Irregular


def make_irregular(tree: Tree, group: tuple[str, ...], make: Callable[[Path], None]) -> list[Made]:
    paths = {}
    for number, kind in enumerate(group):
        whole = image(kind)
        tree.push(f"app{number}", ["1", "2"], whole)
        tree.push(f"app{number}", ["2", "3"], image(f"other of {kind}"))
        paths[kind] = places(f"app{number}", whole)[kind]
    tree.push("copy", ["1"], image("z"))
    tree.delete("copy", tree.push("copy", ["gone"], image("gone")))
    gone = {sha256(image("gone").blobs[1]), sha256(image("gone").blobs[0]), image("gone").digest}
    assert gone <= set(look(tree).removal.blobs)
    for path in paths.values():
        make(tree.root / path)
    told = [*storage_findings.of_survey(look(tree))]
    made = [
        Made(kind, Irregular(path, [one for one in told if path in one.sentence], [], [], gone, []))
        for kind, path in paths.items()
    ]

    def note() -> None:
        for one in made:
            one.seen.lies.append(os.path.lexists(tree.root / one.seen.path))
            one.seen.inside.append((tree.root / one.seen.path / "inside").exists())
            one.seen.blobs.append(tree.blobs())

    note()
    for damaged in (None, layers_to_verify):
        run(tree, everything, damaged)
        note()
    return made


@pytest.mark.parametrize("make", [as_other_kind, as_pipe])
@pytest.mark.parametrize("name", PLACES)
def test_it_is_told_by_its_path_and_the_rest_goes_on(
    irregular: Callable[[str, Callable[[Path], None]], Irregular], name: str, make: Callable[[Path], None]
) -> None:
    found = irregular(name, make)
    (told,) = found.told
    assert f"/var/lib/registry/docker/registry/v2/{found.path}" in told.sentence
    assert found.path in told.advice[0]
    before, *after = found.blobs
    kept = before if name in {"manifests", "layers"} else before - found.gone
    assert after == [kept, kept]
    assert found.lies == [True] * 3
    assert len(set(found.inside)) == 1


def test_what_it_hits_is_told_with_a_fix_that_moves_it_first(tree: Tree) -> None:
    as_directory(tree.root / PLACES["layer"])
    (told,) = [one for one in storage_findings.of_survey(look(tree)) if "is incomplete" in one.sentence]
    path = f"/var/lib/registry/docker/registry/v2/{PLACES['layer']}"
    assert told.sentence == f"app:1 is incomplete: something else is in place of the file {LAYER[7:19]}."
    assert told.advice[0].startswith(f"Move {path} away")
    assert "push it again" in told.advice[1]
    (tree.root / PLACES["layer"] / "inside").unlink()
    (tree.root / PLACES["layer"]).rmdir()
    tree.push("app", ["1"], WHOLE)
    assert not [*storage_findings.of_survey(look(tree))]


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        (("layer",), "`gc` and `prune` remove nothing from the repositories that need it."),
        (("tags",), "`gc` and `prune` remove nothing from those repositories."),
        (("layer", "tags"), "`gc` and `prune` remove nothing from the repositories that contain or need them."),
        (("layers",), "no content is removed."),
    ],
)
def test_it_is_said_what_is_kept_until_then(tree: Tree, odd: tuple[str, ...], kept: str) -> None:
    for kind in odd:
        as_other_kind(tree.root / PLACES[kind])
    (told,) = [
        one for one in storage_findings.of_survey(look(tree)) if "which the registry cannot read" in one.sentence
    ]
    assert told.sentence.endswith(f"Until this is fixed, {kept}")


def test_a_missing_link_that_cannot_be_written_is_not_offered_to_be_written(tree: Tree) -> None:
    as_directory(tree.root / PLACES["layer's link"])
    assert not look(tree, damaged=True).links_to_repair
    (told,) = [one for one in storage_findings.of_survey(look(tree)) if "is incomplete" in one.sentence]
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
