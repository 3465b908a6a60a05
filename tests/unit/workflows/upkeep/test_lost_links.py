"""Manifests whose link their repository has lost, and whose content is here: never garbage, and brought back."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, cast

import pytest

from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.gate import DrainPolicy
from deployer.workflows.upkeep.survey import storage_findings
from deployer.workflows.upkeep.survey.damage import layers_to_verify
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from tests.support.local_storage import LocalWork, Tree
from tests.support.registry_content import OCI, Image, image, index, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.workflows.upkeep.collection import Collected
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import DeepCheck, Survey

ONE, TWO = image("one"), image("two")
BOTH = index([(ONE, "linux/amd64"), (TWO, "linux/arm64")])


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def look(tree: Tree, check: DeepCheck | None = None) -> Survey:
    return survey(tree.storage(), Manifests(), unreferenced_only, check)


def collected(tree: Tree, check: DeepCheck | None = None) -> Collected:
    storage, manifests = tree.storage(remembers=True), Manifests()
    shown = survey(storage, manifests, unreferenced_only, check)
    work = cast("Upkeep", LocalWork(storage, None))
    return collect(work, manifests, unreferenced_only, shown, DrainPolicy(0, lambda _: None))


def pushed(tree: Tree) -> None:
    for child in (ONE, TWO):
        tree.push("app", [], child)
    tree.push("app", ["1"], BOTH)


def lose(tree: Tree, *digests: str) -> None:
    revisions = tree.root / "repositories/app/_manifests/revisions/sha256"
    for digest in digests:
        shutil.rmtree(revisions / digest[7:])


@pytest.mark.parametrize("lost", [(TWO.digest,), (ONE.digest, TWO.digest)], ids=["one part", "both parts"])
def test_parts_of_an_index_stay_and_are_told_and_linked_again(tree: Tree, lost: tuple[str, ...]) -> None:
    pushed(tree)
    before, listing = tree.blobs(), tree.listing()
    lose(tree, *lost)
    (told,) = storage_findings.of_survey(look(tree))
    missing = ", ".join(f"the link to the manifest {digest[7:19]} is missing" for digest in sorted(lost))
    assert told.sentence == f"app:1 is incomplete: {missing}."
    assert told.advice[0].startswith("deployer gc --damaged   (restores the link")
    assert collected(tree).removal.is_empty
    assert tree.blobs() == before
    done = collected(tree, layers_to_verify)
    assert (done.links, done.removal.is_empty) == (len(lost), True)
    assert tree.listing() == listing
    assert not [*storage_findings.of_survey(look(tree))]


def test_with_the_index_all_of_it_comes_back_and_nothing_goes(tree: Tree) -> None:
    """As after a restore without `revisions`: the link of the index is written first."""
    pushed(tree)
    before, listing = tree.blobs(), tree.listing()
    shutil.rmtree(tree.root / "repositories/app/_manifests/revisions")
    # Garbage of another repository, so that there is something to collect.
    gone = image("gone")
    tree.delete("other", tree.push("other", ["1"], gone))
    shown = look(tree, layers_to_verify)
    assert set(shown.removal.blobs) == {gone.digest, *map(sha256, gone.blobs)}
    done = collected(tree, layers_to_verify)
    assert set(done.removal.blobs) == set(shown.removal.blobs)
    assert done.links == 3
    assert tree.blobs() == before
    assert tree.listing() == listing
    assert look(tree).is_idle


def test_a_part_that_was_deleted_is_garbage(tree: Tree) -> None:
    pushed(tree)
    tree.delete("app", TWO.digest)
    found = look(tree)
    # The index names its manifest still.
    assert set(found.removal.blobs) == set(map(sha256, TWO.blobs))
    assert not found.damages


def test_an_index_of_some_parts_lacks_nothing(tree: Tree) -> None:
    """What another repository has was never pushed to this one; it stays all the same once it is deleted there."""
    tree.push("app", [], ONE)
    tree.push("app", ["1"], BOTH)
    tree.push("other", ["2"], TWO)
    assert not look(tree).damages
    shutil.rmtree(tree.root / "repositories/other")
    found = look(tree)
    assert (found.damages, found.removal.blobs) == ((), ())


def attachment(subject: Image, word: str) -> Image:
    made = image(word, media=OCI)
    document = {**made.document, "subject": subject.descriptor()}
    return Image(json.dumps(document).encode(), made.media_type, made.blobs)


def test_what_is_attached_to_an_image_stays(tree: Tree) -> None:
    tree.push("app", ["1"], ONE)
    sbom = attachment(ONE, "sbom")
    signature = attachment(sbom, "signature")
    for one in (sbom, signature):
        tree.push("app", [], one)
    before = tree.blobs()
    lose(tree, sbom.digest, signature.digest)
    assert collected(tree).removal.is_empty
    assert tree.blobs() == before


def test_what_was_attached_and_deleted_goes(tree: Tree) -> None:
    tree.push("app", ["1"], ONE)
    sbom = attachment(ONE, "sbom")
    tree.delete("app", tree.push("app", [], sbom))
    # A copy of the image, to which the attachment was never pushed.
    tree.push("copy", ["1"], ONE)
    assert set(collected(tree).removal.blobs) == {sbom.digest, *map(sha256, sbom.blobs)}
