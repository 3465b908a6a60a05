"""A disk that fills up: new pushes are refused in words, everything else goes on, and it opens again by itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from deployer.layout import DISK_REFUSAL
from tests.support.content import build_image, push_image, push_tag
from tests.support.pulling import pulls_whole, put_blob
from tests.support.registry_clients import saved_image
from tests.support.registry_content import sha256
from tests.support.run import PATIENCE_SECONDS
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEGABYTE = 2**20
SIZE = 200 * MEGABYTE
# Its default: a twentieth.
LIMIT = SIZE // 20
REFUSED = DISK_REFUSAL.capitalize()


@dataclass(frozen=True)
class Small:
    """A deployment whose images lie on a small disk, which holds a file that fills it."""

    stack: DeployedStack
    place: Path

    def leave(self, free: int) -> None:
        """Leave so many bytes free, and have the guard look, as the health check does every ten seconds."""
        self.fill(free)
        self.stack.check_frontend()

    def fill(self, free: int) -> None:
        filler = self.place / "filler"
        now = filler.stat().st_size if filler.exists() else 0
        size = max(0, now + shutil.disk_usage(self.place).free - free)
        with filler.open("ab", buffering=0) as stream:
            stream.truncate(min(now, size))
            # It ends sooner where the disk has no more.
            with suppress(OSError):
                while (missing := size - stream.tell()) > 0:
                    stream.write(b"\0" * min(missing, MEGABYTE))

    def noted(self) -> dict[str, object]:
        with self.stack.client as client:
            return dict(client.get("/overview/disk").json()["disk"])


@pytest.fixture(scope="module")
def small(make_stack: Callable[..., DeployedStack]) -> Iterator[Small]:
    stack = make_stack(DEPLOYER_REGISTRY_DATA="./images")
    stack.lasting = True
    place = stack.folder / "images"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], check=True)
    try:
        stack.up()
        yield Small(stack, place)
    finally:
        stack.remove()
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def client(small: Small) -> Iterator[httpx.Client]:
    """It ends with room on the disk."""
    with small.stack.client as client:
        yield client
    small.leave(SIZE)


def begin(client: httpx.Client, repository: str) -> str:
    """Begin an upload; where it goes on."""
    answer = client.post(f"/v2/{repository}/blobs/uploads/")
    assert answer.status_code == 202, answer.text
    return str(answer.headers["Location"])


def send(client: httpx.Client, location: str, content: bytes) -> str:
    answer = client.patch(location, content=content, headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 202, answer.text
    return str(answer.headers["Location"])


def refusal(answer: httpx.Response) -> str:
    """The message of an answer that refuses for want of room."""
    assert answer.status_code == 403
    (error,) = answer.json()["errors"]
    assert (error["code"], error["detail"]) == ("DENIED", "for details, run: deployer status")
    return str(error["message"])


def first_answer(client: httpx.Client, path: str) -> httpx.Response:
    """The first answer to a POST, of a frontend that is just starting."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return client.post(path)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_clients_show_why_a_push_is_refused_and_do_not_retry(
    small: Small, client: httpx.Client, make_image: Callable[..., str]
) -> None:
    stack = small.stack
    make_image("new:1", 1000)
    name = f"{stack.address}/new:1"
    small.leave(LIMIT * 3 // 4)
    docker("tag", "new:1", name)
    try:
        pushed = docker("push", name, check=False, merged=True)
        assert f"denied: {DISK_REFUSAL} (" in pushed
        assert "Retrying" not in pushed
    finally:
        docker("image", "rm", name)
    (stack.folder / "image.tar").write_bytes(saved_image(stack.address))
    copied = subprocess.run(
        ["skopeo", "copy", "--dest-tls-verify=false", f"docker-archive:{stack.folder}/image.tar", f"docker://{name}"],
        capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert copied.returncode != 0
    assert f"denied: {DISK_REFUSAL} (" in copied.stderr
    pushed_by_us = stack.deployer("push", "new:1")
    assert pushed_by_us.returncode == 1
    assert f"Error: {stack.address}: {DISK_REFUSAL} (" in pushed_by_us.stderr
    # Each way to begin an upload.
    for query in ("", "?digest=sha256:x", f"?mount={'sha256:' + 64 * '0'}&from=kept"):
        assert refusal(client.post(f"/v2/new/blobs/uploads/{query}")).startswith(DISK_REFUSAL)


def test_pushes_in_progress_manifests_pulls_and_deletions_go_on(small: Small, client: httpx.Client) -> None:
    push_image(client, "kept", "1")
    push_tag(client, "kept", "2", build_image())
    blob = b"\1" * MEGABYTE
    under_way = send(client, begin(client, "slow"), blob[:1000])
    assert small.noted()["refused"] is False
    small.leave(LIMIT * 3 // 4)
    assert small.noted()["refused"] is True
    # A push goes on to its end, with further uploads.
    put = client.put(f"{send(client, under_way, blob[1000:])}&digest={sha256(blob)}")
    assert put.status_code == 201
    push_image(client, "slow", "1")
    assert pulls_whole(client, "slow", "1")
    # So do manifests, pulls, and deletions, with what a deletion has to upload.
    push_tag(client, "kept", "3", build_image())
    small.stack.deployer("delete", "kept:2", "--yes", check=True)
    assert sorted(client.get("/v2/kept/tags/list").json()["tags"]) == ["1", "3"]
    assert pulls_whole(client, "kept", "1")
    # The push in progress may not use the second half of the reserve.
    small.leave(LIMIT // 2 - MEGABYTE)
    assert refusal(client.post("/v2/slow/blobs/uploads/")).startswith(DISK_REFUSAL)
    # A deletion may still store what it needs where pushes may not overwrite a tag.
    small.leave(MEGABYTE // 2)
    content = build_image()
    put = client.put("/v2/kept/manifests/3", content=content.content, headers={"Content-Type": content.media_type})
    assert refusal(put).startswith(DISK_REFUSAL)
    small.stack.deployer("delete", "kept:3", "--yes", check=True)
    assert client.get("/v2/kept/tags/list").json()["tags"] == ["1"]


def test_commands_report_a_full_disk_and_warn_before(small: Small, client: httpx.Client) -> None:
    stack = small.stack
    small.leave(LIMIT * 3 // 4)
    told = stack.deployer("doctor")
    assert told.returncode == 1
    assert f"error  {REFUSED} (" in told.stdout
    assert "→ deployer gc   (" in told.stdout
    told = stack.deployer("status", "--json")
    assert told.returncode == 1
    state = json.loads(told.stdout)
    assert [one for one in state["problems"] if one.startswith(f"{REFUSED} (")] == state["problems"]
    assert (state["disk"]["refused"], state["disk"]["limit"], state["disk"]["bytes"]) == (True, LIMIT, SIZE)
    assert f"Warning: {REFUSED} (" in stack.deployer("up", check=True).stderr
    small.leave(LIMIT + LIMIT // 20)
    assert small.noted()["refused"] is True
    small.leave(LIMIT + LIMIT // 5)
    assert small.noted()["refused"] is False
    put_blob(client, "new", b"new")
    told = stack.deployer("status", check=True)
    assert "Warning: The registry's disk is filling up (" in told.stderr


def test_a_completely_full_disk_loses_nothing_and_is_freed(small: Small, client: httpx.Client) -> None:
    for tag in ("1", "2", "3"):
        push_image(client, "kept", tag, layers=("layer", *(["other"] if tag == "3" else [])))
    push_image(client, "big", "1", layers=("big",))
    put_blob(client, "big", b"\1" * 20 * MEGABYTE)
    content = build_image(layers=("another",))
    for part in content.blobs:
        put_blob(client, "kept", part)
    small.leave(0)
    assert shutil.disk_usage(small.place).free == 0
    # A tag that were overwritten now would be lost.
    put = client.put("/v2/kept/manifests/1", content=content.content, headers={"Content-Type": content.media_type})
    assert refusal(put).startswith(f"{DISK_REFUSAL} (0 B free")
    assert pulls_whole(client, "kept", "1")
    # The guard, the registry and the engine's checks notice it, and one of them says it.
    frontend = small.stack.containers()["frontend"]
    for _ in range(2):
        told = [
            line for line in small.stack.deployer("doctor").stdout.splitlines() if "disk" in line and "→" not in line
        ]
        assert len(told) == 1, told
        docker("stop", "--time", "0", frontend)
    docker("start", frontend)
    # It knows from the first request on.
    docker("restart", "--time", "0", small.stack.containers()["frontend"])
    assert refusal(first_answer(client, "/v2/new/blobs/uploads/")).startswith(DISK_REFUSAL)
    # The registry cannot: it would write first. One of the two shares its manifest with a tag that stays.
    said = small.stack.deployer("delete", "kept:2", "kept:3", "--yes", check=True)
    assert "Deleted kept:3" in said.stdout
    assert client.get("/v2/kept/tags/list").json()["tags"] == ["1"]
    assert pulls_whole(client, "kept", "1")
    small.stack.deployer("delete", "--repository", "big", "--yes", check=True)
    assert client.get("/v2/big/tags/list").status_code == 404
    subprocess.run(
        ["find", str(small.place), "-name", "data", "-exec", "touch", "-d", "2 hours ago", "{}", "+"], check=True
    )
    freed = json.loads(small.stack.deployer("gc", "--yes", "--json", check=True).stdout)
    assert freed["freed_bytes"] >= 20 * MEGABYTE
    # Nobody has to open it.
    put_blob(client, "new", b"new")


def test_the_reserve_can_be_changed_while_it_runs(small: Small, client: httpx.Client) -> None:
    before = small.stack.containers()
    small.leave(0)
    small.stack.deployer("up", environment={"DEPLOYER_REGISTRY_RESERVE": "off"}, check=True)
    assert small.noted()["refused"] is False
    assert client.post("/v2/new/blobs/uploads/").status_code == 500
    small.stack.deployer("up", check=True)
    assert refusal(client.post("/v2/new/blobs/uploads/")).startswith(DISK_REFUSAL)
    assert small.stack.containers() == before
