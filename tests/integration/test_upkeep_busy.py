"""Upkeep while clients push and pull: no pull fails, no push fails, and what a push said is kept can be read back."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.support.bounded import run_bounded
from tests.support.content import build_image, push_image, push_many_tags
from tests.support.pulling import EVERY_TYPE, pulls_whole, put_manifest
from tests.support.registry_content import OCI, Image, index, push, sha256
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.stack import DeployedStack
    from tests.support.stored import Stored

ROUNDS = 1


@dataclass
class Traffic:
    """Clients running until told to stop: what each tag was last pushed as, and what failed them."""

    stack: DeployedStack
    pushed: dict[tuple[str, str], str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    pulls: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def push(self, name: str) -> None:
        """Push ever new images, sharing a layer; each second one moves the tag `latest`, each third is an index."""
        with self.stack.client as client:
            number = 0
            while not self.over.is_set():
                number += 1
                made = build_image(layers=("shared by all", f"{name} {number}" * 500), media=OCI)
                tag = "latest" if number % 2 else str(number)
                upload_patiently(client, name, made)
                if number % 3 == 0:
                    self._put(client, name, made.digest, made)
                    made = index([(made, "linux/amd64")], media=OCI)
                if self._put(client, name, tag, made):
                    self.pushed[name, tag] = made.digest
                self.over.wait(0.1)

    def push_by_docker(self, images: list[str]) -> None:
        for image in images:
            done = run_bounded(["docker", "push", "--quiet", image])
            if done.returncode:
                self.failed.append(f"docker push {image}: {done.stderr.decode()}")
            else:
                name, _, tag = image.removeprefix(f"{self.stack.address}/").partition(":")
                found = docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", image).strip()
                self.pushed[name, tag] = found.partition("@")[2]

    def pull(self, repository: str, reference: str) -> None:
        with self.stack.client as client:
            while not self.over.is_set():
                if not pulls_whole(client, repository, reference):
                    self.failed.append(f"pull {repository}:{reference}")
                self.pulls += 1

    def _put(self, client: httpx.Client, name: str, reference: str, made: Image) -> bool:
        status = put_manifest(client, name, reference, made)
        if status != 201:
            self.failed.append(f"push {name}:{reference}: {status}")
        return status == 201


def upload_patiently(client: httpx.Client, repository: str, made: Image) -> None:
    """Upload what is not there yet, and as Docker does, begin a blob again that was answered 503."""
    for blob in made.blobs:
        while client.head(f"/v2/{repository}/blobs/{sha256(blob)}").status_code != 200:
            started = client.post(f"/v2/{repository}/blobs/uploads/")
            assert started.status_code == 202, started.text
            sent = client.patch(started.headers["Location"], content=blob)
            if sent.status_code == 503:
                time.sleep(0.2)
                continue
            assert sent.status_code == 202, sent.text
            ended = client.put(f"{sent.headers['Location']}&digest={sha256(blob)}")
            assert ended.status_code == 201, ended.text


def tag_digest(client: httpx.Client, repository: str, tag: str) -> str:
    answer = client.head(f"/v2/{repository}/manifests/{tag}", headers=EVERY_TYPE)
    return str(answer.headers.get("Docker-Content-Digest", ""))


@pytest.fixture
def docker_images(stored: Stored, make_image: Callable[..., str]) -> Iterator[list[str]]:
    names = [f"{stored.stack.address}/by-docker:{number}" for number in range(6)]
    for name in names:
        make_image(name, 300_000)
    yield names
    for name in names:
        docker("image", "rm", name, check=False)


def test_upkeep_disturbs_no_client(stored: Stored, client: httpx.Client, docker_images: list[str]) -> None:
    push_image(client, "pulled", "1", layers=("shared by all", "pulled"))
    traffic = Traffic(stored.stack)
    with ThreadPoolExecutor() as pool:
        work = [
            *(pool.submit(traffic.push, f"pushed-{number}") for number in range(3)),
            *(pool.submit(traffic.pull, "pulled", "1") for _ in range(2)),
            pool.submit(traffic.push_by_docker, docker_images),
        ]
        try:
            number = 0
            # Once on most machines; a busy one has pushed less by then.
            while number < ROUNDS or len(traffic.pushed) <= 20 or traffic.pulls <= 20:
                tidy_up(stored, client, number)
                number += 1
        finally:
            traffic.over.set()
        for one in work:
            one.result()
    assert traffic.failed == []
    kept = {(name, tag): tag_digest(client, name, tag) for name, tag in traffic.pushed}
    assert kept == traffic.pushed
    assert [name for name in traffic.pushed if not pulls_whole(client, *name)] == []
    assert {f"by-docker:{number}" for number in range(6)} <= {":".join(name) for name in traffic.pushed}


def tidy_up(stored: Stored, client: httpx.Client, number: int) -> None:
    """Each of the commands, with something for each to take."""
    push_many_tags(client, f"old/{number}", ["1", "2", "3", "4"], images=4)
    push_image(client, "going", "1", layers=("shared by all", f"going {number}"))
    stack = stored.stack
    stack.deployer("gc", "--untagged", "--yes", check=True)
    pruned = stack.deployer("prune", "old/*", "--keep", "1", "--by", "created", "--yes", check=True)
    assert "3 tags" in pruned.stderr
    stack.deployer("delete", "--repository", "going", "--yes", check=True)
    stack.deployer("gc", "--yes", check=True)
    assert client.get(f"/v2/old/{number}/tags/list").json()["tags"] == ["1"]
    assert client.get("/v2/going/tags/list").status_code == 404


def test_what_is_deleted_and_pushed_again_in_the_meantime_is_whole(stored: Stored, client: httpx.Client) -> None:
    """A client that finds garbage still there sends only the rest: whatever then happens, no push is lost silently."""
    made = build_image(layers=("keeps restarting",))
    over = threading.Event()
    broken = []
    pushes = 0

    def again() -> None:
        nonlocal pushes
        with stored.stack.client as own:
            while not over.is_set():
                upload_patiently(own, "again", made)
                if put_manifest(own, "again", "1", made) == 201:
                    pushes += 1
                    if not pulls_whole(own, "again", "1"):
                        broken.append(pushes)
                    own.delete(f"/v2/again/manifests/{made.digest}")

    push(client, "other", "1", build_image(layers=("other",)))
    with ThreadPoolExecutor() as pool:
        pushing = pool.submit(again)
        try:
            runs = 0
            while not pushing.done() and (runs < 3 or pushes < 4):
                stored.stack.deployer("gc", "--untagged", "--older-than", "0s", "--yes")
                runs += 1
        finally:
            over.set()
        pushing.result()
    assert broken == []


def test_deletions_in_the_meantime_do_not_stop_it(stored: Stored, client: httpx.Client) -> None:
    over = threading.Event()

    def delete(name: str) -> None:
        made = build_image(layers=(name,))
        with stored.stack.client as own:
            while not over.is_set():
                upload_patiently(own, name, made)
                put_manifest(own, name, "1", made)
                own.delete(f"/v2/{name}/manifests/{made.digest}")

    with ThreadPoolExecutor() as pool:
        work = [pool.submit(delete, f"deleted-{number}") for number in range(6)]
        try:
            runs = [stored.stack.deployer("gc", "--untagged", "--yes", "--wait", "1s") for _ in range(5)]
        finally:
            over.set()
        for one in work:
            one.result()
    assert [done.stderr for done in runs if done.returncode] == []
