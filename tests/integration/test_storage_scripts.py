"""The storage scripts under BusyBox, which is all that the official registry image has, against this machine's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import StorageUnreadable
from deployer.rendering.snippets import backup_script, storage_script
from deployer.storage.access import Storage
from deployer.storage.printed import UNREADABLE
from deployer.storage.removal import blob_file, digest_of_blob_file
from deployer.workflows.backup.links import Link
from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.gate import DrainPolicy
from deployer.workflows.upkeep.survey.damage import layers_to_verify
from deployer.workflows.upkeep.survey.garbage import survey
from deployer.workflows.upkeep.survey.manifest_graph import Manifests
from deployer.workflows.upkeep.untagged import untagged
from tests.support.bad_disk import bad_disk
from tests.support.local_storage import LocalEngine, LocalWork, Tree
from tests.support.registry_content import image, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet


@pytest.fixture
def busybox(tmp_path: Path) -> Path:
    """A folder with BusyBox's programs, and no others."""
    program = shutil.which("busybox")
    if program is None:
        pytest.fail("There is no BusyBox; `make test` installs it.", pytrace=False)
    folder = tmp_path / "programs"
    folder.mkdir()
    subprocess.run([program, "--install", "-s", str(folder)], check=True)
    return folder


def storage(tree: Tree, programs: Path | None, *, remembers: bool) -> Storage:
    engine = LocalEngine(tree.folder)
    if programs is not None:
        engine = LocalEngine(tree.folder, (str(programs / "sh"),), str(programs))
    return Storage(cast("Engine", engine), "container", remembers)


def fill(tree: Tree) -> None:
    for number in range(1100):
        tree.push("many", [f"t{number}"], image(f"many {number % 600}"))
    for name in ("app", "app/below", "app/1st", "app-x"):
        for number in range(3):
            tree.push(name, ["current", "index"], image(f"{name} {number}", "shared"))
        tree.push(name, ["_layers"], image(f"{name} tagged"))
    tree.delete("app/below", image("app/below tagged").digest)
    tree.empty_file("repositories/app-x/_manifests/tags/index/current/link")


def choose(snapshot: Snapshot, manifests: Manifests, /) -> dict[str, RemovalSet]:
    return untagged(snapshot, manifests, 0)


def collected(tree: Tree, programs: Path | None) -> tuple[Snapshot, set[str]]:
    """What was seen at first, and what is left."""
    fill(tree)
    there = storage(tree, programs, remembers=True)
    manifests = Manifests()
    shown = survey(there, manifests, choose)
    work = cast("Upkeep", LocalWork(there, lambda: tree.push("late", ["1"], image("late"), age=0)))
    collect(work, manifests, choose, shown, DrainPolicy(0, lambda _: None))
    assert not tree.broken()
    return shown.snapshot, tree.listing()


def test_busybox_sees_and_takes_the_same(tmp_path: Path, busybox: Path) -> None:
    ours, left = collected(Tree(tmp_path / "ours"), None)
    theirs, left_by_busybox = collected(Tree(tmp_path / "theirs"), busybox)
    assert {name: (one.tags.keys(), one.revisions.keys()) for name, one in theirs.repositories.items()} == {
        name: (one.tags.keys(), one.revisions.keys()) for name, one in ours.repositories.items()
    }
    assert theirs.blobs.keys() == ours.blobs.keys()
    assert left_by_busybox == left
    assert any(path.startswith("repositories/late/") for path in left)


def test_busybox_counts_and_lists_portions_the_same(tmp_path: Path, busybox: Path) -> None:
    """In portions, it is what the whole list has."""
    tree = Tree(tmp_path / "tree")
    fill(tree)
    whole = storage(tree, None, remembers=False).snapshot()
    for programs in (None, busybox):
        there = storage(tree, programs, remembers=False)
        outline = there.outline()
        assert dict(outline.blobs) == whole.blobs
        assert outline.folders.keys() == whole.repositories.keys()
        parts = [there.portion(outline, [name]).repositories for name in outline.folders]
        assert {name: one for part in parts for name, one in part.items()} == whole.repositories
        assert there.broken_links_of(whole.repositories) == there.broken_links()
        counts = there.count()
        assert counts.repositories == sum(bool(one.revisions) for one in whole.repositories.values())
        assert counts.tags == sum(len(one.tags) for one in whole.repositories.values())
        assert counts.size == sum(blob.size for blob in whole.blobs.values())


def test_busybox_fails_where_a_list_cannot_be_complete(tmp_path: Path, busybox: Path) -> None:
    tree = Tree(tmp_path / "tree")
    tree.push("app", ["1"], image("x"))
    find = busybox / "find"
    find.unlink()
    find.write_text(f'#!{busybox}/sh\n{shutil.which("busybox")} find "$@"\necho "find: Input/output error" >&2\n')
    find.chmod(0o755)
    with pytest.raises(Exception, match="The disk with the images is failing"):
        storage(tree, busybox, remembers=False).snapshot()


@pytest.mark.parametrize("programs", ["GNU", "BusyBox"])
def test_what_the_disk_does_not_give_is_told_and_the_rest_is_read(tmp_path: Path, busybox: Path, programs: str) -> None:
    """A manifest, a configuration and a layer at bad sectors, beside whole ones of each."""
    tree = Tree(tmp_path / "content")
    bad, good = image("bad"), image("good")
    for name, content in (("bad", bad), ("good", good)):
        tree.push(name, ["1"], content)
    lost = [blob_file(one) for one in (bad.digest, *map(sha256, bad.blobs))]
    paths = [str((tree.root / one).relative_to(tree.folder)) for one in lost]
    place = tmp_path / "place"
    with bad_disk(tree.folder, paths, tmp_path / "image", place):
        there = storage(Tree(place), busybox if programs == "BusyBox" else None, remembers=False)
        snapshot = there.snapshot()
        sizes = {blob_file(one): blob.size for one, blob in snapshot.blobs.items()}
        whole = {path: path.split("/")[-2] for path in sizes if path not in lost}
        for rate in (0, 10**9):
            read: dict[str, str] = {}
            there.scrub(sizes, rate, read.__setitem__)
            assert read == whole | dict.fromkeys(lost, UNREADABLE)
        assert {path: one.value for path, one in there.verify(sizes).items()} == read
        contents = dict(there.contents(sorted(snapshot.blobs), snapshot.blobs))
        assert [one for one, content in contents.items() if sha256(content) != one] == sorted(
            digest_of_blob_file(one) for one in lost
        )
        assert there.unreadable == set(lost)
        # Nothing is removed by what cannot be known.
        with pytest.raises(StorageUnreadable, match=f"failing: {min(lost)}"):
            survey(there, Manifests(), choose)
        found = survey(there, Manifests(), choose, layers_to_verify)
        assert ({one.repository for one in found.damages}, found.unreadable) == ({"bad"}, tuple(sorted(lost)))
        assert not {*found.removal.blobs} & {sha256(one) for one in bad.blobs}


@pytest.mark.parametrize("programs", ["GNU", "BusyBox"])
def test_link_files_that_the_disk_does_not_give_are_named_and_the_rest_is_read(
    tmp_path: Path, busybox: Path, programs: str
) -> None:
    """The links of a tag, a manifest, a layer and an earlier digest at bad sectors, beside whole ones."""
    tree = Tree(tmp_path / "content")
    bad = image("bad")
    tree.push("app", ["good"], image("good"))
    tree.push("app", ["1", "2"], bad)
    inside, value = "repositories/app/_manifests", bad.digest[7:]
    tag, revision = f"{inside}/tags/1/current/link", f"{inside}/revisions/sha256/{value}/link"
    layer = f"repositories/app/_layers/sha256/{sha256(bad.blobs[1])[7:]}/link"
    lost = [tag, revision, layer, f"{inside}/tags/1/index/sha256/{value}/link"]
    place = tmp_path / "place"
    paths = [str((tree.root / one).relative_to(tree.folder)) for one in lost]
    with bad_disk(tree.folder, paths, tmp_path / "image", place):
        there = storage(Tree(place), busybox if programs == "BusyBox" else None, remembers=False)
        tags = {name: one.digest for name, one in there.snapshot().repositories["app"].tags.items()}
        assert tags == {"1": "", "2": bad.digest, "good": image("good").digest}
        assert there.snapshot().unreadable == (tag,)
        assert there.broken_links() == {revision, layer}
        assert there.lacking([layer, tag]).keys() == {layer, tag}
        # Nothing is removed by what cannot be known.
        with pytest.raises(StorageUnreadable, match=f"failing: {tag}"):
            survey(there, Manifests(), choose)
        found = survey(there, Manifests(), choose, layers_to_verify)
        assert (found.unreadable, found.tags_without_digest) == ((tag,), ("app:1",))
        assert found.removal.is_empty
        assert found.links_to_repair == {revision, layer}
        there.relink(found.links_to_repair)
        assert there.broken_links() == frozenset()


@pytest.mark.parametrize("programs", ["GNU", "BusyBox"])
def test_a_backup_lists_links_that_the_disk_does_not_give_without_a_digest(
    tmp_path: Path, busybox: Path, programs: str
) -> None:
    tree = Tree(tmp_path / "content")
    tree.push("app", ["1", "2"], image("x"))
    lost = "repositories/app/_manifests/tags/1/current/link"
    place = tmp_path / "place"
    shell = {"GNU": shutil.which("sh"), "BusyBox": str(busybox / "sh")}[programs]
    path = {"GNU": os.environ["PATH"], "BusyBox": str(busybox)}[programs]
    with bad_disk(tree.folder, [str((tree.root / lost).relative_to(tree.folder))], tmp_path / "image", place):
        done = subprocess.run(
            [str(shell), "-c", storage_script("digest") + backup_script("links"), "sh", str(Tree(place).root)],
            capture_output=True, text=True, check=False, env={"PATH": path},
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    tags = {one.tag: one.digest for one in map(Link.parse, done.stdout.splitlines()) if one.tag}
    assert tags == {"1": "", "2": image("x").digest}
