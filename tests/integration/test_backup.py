"""Backups of a real registry: made while it serves, listed, restored on an empty machine and into a running one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from deployer.layout import REGISTRY_ROOT
from tests.support.backup_servers import BACKUP_SERVERS
from tests.support.cut_off import begin, finish, helpers, kill_all, wait_until
from tests.support.pulling import delete_manifest, manifest_status, pulls_whole, why_not_whole
from tests.support.registry_content import Image, image, index, push
from tests.support.signed_in import client_of, write_rules, write_users
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.backup_servers import BackupServer
    from tests.support.stack import DeployedStack

RULES = [{"users": ["ann"], "allow": ["pull", "push", "delete"]}, {"users": ["bob"], "allow": ["pull"]}]
OVERRIDE = "services: {registry: {labels: {owner: ann}}}\n"


@dataclass
class Origin:
    """The deployment that is backed up, where to, and what was pushed to it."""

    stack: DeployedStack
    target: Path
    images: dict[str, Image]

    def backup(self, *arguments: str, check: bool = True) -> str:
        done = self.stack.deployer("backup", str(self.target), *arguments, check=check)
        return done.stdout + done.stderr

    def ids(self) -> list[str]:
        listed = self.stack.deployer("backup", "list", str(self.target), "--json", check=True)
        return [one["id"] for one in json.loads(listed.stdout)["backups"]]

    @property
    def password_file(self) -> Path:
        return self.stack.directory / "backup-password"


def fill(client: httpx.Client) -> dict[str, Image]:
    app = image("app")
    parts = image("amd64"), image("arm64", platform="linux/arm64")
    found = {"team/app:1": app, "team/app:latest": app, "other:1": image("other")}
    for part in parts:
        push(client, "team/multi", None, part)
    multi = index([(part, platform) for part, platform in zip(parts, ("linux/amd64", "linux/arm64"), strict=True)])
    for name, content in {**found, "team/multi:1": multi}.items():
        repository, _, tag = name.partition(":")
        push(client, repository, tag, content)
    return {**found, "team/multi:1": multi}


@pytest.fixture(scope="module")
def origin(make_stack: Callable[..., DeployedStack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    stack = make_stack(DEPLOYER_TLS="internal")
    write_rules(stack, RULES)
    write_users(stack, ["ann", "bob"])
    (stack.directory / "compose.override.yaml").write_text(OVERRIDE)
    stack.up()
    with client_of(stack, "ann") as client:
        images = fill(client)
    made = Origin(stack, tmp_path_factory.mktemp("backups") / "registry", images)
    made.backup()
    yield made
    stack.remove()


def pushed_at(stack: DeployedStack) -> str:
    """When team/app:1 was pushed, in seconds since 1970: retention goes by it."""
    link = f"{REGISTRY_ROOT}/repositories/team/app/_manifests/tags/1/current/link"
    return docker("exec", stack.containers()["registry"], "stat", "-c", "%Y", link)


def lose(stack: DeployedStack) -> None:
    """Lose the machine: volumes, containers and files."""
    stack.remove()
    shutil.rmtree(stack.directory)
    (stack.folder / "deployer.yaml").unlink(missing_ok=True)


def test_a_backup_is_listed_with_what_it_holds(origin: Origin) -> None:
    (found,) = json.loads(origin.stack.deployer("backup", "list", str(origin.target), "--json", check=True).stdout)[
        "backups"
    ]
    assert (found["repositories"], found["tags"], found["missing_blobs"]) == (3, 4, 0)
    shown = origin.stack.deployer("backup", "list", str(origin.target), check=True).stdout
    assert found["id"] in shown
    assert f"{origin.stack.name}@" in shown


def copies(stack: DeployedStack) -> list[str]:
    """What there is of copies that drills of a deployment's backups have started: on the engine, and on the disk."""
    named = ("--filter", f"name={stack.name}-drill-")
    found = [
        *docker("ps", "--all", "--format", "{{.Names}}", *named).split(),
        *docker("volume", "ls", "--format", "{{.Name}}", *named).split(),
        *docker("network", "ls", "--format", "{{.Name}}", *named).split(),
    ]
    places = (stack.directory.parent / ".drills" / stack.name).glob("*-drill-*")
    return [*found, *(path.name for path in places)]


def state_of(stack: DeployedStack) -> dict[str, str]:
    """The deployment's files with their content, but for the lock, and since when its containers run."""
    files = {str(path): path.read_bytes().hex() for path in stack.directory.rglob("*") if path.is_file()}
    files.pop(str(stack.directory / ".lock"), None)
    # What the page is told of backups and drills.
    files.pop(str(stack.directory / "frontend" / "upkeep" / "state.json"), None)
    started = {one: docker("inspect", "--format", "{{.State.StartedAt}}", one) for one in stack.containers().values()}
    return {**files, **started}


def test_a_drill_pulls_from_a_copy_and_leaves_everything_as_it_was(origin: Origin) -> None:
    stack = origin.stack
    before = state_of(stack)
    done = stack.deployer("backup", "drill", str(origin.target), "--json", check=True)
    found = json.loads(done.stdout)
    (backup,) = json.loads(stack.deployer("backup", "list", str(origin.target), "--json", check=True).stdout)["backups"]
    assert (found["backup"], found["passed"], found["differences"]) == (backup["id"], True, [])
    assert (found["tags"], found["login"], found["users"]) == (4, "passed", 2)
    assert found["ca_sha256"] in stack.deployer("status").stdout
    # The newest tag of each repository; that of team/multi is another kind of manifest.
    assert len(found["sampled"]) == 3
    assert found["bytes_compared"] > sum(origin.images[name].size for name in ("other:1", "team/app:1"))
    assert found["not_tested"] == ["compose.override.yaml"]
    assert backup["drill"]["problem"] == ""
    assert copies(stack) == []
    assert state_of(stack) == before
    told = json.loads((stack.directory / "frontend" / "upkeep" / "state.json").read_text())["upkeep"]
    assert told["drill"]["passed"] is True


def test_what_a_killed_drill_leaves_is_removed_by_the_next_and_an_interrupted_one_leaves_nothing(
    origin: Origin,
) -> None:
    stack = origin.stack
    arguments = ("backup", "drill", str(origin.target))

    def started() -> bool:
        return any("registry" in name for name in copies(stack))

    def restoring() -> bool:
        return any(name.endswith("-upkeep") for name in copies(stack))

    def killed(reached: Callable[[], object]) -> set[str]:
        """Kill a drill that has come so far, and not only found what the one before it left; what it leaves."""
        before = set(copies(stack))
        process = begin(stack, *arguments)
        assert wait_until(lambda: set(copies(stack)) - before and reached())
        kill_all(process)
        finish(process)
        left = set(copies(stack)) - before
        assert left
        return left

    killed(lambda: copies(stack))
    killed(started)
    left = killed(restoring)
    assert "A drill was interrupted" in stack.deployer("status").stderr
    process = begin(stack, *arguments)
    assert wait_until(lambda: restoring() and not left & set(copies(stack)))
    os.kill(process.pid, signal.SIGINT)
    code, said = finish(process)
    assert code == 130
    assert "the copy was removed" in said
    assert copies(stack) == []
    assert stack.deployer("status").returncode == 0


def test_the_password_is_kept_where_only_its_owner_reads_it(origin: Origin) -> None:
    assert origin.password_file.stat().st_mode & 0o777 == 0o600
    password = origin.password_file.read_text().strip()
    said = origin.backup("--dry-run")
    assert password not in said
    for container in docker("ps", "--all", "--quiet", "--filter", f"name={origin.stack.name}").split():
        assert password not in docker("inspect", container)


def test_a_second_backup_stores_only_what_is_new(origin: Origin) -> None:
    before = origin.ids()
    done = json.loads(origin.stack.deployer("backup", str(origin.target), "--json", check=True).stdout)
    assert done["added"] < 20_000
    assert origin.ids() == [*before, done["id"]]


def test_a_lost_machine_comes_back(origin: Origin, tmp_path: Path) -> None:
    stack = origin.stack
    password = tmp_path / "password"
    shutil.copy(origin.password_file, password)
    fingerprint, pushed = (stack.directory / "ca.crt").read_text(), pushed_at(stack)
    lose(stack)
    said = stack.deployer("restore", str(origin.target), "--password-file", str(password), "--yes", check=True)
    assert "Restored 4 tags" in said.stdout
    assert (stack.directory / "ca.crt").read_text() == fingerprint
    assert (stack.directory / "compose.override.yaml").read_text() == OVERRIDE
    assert pushed_at(stack) == pushed
    with client_of(stack, "bob") as client:
        for name in origin.images:
            assert pulls_whole(client, *name.split(":"))
        assert client.post("/v2/team/app/blobs/uploads/").status_code == 403
    with client_of(stack, None) as client:
        assert client.get("/v2/").status_code == 401
    assert stack.deployer("status").returncode == 0
    assert "Nothing to restore" in stack.deployer("restore", str(origin.target), "--only", "*", check=True).stdout


def test_a_tag_overwritten_by_mistake_comes_back(origin: Origin) -> None:
    with client_of(origin.stack, "ann") as client:
        push(client, "team/app", "1", image("mistake"))
        push(client, "team/app", "new", image("mistake"))
    arguments = ("restore", str(origin.target), "--only", "team/app:1")
    shown = origin.stack.deployer(*arguments, "--dry-run", check=True)
    assert "team/app:1" in shown.stderr
    refused = origin.stack.deployer(*arguments)
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    origin.stack.deployer(*arguments, "--yes", check=True)
    with client_of(origin.stack, "bob") as client:
        expected = origin.images["team/app:1"]
        found = client.get("/v2/team/app/manifests/1", headers={"Accept": expected.media_type})
        assert found.content == expected.content
        assert pulls_whole(client, "team/app", "1")
        assert pulls_whole(client, "team/app", "new"), "what the backup does not have stays"


def test_a_lost_repository_comes_back_with_its_parts(origin: Origin) -> None:
    stack = origin.stack
    with client_of(stack, "ann") as client:
        delete_manifest(client, "team/multi", origin.images["team/multi:1"].digest)
        assert manifest_status(client, "team/multi", "1") == 404
    stack.deployer("gc", "--untagged", "--older-than", "0s", "--yes", check=True)
    stack.deployer("restore", str(origin.target), "--only", "team/*", "--yes", check=True)
    with client_of(stack, "bob") as client:
        assert pulls_whole(client, "team/multi", "1")


@contextmanager
def pushing(stack: DeployedStack) -> Iterator[list[str]]:
    """Push images, one after another, as long as this lasts; gives their names as they are pushed."""
    done: list[str] = []
    over = threading.Event()

    def work() -> None:
        with client_of(stack, "ann") as client:
            while not over.is_set():
                name = f"busy/{len(done) % 3}:{len(done)}"
                repository, _, tag = name.partition(":")
                push(client, repository, tag, image(f"layer of {name}"))
                done.append(name)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


def test_a_push_during_a_backup_is_in_it_completely_or_not_at_all_and_a_killed_restore_continues(
    origin: Origin, make_stack: Callable[..., DeployedStack], tmp_path: Path
) -> None:
    with pushing(origin.stack) as pushed:
        assert wait_until(lambda: len(pushed) > 3)
        before = len(pushed)
        origin.backup()
    assert len(pushed) > before, "pushes went on during the backup"
    other = make_stack(DEPLOYER_TLS="internal", DEPLOYER_HOST="127.0.0.1")
    other.folder.mkdir(parents=True, exist_ok=True)
    password = tmp_path / "password"
    shutil.copy(origin.password_file, password)
    arguments = ("restore", str(origin.target), "--password-file", str(password), "--yes")
    steps: tuple[Callable[[], object], ...] = (
        (other.directory / ".restoring").exists,
        lambda: len(other.containers()) == 2,
        lambda: helpers(other),
    )
    for reached in steps:
        process = begin(other, *arguments)
        assert wait_until(reached)
        kill_all(process)
        finish(process)
        assert (other.directory / ".restoring").exists()
    assert "was interrupted" in other.deployer("status").stderr
    other.deployer(*arguments, check=True)
    assert not (other.directory / ".restoring").exists()
    with client_of(other, "bob") as client:
        tags = {
            f"busy/{number}:{tag}"
            for number in range(3)
            for tag in client.get(f"/v2/busy/{number}/tags/list").json().get("tags") or ()
        }
        assert tags >= set(pushed[:before])
        for name in (*origin.images, *tags):
            assert not why_not_whole(client, *name.split(":")), name
    # Caddy had made a certificate for this host before it had the CA of the backup.
    trust = ssl.create_default_context(cafile=str(other.directory / "ca.crt"))
    assert httpx.get(f"https://127.0.0.1:{other.port}/v2/", verify=trust, trust_env=False).status_code == 401
    assert other.deployer("status").returncode == 0


def test_an_interrupted_backup_is_not_listed_and_the_next_one_is_complete(origin: Origin) -> None:
    before = origin.ids()
    process = begin(origin.stack, "backup", str(origin.target))
    assert wait_until(lambda: any(origin.target.joinpath("locks").iterdir()))
    kill_all(process)
    finish(process)
    assert origin.ids() == before
    assert wait_until(lambda: not helpers(origin.stack))
    origin.backup("--keep", "1")
    assert len(origin.ids()) == 1


@pytest.mark.parametrize("arguments", [("backup",), ("backup", "list"), ("restore",)])
def test_a_target_that_is_not_there_is_one_sentence(origin: Origin, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = origin.stack.deployer(*arguments, str(tmp_path / "none" / "there"))
    assert done.returncode == 1
    assert "there" in done.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", BACKUP_SERVERS)
def test_a_server_stores_backups_too(origin: Origin, tmp_path: Path, kind: str) -> None:
    with BACKUP_SERVERS[kind](tmp_path) as server:
        run = partial(origin.stack.deployer, environment=server.environment)
        run("backup", server.target, check=True)
        with client_of(origin.stack, "ann") as client:
            push(client, "other", "1", image("mistake"))
        run("restore", server.target, "--only", "other:1", "--yes", check=True)
        with client_of(origin.stack, "bob") as client:
            expected = origin.images["other:1"]
            found = client.get("/v2/other/manifests/1", headers={"Accept": expected.media_type})
            assert found.content == expected.content
            assert pulls_whole(client, "other", "1")
        if kind == "rest":
            expect_no_lasting_lock(origin.stack, server, tmp_path / "registry/locks")


def expect_no_lasting_lock(stack: DeployedStack, server: BackupServer, locks: Path) -> None:
    """A killed backup leaves a lock at a server, and the next one removes old backups all the same."""
    stack = replace(stack, settings={**stack.settings, **server.environment})
    process = begin(stack, "backup", server.target)
    assert wait_until(lambda: any(locks.iterdir()))
    kill_all(process)
    finish(process)
    assert wait_until(lambda: not helpers(stack))
    assert any(locks.iterdir())
    stack.deployer("backup", server.target, "--keep", "1", check=True)
    listed = stack.deployer("backup", "list", server.target, "--json", check=True)
    assert len(json.loads(listed.stdout)["backups"]) == 1


def test_missing_backups_are_not_silently_started_again(origin: Origin) -> None:
    hidden = origin.target.rename(origin.target.with_name("hidden"))
    try:
        done = origin.stack.deployer("backup", str(origin.target))
        assert done.returncode == 1
        assert "are missing" in done.stderr
        assert not origin.target.exists()
    finally:
        hidden.rename(origin.target)


def test_a_directory_with_other_files_is_not_used(origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Ann")
    done = origin.stack.deployer("backup", str(tmp_path))
    assert done.returncode == 1
    assert "contains other files" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_wrong_password_is_said(origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong\n")
    done = origin.stack.deployer("backup", "list", str(origin.target), "--password-file", str(tmp_path / "wrong"))
    assert done.returncode == 1
    assert "The password does not open the backups" in done.stderr


def test_a_lost_password_is_helped_with_and_new_ones_begin_in_another_place(origin: Origin, tmp_path: Path) -> None:
    kept = origin.stack.directory / "backup-password"
    before = kept.read_text()
    for content, sentence in (("", "their password is not on this machine"), ("wrong\n", "The password does not open")):
        kept.write_text(content) if content else kept.unlink()
        try:
            done = origin.stack.deployer("backup", str(origin.target), "--new")
        finally:
            kept.write_text(before)
            kept.chmod(0o600)
        assert done.returncode == 1
        assert sentence in done.stderr
        assert "If the password is lost, nothing opens these backups." in done.stderr
        assert "deployer backup ANOTHER_TARGET" in done.stderr


def test_a_deployment_is_not_overwritten(origin: Origin) -> None:
    done = origin.stack.deployer("restore", str(origin.target), "--yes")
    assert done.returncode == 2
    assert "it is not overwritten" in done.stderr


def test_a_port_that_is_in_use_is_said_before_anything_is_written(origin: Origin, tmp_path: Path) -> None:
    shutil.copy(origin.password_file, tmp_path / "password")
    done = origin.stack.deployer(
        "restore", str(origin.target), "--name", f"{origin.stack.name}-beside", "--password-file",
        str(tmp_path / "password"), "--dry-run",
    )  # fmt: skip
    assert done.returncode == 1
    assert f"Port {origin.stack.port} is already in use" in done.stderr
    assert "deployer restore" in done.stderr
    assert f"{origin.target} --port" in done.stderr
