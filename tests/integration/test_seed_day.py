"""The seed's day, command by command, on a real engine."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from tests.integration.conftest import untag_all
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.stack import DeployedStack

SCHEMA_2 = "application/vnd.docker.distribution.manifest.v2+json"


def curl(*arguments: str) -> str:
    return subprocess.run(["curl", "--silent", *arguments], check=True, capture_output=True, text=True).stdout


def delete_as_the_seed_does(stack: DeployedStack) -> None:
    """The digest by curl; every tag on it goes."""
    found = curl("-I", "-H", f"Accept: {SCHEMA_2}", f"{stack.url}/v2/centos/manifests/stays")
    stays = re.search(r"^Docker-Content-Digest: (\S+)", found, re.MULTILINE | re.IGNORECASE)
    assert stays is not None
    answer = curl("-i", "-X", "DELETE", f"{stack.url}/v2/centos/manifests/{stays[1]}")
    assert answer.startswith("HTTP/1.1 202 Accepted")
    assert stack.deployer("inspect", "centos:stays").returncode == 1


def take_everything_down(stack: DeployedStack) -> None:
    """Containers, volumes and files go."""
    stack.deployer("down", "--volumes", "--yes", check=True)
    assert stack.containers() == {}
    assert docker("volume", "ls", "--quiet", "--filter", f"name={stack.name}_").strip() == ""
    assert not stack.directory.exists()


def test_the_seeds_day(fresh_stack: DeployedStack, make_image: Callable[..., str]) -> None:
    stack, address = fresh_stack, fresh_stack.address
    image_id = make_image("centos:7-git", 70_000)

    # Bringing it up; the seed's insecure-registries entry is not needed on loopback, and that is said.
    brought_up = stack.deployer("up", "--yes", check=True)
    assert f"Registry: {address}" in brought_up.stdout
    assert f"{stack.url}/" in brought_up.stdout
    needless = stack.deployer("configure-daemon", check=True)
    assert "needs no entry" in needless.stdout

    # docker tag and docker push in one.
    pushed = stack.deployer("push", "centos:7-git", check=True).stdout
    closing = re.search(r"^7-git: digest: (sha256:[0-9a-f]{64}) size: (\d+)$", pushed, re.MULTILINE)
    assert closing is not None
    digest, size = closing[1], int(closing[2])
    assert f"The push refers to repository [{address}/centos]" in pushed

    # The list of repositories, by the seed's curl and by ours.
    assert curl(f"{stack.url}/v2/_catalog").strip() == '{"repositories":["centos"]}'
    assert stack.deployer("catalog", check=True).stdout == "centos\n"
    assert json.loads(stack.deployer("catalog", "--json", check=True).stdout) == {"repositories": ["centos"]}

    # The manifest with its headers, by the seed's curl and by ours.
    answer = curl("-i", "-H", f"Accept: {SCHEMA_2}", f"{stack.url}/v2/centos/manifests/7-git")
    head, _, body = answer.replace("\r\n", "\n").partition("\n\n")
    status, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    assert status == "HTTP/1.1 200 OK"
    assert headers.pop("Date")
    assert headers == {
        "Content-Length": str(size),
        "Content-Type": SCHEMA_2,
        "Docker-Content-Digest": digest,
        "Docker-Distribution-Api-Version": "registry/2.0",
        "Etag": f'"{digest}"',
        "X-Content-Type-Options": "nosniff",
    }
    assert len(body) == size
    assert stack.deployer("inspect", "--raw", "centos:7-git", check=True).stdout == body
    assert digest in stack.deployer("inspect", "centos:7-git", check=True).stdout

    tags = json.loads(stack.deployer("tags", "centos", "--json", check=True).stdout)
    assert tags["name"] == "centos"
    assert [(tag["tag"], tag["digest"], tag["platforms"]) for tag in tags["tags"]] == [
        ("7-git", digest, ["linux/amd64"])
    ]

    # Pulling brings the same image back, by the plain client too.
    docker("image", "rm", "centos:7-git", f"{address}/centos:7-git")
    stack.deployer("pull", "centos:7-git", check=True)
    assert docker("image", "inspect", "--format", "{{.Id}}", "centos:7-git").strip() == image_id
    docker("push", f"{address}/centos:7-git")
    docker("pull", f"{address}/centos:7-git")

    # Down and up again: the images stay.
    stack.deployer("down", check=True)
    assert stack.deployer("status").returncode == 1
    stack.up()
    assert stack.deployer("catalog", check=True).stdout == "centos\n"
    report = json.loads(stack.deployer("status", "--json", check=True).stdout)
    assert report["ready"] is True
    assert report["repositories"] == 1
    assert {service["restart_policy"] for service in report["services"]} == {"always"}
    assert "frontend-1" in stack.deployer("logs", "--tail", "5", check=True).stdout

    # Deleting takes that tag, and no other.
    stack.deployer("push", "centos:7-git", "--as", "centos:stays", check=True)
    stack.deployer("delete", "centos:7-git", "--yes", check=True)
    left = json.loads(curl(f"{stack.url}/v2/centos/tags/list"))
    assert left == {"name": "centos", "tags": ["stays"]}
    docker("pull", f"{address}/centos:stays")
    untag_all(stack)
    delete_as_the_seed_does(stack)
    take_everything_down(stack)
