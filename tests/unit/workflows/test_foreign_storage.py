"""Storages with what no registry made, that cannot be read, or whose clock was wrong: told, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, cast

import pytest

from deployer.engine.containers import Containers
from deployer.errors import EngineError, StorageError, StorageUnreadable
from deployer.storage.access import Storage
from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.gate import DrainPolicy
from deployer.workflows.upkeep.survey import storage_findings
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from deployer.workflows.upkeep.untagged import untagged
from tests.support.fake_engine import FakeEngine, NoClient
from tests.support.local_storage import DAY, HOUR, LocalWork, Tree
from tests.support.registry_content import image, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import RemovalPolicy, Survey

FILES = (".DS_Store", "._1", "Thumbs.db", "desktop.ini", ".nfs0001", "Icon\r", "two words")
FOLDERS = ("@eaDir", "#recycle", "lost+found", ".snapshot")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def look(tree: Tree, choose: RemovalPolicy = unreferenced_only) -> Survey:
    return survey(tree.storage(), Manifests(), choose)


def run(tree: Tree, choose: RemovalPolicy = unreferenced_only) -> None:
    storage, manifests = tree.storage(remembers=True), Manifests()
    shown = survey(storage, manifests, choose)
    collect(cast("Upkeep", LocalWork(storage)), manifests, choose, shown, DrainPolicy(0, lambda _: None))


def sentences(found: Survey) -> list[str]:
    return [one.sentence for one in storage_findings.of_survey(found)]


def litter(folder: Path) -> set[Path]:
    made = set()
    for name in FILES:
        (folder / name).write_bytes(b"\0\n1 2 3")
        made.add(folder / name)
    for name in FOLDERS:
        (folder / name).mkdir()
        (folder / name / "link").write_bytes(b"x")
        made.add(folder / name)
    return made


class TestForeignFiles:
    def test_among_the_tags_they_are_named_and_are_no_tags(self, tree: Tree) -> None:
        digest = tree.push("app", ["1"], image("x"))
        tags = tree.root / "repositories/app/_manifests/tags"
        made = litter(tags)
        storage = tree.storage(remembers=True)
        for _ in range(2):
            found = storage.snapshot()
            assert found.repositories["app"].tags.keys() == {"1"}
            assert found.repositories["app"].revisions.keys() == {digest}
            assert set(found.foreign) == {str(path.relative_to(tree.root)) for path in made}
        (told,) = sentences(look(tree))
        assert "/var/lib/registry/docker/registry/v2/repositories/app/_manifests/tags/" in told

    @pytest.mark.parametrize(
        "place",
        [
            ".",
            "repositories",
            "repositories/app",
            "repositories/app/_manifests",
            "repositories/app/_manifests/revisions",
            "repositories/app/_manifests/revisions/sha256",
            "repositories/app/_layers",
            "repositories/app/_layers/sha256",
            "repositories/app/_uploads",
            "blobs",
            "blobs/sha256",
        ],
    )
    def test_elsewhere_they_change_nothing(self, tree: Tree, place: str) -> None:
        tree.push("app", ["1"], image("x"))
        tree.delete("app", tree.push("app", ["2"], image("gone")))
        (tree.root / "repositories/app/_uploads").mkdir(exist_ok=True)
        clean = look(tree)
        litter(tree.root / place)
        found = look(tree)
        assert found.removal == clean.removal
        assert found.removal.blobs
        assert found.snapshot.repositories["app"].uploads == {}
        assert not sentences(found)

    @pytest.mark.parametrize("name", ["#recycle/app", "Upper/App"])
    def test_a_copy_under_a_name_that_no_registry_takes_is_named(self, tree: Tree, name: str) -> None:
        """What a recycle bin keeps holds all its content for ever."""
        tree.push("app", ["1"], image("x"))
        assert not sentences(look(tree))
        tree.push(name, ["1"], image("x"))
        (told,) = storage_findings.of_survey(look(tree))
        assert told.state == "wrong"
        assert f"/var/lib/registry/docker/registry/v2/repositories/{name}" in told.sentence
        assert "Move them away" in told.advice[0]

    def test_a_name_of_two_lines_is_no_trace(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        (tree.root / "repositories/app/_x\ny").mkdir()
        with pytest.raises(StorageError, match="a file name that cannot be listed"):
            look(tree)


class TestMisplacedContent:
    """A blob in another directory than the registry reads it from: after a restore by a script, or a merge of two."""

    ROOT = "/var/lib/registry/docker/registry/v2"

    def move(self, tree: Tree, digest: str, where: str) -> str:
        """Move a blob's folder below `blobs`; return its path in the container."""
        value = digest.removeprefix("sha256:")
        place = tree.root / "blobs" / where / value
        place.parent.mkdir(parents=True, exist_ok=True)
        (tree.root / "blobs" / "sha256" / value[:2] / value).rename(place)
        return f"{self.ROOT}/blobs/{where}/{value}"

    @pytest.mark.parametrize(
        "where", ["sha256/zz", "sha256/00", "sha512/00", "sha256", "blobs/sha256/00", "sha256/00/00"]
    )
    @pytest.mark.parametrize("part", [0, 1, 2], ids=["configuration", "layer", "manifest"])
    def test_it_is_not_there_and_is_named_with_the_way_back(self, tree: Tree, where: str, part: int) -> None:
        made = image("x")
        tree.push("app", ["1"], made)
        digest = [*map(sha256, made.blobs), made.digest][part]
        path = self.move(tree, digest, where)
        found = look(tree)
        assert digest not in found.snapshot.blobs
        assert [(one.digest, one.is_lost) for one in found.damages] == [(digest, True)]
        *_, told = storage_findings.of_survey(found)
        assert told.state == "wrong"
        assert path in told.sentence
        right = f"{self.ROOT}/blobs/sha256/{digest[7:9]}"
        assert told.advice[0].endswith(f": mkdir -p {right} && mv {path} {right}/")
        run(tree)
        back = told.advice[0].partition(": ")[2].replace(self.ROOT, str(tree.root))
        subprocess.run(["sh", "-c", back], check=True)
        assert not sentences(look(tree))
        assert not tree.broken()

    def test_an_unneeded_one_is_not_said_to_be_freed(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        path = self.move(tree, tree.blob(b"unneeded"), "sha256/00")
        found = look(tree)
        assert found.removal.is_empty
        assert (found.freed, found.size) == (0, 0)
        (told,) = sentences(found)
        assert path in told

    def test_a_second_one_is_to_be_removed(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        layer = sha256(image("x").blobs[1])
        path = self.move(tree, layer, "sha256/00")
        tree.layer("app", image("x").blobs[1])
        (told,) = storage_findings.of_survey(look(tree))
        assert told.advice[0].endswith(f": rm -r {path}")

    def test_of_many_some_are_named(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        for number in range(9):
            self.move(tree, tree.blob(str(number).encode()), "sha256/zz")
        (told,) = storage_findings.of_survey(look(tree))
        assert "and 4 more" in told.sentence
        assert len(told.advice) == 6


@pytest.mark.parametrize("content", [b"", b"\0" * 71, b"sha256:", b"words\nsha256:" + b"0" * 64 + b"x"])
def test_a_tags_link_that_names_nothing_takes_no_other_with_it(tree: Tree, content: bytes) -> None:
    tree.push("app", ["bad", "good"], image("x"))
    (tree.root / "repositories/app/_manifests/tags/bad/current/link").write_bytes(content)
    found = tree.storage().snapshot()
    assert found.repositories.keys() == {"app"}
    assert [found.repositories["app"].tags[name].digest for name in ("bad", "good")] == ["", image("x").digest]


class TestUnreadable:
    """What cannot be opened is no emptiness, of which everything would be garbage."""

    PLACES = ("docker", "docker/registry/v2", "docker/registry/v2/repositories", "docker/registry/v2/blobs")

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("instead", ["a file", "a link to itself", "a link to nothing"])
    def test_a_folder_that_is_none(self, tree: Tree, place: str, instead: str) -> None:
        tree.push("app", ["1"], image("x"))
        path = tree.folder / place
        path.rename(tree.folder / "aside")
        if instead == "a file":
            path.touch()
        else:
            path.symlink_to(path.name if instead == "a link to itself" else "nothing")
        with pytest.raises(StorageError) as failed:
            look(tree)
        assert str(path) in failed.value.message

    def test_content_without_repositories_is_not_garbage(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        (tree.root / "repositories").rename(tree.folder / "aside")
        with pytest.raises(StorageError, match="its directory `repositories` is missing"):
            look(tree)

    @pytest.mark.parametrize("there", ["", "docker", "docker/registry/v2", "docker/registry/v2/repositories"])
    def test_a_new_storage_is_empty(self, tree: Tree, there: str) -> None:
        (tree.folder / there).mkdir(parents=True, exist_ok=True)
        assert look(tree).removal.is_empty

    @pytest.mark.parametrize(
        ("said", "message"),
        [
            ("find: 'blobs/sha256/aa': Input/output error", "The disk with the images is failing: blobs/sha256/aa."),
            (
                "find: blobs/aa: I/O error\nfind: blobs/aa: Input/output error",
                "The disk with the images is failing: blobs/aa.",
            ),
            ("ls: repositories/app: Stale file handle", "The disk with the images is failing: repositories/app."),
            (
                "find: 'repositories/app/_manifests': Permission denied",
                (
                    "The registry's container has no permission to read or change its storage: "
                    "repositories/app/_manifests."
                ),
            ),
            (
                "mv: cannot move: Read-only file system",
                "The registry's storage is mounted read-only; nothing was changed.",
            ),
        ],
    )
    def test_the_place_is_named(self, said: str, message: str) -> None:
        class Failing(Containers):
            def run_script(self, *_: object, **__: object) -> bytes:
                raise EngineError("failed", original=said)

        with pytest.raises(StorageError) as failed:
            Storage(FakeEngine(containers=Failing(NoClient())), "container").snapshot()
        assert isinstance(failed.value, StorageUnreadable) is ("read-only" not in message)
        assert failed.value.message == message
        assert "deployer doctor" not in " ".join(failed.value.advice)


def date(path: Path, ahead: float) -> None:
    moment = time.time() + ahead
    os.utime(path, (moment, moment))


class TestTheFuture:
    """A clock was wrong when something was pushed, and is right by now."""

    def test_a_tag_is_named_and_nothing_goes_by_age_or_number(self, tree: Tree) -> None:
        tree.push("app", ["old"], image("old"))
        tree.push("app", ["ahead"], image("ahead"), age=-9 * DAY)

        def oldest(snapshot: object, manifests: object, /) -> dict[str, object]:
            from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet

            return {"app": RemovalSet(frozenset({"old"}), frozenset({image("old").digest}))}

        found = look(tree, cast("RemovalPolicy", oldest))
        assert (found.future_tags, found.skipped_repositories) == (("app:ahead",), ("app",))
        assert found.removal.is_empty
        assert sentences(found)[0].startswith("app:ahead: this push is dated in the future")

    def test_an_hour_is_what_two_clocks_may_differ_by(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"), age=-HOUR // 2)
        found = look(tree)
        assert not found.future_tags
        assert not sentences(found)

    def test_a_push_that_was_cut_off_waits_for_an_hour_and_no_longer(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"))
        layer = tree.layer("app", b"of the future", age=-99 * DAY)
        found = look(tree)
        assert found.in_progress.blobs == 1
        assert found.snapshot.has_future
        run(tree)
        assert layer in tree.blobs()
        assert not look(tree).snapshot.has_future
        for path in tree.root.rglob("*"):
            date(path, -2 * HOUR)
        run(tree)
        assert layer not in tree.blobs()
        assert not tree.broken()

    def test_its_manifests_can_go_when_told_to(self, tree: Tree) -> None:
        gone = tree.push("app", [], image("ahead"), age=-9 * DAY)
        tree.push("app", ["1"], image("x"))
        found = look(tree, lambda snapshot, manifests: untagged(snapshot, manifests, 0))
        assert found.removal.revisions == (("app", gone),)

    def test_tags_keep_their_times(self, tree: Tree) -> None:
        tree.push("app", ["1"], image("x"), age=-9 * DAY)
        before = tree.storage().snapshot().repositories["app"].tags
        run(tree)
        after = tree.storage().snapshot()
        assert after.repositories["app"].tags == before
        assert not after.has_future
        assert sha256(image("x").blobs[1]) in tree.blobs()
