"""What a survey calls garbage, on storages written as a registry writes them, and what collecting takes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, cast

import pytest

from deployer import layout
from deployer.cli.output import Output
from deployer.cli.views.upkeep import GcReport
from deployer.errors import StorageError
from deployer.storage.removal import StorageRemoval
from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.gate import DrainPolicy
from deployer.workflows.upkeep.gc import GcOptions, plan_gc
from deployer.workflows.upkeep.repositories import plan_removal, remove
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only, with_idle_uploads
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from deployer.workflows.upkeep.survey.storage_findings import of_survey
from deployer.workflows.upkeep.untagged import untagged
from tests.support.local_storage import DAY, HOUR, LocalWork, Tree
from tests.support.registry_content import OCI, Image, image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployer.workflows.upkeep.collection import Collected
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import RemovalPolicy, Survey


def all_untagged(older_than: int | None = None) -> RemovalPolicy:
    return lambda snapshot, manifests: untagged(snapshot, manifests, older_than)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def look(tree: Tree, choose: RemovalPolicy = unreferenced_only) -> Survey:
    return survey(tree.storage(), Manifests(), choose)


def run(
    tree: Tree, choose: RemovalPolicy = unreferenced_only, meanwhile: Callable[[], object] | None = None
) -> Collected:
    storage = tree.storage(remembers=True)
    manifests = Manifests()
    shown = survey(storage, manifests, choose)
    work = cast("Upkeep", LocalWork(storage, meanwhile))
    return collect(work, manifests, choose, shown, DrainPolicy(0, lambda _: None))


def attachment(subject: Image, word: str = "signature") -> Image:
    """An artifact with a `subject`."""
    made = image(word, media=OCI)
    document = {**made.document, "subject": subject.descriptor()}
    return Image(json.dumps(document).encode(), made.media_type, made.blobs)


def test_only_what_no_manifest_names_is_garbage(tree: Tree) -> None:
    tree.push("app", ["1"], image("kept", "shared"))
    gone = image("gone", "shared")
    tree.delete("app", tree.push("app", ["2"], gone))
    found = look(tree)
    assert set(found.removal.blobs) == {gone.digest, *map(sha256, gone.blobs)} - {sha256(image("shared").blobs[1])}
    assert not found.removes_images
    assert found.freed >= found.size > 0


def test_collecting_takes_exactly_that_and_the_links_to_it(tree: Tree) -> None:
    kept = image("kept", "shared")
    tree.push("app", ["1"], kept)
    before = tree.listing()
    tree.delete("app", tree.push("app", ["2"], image("gone", "shared")))
    run(tree)
    assert tree.listing() == before
    assert not tree.broken()


def test_what_another_repository_needs_stays(tree: Tree) -> None:
    tree.delete("one", tree.push("one", ["1"], image("both")))
    tree.push("two", ["1"], image("both"))
    done = run(tree)
    assert done.removal.repositories == ("one",)
    assert not done.removal.blobs
    assert not tree.broken()


def test_a_push_in_progress_finds_its_layers_again(tree: Tree) -> None:
    coming = image("first", "second")
    for blob in coming.blobs:
        tree.layer("app", blob, age=60)
    done = run(tree)
    assert not done.removal.blobs
    assert not done.removal.repositories
    tree.link("app", ["1"], coming)
    assert not tree.broken()


def test_what_a_failed_push_left_is_removed_after_an_hour(tree: Tree) -> None:
    for blob in image("obsolete").blobs:
        tree.layer("app", blob, age=2 * HOUR)
    done = run(tree)
    assert len(done.removal.blobs) == 2
    assert done.removal.repositories == ("app",)
    assert not tree.listing()


def begin_upload(tree: Tree, repository: str, name: str, age: int, started: bytes | None = None) -> Path:
    """An unfinished upload, all of which was last written `age` seconds ago; what is `started` is its `startedat`."""
    upload = tree.root / "repositories" / repository / "_uploads" / name
    (upload / "hashstates" / "sha256").mkdir(parents=True)
    (upload / "hashstates" / "sha256" / "0").write_bytes(b"state")
    (upload / "data").write_bytes(b"x" * 9000)
    if started is not None:
        (upload / "startedat").write_bytes(started)
    moment = time.time() - age
    for path in (upload, *upload.rglob("*")):
        os.utime(path, (moment, moment))
    return upload


class TestAbandonedUploads:
    """The registry removes an upload a week after the date in its `startedat`, and none without one."""

    UUID = "0e6c9f1a-7f43-4dcb-9d26-3f8f3c9b2a01"

    @pytest.mark.parametrize("started", [None, b"", b"\0" * 20, b"yesterday"])
    def test_what_the_registry_never_removes_goes_after_eight_days(self, tree: Tree, started: bytes | None) -> None:
        tree.push("app", ["1"], image("x"))
        old = begin_upload(tree, "app", self.UUID, 9 * DAY, started)
        young = begin_upload(tree, "app", self.UUID.replace("0e", "1e"), 7 * DAY, started)
        found = look(tree)
        assert found.removal == StorageRemoval(uploads=(("app", self.UUID),))
        assert (found.freed >= 9000, found.uploads.dated_bytes, found.uploads.undated_bytes) == (True, 0, 9000)
        assert not found.is_unusual
        done = run(tree)
        assert done.removal.uploads == (("app", self.UUID),)
        assert done.freed == found.freed
        assert (old.exists(), young.exists()) == (False, True)
        assert look(tree).removal.is_empty

    @pytest.mark.parametrize("started", [b"2099-01-02T03:04:05Z", b"9999-12-31T23:59:59-23:59"])
    def test_what_began_in_the_future_goes_as_what_has_no_date_and_the_clock_is_named(
        self, tree: Tree, started: bytes
    ) -> None:
        tree.push("app", ["1"], image("x"))
        old = begin_upload(tree, "app", self.UUID, 9 * DAY, started)
        young = begin_upload(tree, "app", self.UUID.replace("0e", "1e"), 7 * DAY, started)
        found = look(tree)
        assert found.removal == StorageRemoval(uploads=(("app", self.UUID),))
        assert (found.uploads.dated_bytes, found.uploads.undated_bytes) == (0, 9000)
        (finding,) = of_survey(found)
        assert f"app: an unfinished upload began in the future ({started[:4].decode()}-" in finding.sentence
        assert "This machine's clock says" in finding.advice[0]
        run(tree)
        assert (old.exists(), young.exists()) == (False, True)

    def test_a_date_that_does_not_exist_is_none(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        begin_upload(tree, "app", self.UUID, 9 * DAY, b"2026-13-45T03:04:05Z")
        assert look(tree).removal == StorageRemoval(uploads=(("app", self.UUID),))

    @pytest.mark.parametrize(
        "started", [b"2026-01-02T03:04:05Z", b"2026-01-02T03:04:05+09:00", b"2026-01-02T03:04:05.123Z"]
    )
    def test_what_the_registry_removes_is_left_to_it(self, tree: Tree, started: bytes) -> None:
        tree.push("app", ["1"], image("x"))
        upload = begin_upload(tree, "app", self.UUID, 99 * DAY, started)
        found = look(tree)
        assert found.removal.is_empty
        assert (found.uploads.dated_bytes, found.uploads.undated_bytes) == (9000, 0)
        run(tree)
        assert upload.exists()

    @pytest.mark.parametrize("file", [".", "data", "hashstates/sha256", "hashstates/sha256/0"])
    def test_one_of_which_anything_was_written_lately_is_in_progress(self, tree: Tree, file: str) -> None:
        tree.push("app", ["1"], image("x"))
        upload = begin_upload(tree, "app", self.UUID, 99 * DAY)
        os.utime(upload / file)
        assert look(tree).removal.is_empty

    def test_one_that_goes_on_in_the_meantime_stays(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        upload = begin_upload(tree, "app", self.UUID, 99 * DAY)
        assert run(tree, meanwhile=lambda: os.utime(upload / "data")).removal.is_empty
        assert upload.exists()

    def test_one_that_was_not_shown_stays(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        begin_upload(tree, "app", self.UUID, 99 * DAY)
        other = self.UUID.replace("0e", "1e")
        done = run(tree, meanwhile=lambda: begin_upload(tree, "app", other, 99 * DAY))
        assert done.removal.uploads == (("app", self.UUID),)

    def test_a_repository_of_nothing_else_goes_with_it(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        begin_upload(tree, "gone", self.UUID, 99 * DAY)
        begin_upload(tree, "busy", self.UUID, 1 * DAY)
        assert run(tree).removal.repositories == ("gone",)
        assert sorted(tree.storage().snapshot().repositories) == ["app", "busy"]

    def test_below_a_name_that_no_registry_takes_it_is_not_touched(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        begin_upload(tree, "#recycle", self.UUID, 99 * DAY)
        assert look(tree).removal.is_empty

    def test_it_is_told(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        for number, (age, started) in enumerate([(9, None), (9, None), (1, None), (9, b"2026-01-02T03:04:05Z")]):
            begin_upload(tree, "app", f"{self.UUID[:-1]}{number}", age * DAY, started)
        out, err = io.StringIO(), io.StringIO()
        report = GcReport(plan_gc(tree.storage(), GcOptions()), is_dry_run=True)
        report.print(Output(out, err))
        assert "2 unfinished uploads, last written over 8 days ago: " in out.getvalue()
        told = "Unfinished uploads use 9 kB; the registry removes them after a week. Sooner: deployer gc --uploads 1h"
        assert told in err.getvalue()
        assert (
            "Unfinished uploads without a valid start date use 9 kB; `deployer gc` removes them after 8 days."
            in err.getvalue()
        )
        assert (report.as_json()["uploads"], report.as_json()["unfinished_upload_bytes"]) == (2, 18000)

    def test_those_of_interrupted_pushes_go_sooner_where_that_is_asked_for(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        dated = b"2026-01-02T03:04:05Z"
        old, young = (begin_upload(tree, "app", f"{self.UUID[:-1]}{age}", age * HOUR, dated) for age in (4, 2))
        options = GcOptions(idle_uploads=3 * HOUR)
        plan = plan_gc(tree.storage(), options)
        assert plan.survey.removal == StorageRemoval(uploads=(("app", old.name),))
        assert plan.survey.freed >= 9000
        out = io.StringIO()
        GcReport(plan, is_dry_run=True).print(Output(out, io.StringIO()))
        assert "1 unfinished upload, last written over 3h ago: " in out.getvalue()
        # One that goes on in the meantime is a push in progress.
        os.utime(old / "data")
        assert with_idle_uploads(look(tree), options.idle_uploads).removal.is_empty
        assert look(tree).uploads.idle_bytes == 9000
        assert (old.exists(), young.exists()) == (True, True)


def test_a_layer_of_a_long_push_stays_while_another_is_uploaded(tree: Tree) -> None:
    digest = tree.layer("app", b"small, done long ago", age=2 * HOUR)
    upload = tree.root / "repositories/app/_uploads/1234"
    upload.mkdir()
    (upload / "data").write_bytes(b"the large one")
    done = run(tree)
    assert digest not in done.removal.blobs
    assert not done.removal.repositories


def test_an_image_deleted_a_moment_ago_is_garbage_at_once(tree: Tree) -> None:
    tree.delete("app", tree.push("app", ["1"], image("short-lived"), age=60))
    done = run(tree)
    assert len(done.removal.blobs) == 3
    assert not tree.listing()


def test_old_garbage_that_is_pushed_again_stays(tree: Tree) -> None:
    again = image("again")
    tree.delete("app", tree.push("app", ["1"], again, age=DAY))
    for blob in again.blobs:
        tree.layer("other", blob, age=10)
    done = run(tree)
    assert not set(map(sha256, again.blobs)) & set(done.removal.blobs)
    tree.link("other", ["1"], again)
    assert not tree.broken()


def test_a_deletion_elsewhere_explains_nothing_here(tree: Tree) -> None:
    twice = image("pushed by two")
    for blob in twice.blobs:
        tree.layer("slow", blob, age=60)
    tree.delete("fast", tree.push("fast", ["1"], twice, age=30))
    done = run(tree)
    assert "slow" not in done.removal.repositories
    assert not set(map(sha256, twice.blobs)) & set(done.removal.blobs)


@pytest.mark.parametrize("damage", ["lost", "cut short", "empty"])
def test_around_a_damaged_manifest_everything_stays(tree: Tree, damage: str) -> None:
    children = [image("one"), image("two")]
    for child in children:
        tree.push("app", [], child)
    whole = index([(child, None) for child in children])
    tree.push("app", ["1"], whole)
    file = tree.root / f"blobs/sha256/{whole.digest[7:9]}/{whole.digest[7:]}/data"
    if damage == "lost":
        file.unlink()
        file.parent.rmdir()
    else:
        file.write_bytes(whole.content[:50] if damage == "cut short" else b"")
    found = look(tree, all_untagged(0))
    assert found.removal.is_empty
    assert [(one.digest, one.is_lost) for one in found.damages] == [(whole.digest, damage == "lost")]


def test_a_damaged_manifest_without_a_tag_can_go(tree: Tree) -> None:
    gone = tree.push("app", [], image("x"))
    tree.push("app", ["1"], image("y"))
    (tree.root / f"blobs/sha256/{gone[7:9]}/{gone[7:]}/data").write_bytes(b"{")
    done = run(tree, all_untagged(0))
    assert done.removal.revisions == (("app", gone),)
    assert not tree.broken()


def test_content_pushed_by_another_kind_of_digest_stays(tree: Tree) -> None:
    layer = b"by sha512"
    digest = tree.layer("app", layer)
    other = f"sha512:{'ab' * 64}"
    link = tree.root / f"repositories/app/_layers/sha512/{'ab' * 64}/link"
    link.parent.mkdir(parents=True)
    link.write_text(digest)
    made = image("plain")
    layers = [*made.document["layers"], {"mediaType": "x", "digest": other, "size": len(layer)}]
    tree.push(
        "app", ["1"], Image(json.dumps({**made.document, "layers": layers}).encode(), made.media_type, made.blobs)
    )
    done = run(tree)
    assert digest not in done.removal.blobs
    assert link.exists()
    assert digest in tree.blobs()


def test_a_digest_written_with_escapes_counts(tree: Tree) -> None:
    made = image("x")
    content = made.content.replace(b"sha256:", b"sha\\u003256:").replace(b"\\u003256", b"\\u0032\\u0035\\u0036")
    assert json.loads(content) == made.document
    tree.push("app", ["1"], Image(content, made.media_type, made.blobs))
    assert look(tree).removal.is_empty


def test_behind_a_symbolic_link_nobody_looks(tree: Tree) -> None:
    tree.push("team/app", ["1"], image("x"))
    (tree.root / "repositories/team").rename(tree.root / "elsewhere")
    (tree.root / "repositories/team").symlink_to("../elsewhere")
    with pytest.raises(StorageError, match="repositories/team"):
        look(tree)


@pytest.mark.parametrize("place", ["repositories", "blobs", "repositories/app/_manifests/tags", "blobs/sha256"])
def test_wherever_the_link_is(tree: Tree, place: str) -> None:
    tree.push("app", ["1"], image("x"))
    (tree.root / place).rename(tree.folder / "elsewhere")
    (tree.root / place).symlink_to(tree.folder / "elsewhere")
    with pytest.raises(StorageError, match="symbolic link"):
        look(tree)


def test_blobs_without_any_repository_are_unusual(tree: Tree) -> None:
    tree.push("app", ["1"], image("x"))
    assert not look(tree).is_unusual
    subprocess.run(["rm", "-r", str(tree.root / "repositories/app")], check=True)
    assert look(tree).is_unusual


# -- untagged manifests


def test_a_superseded_image_goes_and_its_successor_stays(tree: Tree) -> None:
    old = tree.push("app", ["1"], image("old"), age=60)
    new = tree.push("app", ["1"], image("new"), age=30)
    assert look(tree).removal.is_empty
    done = run(tree, all_untagged())
    assert done.removal.revisions == (("app", old),)
    assert new in tree.blobs()
    assert not tree.broken()


def test_a_multi_platform_image_keeps_its_parts_and_what_is_attached(tree: Tree) -> None:
    children = [image("one"), image("two")]
    for child in children:
        tree.push("app", [], child)
    whole = index([(child, None) for child in children], media=OCI)
    tree.push("app", ["1"], whole)
    tree.push("app", [], attachment(children[0]))
    tree.push("app", [f"sha256-{whole.digest[7:]}.sig"], image("cosign"))
    assert look(tree, all_untagged(0)).removal.is_empty


def test_a_signature_goes_with_what_it_signs(tree: Tree) -> None:
    signed = image("signed")
    gone = tree.push("app", [], signed)
    tree.push("app", ["1"], image("other"))
    signature = tree.push("app", [f"sha256-{gone[7:]}.sig"], image("cosign"))
    referrer = tree.push("app", [], attachment(signed))
    done = run(tree, all_untagged(0))
    assert {digest for _, digest in done.removal.revisions} == {gone, signature, referrer}
    assert done.removal.tags == (("app", f"sha256-{gone[7:]}.sig"),)
    assert not tree.broken()


@pytest.mark.parametrize("suffix", ["", ".imgpkg"])
def test_an_image_that_is_tagged_with_its_own_digest_is_tagged(tree: Tree, suffix: str) -> None:
    made = image("x")
    tree.push("app", [f"sha256-{made.digest[7:]}{suffix}"], made)
    assert look(tree, all_untagged(0)).removal.is_empty


def test_two_that_are_attached_to_each_other_stay(tree: Tree) -> None:
    one, two = image("one"), image("two")
    tree.push("app", [f"sha256-{two.digest[7:]}.a"], one)
    tree.push("app", [f"sha256-{one.digest[7:]}.b"], two)
    assert look(tree, all_untagged(0)).removal.is_empty


def test_what_was_only_ever_pushed_by_digest_stays_unless_an_age_is_given(tree: Tree) -> None:
    made = image("x")
    tree.push("digests", [], made, age=40 * DAY)
    tree.push("signed", [], made, age=40 * DAY)
    tree.push("signed", [f"sha256-{made.digest[7:]}.sig"], image("cosign"), age=40 * DAY)
    assert look(tree, all_untagged()).removal.is_empty
    assert not look(tree, all_untagged(50 * DAY)).removal.revisions
    assert {name for name, _ in look(tree, all_untagged(30 * DAY)).removal.revisions} == {"digests", "signed"}


def test_a_part_of_an_image_still_to_come_stays(tree: Tree) -> None:
    tree.push("app", ["1"], image("other"))
    part = tree.push("app", [], image("part"), age=60)
    assert look(tree, all_untagged()).removal.is_empty
    assert look(tree, all_untagged(0)).removal.revisions == (("app", part),)


def test_a_damaged_tag_may_mean_whatever_a_tag_once_named(tree: Tree) -> None:
    tree.push("app", ["1"], image("old"))
    tree.push("app", ["1"], image("new"))
    tree.empty_file("repositories/app/_manifests/tags/1/current/link")
    assert look(tree, all_untagged(0)).removal.is_empty


def test_a_tagged_index_whose_link_is_lost_keeps_its_parts(tree: Tree) -> None:
    child = image("part")
    tree.push("app", [], child)
    whole = index([(child, None)])
    tree.push("app", ["1"], whole)
    (tree.root / f"repositories/app/_manifests/revisions/sha256/{whole.digest[7:]}/link").unlink()
    found = look(tree, all_untagged(0))
    assert not found.removal.revisions
    assert not found.removal.blobs


# -- between the plan and the run


def test_what_is_pushed_between_plan_and_run_stays(tree: Tree) -> None:
    old = tree.push("app", ["1"], image("old"))
    tree.push("app", ["1"], image("new"))
    done = run(tree, all_untagged(), meanwhile=lambda: tree.push("app", ["again"], image("old"), age=0))
    assert not done.removal.revisions
    assert old in tree.blobs()
    assert not tree.broken()


def test_an_index_pushed_in_the_meantime_keeps_the_parts_that_were_to_go(tree: Tree) -> None:
    tree.push("app", ["1"], image("other"))
    parts = [image("one"), image("two")]
    for part in parts:
        tree.push("app", [], part)
    whole = index([(part, None) for part in parts])
    done = run(tree, all_untagged(0), meanwhile=lambda: tree.push("app", ["2"], whole, age=0))
    assert not done.removal.revisions
    assert not tree.broken()


def test_what_was_deleted_in_the_meantime_is_no_failure(tree: Tree) -> None:
    old = tree.push("app", ["1"], image("old"))
    tree.push("app", ["1"], image("new"))
    run(tree, all_untagged(), meanwhile=lambda: tree.delete("app", old))
    assert not tree.broken()
    assert look(tree, all_untagged()).removal.is_empty


# -- cut off


def busy(tree: Tree, word: str = "") -> None:
    """Deleted, superseded, emptied, kept: enough for a removal of every kind. Names and content begin with a word."""
    for number in range(4):
        tree.push(f"{word}app", ["1"], image(f"{word}app {number}", f"{word}shared"))
        tree.push(f"{word}team/gone{number}", ["1"], image(f"{word}gone {number}"))
        tree.delete(f"{word}team/gone{number}", image(f"{word}gone {number}").digest)
    tree.push(f"{word}app/below", ["1"], image(f"{word}below", f"{word}shared"))


def end_state(folder: Path) -> set[str]:
    tree = Tree(folder)
    busy(tree)
    run(tree, all_untagged())
    return tree.listing()


def part(removal: StorageRemoval, word: str) -> StorageRemoval:
    """What of a removal is of the names and the content that begin with a word."""
    made = [
        image(f"{word}{kind} {number}", *more)
        for number in range(4)
        for kind, more in (("app", [f"{word}shared"]), ("gone", []))
    ]
    digests = {digest for one in made for digest in (one.digest, *map(sha256, one.blobs))}
    return StorageRemoval(
        tuple(one for one in removal.tags if one[0].startswith(word)),
        tuple(one for one in removal.revisions if one[0].startswith(word)),
        tuple(digest for digest in removal.blobs if digest in digests),
        tuple(one for one in removal.layers if one[0].startswith(word)),
        tuple(name for name in removal.repositories if name.startswith(word)),
    )


def test_cut_off_anywhere_it_is_whole_and_ends_the_same(tmp_path: Path) -> None:
    """Removals are cut off each after another line, side by side in one storage, and one run finishes them all."""
    first = Tree(tmp_path / "first")
    busy(first)
    count = len(look(first, all_untagged()).removal.instructions().splitlines())
    assert count > 20
    undisturbed, tree = Tree(tmp_path / "undisturbed"), Tree(tmp_path / "tree")
    words = {cut: f"cut{cut:02}-" for cut in range(0, count, 2)}
    for each in (undisturbed, tree):
        for word in words.values():
            busy(each, word)
    removal = look(tree, all_untagged()).removal
    run(undisturbed, all_untagged())
    for cut, word in words.items():
        lines = part(removal, word).instructions().splitlines(keepends=True)
        assert len(lines) == count
        # The whole list is remembered, and only its beginning carried out.
        place = f".deployer-removed/{word}"
        tree.storage()._run(
            "remove", f"{layout.STORAGE}/docker/registry/v2", f"{layout.STORAGE}/{place}", stdin=b"".join(lines[:cut])
        )
        (tree.folder / place / "list").write_bytes(b"".join(lines))
    # Each line of it names the cut after which it is broken.
    assert tree.broken() == []
    run(tree, unreferenced_only)
    assert tree.listing() == undisturbed.listing()
    assert not (tree.folder / ".deployer-removed").exists()


_REMOVED = f"{layout.STORAGE}/.deployer-removed/cut"


def test_where_nothing_can_be_put_aside_it_is_deleted_in_place(tree: Tree) -> None:
    busy(tree)
    expected = end_state(tree.folder / "undisturbed")
    # A file in the way of the folder, as a full disk is.
    (tree.folder / ".deployer-removed").write_text("")
    storage = tree.storage()
    removal = look(tree, all_untagged()).removal
    storage.remove(StorageRemoval(removal.tags, removal.revisions, removal.blobs, (), removal.repositories), "run")
    left = {path for path in tree.listing() if "/_layers/" not in path and not path.startswith("undisturbed")}
    assert left == {path for path in expected if "/_layers/" not in path}
    assert not tree.broken()


def test_where_a_repository_goes_from_sight_in_the_meantime_nothing_is_taken(tree: Tree) -> None:
    tree.delete("gone", tree.push("gone", ["1"], image("gone")))
    for number in range(3):
        tree.push(f"app{number}", ["1"], image(f"app {number}"))

    def unmount() -> None:
        for number in range(3):
            (tree.root / f"repositories/app{number}").rename(tree.folder / f"app{number}")

    with pytest.raises(StorageError, match="has disappeared"):
        run(tree, meanwhile=unmount)
    assert len(tree.blobs()) == 12


def test_finishing_what_was_cut_off_takes_no_signature_that_is_not_shown(tree: Tree) -> None:
    signed = image("signed")
    gone = tree.push("app", ["1"], signed)
    tree.untag("app", "1")
    tree.push("app", ["2"], image("other"))
    tree.push("app", [f"sha256-{gone[7:]}.sig"], image("cosign"))
    left = tree.folder / ".deployer-removed" / "cut"
    left.mkdir(parents=True)
    (left / "list").write_text(f">revisions-0\nrepositories/app/_manifests/revisions/sha256/{gone[7:]}\n")
    found = look(tree)
    assert not found.removal.tags


def test_what_was_cut_off_is_still_known_after_a_repository_is_removed(tree: Tree) -> None:
    gone = tree.push("app", ["1"], image("gone"))
    tree.untag("app", "1")
    tree.push("app", ["2"], image("kept"))
    tree.push("other", ["1"], image("other"))
    left = tree.folder / ".deployer-removed" / "cut"
    left.mkdir(parents=True)
    (left / "list").write_text(f">revisions-0\nrepositories/app/_manifests/revisions/sha256/{gone[7:]}\n")
    storage = tree.storage()
    plan = plan_removal(storage, ["other"])
    remove(cast("Upkeep", LocalWork(storage)), plan, DrainPolicy(0, lambda _: None))
    assert ("app", gone) in look(tree).removal.revisions
    run(tree)
    assert not (tree.folder / ".deployer-removed").exists()
    assert not tree.broken()


class TestWhatIsHinted:
    """The hint to a command counts only what that command takes."""

    def hinted(self, tree: Tree, *, untagged: bool = False) -> int:
        return plan_gc(tree.storage(), GcOptions(untagged=untagged)).additional

    def test_what_was_only_ever_pushed_by_digest(self, tree: Tree) -> None:
        tree.push("by-digest", [], image("x"))
        assert self.hinted(tree) == 0
        assert self.hinted(tree, untagged=True) == 1

    def test_what_is_too_young(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        tree.push("app", [], image("y"), age=60)
        assert self.hinted(tree) == 0

    def test_what_a_tag_left_behind(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        tree.push("app", [], image("y"))
        assert self.hinted(tree) == 1
        assert self.hinted(tree, untagged=True) == 0

    def test_where_something_is_damaged_nothing_goes(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        tree.push("app", [], image("y"))
        layer = sha256(image("x").blobs[1])
        tree.empty_file(f"blobs/sha256/{layer[7:9]}/{layer[7:]}/data")
        assert self.hinted(tree) == 0
