from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import EngineError, StorageError
from deployer.storage.access import Storage
from deployer.storage.snapshot import StoredTag, parse
from tests.support.local_storage import DAY, HOUR, LocalEngine, Tree
from tests.support.registry_content import image

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.engine.engine import Engine


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_an_empty_storage_holds_nothing(tree: Tree) -> None:
    found = tree.storage().snapshot()
    assert not found.repositories
    assert not found.blobs
    assert found.moment > 0


def test_everything_that_a_push_leaves_is_seen(tree: Tree) -> None:
    first = tree.push("team/app", ["1", "latest"], image("one"), DAY)
    second = tree.push("team/app", ["latest"], image("two"), HOUR)
    found = tree.storage().snapshot()
    app = found.repositories["team/app"]
    assert set(found.repositories) == {"team/app"}
    assert {name: tag.digest for name, tag in app.tags.items()} == {"1": first, "latest": second}
    assert found.moment - app.tags["latest"].pushed == pytest.approx(HOUR, abs=5)
    assert set(app.revisions) == app.once_tagged == {first, second}
    assert app.has_tags_folder
    assert app.folders == {"_manifests", "_layers", "_uploads"}
    assert found.moment - app.active == pytest.approx(HOUR, abs=5)
    assert set(found.blobs) == tree.blobs()
    assert found.blobs[first].size == len(image("one").content)
    assert found.blobs[first].allocated > 0


@pytest.mark.parametrize(
    "name", ["current", "index", "_layers", "_manifests", "_uploads", "tags", "link", "data", "1-a.b_c"]
)
def test_tags_may_be_called_like_the_storages_own_folders(tree: Tree, name: str) -> None:
    digest = tree.push("app", [name], image("x"))
    app = tree.storage().snapshot().repositories["app"]
    assert {tag: found.digest for tag, found in app.tags.items()} == {name: digest}
    assert app.once_tagged == {digest}


def test_names_in_one_another_are_told_apart(tree: Tree) -> None:
    names = ["foo", "foo/bar", "foo/1bar", "foo/tags", "foo-bar", "foo.bar", "foo__bar", "blobs", "repositories/data"]
    for name in names:
        tree.push(name, ["1"], image(name))
    found = tree.storage().snapshot()
    assert sorted(found.repositories) == sorted(names)
    assert all(len(repository.revisions) == 1 for repository in found.repositories.values())


def test_damaged_links_are_seen_as_what_they_are(tree: Tree) -> None:
    digest = tree.push("app", ["good", "bad", "gone", "newline"], image("x"))
    by_hand = tree.root / "repositories/app/_manifests/tags/newline/current/link"
    by_hand.write_text(f"{digest}\n")
    tree.empty_file("repositories/app/_manifests/tags/bad/current/link")
    tree.empty_file(f"repositories/app/_manifests/revisions/sha256/{digest[7:]}/link")
    (tree.root / "repositories/app/_manifests/tags/gone/current/link").unlink()
    app = tree.storage().snapshot().repositories["app"]
    assert set(app.revisions) == {digest}
    assert app.tags["good"].digest == digest
    assert app.tags["bad"].digest == app.tags["newline"].digest == ""
    assert app.tags["gone"] == StoredTag("", 0)


def test_what_is_no_registrys_is_read_and_not_touched(tree: Tree) -> None:
    digest = tree.push("app", ["1"], image("x"))
    (tree.root / "repositories" / "lost+found").mkdir()
    (tree.root / "repositories" / "My Folder" / "_layers").mkdir(parents=True)
    (tree.root / "repositories" / "stray").write_text("x")
    (tree.root / "blobs" / "note").write_text("x")
    (tree.root / "blobs" / "data").write_text("x")
    found = tree.storage().snapshot()
    assert set(found.repositories) == {"app", "My Folder"}
    assert not found.repositories["My Folder"].is_ours_to_change
    assert set(found.blobs) == tree.blobs()
    assert digest in found.blobs


def test_unfinished_uploads_are_counted(tree: Tree) -> None:
    tree.push("app", ["1"], image("x"))
    upload = tree.root / "repositories/app/_uploads/e0c3724f"
    (upload / "hashstates" / "sha256").mkdir(parents=True)
    (upload / "data").write_bytes(b"x" * 1000)
    found = tree.storage().snapshot()
    (one,) = found.repositories["app"].uploads.items()
    assert (one[0], one[1].size, one[1].is_dated) == ("e0c3724f", 1000, False)
    assert one[1].allocated >= 1000


def test_a_list_that_was_truncated_is_refused(tree: Tree) -> None:
    tree.push("app", ["1"], image("x"))
    names = ("left", "unfinished", "folders", "manifests", "history", "tags", "aliases", "uploads", "blobs", "end")
    whole = b"# now\n1\n" + b"".join(f"# {name}\n".encode() for name in names)
    assert parse(whole).moment == 1
    with pytest.raises(StorageError):
        parse(whole.removesuffix(b"# end\n"))
    with pytest.raises(StorageError):
        parse(b"")


def test_a_folder_that_cannot_be_read_fails_the_whole_list(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.push("app", ["1"], image("x"))
    tools = tree.folder / "tools"
    tools.mkdir()
    # A `find` that complains and continues, as a damaged disk makes it.
    find = shutil.which("find")
    (tools / "find").write_text(f'#!/bin/sh\n{find} "$@"\necho "find: Input/output error" >&2\n')
    (tools / "find").chmod(0o755)
    storage = tree.storage()
    monkeypatch.setattr(storage.engine, "path", f"{tools}:{storage.engine.path}")  # type: ignore[attr-defined]
    with pytest.raises(StorageError):
        storage.snapshot()


def test_a_second_look_sees_every_kind_of_change(tree: Tree) -> None:
    old = tree.push("same", ["1"], image("same"))
    tree.push("retagged", ["1"], image("retagged"))
    dropped = tree.push("dropped", ["1", "2"], image("dropped"))
    emptied = tree.push("emptied", ["1"], image("emptied"))
    tree.push("gone", ["1"], image("gone"))
    storage = tree.storage(remembers=True)
    assert storage.snapshot().repositories == tree.storage().snapshot().repositories
    tree.push("retagged", ["1"], image("another"), 0)
    tree.untag("dropped", "2")
    tree.delete("emptied", emptied)
    tree.push("new/one", ["1"], image("new"), 0)
    shutil.rmtree(tree.root / "repositories" / "gone")
    # Pushed again into the folder that the deletion left.
    tree.link("emptied", [], image("emptied"), 0)
    found = storage.snapshot()
    assert found.repositories == tree.storage().snapshot().repositories
    assert found.blobs == tree.storage().snapshot().blobs
    assert set(found.repositories["same"].revisions) == {old}
    assert dropped in found.repositories["dropped"].revisions


def test_a_second_look_at_what_was_empty_sees_the_first_push(tree: Tree) -> None:
    storage = tree.storage(remembers=True)
    assert not storage.snapshot().repositories
    digest = tree.push("app", ["1"], image("x"), 0)
    assert set(storage.snapshot().repositories["app"].revisions) == {digest}


@dataclass
class Failing(LocalEngine):
    """Loses the first answers, after the scripts have done their work."""

    lost: int = 1

    def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        printed = super().run_script(container, script, *arguments, stdin=stdin)
        if self.lost:
            self.lost -= 1
            raise EngineError("lost", original="connection reset by peer")
        return printed


def test_a_list_made_again_is_whole(tree: Tree) -> None:
    """What the lost one remembered must not stand for what it told no one."""
    tree.push("old", ["1"], image("old"), 9 * DAY)
    tree.push("app", ["1"], image("x"), DAY)
    storage = Storage(cast("Engine", Failing(tree.folder)), "container", remembers=True)
    whole = tree.storage().snapshot()
    for _ in range(2):
        found = storage.snapshot()
        assert found.repositories == whole.repositories
        assert found.blobs == whole.blobs


def test_a_list_of_changes_alone_is_refused() -> None:
    names = ("left", "unfinished", "folders", "changed", "manifests", "history", "tags", "aliases", "uploads", "blobs")
    printed = b"# now\n1\n" + b"".join(f"# {name}\n".encode() for name in (*names, "end"))
    with pytest.raises(StorageError):
        parse(printed)


@pytest.mark.parametrize("remembers", [False, True])
def test_a_symbolic_link_anywhere_is_refused_each_time(tree: Tree, remembers: bool) -> None:
    tree.push("old", ["1"], image("old"), 9 * DAY)
    tree.push("app", ["1"], image("x"), DAY)
    tags = tree.root / "repositories/old/_manifests/tags"
    tags.rename(tree.folder / "elsewhere")
    tags.symlink_to(tree.folder / "elsewhere")
    with pytest.raises(StorageError, match="symbolic link"):
        tree.storage(remembers=remembers).snapshot()


def test_a_complaint_made_once_makes_no_list_shorter(tree: Tree) -> None:
    tree.push("old", ["1"], image("old"), 9 * DAY)
    tree.push("app", ["1"], image("x"), DAY)
    tools = tree.folder / "tools"
    tools.mkdir()
    # One folder of one repository fails to be read, once.
    (tools / "find").write_text(
        f"""#!/bin/sh
case "$*" in
*old/_manifests*)
	if [ ! -e {tools}/once ]; then
		: > {tools}/once
		echo "find: old: Input/output error" >&2
		exit 1
	fi
	;;
esac
exec {shutil.which("find")} "$@"
"""
    )
    (tools / "find").chmod(0o755)
    engine = LocalEngine(tree.folder, path=f"{tools}:{os.environ['PATH']}")
    storage = Storage(cast("Engine", engine), "container", remembers=True)
    assert storage.snapshot().repositories == tree.storage().snapshot().repositories
    assert (tools / "once").exists()
    assert storage.snapshot().repositories == tree.storage().snapshot().repositories


def test_times_before_1970_are_times(tree: Tree) -> None:
    digest = tree.push("app", ["1"], image("x"))
    for path in tree.root.rglob("*"):
        os.utime(path, (-1, -1))
    found = tree.storage().snapshot()
    assert found.repositories["app"].tags["1"].digest == digest
    assert set(found.repositories["app"].revisions) == {digest}
    assert set(found.blobs) == tree.blobs()


@pytest.mark.parametrize("place", ["repositories/app/_manifests/tags/2/current/link", "blobs"])
def test_the_advice_for_a_symbolic_link_works(tree: Tree, place: str) -> None:
    """As `ln -s` makes of equal files, or moves a folder to another disk."""
    digest = tree.push("app", ["1", "2"], image("x"))
    path = tree.root / place
    moved = tree.folder / "elsewhere"
    path.rename(moved)
    path.symlink_to(moved)
    with pytest.raises(StorageError) as raised:
        tree.storage().snapshot()
    named = f"/var/lib/registry/docker/registry/v2/{place}"
    assert named in raised.value.message
    advice = raised.value.advice[0]
    if place == "blobs":
        assert "directory" in advice
        return
    command = advice.partition(": ")[2].replace(named, str(path))
    subprocess.run(["sh", "-c", command], check=True)
    assert not path.is_symlink()
    assert tree.storage().snapshot().repositories["app"].tags["2"].digest == digest
