"""Looking into real registries: ours, and one that is set up otherwise."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.content import empty_repository, push_artifact, push_image, push_index, push_many_tags
from tests.support.other_registry import other_registry
from tests.support.registry_content import DOCKER, OCI, Image, build_cache, image, index, push, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import DeployedStack


def read(stack: DeployedStack, *words: str) -> Any:
    return json.loads(stack.deployer(*words, "--json", check=True).stdout)


def tags(stack: DeployedStack, repository: str) -> dict[str, dict[str, Any]]:
    return {tag["tag"]: tag for tag in read(stack, "tags", repository)["tags"]}


def test_the_catalog_has_what_was_pushed(stack: DeployedStack) -> None:
    # A child that begins with a digit is what breaks paging in distribution.
    names = [f"browse/catalog{suffix}" for suffix in ("", "/1child", "/child", "-a", ".b", "_c")]
    with stack.client as client:
        for name in names:
            push_image(client, name, "1")
        answer = client.get("/v2/_catalog?n=1000000").json()
    assert read(stack, "catalog")["repositories"] == sorted(answer["repositories"])
    assert stack.deployer("catalog", "browse/catalog*", check=True).stdout.splitlines() == sorted(names)


@pytest.mark.parametrize("media", [DOCKER, OCI])
def test_tags_tell_size_time_and_platforms(stack: DeployedStack, media: str) -> None:
    name = f"browse/tags-{media}"
    with stack.client as client:
        single = push_image(client, name, "single", layers=("a", "b"), media=media, platform="linux/arm/v7")
        multi = push_index(client, name, "multi", media=media, attestations=media == OCI)
    found = tags(stack, name)
    assert {tag: (one["digest"], one["size"]) for tag, one in found.items()} == {
        "single": (single.digest, single.size),
        "multi": (multi.digest, multi.size),
    }
    assert found["single"]["platforms"] == ["linux/arm/v7"]
    assert found["multi"]["platforms"] == ["linux/amd64", "linux/arm64"]
    assert {one["created"] for one in found.values()} == {"2024-06-29T23:28:22Z"}


def test_an_artifact_is_listed(stack: DeployedStack) -> None:
    with stack.client as client:
        pushed = push_artifact(client, "browse/chart", "1.0.0")
    found = tags(stack, "browse/chart")["1.0.0"]
    assert (found["digest"], found["size"], found["platforms"]) == (pushed.digest, pushed.size, [])
    assert "vnd.cncf.helm" in stack.deployer("inspect", "browse/chart:1.0.0", check=True).stdout


def test_a_build_cache_is_no_image_that_has_lost_something(stack: DeployedStack) -> None:
    caches = {"index": build_cache("one", "two"), "image": build_cache("one", "two", as_image=True)}
    with stack.client as client:
        innocent = push_image(client, "browse/cache", "1.0")
        for tag, cache in caches.items():
            push(client, "browse/cache", tag, cache)
    done = stack.deployer("tags", "browse/cache", "--json", check=True)
    assert "Warning" not in done.stderr
    found = {tag["tag"]: tag for tag in json.loads(done.stdout)["tags"]}
    assert found["1.0"]["size"] == innocent.size
    for tag, cache in caches.items():
        assert (found[tag]["size"], found[tag]["platforms"], "missing" in found[tag]) == (cache.size, [], False)
        assert "Warning" not in stack.deployer("inspect", f"browse/cache:{tag}", check=True).stderr
    listed = stack.deployer("catalog", "browse/cache", "--tags", check=True)
    assert "Warning" not in listed.stderr


def test_a_blob_that_an_index_names_beside_its_image_is_no_lost_image(stack: DeployedStack) -> None:
    made = image("beside", media=OCI)
    note = {"mediaType": "application/spdx+json", "digest": sha256(b"note"), "size": 4}
    document = {**index([(made, "linux/amd64")], media=OCI).document}
    document["manifests"].append(note)
    whole = Image(json.dumps(document).encode(), document["mediaType"], (b"note",))
    with stack.client as client:
        push(client, "browse/beside", None, made)
        push(client, "browse/beside", "1.0", whole)
    done = stack.deployer("tags", "browse/beside", "--json", check=True)
    assert "Warning" not in done.stderr
    (tag,) = json.loads(done.stdout)["tags"]
    assert (tag["size"], tag["platforms"]) == (made.size + 4, ["linux/amd64"])


def test_what_is_attached_is_listed_on_request(stack: DeployedStack) -> None:
    name = "browse/signed"
    with stack.client as client:
        made = push_image(client, name, "1.0")
        signature = made.digest.replace(":", "-") + ".sig"
        push_artifact(client, name, signature, content=b"signature")
    done = stack.deployer("tags", name, check=True)
    assert signature not in done.stdout
    assert "1 tag of attached artifacts not shown; to list them: deployer tags NAME --attached" in done.stderr
    assert signature in stack.deployer("tags", name, "--attached", check=True).stdout
    found = read(stack, "tags", name)
    assert [tag["tag"] for tag in found["tags"]] == ["1.0"]
    assert [(tag["tag"], tag["to"]) for tag in found["attached"]] == [(signature, made.digest)]
    listed = stack.deployer("catalog", name, "--tags", check=True)
    assert signature not in listed.stdout
    assert "1 tag of attached artifacts not shown" in listed.stderr


def test_a_reproducible_build_is_as_old_as_its_push(stack: DeployedStack) -> None:
    name = "browse/reproducible"
    with stack.client as client:
        push_image(client, name, "old", created="2024-06-29T23:28:22Z")
        push(client, name, "epoch", image("epoch", created="1970-01-01T00:00:01Z"))
        push(client, name, "future", image("future", created="2999-01-01T00:00:00Z"))
    out = stack.deployer("tags", name, "--sort", "created", check=True).stdout
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["future", "epoch", "old"]
    assert len(re.findall(r"(?:just now|\d+ minutes? ago) \(pushed\)", out)) == 2
    found = tags(stack, name)
    assert [found[tag]["created"] for tag in ("epoch", "future")] == [None, None]
    assert all(found[tag]["pushed"].startswith("20") for tag in found)


def test_an_emptied_repository_has_no_tags(stack: DeployedStack) -> None:
    with stack.client as client:
        empty_repository(client, "browse/emptied")
    assert tags(stack, "browse/emptied") == {}


def test_inspect_gives_the_exact_bytes(stack: DeployedStack) -> None:
    with stack.client as client:
        for tag, pushed in (
            ("image", push_image(client, "browse/raw", "image")),
            ("index", push_index(client, "browse/raw", "index")),
        ):
            command = stack.command("inspect", "--raw", f"browse/raw:{tag}")
            done = subprocess.run(command, env=stack.environment, cwd=stack.folder, capture_output=True, check=True)
            assert f"sha256:{hashlib.sha256(done.stdout).hexdigest()}" == pushed.digest


def test_an_unknown_name_suggests_the_nearest(stack: DeployedStack) -> None:
    with stack.client as client:
        push_image(client, "browse/nearest", "7-git")
    for words, suggestion in (
        (["tags", "browse/nearst"], "Did you mean browse/nearest?"),
        (["inspect", "browse/nearest:7-gti"], "Did you mean browse/nearest:7-git?"),
    ):
        done = stack.deployer(*words)
        assert done.returncode == 1
        assert suggestion in done.stderr


def test_many_tags_are_read_quickly_and_in_order(stack: DeployedStack) -> None:
    with stack.client as client:
        push_many_tags(client, "browse/many", [f"v1.{number}" for number in range(200)], images=7)
    found = read(stack, "tags", "browse/many")["tags"]
    assert [tag["tag"] for tag in found] == [f"v1.{number}" for number in range(200)]
    assert len({tag["digest"] for tag in found}) == 7


def test_a_registry_with_small_pages_is_listed_whole(stack: DeployedStack, tmp_path: Path) -> None:
    with other_registry(stack, tmp_path, maxentries=3) as other, other.client as client:
        for number in range(10):
            push_image(client, f"app{number}", "1")
        assert client.get("/v2/_catalog?n=1000000").status_code == 400
        done = stack.deployer("catalog", "--port", str(other.port), check=True)
        assert done.stdout.splitlines() == [f"app{number}" for number in range(10)]


def test_a_damaged_tag_does_not_hide_the_others(stack: DeployedStack, tmp_path: Path) -> None:
    with other_registry(stack, tmp_path) as other, other.client as client:
        for tag in ("good", "bad"):
            push_image(client, "app", tag, layers=(tag,))
        other.shell(": > /var/lib/registry/docker/registry/v2/repositories/app/_manifests/tags/bad/current/link")
        done = stack.deployer("tags", "app", "--port", str(other.port))
    assert done.returncode == 1
    assert "good" in done.stdout
    assert "Warning: The tag app:bad cannot be read." in done.stderr
