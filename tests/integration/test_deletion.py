"""Deleting from real registries: ours, and those that do not delete; killed, and with pushes continuing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from deployer.registry.content import placeholder
from tests.support.content import build_image, push_image, push_index, push_many_tags, push_tag
from tests.support.other_registry import other_registry
from tests.support.registry_content import DOCKER, OCI, Image, push

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.support.stack import DeployedStack

EVERY_TYPE = {
    "Accept": ", ".join(
        [
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.index.v1+json",
        ]
    )
}


def digest_of(client: httpx.Client, repository: str, reference: str) -> str | None:
    """What a tag or digest names, None if it is gone."""
    answer = client.head(f"/v2/{repository}/manifests/{reference}", headers=EVERY_TYPE)
    assert answer.status_code in {200, 404}, answer
    return answer.headers["Docker-Content-Digest"] if answer.status_code == 200 else None


def is_whole(client: httpx.Client, repository: str, digest: str) -> bool:
    """Whether the manifest and everything below it can be read."""
    answer = client.get(f"/v2/{repository}/manifests/{digest}", headers=EVERY_TYPE)
    if answer.status_code != 200:
        return False
    document = answer.json()
    if "manifests" in document:
        return all(is_whole(client, repository, child["digest"]) for child in document["manifests"])
    parts = [document["config"], *document["layers"]]
    return all(client.head(f"/v2/{repository}/blobs/{part['digest']}").status_code == 200 for part in parts)


@pytest.mark.parametrize("media", [DOCKER, OCI])
def test_one_tag_goes_and_no_other(stack: DeployedStack, media: str) -> None:
    name = f"deletion/one-{media}"
    with stack.client as client:
        made = push_image(client, name, "7-git", media=media)
        push_tag(client, name, "7", build_image(media=media))
        other = push_image(client, name, "8", media=media, layers=("other",))
        done = stack.deployer("delete", f"{stack.address}/{name}:7-git", "--yes", check=True)
        assert done.stdout == f"Deleted {name}:7-git\n"
        assert "the image keeps tag 7." in done.stderr
        assert digest_of(client, name, "7-git") is None
        assert digest_of(client, name, "7") == made.digest
        assert digest_of(client, name, "8") == other.digest
        assert is_whole(client, name, made.digest)
    found = json.loads(stack.deployer("tags", name, "--json", check=True).stdout)
    assert [tag["tag"] for tag in found["tags"]] == ["7", "8"]


@pytest.mark.parametrize("media", [DOCKER, OCI])
def test_an_indexs_tag_goes_and_its_parts_stay(stack: DeployedStack, media: str) -> None:
    name = f"deletion/index-{media}"
    with stack.client as client:
        made = push_index(client, name, "1", media=media)
        stack.deployer("delete", f"{name}:1", "--yes", check=True)
        assert digest_of(client, name, "1") is None
        assert is_whole(client, name, made.digest)


def test_a_digest_goes_with_all_its_tags(stack: DeployedStack) -> None:
    with stack.client as client:
        made, other = push_many_tags(client, "deletion/digest", ["a", "b", "c", "d"], images=2)
        planned = stack.deployer("delete", f"deletion/digest@{made.digest}", "--dry-run", check=True)
        assert " along with tags a, c." in planned.stdout
        assert digest_of(client, "deletion/digest", "a") == made.digest
        stack.deployer("delete", f"deletion/digest@{made.digest}", "--yes", check=True)
        left = {tag: digest_of(client, "deletion/digest", tag) for tag in "abcd"}
        assert left == {"a": None, "b": other.digest, "c": None, "d": other.digest}


def test_a_part_of_an_index_is_said_to_break_it(stack: DeployedStack) -> None:
    with stack.client as client:
        push_index(client, "deletion/part", "1", media=DOCKER)
        document = client.get("/v2/deletion/part/manifests/1", headers=EVERY_TYPE).json()
        part = document["manifests"][0]["digest"]
        done = stack.deployer("delete", f"deletion/part@{part}", "--yes", check=True)
        assert "Warning: It is part of deletion/part:1" in done.stderr
        found = stack.deployer("tags", "deletion/part", check=True)
        assert "deletion/part:1 is incomplete" in found.stderr


def test_a_tag_can_be_pushed_again_after_it_was_deleted(stack: DeployedStack) -> None:
    with stack.client as client:
        for _ in range(2):
            made = push_image(client, "deletion/again", "1")
            stack.deployer("delete", "deletion/again:1", "--yes", check=True)
            assert digest_of(client, "deletion/again", "1") is None
        push_image(client, "deletion/again", "1")
        assert is_whole(client, "deletion/again", made.digest)


def test_what_is_not_there_is_said(stack: DeployedStack) -> None:
    with stack.client as client:
        push_image(client, "deletion/unknown", "1")
    missing = "deletion/unknown:2", f"deletion/unknown@sha256:{'0' * 64}"
    for names in (*((one,) for one in missing), missing, ("deletion/unknown:1", "deletion/nothing:1")):
        done = stack.deployer("delete", *names, "--yes")
        assert done.returncode == 1
        assert done.stderr.startswith("Error: No ")
    with stack.client as client:
        assert digest_of(client, "deletion/unknown", "1") is not None
    # As when a command for several is run again after it was killed.
    done = stack.deployer("delete", "deletion/unknown:1", *missing, "--yes", check=True)
    assert (done.stdout + done.stderr).count("already deleted; the registry has no such") == 2


def test_a_tag_left_half_deleted_is_seen_and_finished(stack: DeployedStack) -> None:
    with stack.client as client:
        made = push_image(client, "deletion/half", "1")
        push_tag(client, "deletion/half", "2", build_image())
        left = placeholder.make("1", made.digest, "application/vnd.docker.distribution.manifest.v2+json", "nonce")
        push(client, "deletion/half", "1", Image(left.content, left.media_type, (placeholder.CONFIG,)))
        seen = stack.deployer("tags", "deletion/half", check=True)
        assert (
            f"deletion/half:1 is partially deleted: a deletion was interrupted. It pointed to {made.digest}."
            in seen.stderr
        )
        stack.deployer("delete", "deletion/half:1", "--yes", check=True)
        assert digest_of(client, "deletion/half", "1") is None
        assert digest_of(client, "deletion/half", "2") == made.digest
        assert is_whole(client, "deletion/half", made.digest)


# The process kills itself just before it changes the registry for the so-manieth time.
KILLED_AT_STEP = """
import os, signal, sys
import httpx
from deployer.__main__ import main
left = int(sys.argv.pop(1))
ask = httpx.HTTPTransport.handle_request
def step(self, request):
    global left
    left -= request.method not in {"GET", "HEAD"}
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return ask(self, request)
httpx.HTTPTransport.handle_request = step
main()
"""


def test_killed_at_any_step_and_run_again_it_ends_the_same(stack: DeployedStack) -> None:
    """The process is killed, not interrupted: nothing of ours runs any more when it dies."""
    name = "deletion/killed"
    with stack.client as client:
        keeper = push_image(client, name, "keep")
        for step in range(1, 50):
            push_tag(client, name, "go", build_image())
            program = [sys.executable, "-c", KILLED_AT_STEP, str(step), "delete", f"{name}:go", "--yes"]
            killed = subprocess.run(program, cwd=stack.folder, env=stack.environment, capture_output=True, check=False)
            again = stack.deployer("delete", f"{name}:go", "--yes")
            assert again.returncode == 0 or "No image 'deletion/killed:go'" in again.stderr
            assert digest_of(client, name, "go") is None
            assert digest_of(client, name, "keep") == keeper.digest
            assert is_whole(client, name, keeper.digest)
            if killed.returncode != -signal.SIGKILL:
                break
    assert killed.returncode == 0, killed.stderr
    # The placeholder's content, the tag on it, the placeholder's end: each was a step.
    assert step > 3


def test_pushes_going_on_never_leave_a_throw_away(stack: DeployedStack) -> None:
    name = "deletion/busy"
    images = [build_image(layers=(f"push {number}",)) for number in range(60)]
    with stack.client as client:
        for image in images:
            push(client, name, None, image)
        push_tag(client, name, "keep", images[0])
        push_tag(client, name, "1", images[0])
        over = threading.Event()

        def push_on() -> None:
            with stack.client as own:
                position = 0
                while not over.is_set():
                    position = (position + 1) % len(images)
                    push_tag(own, name, "1", images[position])

        pusher = threading.Thread(target=push_on)
        pusher.start()
        try:
            outcomes = [stack.deployer("delete", f"{name}:1", "--yes") for _ in range(6)]
        finally:
            over.set()
            pusher.join()
        known = {image.digest for image in images}
        assert digest_of(client, name, "1") in {*known, None}
        assert digest_of(client, name, "keep") == images[0].digest
        assert all(is_whole(client, name, digest) for digest in known)
        for done in outcomes:
            assert done.returncode == 0 or "pushed again" in done.stderr or "No image" in done.stderr, done.stderr
        assert "partially deleted" not in stack.deployer("tags", name, check=True).stderr


def test_why_nothing_is_deleted_is_said(stack: DeployedStack, tmp_path: Path) -> None:
    with other_registry(stack, tmp_path) as other, other.client as client:
        made = push_image(client, "app", "1")

        def refused() -> Any:
            done = stack.deployer("delete", "app:1", "--yes", "--port", str(other.port))
            assert done.returncode == 1
            assert digest_of(client, "app", "1") == made.digest
            return done.stderr

        assert "Error: Deleting is disabled at the registry at" in refused()
        other.configure(delete={"enabled": True}, maintenance={"readonly": {"enabled": True}})
        assert "is read-only: nothing can be deleted." in refused()
        other.configure(delete={"enabled": True})
        stack.deployer("delete", "app:1", "--yes", "--port", str(other.port), check=True)
        assert digest_of(client, "app", "1") is None


def test_a_damaged_tag_is_named_and_can_be_deleted(stack: DeployedStack, tmp_path: Path) -> None:
    with other_registry(stack, tmp_path, delete={"enabled": True}) as other, other.client as client:
        for tag in ("good", "bad", "kept"):
            push_image(client, "app", tag, layers=(tag,))
        other.shell(": > /var/lib/registry/docker/registry/v2/repositories/app/_manifests/tags/bad/current/link")
        alone = stack.deployer("delete", "app:good", "--yes", "--port", str(other.port))
        if alone.returncode:
            # 2.8 fails on any damaged tag when it deletes; then nothing may have changed.
            advice = f"deployer delete --port {other.port} app:bad"
            assert f"A damaged tag prevents this; delete it first: {advice}" in alone.stderr
            assert digest_of(client, "app", "good") is not None
            stack.deployer("delete", "app:good", "app:bad", "--yes", "--port", str(other.port), check=True)
        else:
            stack.deployer("delete", "app:bad", "--yes", "--port", str(other.port), check=True)
        assert client.get("/v2/app/tags/list").json()["tags"] == ["kept"]
