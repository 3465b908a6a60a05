"""Images of a real registry that are checked while it serves, and repaired from backups and from another registry."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from deployer.rendering.snippets import backup_script
from deployer.storage.removal import blob_file
from tests.support.bad_disk import bad_disk
from tests.support.cut_off import begin, finish, gate, kill_all, wait_until, writes_pass
from tests.support.local_storage import Tree
from tests.support.pulling import delete_manifest, pulls_whole
from tests.support.registry_content import image, index, push, sha256
from tests.support.stored import IMAGES, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.stack import DeployedStack

APP, TOOL = image("app"), image("tool")
PARTS = image("amd64"), image("arm64", platform="linux/arm64")
MULTI = index(list(zip(PARTS, ("linux/amd64", "linux/arm64"), strict=True)))
NAMES = ("team/app:1", "team/app:latest", "copy:1", "tool:1", "multi:1")
LAYER = sha256(APP.blobs[1])
UNREAD_LAYER, UNREAD_MANIFEST, UNREAD_LINK = image("unread layer"), image("unread manifest"), image("unread link")

UNREAD_LINKS = (
    "repositories/unread/link/_manifests/tags/1/current/link",
    f"repositories/unread/link/_layers/sha256/{sha256(UNREAD_LINK.blobs[1])[7:]}/link",
)


@dataclass
class Checked:
    """A registry with images in it, its storage, and where it is backed up."""

    stack: DeployedStack
    stored: Stored
    target: Path

    def check(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The exit code, and what was said as JSON."""
        done = self.stack.deployer("check", *arguments, "--json")
        return done.returncode, json.loads(done.stdout)

    def damage(self) -> None:
        """Rot of the same size, a truncated layer, a lost manifest, and a lost link: one in each repository."""
        rot(self.stored.blob(LAYER))
        self.stored.blob(sha256(TOOL.blobs[1])).write_bytes(b"cut")
        self.stored.blob(PARTS[0].digest).unlink()
        link = self.stored.repository("copy") / "_layers" / sha256(APP.blobs[0]).replace(":", "/") / "link"
        link.unlink()

    def all_whole(self) -> bool:
        with self.stack.client as client:
            return all(pulls_whole(client, *name.split(":")) for name in NAMES)


def rot(file: Path) -> None:
    """Change a byte, as a failing disk does: the size and the time stay."""
    before = file.stat()
    file.write_bytes(b"X" + file.read_bytes()[1:])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def fill(stack: DeployedStack, prefix: str = "") -> None:
    with stack.client as client:
        for name, tag, content in (
            ("team/app", "1", APP), ("team/app", "latest", APP), ("copy", "1", APP), ("tool", "1", TOOL),
            ("multi", None, PARTS[0]), ("multi", None, PARTS[1]), ("multi", "1", MULTI),
        ):  # fmt: skip
            push(client, f"{prefix}{name}", tag, content)


@pytest.fixture(scope="module")
def registry(make_stack: Callable[..., DeployedStack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    """On a disk that cannot read a layer of one image, the manifest of another, and the link files of a third."""
    stack = make_stack(DEPLOYER_REGISTRY_DATA=IMAGES)
    folder = tmp_path_factory.mktemp("disk")
    tree, stored = Tree(folder / "content"), Stored(stack)
    tree.push("unread/layer", ["1"], UNREAD_LAYER)
    tree.push("unread/manifest", ["1"], UNREAD_MANIFEST)
    tree.push("unread/link", ["1"], UNREAD_LINK)
    files = [blob_file(digest) for digest in (sha256(UNREAD_LAYER.blobs[1]), UNREAD_MANIFEST.digest)]
    bad = [f"docker/registry/v2/{path}" for path in (*files, *UNREAD_LINKS)]
    with bad_disk(tree.folder, bad, folder / "image", stored.disk):
        try:
            stack.up()
            fill(stack)
            yield Checked(stack, stored, tmp_path_factory.mktemp("backups") / "registry")
        finally:
            stack.remove()


def test_what_the_disk_cannot_read_is_named_with_its_images_and_replaced(
    registry: Checked, stack: DeployedStack
) -> None:
    checked = registry.stack
    # One bad sector keeps no other image from being backed up.
    backed_up = json.loads(checked.deployer("backup", str(registry.target), "--json", check=True).stdout)
    assert backed_up["missing_blobs"] == 2
    for arguments in (("--full",), ("--full", "--rate", "100MB"), ("unread/*",)):
        code, found = registry.check(*arguments)
        told = {one["digest"]: (one["kind"], one["images"]) for one in found["damage"]}
        assert code == 1
        assert told == {
            sha256(UNREAD_LAYER.blobs[1]): ("damaged", ["unread/layer:1"]),
            UNREAD_MANIFEST.digest: ("damaged", ["unread/manifest:1"]),
            sha256(UNREAD_LINK.blobs[1]): ("link", [f"unread/link@{UNREAD_LINK.digest}"]),
        }
        for path in (blob_file(UNREAD_MANIFEST.digest), UNREAD_LINKS[0]):
            assert any(path in one for one in found["problems"]), found["problems"]
        assert any(one.startswith("unread/link:1: ") for one in found["problems"]), found["problems"]
    state = checked.deployer("status")
    assert (state.returncode, "The disk with the images is failing" in state.stderr) == (1, True), state.stderr
    # Everything that the disk can read is examined and shown beside it.
    assert "Traceback" not in checked.deployer("doctor").stderr
    for name in ("unread/link", "unread/layer"):
        shown = checked.deployer("tags", name)
        assert (shown.stdout.count("\n1 "), "Traceback" in shown.stderr) == (1, False), shown.stdout + shown.stderr
    # What it cannot read may lead to anything: nothing is removed.
    refused = checked.deployer("gc", "--yes")
    assert (refused.returncode, "The disk with the images is failing" in refused.stderr) == (1, True)
    with stack.client as client:
        push(client, "spare/unread/layer", "1", UNREAD_LAYER)
        push(client, "spare/unread/manifest", "1", UNREAD_MANIFEST)
    code, done = registry.check("--full", "--repair", "--yes", "--from", f"localhost:{stack.port}/spare")
    # Which image the tag named, only a push can say.
    assert (code, done["whole"], done["repaired_links"]) == (1, False, 1), done
    with checked.client as client:
        push(client, "unread/link", "1", UNREAD_LINK)
    code, done = registry.check("--full")
    assert (code, done["whole"]) == (0, True), done
    with checked.client as client:
        assert all(pulls_whole(client, f"unread/{name}", "1") for name in ("layer", "manifest", "link"))
    checked.deployer("gc", "--yes", check=True)
    done = json.loads(checked.deployer("backup", str(registry.target), "--json", check=True).stdout)
    assert done["missing_blobs"] == 0


def killed(registry: Checked, reached: Callable[[], object], *arguments: str) -> None:
    """Kill a repair at a step; each blob is as it was damaged, or whole."""
    process = begin(registry.stack, "check", "--repair", "--yes", *arguments)
    assert wait_until(reached)
    kill_all(process)
    finish(process)
    for digest, content in ((LAYER, APP.blobs[1]), (PARTS[0].digest, PARTS[0].content)):
        file = registry.stored.blob(digest)
        assert not file.exists() or file.read_bytes() in {content, b"X" + content[1:]}


def test_damage_is_named_with_its_images_and_repaired_from_the_newest_intact_backup(
    registry: Checked,
) -> None:
    registry.damage()
    # Made after the damage, it has that too.
    registry.stack.deployer("backup", str(registry.target), check=True)
    code, found = registry.check("--full")
    told = {one["digest"]: (one["kind"], one["images"]) for one in found["damage"]}
    assert code == 1
    assert told[LAYER] == ("damaged", ["copy:1", "team/app:1", "team/app:latest"])
    assert told[sha256(TOOL.blobs[1])] == ("damaged", ["tool:1"])
    assert told[PARTS[0].digest] == ("missing", ["multi:1"])
    assert told[sha256(APP.blobs[0])] == ("link", ["copy:1"])
    assert "`deployer check` found" in registry.stack.deployer("status").stderr
    before = registry.stored.listing()
    dry = registry.stack.deployer("check", "--repair", "--dry-run")
    assert (dry.returncode, str(registry.target) in dry.stderr) == (1, True)
    assert registry.stored.listing() == before
    staged = registry.stored.disk / ".deployer-removed" / "repair"
    killed(registry, staged.exists)
    code, done = registry.check("--repair", "--yes")
    assert (code, done["whole"], done["repaired_links"]) == (0, True, 1)
    assert registry.all_whole()
    assert not staged.exists()
    assert registry.stack.deployer("status").stderr == ""
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in registry.stored.root.rglob("*")}
    assert owners == {(registry.stored.root.stat().st_uid, registry.stored.root.stat().st_gid)}


def test_what_is_placed_belongs_to_the_user_that_the_registry_runs_as(tmp_path: Path) -> None:
    layer = tmp_path / "staged" / "sha256" / LAYER[7:9] / LAYER[7:] / "data"
    layer.parent.mkdir(parents=True)
    layer.write_bytes(APP.blobs[1])
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    os.chown(blobs, 1234, 1235)
    script = backup_script("place")
    subprocess.run(["sh", "-c", script, "sh", str(tmp_path / "staged"), str(blobs)], check=True, capture_output=True)
    placed = list(blobs.rglob("*"))
    assert len(placed) == 4
    assert {(path.stat().st_uid, path.stat().st_gid) for path in placed} == {(1234, 1235)}


@contextmanager
def changing(stack: DeployedStack) -> Iterator[list[str]]:
    """Push images and delete them again, one after another, as long as this lasts; gives what was deleted."""
    done: list[str] = []
    over = threading.Event()

    def work() -> None:
        with stack.client as client:
            while not over.is_set():
                name = f"busy/{len(done) % 2}"
                delete_manifest(client, name, push(client, name, f"t{len(done)}", image(f"layer {len(done)}")))
                done.append(name)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


def test_what_is_pushed_and_deleted_in_the_meantime_is_no_damage(registry: Checked) -> None:
    with changing(registry.stack) as done:
        assert wait_until(lambda: len(done) > 3)
        before = len(done)
        for arguments in ((), ("--full",)):
            code, found = registry.check(*arguments)
            assert (code, found["damage"]) == (0, []), arguments
        assert len(done) > before


def test_another_registry_has_what_no_backup_has_and_is_checked_through_its_api(
    registry: Checked, stack: DeployedStack
) -> None:
    fill(stack, "mirror/")
    elsewhere = ("--host", "localhost", "--port", str(stack.port), "mirror/*", "--full")
    code, found = registry.check(*elsewhere)
    assert (code, found["tags"], found["read_blobs"]) == (0, 5, 8)
    registry.damage()
    (registry.stack.directory / "backups.json").unlink()
    unknown = registry.stack.deployer("check", "tool", "--repair", "--dry-run")
    assert (unknown.returncode, "--from REGISTRY" in unknown.stderr) == (1, True)
    origin = ("--full", "--from", f"localhost:{stack.port}/mirror")
    killed(registry, lambda: gate(registry.stack), *origin)
    code, done = registry.check("--repair", "--yes", *origin)
    assert (code, done["whole"]) == (0, True)
    assert registry.all_whole()
    with registry.stack.client as client:
        assert writes_pass(client)
    # What only the other one could be asked: it cannot be repaired from here.
    assert registry.stack.deployer("check", "--repair", *elsewhere).returncode == 2
