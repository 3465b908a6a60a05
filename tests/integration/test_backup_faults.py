"""Targets of backups that fail, and backups that are damaged: said in a sentence, with nothing lost in the registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from deployer.layout import STORAGE_ID
from tests.support.backup_servers import rest
from tests.support.cut_off import begin, finish, gate, helpers, kill_all, wait_until, writes_pass
from tests.support.pulling import delete_manifest, manifest_status, pulls_whole, put_blob
from tests.support.registry_content import Image, image, push, sha256
from tests.support.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from tests.support.stack import DeployedStack

SMALL = image("app")
# It does not become smaller when it is compressed.
LARGE = Image(SMALL.content, SMALL.media_type, (*SMALL.blobs, os.urandom(3_000_000)))


@dataclass
class Backups:
    """A registry, and a target with two backups of it: with app:1, and then with big:1 beside it."""

    stack: DeployedStack
    client: httpx.Client
    target: Path
    whole: Path

    def run(self, *arguments: str, code: int = 0, errors: int | None = None) -> str:
        """Run a command that ends so, with so many errors, as many as its code unless said; what it said."""
        done = self.stack.deployer(*arguments)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert done.stderr.count("Error: ") == (code if errors is None else errors)
        return done.stdout + done.stderr

    def ids(self) -> list[str]:
        listed = self.stack.deployer("backup", "list", str(self.target), "--json", check=True)
        return [one["id"] for one in json.loads(listed.stdout)["backups"]]

    def expect_well(self) -> None:
        """The registry serves all that it had, and takes writes."""
        assert pulls_whole(self.client, "app", "1")
        assert wait_until(lambda: not helpers(self.stack))
        assert gate(self.stack) == []
        assert writes_pass(self.client)

    def put_back(self) -> None:
        """Let the target be as it was."""
        for path in self.target.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.whole, self.target, dirs_exist_ok=True)

    def files(self, kind: str) -> list[Path]:
        """The files of a kind in restic's repository, the largest first."""
        found = (path for path in (self.target / kind).rglob("*") if path.is_file())
        return sorted(found, key=lambda path: -path.stat().st_size)


@pytest.fixture(scope="module")
def backups(shared: DeployedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backups]:
    """The target is a disk of its own, of 24 MB."""
    target = tmp_path_factory.mktemp("target") / "disk"
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(target)], check=True)
    made = Backups(shared, shared.client, target, target.with_name("whole"))
    try:
        push(made.client, "app", "1", SMALL)
        made.run("backup", str(target))
        push_large(made.client)
        made.run("backup", str(target))
        shutil.copytree(target, made.whole)
        yield made
    finally:
        made.client.close()
        for name in ("backup-password", "backups.json"):
            (shared.directory / name).unlink(missing_ok=True)
        subprocess.run(["umount", "--lazy", str(target)], check=True)


def push_large(client: httpx.Client) -> None:
    layer = LARGE.blobs[-1]
    put_blob(client, "big", layer)
    document = SMALL.document
    document["layers"] = [{**document["layers"][0], "digest": sha256(layer), "size": len(layer)}]
    push(client, "big", "1", Image(json.dumps(document).encode(), SMALL.media_type, SMALL.blobs))


@contextmanager
def mounted(backups: Backups, options: str) -> Iterator[None]:
    """Have the target's disk mounted otherwise."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(backups.target)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw,size=24m", str(backups.target)], check=True)


def test_a_target_that_fills_up_has_the_backups_that_it_had_and_the_next_one_is_whole(backups: Backups) -> None:
    before = backups.ids()
    put_blob(backups.client, "new", os.urandom(3_000_000))
    push(backups.client, "new", "1", image("new"))
    used = shutil.disk_usage(backups.target).used
    for room in (0, 40_000, 1_500_000):
        with mounted(backups, f"size={used + room}"):
            said = backups.run("backup", str(backups.target), code=1)
            assert "There is no space left at" in said
            used = shutil.disk_usage(backups.target).used
        assert backups.ids() == before
        backups.expect_well()
    backups.run("backup", str(backups.target))
    assert len(backups.ids()) == len(before) + 1
    backups.run("restore", str(backups.target), "--only", "new", "--dry-run")
    backups.put_back()


def test_a_read_only_target_is_said_and_can_be_read(backups: Backups) -> None:
    with mounted(backups, "ro"):
        assert "is mounted read-only" in backups.run("backup", str(backups.target), code=1)
        assert len(backups.ids()) == 2
        assert "Nothing to restore" in backups.run("restore", str(backups.target), "--only", "app")
    backups.expect_well()


def flip(file: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)


def cut(file: Path) -> None:
    """Truncate a file in the middle."""
    file.chmod(0o600)
    os.truncate(file, file.stat().st_size // 2)


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("harm", [flip, remove])
def test_a_damaged_pack_brings_back_nothing_half(backups: Backups, harm: Callable[[Path], None]) -> None:
    digest = manifest_digest(backups.client, "big")
    delete_manifest(backups.client, "big", digest)
    backups.run("gc", "--untagged", "--older-than", "0s", "--yes")
    try:
        # The one with the large layer, which is of no other image.
        harm(max(backups.files("data"), key=lambda file: file.stat().st_size))
        said = backups.run("restore", str(backups.target), "--only", "big", "--yes", code=1)
        assert "damaged" in said
        # It does not stand there as if it could be pulled.
        assert manifest_status(backups.client, "big", "1") == 404 or pulls_whole(backups.client, "big", "1")
        assert backups.run("restore", str(backups.target), "--only", "app", "--dry-run")
        backups.expect_well()
    finally:
        backups.put_back()
    backups.run("restore", str(backups.target), "--only", "big", "--yes")
    assert pulls_whole(backups.client, "big", "1")


def manifest_digest(client: httpx.Client, repository: str) -> str:
    answer = client.head(f"/v2/{repository}/manifests/1", headers={"Accept": SMALL.media_type})
    return str(answer.headers["Docker-Content-Digest"])


@pytest.mark.parametrize(("kind", "harm"), [("index", flip), ("snapshots", cut), ("config", flip)])
def test_a_damaged_list_of_restics_is_said_and_nothing_is_made_of_it(
    backups: Backups, kind: str, harm: Callable[[Path], None]
) -> None:
    try:
        for file in backups.files(kind)[:1] if kind != "config" else [backups.target / "config"]:
            harm(file)
        said = [
            backups.stack.deployer(*words, str(backups.target), *rest)
            for words, rest in ((("backup", "list"), ()), (("backup",), ()), (("restore",), ("--only", "*", "--yes")))
        ]
        for done in said:
            assert "Traceback" not in done.stderr
            assert done.returncode == 0 or "are damaged" in done.stderr, done.stderr
        assert any(done.returncode for done in said)
        backups.expect_well()
    finally:
        backups.put_back()
    assert len(backups.ids()) == 2


def test_a_backup_of_a_newer_deployer_is_refused_by_its_name(backups: Backups) -> None:
    """Its seal says a format that this one does not know."""
    newest = backups.ids()[-1]
    seal_as_newer(backups, newest)
    try:
        words = ("restore", str(backups.target), "--only", "*", "--yes", "--backup", newest)
        assert "was made by a newer deployer" in backups.run(*words, code=1)
        backups.run("backup", "list", str(backups.target))
        backups.expect_well()
    finally:
        backups.put_back()


def seal_as_newer(backups: Backups, backup: str) -> None:
    """Give the seal of a backup another format, with restic itself."""
    password = (backups.stack.directory / "backup-password").read_text().strip()
    command = ["docker", "run", "--rm", "--volume", f"{backups.target}:/backup", "--env", "RESTIC_PASSWORD",
               "--env", "RESTIC_REPOSITORY=/backup", "--network", "none", "--entrypoint", "restic",
               "deployer-backup:debian", "--no-cache", "tag", "--remove", "deployer=1", "--add", "deployer=2",
               "--tag", f"backup={backup},part=seal"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "RESTIC_PASSWORD": password})


def test_a_wrong_password_changes_nothing(backups: Backups, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong\n")
    for words in (("backup",), ("restore",), ("backup", "drill")):
        only = ("--only", "*", "--yes") if words == ("restore",) else ()
        said = backups.run(*words, str(backups.target), *only, "--password-file", str(tmp_path / "wrong"), code=1)
        assert "The password does not open the backups" in said
    assert len(backups.ids()) == 2
    backups.expect_well()


def test_of_two_backups_at_once_one_waits_for_no_one_and_the_other_is_whole(backups: Backups) -> None:
    first = begin(backups.stack, "backup", str(backups.target))
    assert wait_until(lambda: helpers(backups.stack))
    assert "is already running" in backups.run("backup", str(backups.target), code=1)
    code, said = finish(first)
    assert (code, len(backups.ids())) == (0, 3), said
    backups.put_back()


def test_a_slow_server_is_waited_for_and_one_that_vanishes_is_said(backups: Backups, tmp_path: Path) -> None:
    with rest(tmp_path, "--bwlimit", "1M") as server:
        stack = replace(backups.stack, settings={**backups.stack.settings, **server.environment})
        process = begin(stack, "backup", server.target)
        assert wait_until(lambda: any((tmp_path / "registry").glob("data/*/*")) or process.poll() is not None)
        # Meanwhile the registry is used as always.
        assert writes_pass(backups.client)
        code, said = finish(process)
        assert code == 0, said
        process = begin(stack, "backup", server.target)
        assert wait_until(lambda: any((tmp_path / "registry/locks").iterdir()))
    try:
        code, said = finish(process)
        assert (code, "does not respond" in said) == (1, True), said
    finally:
        kill_all(process)
    backups.expect_well()


def test_neither_damaged_images_nor_another_disk_replace_the_last_good_backup(backups: Backups) -> None:
    store = Stored(backups.stack)
    layer = SMALL.blobs[-1]
    damaged, name = store.blob(sha256(layer)), store.disk / STORAGE_ID
    before, own = backups.ids(), name.read_text()
    try:
        damaged.write_bytes(b"")
        said = backups.run("backup", str(backups.target), "--keep", "1")
        assert "damaged in the registry, and so in this backup" in said
        assert "app:1" in said
        assert "No old backups were removed" in said
        assert backups.ids()[:-1] == before
        said = backups.run("restore", str(backups.target), "--only", "app:1", "--yes", code=1, errors=0)
        assert "Nothing was restored, but app:1 is damaged in the registry" in said
        backups.run("check", "--repair", "--backup", str(backups.target), "--yes")
        assert damaged.read_bytes() == layer
        kept = backups.ids()
        name.unlink()
        for command in (
            ("backup", str(backups.target), "--keep", "1"),
            ("check",),
            ("gc", "--yes"),
            ("gc", "--dry-run"),
        ):
            assert "Is its disk mounted?" in backups.run(*command, code=1)
        assert backups.ids() == kept
    finally:
        damaged.write_bytes(layer)
        name.write_text(own)
        backups.put_back()
    backups.expect_well()
