"""The gate: writes wait or are answered 503 while it is closed, all else continues, and nothing slips through."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from deployer.workflows.upkeep.gate import Gate, GateHolder
from tests.support.asked import asked
from tests.support.content import build_image, push_image
from tests.support.cut_off import begin, finish, gate, wait_until, writes_pass
from tests.support.pulling import pulls_whole, put_blob
from tests.support.registry_content import push, sha256
from tests.support.run import PATIENCE_SECONDS
from tests.support.slow_writes import slow_upload, slow_write
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.stored import Stored

NOBODY = 2**22  # No process of Linux has so high a number.


@contextmanager
def closed_gate(stack: DeployedStack) -> Iterator[Gate]:
    """The gate as an upkeep command closes it; it can be opened before the end."""
    made = Gate(stack.directory / "frontend" / "gate")
    made.directory.mkdir(exist_ok=True)
    made.close(GateHolder("gc", NOBODY, datetime.now(UTC)))
    try:
        yield made
    finally:
        made.open()


def superseded(client: httpx.Client, stored: Stored) -> None:
    """Leave a manifest about which `gc --untagged` asks."""
    push_image(client, "asked", "1", layers=("old",))
    push_image(client, "asked", "1", layers=("new",))
    stored.age()


# -- while it is closed


def test_a_push_waits_until_it_opens(stored: Stored, client: httpx.Client, make_image: Callable[..., str]) -> None:
    name = f"{stored.stack.address}/pushed:1"
    make_image(name, 200_000)
    with closed_gate(stored.stack) as shut, ThreadPoolExecutor() as pool:
        pushing = pool.submit(docker, "push", name)
        time.sleep(4)
        waited = not pushing.done()
        shut.open()
        pushing.result(timeout=PATIENCE_SECONDS)
    assert waited
    assert pulls_whole(client, "pushed", "1")


def test_small_writes_wait_until_it_opens(stored: Stored, client: httpx.Client) -> None:
    # In its own repository: 2.8 stumbles when it deletes where a tag is being pushed.
    gone = push_image(client, "other", "gone", layers=("gone",))
    made = build_image(layers=("new",))
    for blob in made.blobs:
        put_blob(client, "app", blob)
    with closed_gate(stored.stack) as shut, ThreadPoolExecutor() as pool:
        writes = [
            pool.submit(client.post, "/v2/app/blobs/uploads/"),
            pool.submit(
                client.put, "/v2/app/manifests/new", content=made.content, headers={"Content-Type": made.media_type}
            ),
            pool.submit(client.delete, f"/v2/other/manifests/{gone.digest}"),
        ]
        time.sleep(1.5)
        waited = [not write.done() for write in writes]
        shut.open()
        answers = [write.result().status_code for write in writes]
    assert (waited, answers) == ([True] * 3, [202, 201, 202])
    assert pulls_whole(client, "app", "new")


def test_an_upload_is_ended_by_an_empty_put_once_it_opens(stored: Stored, client: httpx.Client) -> None:
    content = b"sent before"
    started = client.post("/v2/app/blobs/uploads/")
    sent = client.patch(started.headers["Location"], content=content)
    with closed_gate(stored.stack) as shut, ThreadPoolExecutor() as pool:
        ending = pool.submit(client.put, f"{sent.headers['Location']}&digest={sha256(content)}")
        time.sleep(1)
        waited = not ending.done()
        shut.open()
        assert ending.result().status_code == 201
    assert waited
    assert client.get(f"/v2/app/blobs/{sha256(content)}").content == content


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_content_is_answered_503_in_the_registrys_form(stored: Stored, client: httpx.Client, method: str) -> None:
    location = client.post("/v2/app/blobs/uploads/").headers["Location"]
    target = location if method == "PATCH" else f"{location}&digest={sha256(b'content')}"
    with closed_gate(stored.stack):
        refused = client.request(method, target, content=b"content")
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Content-Type"] == "application/json"
    error = refused.json()["errors"][0]
    assert error["code"] == "UNAVAILABLE"
    assert refused.headers["Deployer-Gate"] == "closed"
    assert "in maintenance" in error["message"]
    assert client.request(method, target, content=b"content").status_code in {201, 202}


def test_what_waits_for_longer_than_it_may_is_told_of_the_maintenance(stored: Stored, client: httpx.Client) -> None:
    """An upload's start, while pushes that began before are let finish: `gc --wait` can be longer than the 45 s."""
    gate = Gate(stored.stack.directory / "frontend" / "gate")
    gate.drain(GateHolder("gc", NOBODY, datetime.now(UTC)))
    try:
        refused = client.post("/v2/app/blobs/uploads/")
    finally:
        gate.open()
    assert refused.status_code == 503
    assert refused.headers["Deployer-Gate"] == "closed"
    assert "in maintenance" in refused.json()["errors"][0]["message"]


def test_reading_goes_on(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "app", "1")
    with closed_gate(stored.stack):
        assert pulls_whole(client, "app", "1")
        assert client.get("/v2/_catalog").json()["repositories"] == ["app"]
        assert client.get("/v2/app/tags/list").json()["tags"] == ["1"]
        page = client.get("/")
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_a_new_frontend_still_holds_writes_off(stored: Stored, client: httpx.Client) -> None:
    with closed_gate(stored.stack):
        docker("restart", "--time", "1", stored.stack.containers()["frontend"])
        assert wait_until(lambda: answers(client))
        assert client.patch("/v2/none/blobs/uploads/none").status_code == 503
    assert writes_pass(client)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v2/").status_code == 200
    except httpx.TransportError:
        return False


# -- who holds it


def test_a_second_command_says_who_is_running(stored: Stored, client: httpx.Client) -> None:
    superseded(client, stored)
    said = []

    def others() -> None:
        for words in (("prune", "--keep", "1"), ("gc",), ("delete", "--repository", "asked"), ("down",)):
            done = stored.stack.deployer(*words, "--yes")
            said.append((words[0], done.returncode, done.stderr))

    asked(stored.stack, "gc", "--untagged", meanwhile=others)
    at_work = r"Error: `deployer gc` \(process \d+\) is already running for this deployment\.\n"
    assert [one for one in said if one[1] != 1 or not re.match(at_work, one[2])] == []
    assert pulls_whole(client, "asked", "1")


def test_pushes_go_on_while_a_question_stands(stored: Stored, client: httpx.Client) -> None:
    superseded(client, stored)
    asked(stored.stack, "gc", "--untagged", meanwhile=lambda: push_image(client, "asked", "2", layers=("2",)))
    assert pulls_whole(client, "asked", "2")


def test_status_says_who_holds_writes_off_and_since_when(stored: Stored, client: httpx.Client) -> None:
    superseded(client, stored)
    with slow_upload(stored.stack, client, "busy", b"slow upload") as upload:
        process = begin(stored.stack, "gc", "--untagged", "--yes", "--wait", "10m")
        try:
            assert wait_until(lambda: "draining" in gate(stored.stack))
            status = stored.stack.deployer("status")
            machine = stored.stack.deployer("status", "--json")
        finally:
            upload.finish()
            code, said = finish(process)
    held = rf"paused since {datetime.now(UTC):%Y-%m-%d} \d\d:\d\d:\d\d UTC by `deployer gc` \(process {process.pid}\)"
    assert re.search(held, status.stdout), status.stdout + status.stderr
    assert re.search(held, machine.stdout)
    assert code == 0, said
    assert "paused" not in stored.stack.deployer("status", check=True).stdout


def test_a_gate_that_nobody_holds_is_opened_and_said(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "app", "1")
    with closed_gate(stored.stack):
        done = stored.stack.deployer("status", check=True)
        assert f"`deployer gc` (process {NOBODY}) ended while writes were paused" in done.stderr
        assert gate(stored.stack) == []
        assert writes_pass(client)
        assert "They have resumed." not in stored.stack.deployer("status", check=True).stderr


@pytest.mark.parametrize("content", [b"", b"{"], ids=["empty", "cut short"])
def test_a_damaged_marker_is_opened_too(stored: Stored, client: httpx.Client, content: bytes) -> None:
    with closed_gate(stored.stack) as shut:
        (shut.directory / "closed").write_bytes(content)
        done = stored.stack.deployer("status", check=True)
        assert "They have resumed." in done.stderr
        assert writes_pass(client)


# -- writes in progress when it closes


def test_an_upload_is_waited_for(stored: Stored, client: httpx.Client) -> None:
    superseded(client, stored)
    content = b"an upload under way"
    with slow_upload(stored.stack, client, "busy", content) as upload:
        process = begin(stored.stack, "gc", "--untagged", "--yes", "--wait", "10m")
        assert wait_until(lambda: "draining" in gate(stored.stack))
        time.sleep(1.5)
        waited = process.poll() is None and gate(stored.stack) == ["draining"]
        status, headers = upload.finish()
        code, said = finish(process)
    assert (waited, status, code) == (True, 202, 0)
    assert "Waiting up to 600 s for pushes in progress to finish" in said
    assert client.put(f"{headers['Location']}&digest={sha256(content)}").status_code == 201


def test_an_upload_that_takes_longer_goes_on_and_finishes_afterwards(stored: Stored, client: httpx.Client) -> None:
    superseded(client, stored)
    made = build_image(layers=("slow " * 1000,))
    with slow_upload(stored.stack, client, "busy", made.blobs[1]) as upload:
        done = stored.stack.deployer("gc", "--untagged", "--yes", "--wait", "1s", check=True)
        status, headers = upload.finish()
    assert "Some pushes are still in progress" in done.stderr
    assert status == 202
    assert client.put(f"{headers['Location']}&digest={sha256(made.blobs[1])}").status_code == 201
    put_blob(client, "busy", made.blobs[0])
    assert client.put(
        "/v2/busy/manifests/1", content=made.content, headers={"Content-Type": made.media_type}
    ).is_success  # fmt: skip
    assert pulls_whole(client, "busy", "1")


def test_a_manifest_that_comes_slowly_is_not_lost(stored: Stored, client: httpx.Client) -> None:
    superseded(client, stored)
    made = build_image(layers=("slow",))
    for blob in made.blobs:
        put_blob(client, "busy", blob)
    with slow_write(stored.stack, "PUT", "/v2/busy/manifests/1", made.content, made.media_type) as write:
        process = begin(stored.stack, "gc", "--untagged", "--yes", "--wait", "1s")
        assert wait_until(lambda: "closed" in gate(stored.stack) or process.poll() is not None)
        status, _ = write.finish()
        code, said = finish(process)
    assert (status, code) == (201, 0), said
    assert pulls_whole(client, "busy", "1")


def test_a_frontend_that_comes_up_while_it_asks_is_counted(stored: Stored, client: httpx.Client) -> None:
    superseded(client, stored)
    frontend = stored.stack.containers()["frontend"]
    docker("stop", "--time", "1", frontend)
    kept = []

    def come_up() -> None:
        docker("start", frontend)
        assert wait_until(lambda: answers(client))
        upload = slow_upload(stored.stack, client, "busy", b"begun through the new frontend")
        kept.append((upload, upload.__enter__()))

    try:
        shown = asked(stored.stack, "gc", "--untagged", "--wait", "1s", meanwhile=come_up)
        assert kept[0][1].finish()[0] == 202
    finally:
        docker("start", frontend)
        for upload, _ in kept:
            upload.__exit__(None, None, None)
    assert "for pushes in progress to finish" in shown
    assert pulls_whole(client, "asked", "1")


def test_a_new_image_pushed_while_a_collection_runs_is_whole(stored: Stored, client: httpx.Client) -> None:
    pushed: list[str] = []
    # Once on most machines; on a busy one a push may take as long as a collection.
    while len(pushed) < 3:
        superseded(client, stored)
        process = begin(stored.stack, "gc", "--untagged", "--yes")
        while process.poll() is None:
            tag = str(len(pushed))
            pushed.append(push(client, "meanwhile", tag, build_image(layers=(f"layer {tag}",))))
        code, said = finish(process)
        assert code == 0, said
    assert all(pulls_whole(client, "meanwhile", digest) for digest in pushed)
