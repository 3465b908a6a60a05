"""Newer images in place of those that run, and the previous ones again: on request, by themselves, and after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from deployer.layout import REGISTRY_ROOT
from deployer.workflows.deployment.provision import BUILT_FRONTEND, BUILT_REGISTRY
from tests.support.cut_off import begin, finish, gate, wait_until
from tests.support.planted import SCHEMA_1
from tests.support.pulling import pulls_whole, put_blob
from tests.support.registry_content import Image, image, push, sha256
from tests.support.run import PATIENCE_SECONDS
from tests.support.slow_writes import slow_upload
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVICES = {"registry": BUILT_REGISTRY, "frontend": BUILT_FRONTEND}
# It starts where it has no images, and then does not serve those that are there.
LATE = "RUN rm /usr/bin/registry && printf '#!/bin/sh\\n[ -d /var/lib/registry/docker ] && exec sleep 999\\n\
exec docker-registry \"$@\"\\n' > /usr/bin/registry && chmod 755 /usr/bin/registry"
OLD_LINKS = (
    f"revisions/sha256/{sha256(SCHEMA_1)[7:]}",
    *(f"tags/{tag}/{place}" for tag in "12" for place in ("current", f"index/sha256/{sha256(SCHEMA_1)[7:]}")),
)
DEAD = "RUN rm /usr/bin/registry && printf '#!/bin/sh\\nexit 3\\n' > /usr/bin/registry && chmod 755 /usr/bin/registry"


def name_of(stack: DeployedStack, service: str) -> str:
    """The image that the settings name: no registry has it, so a newer one is what is loaded under its name."""
    return stack.settings[f"DEPLOYER_{service.upper()}_IMAGE"]


def load(stack: DeployedStack, service: str, change: str = "") -> str:
    """Put an image that differs from Debian's and Caddy's, or one of those, under a service's name; its ID."""
    name = name_of(stack, service)
    if change:
        docker("build", "--quiet", "--tag", name, "-", stdin=f"FROM {SERVICES[service]}\n{change}\n".encode())
    else:
        docker("tag", SERVICES[service], name)
    return docker("image", "inspect", "--format", "{{.Id}}", name).strip()


def runs(stack: DeployedStack, service: str) -> str:
    """The ID of the image that a service's container has."""
    return docker("inspect", "--format", "{{.Image}}", f"{stack.name}-{service}-1").strip()


@pytest.fixture(scope="module")
def upgraded(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    """A deployment with images in it, which runs images of its own names."""
    made = make_stack()
    made.settings = {f"DEPLOYER_{one.upper()}_IMAGE": f"{made.name}-{one}:1" for one in SERVICES}
    for service in SERVICES:
        load(made, service)
    made.up()
    with made.client as client:
        push(client, "there", "1", image("layer"))
    yield made
    made.remove()
    names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    docker("image", "rm", "--force", *(one for one in names if made.name in one), check=False)


@pytest.fixture
def initial(upgraded: DeployedStack) -> DeployedStack:
    """The same, with the images that it began with."""
    for service in SERVICES:
        load(upgraded, service)
    if any(runs(upgraded, one) != load(upgraded, one) for one in SERVICES):
        upgraded.deployer("upgrade", "--yes", check=True)
    return upgraded


def test_an_image_that_does_not_work_is_rolled_back_and_a_push_in_progress_succeeds(
    initial: DeployedStack, make_image: Callable[..., str]
) -> None:
    before = runs(initial, "registry")
    name = f"{initial.address}/pushed:1"
    make_image(name, 200_000)
    load(initial, "registry", LATE)
    with initial.client as client, slow_upload(initial, client, "slow", b"begun before" * 1000) as upload:
        upgrade = begin(initial, "upgrade", "--yes", "--timeout", "3")
        # Now it waits for uploads in progress, and no new one begins.
        assert wait_until((initial.directory / "frontend" / "gate" / "draining").exists)
        assert upload.finish()[0] == 202
    assert wait_until(lambda: runs_new(initial, before))
    pushing = subprocess.run(["docker", "push", name], check=False, capture_output=True, timeout=PATIENCE_SECONDS)
    code, said = finish(upgrade)
    assert (code, pushing.returncode, runs(initial, "registry")) == (1, 0, before), said
    assert "the previous images are running again" in said
    with initial.client as client:
        assert pulls_whole(client, "pushed", "1")
        assert pulls_whole(client, "there", "1")
    assert not (initial.directory / ".upgrading").exists()


def test_tags_that_version_3_would_not_serve_are_named_before_anything_is_asked(initial: DeployedStack) -> None:
    """Manifests of schema 1, as 2.8 has them: without their signatures."""
    content, path = Image(SCHEMA_1, "").digest, f"{REGISTRY_ROOT}/blobs/sha256/{sha256(SCHEMA_1)[7:9]}"
    paths = [f"{REGISTRY_ROOT}/repositories/old/_manifests/{one}" for one in OLD_LINKS]
    script = f'mkdir -p "$1" && cat > "$1/data"; shift; for p; do mkdir -p "$p"; printf %s {content} > "$p/link"; done'
    registry = initial.containers()["registry"]
    docker("exec", "-i", registry, "sh", "-c", script, "sh", f"{path}/{content[7:]}", *paths, stdin=SCHEMA_1)
    try:
        dry = json.loads(initial.deployer("upgrade", "--dry-run", "--json", check=True).stdout)
        assert dry["schema_1_tags"] == ["old:1", "old:2"]
        asked = initial.deployer("upgrade")
        assert (asked.returncode, "--yes" in asked.stderr) == (1, True)
        assert "cannot serve them: old:1, old:2." in asked.stdout + asked.stderr
    finally:
        docker("exec", registry, "rm", "-r", f"{REGISTRY_ROOT}/repositories/old")
    assert json.loads(initial.deployer("upgrade", "--dry-run", "--json", check=True).stdout)["schema_1_tags"] == []


def test_a_frontend_is_not_replaced_while_a_push_needs_it(initial: DeployedStack) -> None:
    before = initial.containers()
    load(initial, "frontend", "LABEL waits=yes")
    # Large enough to come slowly.
    content = image(os.urandom(1000).hex())
    layer, config = content.blobs[1], content.blobs[0]
    with initial.client as client, slow_upload(initial, client, "slow", layer) as upload:
        with upload.trickling():
            refused = initial.deployer("upgrade", "--yes", "--timeout", "2")
            assert (refused.returncode, initial.containers()) == (1, before), refused.stderr
            assert "Nothing was replaced" in refused.stderr
            assert not (initial.directory / ".upgrading").exists()
            upgrade = begin(initial, "upgrade", "--yes", "--timeout", "30")
            assert wait_until(lambda: "draining" in gate(initial) or upgrade.poll() is not None)
        assert upgrade.poll() is None, finish(upgrade)
        with closing(HTTPConnection("localhost", initial.port, timeout=PATIENCE_SECONDS)) as waiting:
            waiting.request("POST", "/v2/slow/blobs/uploads/", headers={"Content-Length": "0"})
            status, headers = upload.finish()
            assert status == 202
            code, said = finish(upgrade)
            assert (code, gate(initial)) == (0, []), said
            # One that has waited is told to come again, instead of being cut off.
            answer = waiting.getresponse()
            assert (answer.status, answer.getheader("Retry-After")) == (503, "5")
            answer.read()
        ended = client.put(f"{headers['Location']}&digest={sha256(layer)}")
        assert ended.status_code == 201, ended.text
        put_blob(client, "slow", config)
        assert push(client, "slow", "1", Image(content.content, content.media_type)) == content.digest
        assert pulls_whole(client, "slow", "1")
    assert initial.containers()["frontend"] != before["frontend"]


def runs_new(stack: DeployedStack, before: str) -> bool:
    """Whether a container of the registry has another image already."""
    done = docker("inspect", "--format", "{{.Image}}", f"{stack.name}-registry-1", check=False).strip()
    return done not in {"", before}


def test_an_image_that_does_not_start_is_refused_with_nothing_touched(initial: DeployedStack) -> None:
    before = initial.containers()
    load(initial, "registry", DEAD)
    done = initial.deployer("upgrade", "--yes", "--timeout", "3")
    assert (done.returncode, initial.containers()) == (1, before)
    assert "nothing was changed" in done.stderr
    # Nor does `up` take what its name leads to.
    initial.up()
    assert runs(initial, "registry") == docker("image", "inspect", "--format", "{{.Id}}", BUILT_REGISTRY).strip()


def test_newer_images_are_checked_and_the_check_leaves_nothing(initial: DeployedStack) -> None:
    old = {service: runs(initial, service) for service in SERVICES}
    new = {service: load(initial, service, "LABEL newer=yes") for service in SERVICES}
    # As it is after an `up` of a version that remembered no images.
    (initial.directory / "release.json").unlink()
    initial.deployer("user", "add", "ada", "--password-stdin", stdin="a long Enough secret 7\n", check=True)
    try:
        access = {path: path.read_bytes() for path in (initial.directory / "frontend" / "access").iterdir()}
        files = _blobs(initial)
        done = json.loads(initial.deployer("upgrade", "--yes", "--json", check=True).stdout)
        assert {one["service"]: one["after"]["id"] for one in done["services"]} == new
        assert {service: runs(initial, service) for service in SERVICES} == new
        assert {path: path.read_bytes() for path in access} == access
        assert _blobs(initial) == files
        pinned = json.loads(initial.deployer("status", "--json", check=True).stdout)["services"]
        assert {one["service"]: (one["image_id"], one["is_pinned"]) for one in pinned} == {
            service: (found, True) for service, found in new.items()
        }
        initial.deployer("upgrade", "--rollback", "--yes", check=True)
        assert {service: runs(initial, service) for service in SERVICES} == old
        assert {path: path.read_bytes() for path in access} == access
    finally:
        initial.deployer("user", "remove", "ada", "--open", "--yes", check=True)


def _blobs(stack: DeployedStack) -> list[str]:
    found = docker("exec", f"{stack.name}-registry-1", "find", "/var/lib/registry/docker", "-type", "f")
    return sorted(found.split())


def test_after_a_kill_the_next_command_says_so_and_a_rollback_works(initial: DeployedStack) -> None:
    before = runs(initial, "registry")
    load(initial, "registry", "LABEL killed=yes")
    for reached in ((initial.directory / ".upgrading").exists, lambda: runs_new(initial, before)):
        upgrade = begin(initial, "upgrade", "--yes")
        assert wait_until(reached)
        os.kill(upgrade.pid, signal.SIGKILL)
        finish(upgrade)
        assert "An upgrade was interrupted" in initial.deployer("status").stderr
    initial.deployer("upgrade", "--rollback", "--yes", check=True)
    assert runs(initial, "registry") == before
    assert "interrupted" not in initial.deployer("status", check=True).stderr


def test_advisories_that_affect_this_deployment_are_distinguished_from_others(initial: DeployedStack) -> None:
    found = json.loads(initial.deployer("upgrade", "--check", "--json", check=True).stdout)
    registry = next(one for one in found["services"] if one["service"] == "registry")
    assert {one["id"]: one["reaches"] for one in registry["advisories"]} == {
        "CVE-2026-33540": False, "CVE-2026-35172": False, "CVE-2026-41888": False,
    }  # fmt: skip
    with initial.client as client:
        # The claim about deleting: version 2 deletes no tag.
        assert client.delete("/v2/there/manifests/1").status_code == 400
        assert client.get("/v2/there/tags/list").json()["tags"] == ["1"]
