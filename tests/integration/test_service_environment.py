"""Variables in compose.override.yaml that undo what deployer's commands rely on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.content import push_image
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import DeployedStack

ROOT = "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"
CACHE = "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR"
DELETING = "REGISTRY_STORAGE_DELETE_ENABLED"

FORMS = {
    "a mapping": {"environment": {CACHE: "inmemory"}},
    "a list": {"environment": ["REGISTRY_LOG_LEVEL=info", f"{CACHE}=inmemory"]},
    "a file of variables": {"env_file": "more.env"},
    "an extended service": {"extends": {"file": "more.yaml", "service": "cached"}},
}
STORAGE_COMMANDS = (("gc",), ("prune", "--keep", "1"), ("delete", "--repository", "app"))


@pytest.fixture
def own(fresh_stack: DeployedStack) -> Iterator[DeployedStack]:
    fresh_stack.up()
    yield fresh_stack
    fresh_stack.remove()


def override(own: DeployedStack, registry: object) -> None:
    content = {"services": {"registry": registry}}
    (own.directory / "compose.override.yaml").write_text(json.dumps(content))


def up_by_an_older_version(own: DeployedStack) -> None:
    files = (str(own.directory / name) for name in ("compose.yaml", "compose.override.yaml"))
    named = [word for file in files for word in ("--file", file)]
    project = ("--project-name", own.name, "--project-directory", str(own.directory))
    docker("compose", *named, *project, "up", "--detach", "--wait")


def test_up_refuses_what_loses_images_in_every_form(own: DeployedStack) -> None:
    (own.directory / "more.env").write_text(f"{CACHE}=inmemory\n")
    (own.directory / "more.yaml").write_text(
        json.dumps({"services": {"cached": {"image": "x", "environment": {CACHE: "inmemory"}}}})
    )
    before = own.containers()
    for form, registry in FORMS.items():
        override(own, registry)
        for command in (("up", "--yes"), ("up", "--dry-run"), ("doctor",)):
            done = own.deployer(*command)
            said = done.stdout + done.stderr
            assert done.returncode == 1, (form, command)
            assert f"The registry's environment sets {CACHE}: garbage collection leaves such a cache stale" in said
            assert f"Remove the variable from {own.directory / 'compose.override.yaml'}" in said
    assert own.containers() == before

    override(own, {"environment": {"REGISTRY_LOG_LEVEL": "info"}})
    own.up()
    assert own.containers()["registry"] != before["registry"]
    own.deployer("gc", check=True)


def test_up_refuses_an_image_that_sets_it_and_says_what_replaces_the_configuration(own: DeployedStack) -> None:
    before = own.containers()
    image = f"{own.name}-cached:1"
    docker("commit", "--change", f"ENV {CACHE}=inmemory", before["registry"], image)
    try:
        for command in (("up", "--yes"), ("up", "--dry-run")):
            refused = own.deployer(*command, environment={"DEPLOYER_REGISTRY_IMAGE": image})
            assert refused.returncode == 1
            assert f"The registry's environment sets {CACHE}: garbage collection leaves such a cache" in refused.stderr
            assert "if the image sets it, choose another (registry.image in deployer.yaml)" in refused.stderr
        assert own.containers() == before
    finally:
        docker("image", "rm", image)

    (own.directory / "own.yaml").write_text("version: 0.1\n")
    mount = {"type": "bind", "source": "./own.yaml", "target": "/etc/deployer/config.yaml"}
    override(own, {"command": ["--debug"], "volumes": [mount]})
    for done in (own.deployer("up", "--dry-run"), own.deployer("doctor")):
        said = done.stdout + done.stderr
        assert "compose.override.yaml replaces the registry's entrypoint or command" in said, said
        assert f"mounts {own.directory / 'own.yaml'} at /etc/deployer/config.yaml in the registry, over what" in said
    assert own.containers() == before


@pytest.mark.parametrize(
    ("variables", "hides"),
    [({ROOT: "/tmp/elsewhere"}, True), ({CACHE: "inmemory"}, False)],
    ids=["another place", "a cache"],
)
def test_one_that_is_up_with_it_is_neither_ready_nor_collected(
    own: DeployedStack, variables: dict[str, str], hides: bool
) -> None:
    override(own, {"environment": variables})
    up_by_an_older_version(own)
    with own.client as client:
        push_image(client, "app", "1")
    words = f"The registry's environment sets {next(iter(variables))}: "
    done = own.deployer("status")
    assert done.returncode == 1
    assert words in done.stderr
    status = json.loads(own.deployer("status", "--json").stdout)
    assert (status["ready"], status["repositories"]) == (False, 1)
    assert (status["used_bytes"], status["garbage_bytes"], status["free_bytes"]) == (None,) * 3 or not hides
    assert (status["data"] == "") is hides
    assert own.deployer("doctor").stdout.count(words) == 1
    for command in STORAGE_COMMANDS:
        for way in ("--yes", "--dry-run"):
            refused = own.deployer(*command, way)
            assert refused.returncode == 1, command
            assert words in refused.stderr
            assert "garbage found" not in refused.stdout
    with own.client as client:
        assert client.get("/v2/_catalog").json()["repositories"] == ["app"]


def test_what_only_forbids_is_told_and_named_where_it_matters(own: DeployedStack) -> None:
    override(own, {"environment": {DELETING: "false"}})
    words = f"The registry's environment sets {DELETING}: tags and images cannot be deleted"
    assert words in own.deployer("up", "--yes", check=True).stderr
    status = own.deployer("status", check=True)
    assert words in status.stderr
    assert words in own.deployer("doctor").stdout
    with own.client as client:
        push_image(client, "app", "1")
    refused = own.deployer("delete", "app:1", "--yes")
    assert refused.returncode == 1
    assert f"without {DELETING} in compose.override.yaml" in refused.stderr
    own.deployer("delete", "--repository", "app", "--yes", check=True)
