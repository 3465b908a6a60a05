"""Disks that are full: after each command the registry serves what it had, and with room the command succeeds."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.cut_off import gate, helpers, wait_until, writes_pass
from tests.support.pulling import delete_manifest, pulls_whole
from tests.support.registry_content import image, push, sha256
from tests.support.signed_in import client_of, password_of, write_users
from tests.support.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.stack import DeployedStack

PAGE = 4096
KEPT = ("app:1", "app:2")
SECRET = "a long Enough secret 7"


@dataclass(frozen=True)
class Disk:
    """A disk in memory, of which a file takes what is to be taken."""

    place: Path

    def mount(self, size: str) -> None:
        self.place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.place)], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.place)], check=False)

    def leave(self, pages: int) -> None:
        """Leave room for so many files of few bytes."""
        self.free()
        with (self.place / "filler").open("wb", buffering=0) as stream:
            os.posix_fallocate(stream.fileno(), 0, shutil.disk_usage(self.place).free - pages * PAGE)
        assert shutil.disk_usage(self.place).free == pages * PAGE

    def free(self) -> None:
        (self.place / "filler").unlink(missing_ok=True)


@dataclass(frozen=True)
class Crowded:
    """A deployment with users whose files, images and backups each have a disk of their own."""

    stack: DeployedStack
    data: Disk
    images: Disk
    target: Disk

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command, which succeeds or says in one sentence why not; the registry is as it was."""
        done = self.stack.deployer(*arguments, stdin=stdin)
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        assert done.stderr.count("Error: ") <= max(1, done.returncode), done.stderr
        self.expect_served()
        return done

    def expect_served(self) -> None:
        """Who could log in can, who could not cannot, and every image is whole; no write is held off for good."""
        assert wait_until(lambda: not helpers(self.stack))
        assert gate(self.stack) == []
        with client_of(self.stack, "ann") as client:
            assert [name for name in KEPT if not pulls_whole(client, *name.split(":"))] == []
            assert writes_pass(client)
        with client_of(self.stack, None) as client:
            assert client.get("/v2/").status_code == 401

    def fill(self) -> None:
        """Something for every command to do."""
        with client_of(self.stack, "ann") as client:
            for tag in ("1", "2"):
                push(client, "app", tag, image(f"app {tag}"))
                push(client, "old", tag, image(f"old {tag}", created=f"2024-06-0{tag}T00:00:00Z"))
            delete_manifest(client, "gone", push(client, "gone", "1", image("gone")))
            push(client, "gone", "2", image("gone 2"))
        Stored(self.stack).age()

    def damage(self) -> Path:
        """A layer that `check --repair` brings back from the backup."""
        file = Stored(self.stack).blob(sha256(image("old 2").blobs[1]))
        file.write_bytes(b"cut")
        return file

    def login(self, name: str, password: str) -> int:
        with client_of(self.stack, None) as client:
            return client.get("/v2/", auth=httpx.BasicAuth(name, password)).status_code


@pytest.fixture(scope="module")
def crowded(make_stack: Callable[..., DeployedStack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowded]:
    stack = make_stack(DEPLOYER_REGISTRY_DATA="./images")
    disks = Disk(stack.folder / "data"), Disk(stack.folder / "images"), Disk(tmp_path_factory.mktemp("target") / "disk")
    for disk, size in zip(disks, ("140m", "150m", "24m"), strict=True):
        disk.mount(size)
    made = Crowded(stack, *disks)
    try:
        write_users(stack, ["ann"])
        log_in(stack, tmp_path_factory.mktemp("client"))
        stack.up()
        made.fill()
        stack.deployer("backup", str(made.target.place), check=True)
        yield made
    finally:
        stack.remove()
        for disk in disks:
            disk.unmount()


def log_in(stack: DeployedStack, folder: Path) -> None:
    """Have the commands log in as ann."""
    login = base64.b64encode(f"ann:{password_of('ann')}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {stack.address: {"auth": login}}}))
    stack.settings = {**stack.settings, "DOCKER_CONFIG": str(folder)}


@pytest.fixture
def room(crowded: Crowded) -> Iterator[None]:
    """There is room at the end, as there was at the beginning."""
    yield
    for disk in (crowded.data, crowded.images, crowded.target):
        disk.free()
    # It notes that there is room, as it does every ten seconds.
    crowded.stack.check_frontend()


@pytest.mark.usefixtures("room")
def test_a_change_of_users_is_made_or_not_whatever_file_has_no_room(crowded: Crowded) -> None:
    """A list of users that is cut short would lock everybody out, and an empty one would let everybody in."""
    users = crowded.stack.directory / "users"
    ends = []
    for pages in range(8):
        before = users.read_bytes()
        name = f"bob{pages}"
        words = ("user", "add", name, "--cost", "10", "--password-stdin")
        crowded.data.leave(pages)
        done = crowded.run(*words, stdin=f"{SECRET}\n")
        ends.append(done.returncode)
        now = users.read_bytes()
        assert now == before or (now.startswith(before) and now[len(before) :].startswith(name.encode() + b":"))
        if done.returncode == 0:
            assert crowded.login(name, SECRET) == 200
        crowded.data.free()
        again = crowded.run(*words, stdin=f"{SECRET}\n")
        # Where it was saved and not applied, the next command has applied it.
        assert again.returncode == (now != before), again.stderr
        assert crowded.login(name, SECRET) == 200
        assert crowded.stack.deployer("status", check=True).stderr == ""
        if done.returncode == 0:
            break
    assert (ends[0], ends[-1]) == (1, 0), ends
    crowded.data.leave(1)
    changed = crowded.run("user", "password", "bob0", "--cost", "10", "--password-stdin", stdin="another long one 9\n")
    assert crowded.login("bob0", SECRET) != crowded.login("bob0", "another long one 9")
    crowded.data.free()
    crowded.run("user", "password", "bob0", "--cost", "10", "--password-stdin", stdin="another long one 9\n")
    assert crowded.login("bob0", "another long one 9") == 200, changed.stderr
    crowded.data.leave(0)
    assert crowded.run("user", "remove", "bob0", "--yes").returncode == 1
    crowded.data.free()
    crowded.run("user", "remove", "bob0", "--yes")
    assert crowded.login("bob0", SECRET) == 401


def commands(crowded: Crowded) -> dict[str, tuple[str, ...]]:
    target = str(crowded.target.place)
    return {
        "gc": ("gc", "--yes"),
        "prune": ("prune", "old", "--keep", "1", "--yes"),
        "delete": ("delete", "gone:2", "--yes"),
        "restore": ("restore", target, "--only", "gone:2", "--yes"),
        "backup": ("backup", target, "--keep", "3"),
        "check": ("check", "--repair", "--yes"),
        "up": ("up", "--yes"),
    }


@pytest.mark.usefixtures("room")
@pytest.mark.parametrize(
    ("disk", "pages", "names"),
    [
        # With a little room, they stop later than at their first file.
        ("data", 2, ("gc", "prune", "delete", "restore", "backup", "check", "up")),
        ("images", 0, ("delete", "restore", "backup", "check", "up")),
        ("target", 0, ("restore", "backup", "check")),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_commands_on_a_full_disk_harm_nothing_and_succeed_with_room(
    crowded: Crowded, disk: str, pages: int, names: tuple[str, ...]
) -> None:
    full: Disk = getattr(crowded, disk)
    crowded.fill()
    crowded.stack.deployer("backup", str(crowded.target.place), check=True)
    before = whole_backups(crowded)
    for name in names:
        words = commands(crowded)[name]
        if name == "check":
            crowded.damage()
        full.leave(pages)
        tried = crowded.run(*words)
        full.free()
        crowded.stack.check_frontend()
        if tried.returncode:
            assert crowded.run(*words).returncode == 0, (name, tried.stderr)
    assert set(whole_backups(crowded)) >= set(before[-2:])
    with client_of(crowded.stack, "ann") as client:
        assert pulls_whole(client, "old", "2")
        assert pulls_whole(client, "gone", "2")
    assert crowded.stack.deployer("check", "--full").returncode == 0


def whole_backups(crowded: Crowded) -> list[str]:
    listed = crowded.stack.deployer("backup", "list", str(crowded.target.place), "--json", check=True)
    return [one["id"] for one in json.loads(listed.stdout)["backups"]]


@pytest.mark.usefixtures("room")
def test_a_full_tmp_is_in_the_way_of_nothing(crowded: Crowded, tmp_path: Path) -> None:
    tmp = Disk(tmp_path / "tmp")
    tmp.mount("1m")
    try:
        tmp.leave(0)
        environment = {"TMPDIR": str(tmp.place)}
        crowded.fill()
        crowded.stack.deployer("backup", str(crowded.target.place), check=True)
        for words in commands(crowded).values():
            done = crowded.stack.deployer(*words, environment=environment)
            assert done.returncode == 0, done.stderr
            crowded.expect_served()
        added = crowded.stack.deployer(
            "user", "add", "tom", "--password-stdin", environment=environment, stdin=f"{SECRET}\n"
        )
        assert added.returncode == 0, added.stderr
    finally:
        tmp.unmount()
