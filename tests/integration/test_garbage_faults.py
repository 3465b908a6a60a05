"""Upkeep where something about this machine, the registry or the moment is wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.content import build_image, push_image
from tests.support.cut_off import gate, helpers, wait_until, writes_pass
from tests.support.pulling import delete_manifest, pulls_whole, put_blob
from tests.support.registry_content import OCI, Image, push
from tests.support.run import free_port
from tests.support.stack import DeployedStack, docker
from tests.support.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

MEGABYTE = 2**20


def test_a_warning_of_the_docker_client_is_no_failure(stack: DeployedStack, tmp_path: Path) -> None:
    """The client complains of such a file on standard error, and then does what it is told."""
    (tmp_path / "config.json").write_text("{broken")
    done = stack.deployer("gc", "--dry-run", environment={"DOCKER_CONFIG": str(tmp_path)})
    assert done.returncode == 0, done.stderr


def garbage(client: httpx.Client) -> str:
    """Push an image and delete it; its digest."""
    made = push_image(client, "deleted", "1", layers=("deleted",))
    delete_manifest(client, "deleted", made.digest)
    return made.digest


def expect_refused(stored: Stored, sentence: str, *command: str) -> None:
    """A command fails with one sentence, and leaves everything as it is, writes let through."""
    before = stored.listing()
    done = stored.stack.deployer(*command, "--yes")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("Error: ") == 1
    assert sentence in done.stderr.partition("Error: ")[2].partition("\n")[0]
    assert stored.listing() == before
    assert (gate(stored.stack), helpers(stored.stack)) == ([], [])


# -- content of a rarer kind


def test_a_layer_pushed_with_a_sha512_digest_stays(stored: Stored, client: httpx.Client) -> None:
    content = b"of another digest"
    digest = "sha512:" + hashlib.sha512(content).hexdigest()
    started = client.post("/v2/app/blobs/uploads/")
    ended = client.put(f"{started.headers['Location']}&digest={digest}", content=content)
    assert ended.status_code == 201, ended.text
    plain = build_image(media=OCI)
    put_blob(client, "app", plain.blobs[0])
    document = plain.document
    document["layers"] = [{**document["layers"][0], "digest": digest, "size": len(content)}]
    push(client, "app", "1", Image(json.dumps(document).encode(), plain.media_type))
    garbage(client)
    stored.age()
    done = json.loads(stored.stack.deployer("gc", "--untagged", "--yes", "--json", check=True).stdout)
    assert done["blobs"] >= 2
    assert client.get(f"/v2/app/blobs/{digest}").content == content


# -- writes past the gate


@contextmanager
def container(stack: DeployedStack, folder: Path) -> Iterator[str]:
    """A running container that has a folder mounted."""
    image = docker("container", "inspect", "--format", "{{.Image}}", stack.containers()["registry"]).strip()
    name = f"{stack.name}-other"
    docker("run", "--detach", "--name", name, "--volume", f"{folder}:/mnt", "--entrypoint", "sleep", image, "300")
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


@pytest.mark.parametrize("where", [".", "docker/registry", "a link"], ids=["the same", "below", "by a link"])
def test_another_container_on_the_storage_is_refused(
    stored: Stored, client: httpx.Client, where: str, tmp_path: Path
) -> None:
    garbage(client)
    stored.age()
    link = tmp_path / "link"
    link.symlink_to(stored.disk.resolve())
    with container(stored.stack, link if where == "a link" else (stored.disk / where).resolve()) as name:
        expect_refused(stored, f"The container {name} has mounted the same storage", "gc")
    stored.stack.deployer("gc", "--yes", check=True)
    assert stored.blobs() == set()


@pytest.mark.parametrize("port", ["", str(free_port())], ids=["any port", "a port"])
def test_a_registry_published_past_the_frontend_is_refused(stored: Stored, client: httpx.Client, port: str) -> None:
    garbage(client)
    stored.age()
    override = stored.stack.directory / "compose.override.yaml"
    before = override.read_text() if override.exists() else "{}\n"
    try:
        override.write_text(f'services: {{registry: {{ports: ["127.0.0.1:{port}:5000"]}}}}\n')
        stored.stack.up()
        expect_refused(stored, "The registry is published directly", "gc")
    finally:
        override.write_text(before)
        stored.stack.up()


# -- much at once


def test_most_of_all_goes_only_when_told(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "kept", "1", layers=("kept",))
    for number in range(6):
        made = push_image(client, "deleted", "1", layers=(f"deleted {number}",))
        delete_manifest(client, "deleted", made.digest)
    stored.age()
    before = stored.listing()
    refused = stored.stack.deployer("gc")
    assert refused.returncode == 1
    assert "This removes most of the content of " in refused.stderr
    assert "Run the command again with --yes." in refused.stderr
    assert stored.listing() == before
    stored.stack.deployer("gc", "--yes", check=True)
    assert client.get("/v2/_catalog").json()["repositories"] == ["kept"]
    assert pulls_whole(client, "kept", "1")


# -- disks


@dataclass(frozen=True)
class Disk:
    """A deployment whose images lie on their own small disk."""

    stored: Stored
    place: Path

    def mount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.place)], check=True)


@pytest.fixture(scope="module")
def disk(make_stack: Callable[..., DeployedStack]) -> Iterator[Disk]:
    stack = make_stack(DEPLOYER_REGISTRY_DATA="./images")
    place = stack.folder / "images"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=130m", "tmpfs", str(place)], check=True)
    try:
        stack.up()
        yield Disk(Stored(stack), place)
    finally:
        stack.remove()
        subprocess.run(["umount", str(place)], check=True)


def fill(filler: Path) -> None:
    """Write to a file until its disk is full to the last block."""
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"\0" * 65536)
    assert shutil.disk_usage(filler.parent).free == 0


def test_a_full_disk_gets_its_space_back(disk: Disk) -> None:
    filler = disk.place / "filler"
    with disk.stored.stack.client as client:
        push_image(client, "kept", "1")
        put_blob(client, "deleted", b"\0" * 20 * MEGABYTE)
        garbage(client)
        disk.stored.age()
        try:
            fill(filler)
            done = json.loads(disk.stored.stack.deployer("gc", "--yes", "--json", check=True).stdout)
            assert done["freed_bytes"] >= 20 * MEGABYTE
            put_blob(client, "kept", b"\1" * 19 * MEGABYTE)
        finally:
            filler.unlink(missing_ok=True)
        assert pulls_whole(client, "kept", "1")
        assert gate(disk.stored.stack) == []


@pytest.mark.parametrize(
    "command",
    [("gc",), ("prune", "--older-than", "0s"), ("delete", "--repository", "kept")],
    ids=lambda words: words[0],
)
def test_a_read_only_disk_is_said_and_nothing_changes(disk: Disk, command: tuple[str, ...]) -> None:
    with disk.stored.stack.client as client:
        push_image(client, "kept", "1")
        garbage(client)
        disk.stored.age()
        disk.mount("ro")
        try:
            expect_refused(disk.stored, "storage is mounted read-only; nothing was changed", *command)
        finally:
            disk.mount("rw")
        assert writes_pass(client)
        assert pulls_whole(client, "kept", "1")


# -- a stack that is incomplete


@pytest.mark.parametrize("service", ["registry", "frontend"])
def test_it_collects_while_a_service_is_stopped(stored: Stored, client: httpx.Client, service: str) -> None:
    kept = push_image(client, "kept", "1", layers=("kept",))
    gone = garbage(client)
    stored.age()
    found = stored.stack.containers()[service]
    docker("stop", "--time", "1", found)
    try:
        done = json.loads(stored.stack.deployer("gc", "--yes", "--json", check=True).stdout)
    finally:
        docker("start", found)
    assert done["blobs"] == 3
    assert gone not in stored.blobs()
    assert wait_until(lambda: stored.stack.deployer("status").returncode == 0)
    assert writes_pass(client)
    assert pulls_whole(client, "kept", kept.digest)


def test_a_dry_run_says_that_the_registry_does_not_run(stored: Stored, client: httpx.Client) -> None:
    found = stored.stack.containers()["registry"]
    docker("stop", "--time", "1", found)
    try:
        refused = stored.stack.deployer("gc", "--dry-run")
    finally:
        docker("start", found)
    assert (refused.returncode, refused.stderr.partition("\n")[0]) == (1, "Error: The registry is not running.")


def test_a_container_of_others_that_ends_in_the_meantime_is_no_failure(
    stored: Stored, client: httpx.Client, tmp_path: Path
) -> None:
    """The engine lists it, and a moment later knows it no more; the client's own list has one such more here."""
    client_program = tmp_path / "docker"
    client_program.write_text(
        f"""#!/bin/sh
{shutil.which("docker")} "$@" || exit
case "$1 $2 $*" in
"container ls "*"--filter"*) ;;
"container ls "*) echo {"0" * 64} ;;
esac
"""
    )
    client_program.chmod(0o755)
    garbage(client)
    stored.age()
    path = f"{tmp_path}:{stored.stack.environment['PATH']}"
    done = stored.stack.deployer("gc", "--yes", environment={"PATH": path})
    assert done.returncode == 0, done.stderr
    assert stored.blobs() == set()


@pytest.mark.parametrize("command", [("gc",), ("gc", "--untagged"), ("prune", "--keep", "1")], ids=" ".join)
def test_a_registry_to_which_nothing_was_ever_pushed(stored: Stored, command: tuple[str, ...]) -> None:
    done = stored.stack.deployer(*command, "--yes", check=True)
    assert "No garbage found." in done.stderr


def test_without_a_deployment_it_is_said(fresh_stack: DeployedStack) -> None:
    fresh_stack.folder.mkdir(exist_ok=True)
    for command in (("gc",), ("prune", "--keep", "1"), ("delete", "--repository", "app")):
        refused = fresh_stack.deployer(*command, "--yes")
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"Error: No deployment named '{fresh_stack.name}'"), refused.stderr


def test_users_added_before_the_first_up_go_with_everything_else(fresh_stack: DeployedStack) -> None:
    fresh_stack.folder.mkdir(exist_ok=True)
    named = ("--name", fresh_stack.name)
    fresh_stack.deployer("user", "add", "ci", "--password-stdin", *named, stdin="a long password\n", check=True)
    stopped = fresh_stack.deployer("down", *named, check=True)
    assert f"Nothing to do: '{fresh_stack.name}' is not running." in stopped.stderr
    planned = fresh_stack.deployer("down", "--volumes", "--dry-run", *named, check=True)
    assert "1 user and their passwords: will be removed" in planned.stdout
    assert "not running" in fresh_stack.deployer("gc", "--yes", *named).stderr
    fresh_stack.deployer("down", "--volumes", "--yes", *named, check=True)
    assert not fresh_stack.directory.exists()
