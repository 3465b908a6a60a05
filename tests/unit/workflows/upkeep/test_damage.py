"""What power cuts and full disks leave: told with the images that it hits, and never garbage."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from deployer.cli.output import Output
from deployer.cli.views.upkeep import GcReport
from deployer.errors import StorageError
from deployer.registry.content.manifests import digest_of
from deployer.storage.access import Storage
from deployer.storage.printed import Verified
from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.gate import DrainPolicy
from deployer.workflows.upkeep.gc import GcOptions, plan_gc
from deployer.workflows.upkeep.survey import damage, storage_findings
from deployer.workflows.upkeep.survey.damage import every_layer, layers_to_verify
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, RemovalSet
from deployer.workflows.upkeep.untagged import untagged
from tests.support.content import foreign_image
from tests.support.local_storage import LocalEngine, LocalWork, Tree
from tests.support.registry_content import OCI, Image, image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.workflows.upkeep.collection import Collected
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import DeepCheck, RemovalPolicy, Survey


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def look(tree: Tree, choose: RemovalPolicy = unreferenced_only, *, damaged: bool = False) -> Survey:
    return survey(tree.storage(), Manifests(), choose, layers_to_verify if damaged else None)


def cure(tree: Tree, meanwhile: Callable[[], object] | None = None) -> Collected:
    return collected(tree, unreferenced_only, meanwhile, layers_to_verify)


def collected(
    tree: Tree, choose: RemovalPolicy, meanwhile: Callable[[], object] | None = None, by: DeepCheck | None = None
) -> Collected:
    storage, manifests = tree.storage(remembers=True), Manifests()
    shown = survey(storage, manifests, choose, by)
    return collect(
        cast("Upkeep", LocalWork(storage, meanwhile)), manifests, choose, shown, DrainPolicy(0, lambda _: None)
    )


def file_of(tree: Tree, digest: str) -> Path:
    return tree.root / f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"


def hits(found: Survey) -> list[tuple[str, int | None, tuple[str, ...]]]:
    return [(one.digest, one.size, one.images) for one in found.damages]


class TestRightSizeAndWrongBytes:
    """A disk that lost writes, or bits that flipped: only reading a layer to its end tells."""

    def damage(self, tree: Tree) -> str:
        whole = image("hit")
        tree.push("app", ["1"], whole)
        tree.push("app", ["2"], image("other"))
        digest = sha256(whole.blobs[1])
        file = file_of(tree, digest)
        file.write_bytes(bytes(file.stat().st_size))
        return digest

    @pytest.mark.parametrize("options", [GcOptions(), GcOptions(damaged=True)])
    def test_it_is_not_found_without_reading_all(self, tree: Tree, options: GcOptions) -> None:
        self.damage(tree)
        assert hits(plan_gc(tree.storage(), options).survey) == []

    def test_it_is_found_and_removed_with_full(self, tree: Tree) -> None:
        digest = self.damage(tree)
        told: list[tuple[int, int]] = []
        plan = plan_gc(
            tree.storage(), GcOptions(damaged=True, full=True), lambda number, size: told.append((number, size))
        )
        layers = [sha256(image(word).blobs[1]) for word in ("hit", "other")]
        assert told == [
            (
                4,
                sum(
                    file_of(tree, one).stat().st_size
                    for one in plan.survey.snapshot.blobs
                    if one in layers or not plan.manifests.known.get(one)
                ),
            )
        ]
        assert hits(plan.survey) == [(digest, file_of(tree, digest).stat().st_size, ("app:1",))]
        assert plan.survey.removal.damaged == (digest,)
        done = collected(tree, unreferenced_only, None, every_layer)
        assert done.removal.damaged == (digest,)
        assert not file_of(tree, digest).exists()
        assert tree.broken() == [
            f"{tree.root}/repositories/app/_manifests/revisions/sha256/{image('hit').digest[7:]}/link: no {digest}"
        ]

    def test_a_layer_without_its_link_is_read_too(self, tree: Tree) -> None:
        digest = self.damage(tree)
        (tree.root / f"repositories/app/_layers/sha256/{digest[7:]}/link").unlink()
        found = plan_gc(tree.storage(), GcOptions(damaged=True, full=True)).survey
        assert digest in found.removal.damaged


@pytest.mark.parametrize("content", [b"", b"short", b"longer than it was " * 50, None])
@pytest.mark.parametrize("part", ["configuration", "layer", "manifest"])
def test_a_file_that_is_not_what_it_should_be(tree: Tree, content: bytes | None, part: str) -> None:
    whole = image("hit", "shared")
    tree.push("app", ["1", "2"], whole)
    tree.push("app", ["3"], image("other", "shared"))
    digest = {"manifest": whole.digest, "configuration": sha256(whole.blobs[0]), "layer": sha256(whole.blobs[1])}[part]
    if content is None:
        file_of(tree, digest).unlink()
    else:
        file_of(tree, digest).write_bytes(content)
    found = look(tree, lambda snapshot, manifests: untagged(snapshot, manifests, 0))
    assert hits(found) == [(digest, None if content is None else len(content), ("app:1", "app:2"))]
    assert found.removal.is_empty


@pytest.mark.parametrize("content", [None, b""])
def test_with_backups_the_first_advice_is_to_restore_from_them(tree: Tree, content: bytes | None) -> None:
    tree.push("app", ["1"], image("app"))
    layer = file_of(tree, sha256(image("app").blobs[1]))
    layer.unlink() if content is None else layer.write_bytes(content)
    (with_them,) = storage_findings.of_survey(look(tree), has_backups=True)
    (without,) = storage_findings.of_survey(look(tree))
    assert with_them.advice[0].startswith("deployer check --repair ")
    assert with_them.advice[1].startswith("Or ")
    assert len(with_them.advice) == len(without.advice) + 1
    assert not any("check --repair" in line for line in without.advice)


def test_a_layer_that_several_repositories_need_hits_each(tree: Tree) -> None:
    for name in ("one", "two"):
        tree.push(name, ["1"], image(name, "shared"))
    tree.push("three", ["1"], image("three"))
    shared = sha256(image("shared").blobs[1])
    file_of(tree, shared).write_bytes(b"")
    assert hits(look(tree)) == [(shared, 0, ("one:1",)), (shared, 0, ("two:1",))]


def test_a_part_of_an_index_hits_its_tag(tree: Tree) -> None:
    children = [image("amd64"), image("arm64")]
    for child in children:
        tree.push("app", [], child)
    tree.push("app", ["all"], index([(child, None) for child in children]))
    layer = sha256(children[1].blobs[1])
    file_of(tree, layer).write_bytes(b"")
    file_of(tree, children[0].digest).write_bytes(b"{")
    assert {one.digest: one.images for one in look(tree).damages} == {
        layer: ("app:all",),
        children[0].digest: ("app:all",),
    }


def test_an_index_may_name_what_is_not_here(tree: Tree) -> None:
    tree.push("app", ["all"], index([(image("here"), None), (image("elsewhere"), None)]))
    assert not look(tree).damages


@pytest.mark.parametrize("media", ["docker", OCI])
def test_a_layer_that_is_elsewhere_is_not_lost(tree: Tree, media: str) -> None:
    tree.push("app", ["windows"], foreign_image(media=media))
    found = look(tree)
    assert not found.damages
    assert found.removal.is_empty


def said_wrongly(content: Image, size: object) -> Image:
    document = content.document
    document["layers"][0]["size"] = size
    return Image(json.dumps(document).encode(), content.media_type, content.blobs)


@pytest.mark.parametrize("size", [0, 5, "many", None, -1])
def test_what_is_whole_stays_whatever_a_manifest_says(tree: Tree, size: object) -> None:
    """As a push over an empty layer writes it: the size that the registry told."""
    wrong = said_wrongly(image("x"), size)
    tree.push("app", ["1"], wrong)
    before = tree.listing()
    found = look(tree)
    assert not found.damages
    if isinstance(size, int) and size >= 0:
        (told,) = storage_findings.of_survey(found)
        layer, has = sha256(wrong.blobs[1])[7:19], len(wrong.blobs[1])
        assert told.sentence.startswith(
            f"app:1: the file {layer} has {has} bytes, but the manifest says {size}. The file"
        )
        assert told.advice[-1] == f"Or delete: deployer delete app@{wrong.digest}, then: deployer gc"
    elif size == "many":
        (told,) = storage_findings.of_survey(found)
        assert "not in a form that the registry can read" in told.sentence
    else:
        assert not [*storage_findings.of_survey(found)]
    assert cure(tree).removal.is_empty
    assert tree.listing() == before


def test_a_size_that_an_index_says_wrongly_is_the_index_s_fault_alone(tree: Tree) -> None:
    child = image("amd64")
    tree.push("app", ["amd64"], child)
    both = index([(child, None)])
    document = both.document
    document["manifests"][0]["size"] += 1
    tree.push("app", ["all"], Image(json.dumps(document).encode(), both.media_type))
    (told,) = storage_findings.of_survey(look(tree))
    assert told.sentence.startswith(f"app:all: the manifest {child.digest[7:19]} has {len(child.content)} bytes, but")
    # `docker push` sends no index.
    assert told.advice[0].startswith("Create the index again")


def test_what_is_damaged_is_not_told_of_a_wrong_manifest(tree: Tree) -> None:
    whole = image("x")
    tree.push("app", ["1"], whole)
    file_of(tree, sha256(whole.blobs[1])).write_bytes(b"short")
    assert not look(tree).wrong_sizes


def test_a_size_of_nothing_is_right_for_nothing_alone(tree: Tree) -> None:
    whole = image("x")
    document = whole.document
    document["layers"] = [{**document["layers"][0], "digest": sha256(b""), "size": 0}]
    tree.push("app", ["empty"], Image(json.dumps(document).encode(), whole.media_type, (whole.blobs[0], b"")))
    assert not look(tree).damages
    tree.push("app", ["1"], said_wrongly(whole, 0))
    file_of(tree, sha256(whole.blobs[1])).write_bytes(b"")
    assert hits(look(tree)) == [(sha256(whole.blobs[1]), 0, ("app:1",))]


class TestTagsManifestNotLinked:
    """A tag names a manifest to which its repository has no link."""

    @pytest.fixture
    def link(self, tree: Tree) -> Path:
        digest = tree.push("app", ["1", "2"], image("x"))
        return tree.root / f"repositories/app/_manifests/revisions/sha256/{digest[7:]}/link"

    @pytest.mark.parametrize("with_folder", [False, True])
    def test_the_link_is_told_and_written_again(self, tree: Tree, link: Path, with_folder: bool) -> None:
        before = tree.listing()
        link.unlink()
        if not with_folder:
            link.parent.rmdir()
        (told,) = storage_findings.of_survey(look(tree))
        short = link.parent.name[:12]
        assert told.sentence == f"app:1, app:2 are incomplete: the link to the manifest {short} is missing."
        assert told.advice == (
            "deployer gc --damaged   (restores the link file)",
            "Or push them again from a machine that has them.",
            "Or delete them: deployer delete app:1 app:2, then: deployer gc",
        )
        assert look(tree).is_idle
        done = cure(tree)
        assert (done.links, done.removal.is_empty) == (1, True)
        assert link.read_text() == f"sha256:{link.parent.name}"
        assert tree.listing() == before
        assert not [*storage_findings.of_survey(look(tree))]

    @pytest.mark.parametrize("content", [None, b"", b"short"])
    def test_where_the_file_is_wrong_too_that_is_told(self, tree: Tree, link: Path, content: bytes | None) -> None:
        link.unlink()
        digest = f"sha256:{link.parent.name}"
        file_of(tree, digest).unlink() if content is None else file_of(tree, digest).write_bytes(content)
        assert hits(look(tree)) == [(digest, None if content is None else len(content), ("app:1", "app:2"))]
        assert not look(tree, damaged=True).links_to_repair
        assert not cure(tree).links
        assert not link.exists()

    def test_a_deletion_that_has_ended_in_the_meantime_is_not_undone(self, tree: Tree, link: Path) -> None:
        """A registry takes the link first, and then one tag after the other."""
        link.unlink()
        tags = tree.root / "repositories/app/_manifests/tags"
        assert not cure(tree, lambda: shutil.rmtree(tags)).links
        assert not link.exists()


class TestTagOfNoManifest:
    """A tag's link names content that is not a manifest, as a restore by a script may leave it."""

    @pytest.mark.parametrize("part", ["configuration", "layer"])
    def test_only_the_tag_is_to_be_deleted_and_no_link_is_written(self, tree: Tree, part: str) -> None:
        whole = image("x")
        tree.push("app", ["1"], whole)
        tree.push("app", ["odd"], image("y"))
        digest = sha256(whole.blobs[part == "layer"])
        (tree.root / "repositories/app/_manifests/tags/odd/current/link").write_text(digest)
        (told,) = storage_findings.of_survey(look(tree))
        assert told.sentence == (f"app:odd is incomplete: the content {digest[7:19]} is not a valid manifest.")
        assert told.advice == (
            "Push it again from a machine that has it.",
            "Or delete it: deployer delete app:odd, then: deployer gc",
        )
        assert not look(tree, damaged=True).links_to_repair
        before = tree.listing()
        assert not cure(tree).links
        assert tree.listing() == before

    def test_a_manifest_that_the_registry_cannot_read_is_none(self, tree: Tree) -> None:
        odd = Image(b'{"schemaVersion": 2, "mediaType": "application/x-odd"}', OCI, ())
        digest = tree.push("app", ["odd"], odd)
        (tree.root / f"repositories/app/_manifests/revisions/sha256/{digest[7:]}/link").unlink()
        (told,) = storage_findings.of_survey(look(tree))
        assert told.sentence.endswith(f"the content {digest[7:19]} is not a valid manifest.")
        assert not look(tree, damaged=True).links_to_repair

    def test_as_a_layer_it_needs_its_own_link_still(self, tree: Tree) -> None:
        whole = image("x")
        tree.push("app", ["1"], whole)
        digest = sha256(whole.blobs[1])
        tree.push("app", ["odd"], image("y"))
        (tree.root / "repositories/app/_manifests/tags/odd/current/link").write_text(digest)
        (tree.root / f"repositories/app/_layers/sha256/{digest[7:]}/link").unlink()
        linked, odd = storage_findings.of_survey(look(tree))
        assert linked.sentence == f"app:1 is incomplete: the link to the file {digest[7:19]} is missing."
        assert odd.sentence.startswith("app:odd is incomplete: the content ")
        assert cure(tree).links == 1
        assert [one.sentence for one in storage_findings.of_survey(look(tree))] == [odd.sentence]


class TestTagsOwnFile:
    @pytest.mark.parametrize("content", [None, b"", b"\0" * 71, b"sha256:abc"])
    def test_a_tag_that_says_nothing_is_told(self, tree: Tree, content: bytes | None) -> None:
        tree.push("app", ["1", "2"], image("x"))
        link = tree.root / "repositories/app/_manifests/tags/1/current/link"
        link.unlink() if content is None else link.write_bytes(content)
        (told,) = storage_findings.of_survey(look(tree))
        assert told.sentence.startswith("app:1: a tag, whose file is missing or damaged in the storage")
        assert told.advice == ("Push it again, or: deployer delete app:1",)

    def test_one_that_is_being_written_is_not(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        digest = tree.push("app", ["1"], image("x"))
        link = tree.root / "repositories/app/_manifests/tags/1/current/link"
        link.write_bytes(b"")
        storage = tree.storage()
        listed = storage.snapshot()
        link.write_text(digest)
        monkeypatch.setattr(storage, "snapshot", lambda: listed)
        assert not survey(storage, Manifests(), unreferenced_only).tags_without_digest


def test_what_comes_while_it_is_listed_is_no_loss(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of files may be made before a push, and that of manifests after it."""
    whole = image("x")
    tree.push("app", ["1"], whole)
    storage = tree.storage()
    listed = storage.snapshot()
    new = {whole.digest, sha256(whole.blobs[1])}
    listed = replace(listed, blobs={digest: blob for digest, blob in listed.blobs.items() if digest not in new})
    monkeypatch.setattr(storage, "snapshot", lambda: listed)
    found = survey(storage, Manifests(), unreferenced_only)
    assert not found.damages
    assert found.removal.is_empty
    (told,) = storage_findings.of_survey(found)
    assert told.state == "note"
    assert told.sentence.startswith(f"app@{whole.digest} was pushed in the meantime")


@pytest.mark.parametrize("change", [{"schemaVersion": 2.0}, {"schemaVersion": 3}, {"mediaType": "application/x-odd"}])
def test_one_that_the_registry_cannot_read_is_told_and_nothing_else_is_held_back(
    tree: Tree, change: dict[str, Any]
) -> None:
    whole = image("x")
    odd = Image(json.dumps({**whole.document, **change}).encode(), whole.media_type, whole.blobs)
    tree.push("app", ["1", "2"], odd)
    tree.push("app", ["3"], whole)
    unneeded = tree.blob(b"unneeded")
    found = look(tree)
    assert not found.damages
    assert unneeded in found.removal.blobs
    (told,) = storage_findings.of_survey(found)
    assert told.state == "wrong"
    assert told.sentence.startswith("app:1, app:2 cannot be pulled")
    assert told.advice[1] == f"Or delete: deployer delete app@{odd.digest}, then: deployer gc"


def test_a_manifest_of_an_unknown_form_is_not_called_damaged(tree: Tree) -> None:
    tree.push("app", ["1"], Image(b'{"of": "tomorrow"}', "x"))
    found = look(tree)
    assert not found.damages
    assert [one.digest for one in found.unknown] == [sha256(b'{"of": "tomorrow"}')]


class TestCure:
    @pytest.mark.parametrize("content", [b"", b"short"])
    def test_exactly_the_damaged_files_go(self, tree: Tree, content: bytes) -> None:
        whole = image("hit", "shared")
        tree.push("app", ["1"], whole)
        tree.push("app", ["2"], image("other", "shared"))
        before = tree.listing()
        damaged = {whole.digest, sha256(whole.blobs[1])}
        for digest in damaged:
            file_of(tree, digest).write_bytes(content)
        assert set(look(tree, damaged=True).removal.damaged) == damaged
        assert look(tree).removal.is_empty
        assert set(cure(tree).removal.damaged) == damaged
        assert before - tree.listing() == {str(file_of(tree, digest).relative_to(tree.root)) for digest in damaged}
        assert {one.size for one in look(tree).damages} == {None}
        tree.push("app", ["1"], whole)
        assert tree.listing() == before
        assert not look(tree).damages

    def test_what_the_damaged_files_held_is_freed(self, tree: Tree) -> None:
        whole = image("x")
        tree.push("app", ["1"], whole)
        layer = file_of(tree, sha256(whole.blobs[1]))
        layer.write_bytes(b"x" * 100_000)
        held = layer.stat().st_blocks * 512
        shown = look(tree, damaged=True)
        assert (shown.freed, shown.disk_bytes(shown.removal.blobs)) == (held, 0)
        assert look(tree).freed == 0
        assert cure(tree).freed == held > 0

    def test_what_is_whole_again_by_then_stays(self, tree: Tree) -> None:
        whole = image("x")
        tree.push("app", ["1"], whole)
        layer = file_of(tree, sha256(whole.blobs[1]))
        layer.write_bytes(b"")
        before = tree.listing()
        done = cure(tree, lambda: layer.write_bytes(whole.blobs[1]))
        assert (done.removal.damaged, done.freed) == ((), 0)
        assert tree.listing() == before

    def test_an_empty_layer_of_a_push_that_was_cut_off_goes_at_once(self, tree: Tree) -> None:
        """The next push would be told that it is there."""
        layer = tree.layer("app", b"layer", age=0)
        file_of(tree, layer).write_bytes(b"")
        found = look(tree)
        assert found.removal.blobs == (layer,)
        assert not found.in_progress.blobs

    def test_an_empty_layer_where_all_is_kept_goes_with_the_cure(self, tree: Tree) -> None:
        whole = image("x")
        tree.push("app", ["1"], whole)
        layer = sha256(whole.blobs[1])
        for digest in (layer, whole.digest):
            file_of(tree, digest).write_bytes(b"")
        found = look(tree)
        assert found.removal.is_empty
        assert found.damaged_unreferenced == {layer}
        assert [one.advice[0] for one in storage_findings.of_survey(found)] == ["deployer gc --damaged"] * 2
        assert set(cure(tree).removal.damaged) == {layer, whole.digest}

    def test_a_manifest_pushed_over_a_short_layer_does_not_hide_it(self, tree: Tree) -> None:
        """Docker writes the size that the registry tells, so that the sizes agree."""
        first = image("x")
        tree.push("app", ["1"], first)
        layer = sha256(first.blobs[1])
        for digest in (layer, first.digest):
            file_of(tree, digest).write_bytes(b"short")
        second = said_wrongly(first, len(b"short"))
        tree.link("app", ["1"], second)
        assert set(cure(tree).removal.damaged) == {layer, first.digest}
        assert {one.digest: one.images for one in look(tree).damages}[layer] == ("app:1",)

    def test_what_was_not_shown_stays(self, tree: Tree) -> None:
        for name in ("one", "two"):
            tree.push(name, ["1"], image(name))
        file_of(tree, sha256(image("one").blobs[1])).write_bytes(b"")
        other = file_of(tree, sha256(image("two").blobs[1]))
        cure(tree, lambda: other.write_bytes(b""))
        assert other.exists()


class TestNoPushHasLeftIt:
    """What is damaged goes with the image that named it, however young it is: the next push would take it for whole."""

    @staticmethod
    def cut(tree: Tree, content: bytes = b"short") -> tuple[Image, str]:
        """An image of just now, with a layer that a power cut has changed since."""
        whole = image("hit")
        tree.push("app", ["1"], whole, age=60)
        layer = sha256(whole.blobs[1])
        file_of(tree, layer).write_bytes(content)
        return whole, layer

    @pytest.mark.parametrize("of_the_same_size", [False, True])
    def test_after_the_image_was_deleted(self, tree: Tree, of_the_same_size: bool) -> None:
        size = len(image("hit").blobs[1])
        whole, layer = self.cut(tree, bytes(size) if of_the_same_size else b"short")
        tree.delete("app", whole.digest)
        found = look(tree)
        assert not found.in_progress.blobs
        assert set(found.removal.blobs) == {whole.digest, sha256(whole.blobs[0]), layer}
        collected(tree, unreferenced_only)
        assert not tree.blobs()

    def test_with_the_image_in_one_command(self, tree: Tree) -> None:
        whole, layer = self.cut(tree)
        tree.untag("app", "1")
        tree.push("app", ["2"], image("whole"), age=60)
        done = collected(tree, lambda snapshot, manifests: untagged(snapshot, manifests, 0))
        assert {layer, whole.digest} <= set(done.removal.blobs)
        assert not tree.blobs() & {layer, whole.digest}

    def test_where_the_manifest_is_damaged_too(self, tree: Tree) -> None:
        """Then nothing says which layers it had."""
        whole, layer = self.cut(tree)
        file_of(tree, whole.digest).write_bytes(b"{")
        tree.delete("app", whole.digest)
        assert layer in collected(tree, unreferenced_only).removal.blobs

    def test_where_another_image_of_the_repository_is_damaged(self, tree: Tree) -> None:
        """All layers are kept there; of this one, that it is damaged and how to have it whole again is reported."""
        whole, layer = self.cut(tree)
        tree.delete("app", whole.digest)
        tree.push("app", ["2"], image("other"), age=60)
        file_of(tree, sha256(image("other").blobs[1])).write_bytes(b"short")
        found = look(tree)
        assert found.damaged_unreferenced == {layer}
        assert "The storage contains a damaged file" in [*storage_findings.of_survey(found)][-1].sentence
        cure(tree)
        assert layer not in tree.blobs()

    def test_what_a_push_has_left_stays(self, tree: Tree) -> None:
        whole, _ = self.cut(tree)
        tree.delete("app", whole.digest)
        waits = tree.layer("other", b"a push under way", age=30)
        assert look(tree).in_progress.blobs == 1
        collected(tree, unreferenced_only)
        assert tree.blobs() == {waits}

    def test_what_came_whole_while_the_plan_was_made_stays(self, tree: Tree) -> None:
        whole, layer = self.cut(tree)
        tree.delete("app", whole.digest)
        collected(tree, unreferenced_only, lambda: file_of(tree, layer).write_bytes(whole.blobs[1]))
        assert layer in tree.blobs()

    def test_of_a_healthy_storage_configurations_alone_are_read(
        self, tree: Tree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone = image("gone", "shared")
        tree.push("app", ["1"], image("stays"), age=120)
        tree.push("app", ["2"], gone, age=60)
        tree.delete("app", gone.digest)
        tree.layer("app", b"a push under way", age=1)
        storage = tree.storage()
        read: list[str] = []
        verify = storage.verify

        def noting(paths: Iterable[str]) -> dict[str, Verified]:
            read.extend(paths := [*paths])
            return verify(paths)

        monkeypatch.setattr(storage, "verify", noting)
        assert survey(storage, Manifests(), unreferenced_only).in_progress.blobs == 1
        assert [path.split("/")[-2] for path in read] == [sha256(image("stays").blobs[0])[7:]]


class TestFindings:
    def test_each_repository_has_its_images_and_the_cure(self, tree: Tree) -> None:
        for name in ("one", "two"):
            tree.push(name, ["1", "2"], image(name))
        file_of(tree, sha256(image("one").blobs[1])).write_bytes(b"")
        file_of(tree, sha256(image("two").blobs[1])).unlink()
        cut, lost = storage_findings.of_survey(look(tree))
        assert cut.sentence.startswith("one:1, one:2 are incomplete: the file ")
        assert cut.advice[:2] == ("deployer gc --damaged", "Then push them again from a machine that has them.")
        assert lost.sentence.startswith("two:1, two:2 are incomplete: the file ")
        assert lost.advice[0] == "Push them again from a machine that has them."

    def test_the_removal_names_these_manifests_alone(self, tree: Tree) -> None:
        """Of an index the other images stay; and nothing else of the registry is touched."""
        children = [image("amd64"), image("arm64")]
        for child in children:
            tree.push("app", [], child)
        both = index([(child, None) for child in children])
        tree.push("app", ["all", "same"], both)
        file_of(tree, sha256(children[1].blobs[1])).write_bytes(b"short")
        (told,) = storage_findings.of_survey(look(tree))
        names = sorted(f"app@{digest}" for digest in (both.digest, children[1].digest))
        assert told.advice[-1] == f"Or delete them: deployer delete {' '.join(names)}, then: deployer gc"

    def test_of_many_the_first_are_in_the_lines_and_all_are_affected(self, tree: Tree) -> None:
        images = [image(f"image {number}") for number in range(30)]
        for number, one in enumerate(images):
            tree.push("team/app", [f"release-{number}"], one)
            file_of(tree, sha256(one.blobs[1])).write_bytes(b"short")
        (told,) = storage_findings.of_survey(look(tree))
        assert all(len(line) < 500 for line in (told.sentence, *told.advice)), told
        assert " and 25 more" in told.sentence
        assert " (and 27 more), then: " in told.advice[-1]
        names = {f"team/app:release-{number}" for number in range(30)}
        assert set(told.affected) == {*names, *(sha256(one.blobs[1]) for one in images)}

    def test_of_many_paths_the_first_are_in_the_lines_and_all_are_affected(self, tree: Tree) -> None:
        tree.push("team/app", ["1"], image("x"))
        tags = tree.root / "repositories/team/app/_manifests/tags"
        for number in range(30):
            (tags / f"._{number}").touch()
        (told,) = storage_findings.of_survey(look(tree))
        assert " and 25 more" in told.sentence
        assert len(told.affected) == 30
        assert all(path.startswith("/var/lib/registry/") for path in told.affected)

    def test_what_no_tag_reaches_is_removed_by_its_digest(self, tree: Tree) -> None:
        whole = image("x")
        tree.push("app", [], whole)
        file_of(tree, sha256(whole.blobs[1])).write_bytes(b"short")
        (told,) = storage_findings.of_survey(look(tree))
        assert told.advice == (f"Delete it: deployer delete app@{whole.digest}, then: deployer gc",)

    def test_a_manifest_that_is_gone_has_only_its_tags_to_delete(self, tree: Tree) -> None:
        """By its digest a registry does not find it; the rest of it goes with the cure."""
        lost = tree.push("app", ["1", "2"], image("lost"))
        tree.push("app", ["3"], image("whole"))
        file_of(tree, lost).unlink()
        (told,) = storage_findings.of_survey(look(tree))
        assert told.advice[-1] == "Or delete them: deployer delete app:1 app:2, then: deployer gc --damaged"
        assert not look(tree, damaged=True).removal.revisions
        for tag in ("1", "2"):
            tree.untag("app", tag)
        assert not look(tree).removal.revisions
        assert look(tree, damaged=True).removal.revisions == (("app", lost),)
        assert cure(tree).removal.revisions == (("app", lost),)
        assert not look(tree).damages
        assert tree.blobs() >= {sha256(blob) for blob in image("whole").blobs}

    def test_of_very_many_the_first_are_told(self, tree: Tree) -> None:
        tree.push("app", [f"{number:03}" for number in range(200)], image("x"))
        file_of(tree, sha256(image("x").blobs[1])).write_bytes(b"")
        (one,) = storage_findings.of_survey(look(tree))
        assert one.sentence.startswith("app:000, app:001, app:002, app:003, app:004 and 195 more are incomplete")


def test_files_are_verified_as_they_are_now(tree: Tree) -> None:
    digest = tree.blob(b"content")
    path = f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data"
    missing = path.replace(digest[7:], "0" * 64)
    assert tree.storage().verify([path, missing]) == {path: Verified(7, digest[7:]), missing: Verified()}
    other = digest_of(b"content", "sha512")
    place = tree.root / f"blobs/sha512/{other[7:9]}/{other[7:]}/data"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"content")
    assert [one.value for one in tree.storage().verify([str(place.relative_to(tree.root))]).values()] == [other[7:]]


class TestLinks:
    """The folder that the link of a manifest or layer is in says what it holds."""

    @pytest.mark.parametrize("content", [b"", None, b"sha256:abc", b"\0" * 71, sha256(b"another").encode()])
    def test_they_are_written_again(self, tree: Tree, content: bytes | None) -> None:
        whole = image("x")
        tree.push("team/app", ["1"], whole)
        tree.push("other", ["link", "1"], image("y"))
        place = tree.root / "repositories/team/app"
        links = {
            place / f"_manifests/revisions/sha256/{whole.digest[7:]}/link": whole.digest,
            place / f"_layers/sha256/{sha256(whole.blobs[1])[7:]}/link": sha256(whole.blobs[1]),
        }
        for link in links:
            # A newline behind it, as `echo` writes one, the registry does not take either.
            link.write_bytes(link.read_bytes() + b"\n" if content is None else content)
        found = look(tree, damaged=True)
        assert found.links_to_repair == {str(link.relative_to(tree.root)) for link in links}
        assert not look(tree).links_to_repair
        (told,) = storage_findings.of_links(found.links_to_repair)
        assert told.sentence.startswith("team/app: 2 link files are empty or damaged")
        assert cure(tree).links == 2
        assert {link: link.read_text() for link in links} == links
        assert not look(tree, damaged=True).links_to_repair
        assert not list(place.rglob("link.*"))

    @pytest.mark.parametrize("content", [b"", b"sha256:abc", b"\0" * 71, sha256(b"another").encode()])
    @pytest.mark.parametrize("of", ["manifest", "configuration", "layer", "part of an index"])
    def test_the_images_that_need_one_are_told_by_every_look(self, tree: Tree, of: str, content: bytes) -> None:
        whole = image("x")
        tree.push("app", ["old"], image("old"))
        if of == "part of an index":
            tree.push("app", [], whole)
            tree.push("app", ["1"], index([(whole, "linux/amd64")]))
        else:
            tree.push("app", ["1"], whole)
        parts = {"configuration": 0, "layer": 1}
        digest = sha256(whole.blobs[parts[of]]) if of in parts else whole.digest
        folder = "_layers" if of in parts else "_manifests/revisions"
        link = tree.root / f"repositories/app/{folder}/sha256/{digest[7:]}/link"
        link.write_bytes(content)
        (told,) = storage_findings.of_survey(look(tree))
        state = f"damaged ({len(content)} bytes)" if content else "empty"
        kind = "file" if of in parts else "manifest"
        assert told.sentence == f"app:1 is incomplete: the link to the {kind} {digest[7:19]} is {state}."
        # A push that finds such a link fails.
        assert told.advice[0] == "deployer gc --damaged   (restores the link file)"
        assert not any("push it again" in line for line in told.advice)

        chosen = look(tree, lambda _snapshot, _manifests: {"app": RemovalSet(frozenset({"old"}))})
        assert (chosen.skipped_repositories, chosen.to_remove) == (("app",), {})
        before = tree.blobs()
        done = cure(tree)
        assert (done.links, done.removal.is_empty) == (1, True)
        assert link.read_text() == digest
        assert tree.blobs() == before
        assert not [*storage_findings.of_survey(look(tree))]

    def test_of_an_untagged_manifest_one_takes_nothing_away(self, tree: Tree) -> None:
        digest = tree.push("app", [], image("x"))
        (tree.root / f"repositories/app/_manifests/revisions/sha256/{digest[7:]}/link").write_bytes(b"")
        before = tree.blobs()
        assert look(tree, damaged=True).removal.is_empty
        assert cure(tree).links == 1
        assert tree.blobs() == before

    def test_a_link_of_a_tag_is_nobodys_to_guess(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        tree.empty_file("repositories/app/_manifests/tags/1/current/link")
        before = tree.listing()
        assert not cure(tree).links
        assert (tree.root / "repositories/app/_manifests/tags/1/current/link").read_bytes() == b""
        assert tree.listing() == before


class TestSharedLinks:
    """What `jdupes --link-hard` leaves: one file under several names, which a push changes under all of them."""

    def test_each_tag_becomes_a_file_of_its_own(self, tree: Tree) -> None:
        tree.push("app", ["1", "2"], image("x"))
        tree.push("app", ["3"], image("y"))
        tags = tree.root / "repositories/app/_manifests/tags"
        one, two = tags / "1/current/link", tags / "2/current/link"
        two.unlink()
        os.link(one, two)
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (one, two)}
        (told,) = storage_findings.of_survey(look(tree))
        assert "/_manifests/tags/1/current/link, " in told.sentence
        assert told.advice[0].startswith("deployer gc --damaged")
        assert look(tree).is_idle
        assert look(tree).snapshot.repositories["app"].tags.keys() == {"1", "2", "3"}
        assert cure(tree).links == 2
        assert one.stat().st_nlink == two.stat().st_nlink == 1
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (one, two)} == before
        assert not [*storage_findings.of_survey(look(tree))]
        assert not list(tags.rglob("*.new"))


class TestMissingLinks:
    """A repository that lost the link of a layer or configuration, whose file is whole: no one can pull it."""

    @pytest.fixture(params=["layer", "configuration"])
    def link(self, tree: Tree, request: pytest.FixtureRequest) -> Path:
        whole = image("x")
        tree.push("app", ["1"], whole)
        tree.push("app", ["2"], image("y"))
        tree.push("copy", ["1"], whole)
        part = sha256(whole.blobs[request.param == "layer"])
        return tree.root / f"repositories/app/_layers/sha256/{part[7:]}/link"

    @pytest.mark.parametrize("with_folder", [False, True])
    def test_they_are_told_and_written_again(self, tree: Tree, link: Path, with_folder: bool) -> None:
        before = tree.listing()
        link.unlink()
        if with_folder:
            link.parent.rmdir()
        (told,) = storage_findings.of_survey(look(tree))
        short = link.parent.name[:12]
        assert told.sentence == f"app:1 is incomplete: the link to the file {short} is missing."
        assert told.advice[:2] == (
            "deployer gc --damaged   (restores the link file)",
            "Or push it again from a machine that has it.",
        )
        assert look(tree).is_idle
        assert look(tree, damaged=True).links_to_repair == {str(link.relative_to(tree.root))}
        done = cure(tree)
        assert (done.links, done.removal.is_empty) == (1, True)
        assert link.read_text() == f"sha256:{link.parent.name}"
        assert tree.listing() == before
        assert not [*storage_findings.of_survey(look(tree))]

    def test_a_file_that_is_incomplete_too_is_told_as_that(self, tree: Tree, link: Path) -> None:
        link.unlink()
        digest = f"sha256:{link.parent.name}"
        file_of(tree, digest).write_bytes(b"short")
        assert hits(look(tree)) == [(digest, 5, ("app:1",)), (digest, 5, ("copy:1",))]
        assert set(cure(tree).removal.damaged) == {digest}

    def test_the_cure_says_what_it_restores_and_not_to_delete_it(self, tree: Tree, link: Path) -> None:
        link.unlink()
        for is_dry_run in (True, False):
            plan = plan_gc(tree.storage(), GcOptions(damaged=True))
            out = io.StringIO()
            GcReport(plan, is_dry_run=is_dry_run).print(Output(out, out))
            said = out.getvalue()
            assert f"Restores app:1: the link to the file {link.parent.name[:12]} is missing." in said
            assert "Warning" not in said
            assert "delete" not in said
            assert "ush it again" not in said

    def test_what_else_is_damaged_there_is_told_by_itself(self, tree: Tree, link: Path) -> None:
        """Nothing of what a link restores is to be pushed or deleted because of another image."""
        link.unlink()
        other = sha256(image("y").blobs[1])
        file_of(tree, other).write_bytes(b"")
        linked, broken = storage_findings.of_survey(look(tree))
        assert linked.sentence.startswith("app:1 is incomplete: the link to the file ")
        assert linked.advice[0] == "deployer gc --damaged   (restores the link file)"
        assert broken.sentence == f"app:2 is incomplete: the file {other[7:19]} is empty."
        assert broken.advice[-1] == f"Or delete it: deployer delete app@{image('y').digest}, then: deployer gc"
        found = look(tree, damaged=True)
        (left,) = storage_findings.of_survey(found, found.restored)
        assert left == broken

    def test_of_a_repository_that_went_in_the_meantime_none_is_written(self, tree: Tree, link: Path) -> None:
        link.unlink()
        with pytest.raises(StorageError):
            cure(tree, lambda: shutil.rmtree(tree.root / "repositories/app"))
        assert not (tree.root / "repositories/app").exists()

    def test_a_layer_that_is_elsewhere_needs_none(self, tree: Tree) -> None:
        tree.push("app", ["windows"], foreign_image())
        assert not look(tree).damages


def test_the_cure_finds_a_configuration_of_the_right_size(tree: Tree) -> None:
    """Zeroes after a power cut; nothing else of the repository is damaged."""
    whole = image("hit")
    tree.push("app", ["1"], whole)
    config = sha256(whole.blobs[0])
    file_of(tree, config).write_bytes(bytes(len(whole.blobs[0])))
    assert hits(look(tree, damaged=True)) == [(config, len(whole.blobs[0]), ("app:1",))]
    cure(tree)
    assert not file_of(tree, config).exists()


class TestConfigurations:
    """One bit of a configuration flipped: its size is right, and every list and pull reads it."""

    @pytest.fixture
    def config(self, tree: Tree) -> str:
        whole = image("hit")
        tree.push("app", ["1"], whole)
        tree.push("app", ["2"], image("other"))
        content = bytearray(whole.blobs[0])
        content[5] ^= 1
        config = sha256(whole.blobs[0])
        file_of(tree, config).write_bytes(content)
        return config

    def test_it_is_told_without_the_cure_and_cured(self, tree: Tree, config: str) -> None:
        size = len(image("hit").blobs[0])
        assert hits(look(tree)) == [(config, size, ("app:1",))]
        (told,) = storage_findings.of_survey(look(tree))
        assert told.advice[0] == "deployer gc --damaged"
        assert look(tree).removal.is_empty
        assert cure(tree).removal.damaged == (config,)
        assert not file_of(tree, config).exists()
        tree.push("app", ["1"], image("hit"))
        assert not look(tree).damages

    def test_a_large_one_is_read_with_the_cure_alone(
        self, tree: Tree, config: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(damage, "CONFIG_MAX_BYTES", 10)
        assert not look(tree).damages
        assert hits(look(tree, damaged=True)) == [(config, len(image("hit").blobs[0]), ("app:1",))]

    def test_no_repository_with_one_is_pruned(self, tree: Tree, config: str) -> None:
        assert config
        before = tree.listing()
        done = collected(tree, lambda snapshot, manifests: untagged(snapshot, manifests, 0))
        assert done.removal.is_empty
        assert tree.listing() == before


def test_one_call_reads_many_files(tree: Tree) -> None:
    """No program is started for each."""
    paths = []
    for number in range(300):
        digest = tree.blob(b"%d" % number)
        paths.append(f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data")
    programs = tree.folder / "programs"
    programs.mkdir()
    for name in ("sha256sum", "stat"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} >> {tree.folder}/calls\nexec {shutil.which(name)} "$@"\n')
        (programs / name).chmod(0o755)
    engine = LocalEngine(tree.folder, path=f"{programs}:{os.environ['PATH']}")
    found = Storage(cast("Engine", engine), "container").verify(paths)
    assert {one.value for one in found.values()} == {path.split("/")[-2] for path in paths}
    assert len((tree.folder / "calls").read_text().splitlines()) == 2
