"""What was on the machine before `up`, and what `down --volumes` removes: told, asked about, and nothing else."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.registry_content import image, push
from tests.support.run import PATIENCE_SECONDS
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BASE = "deployer-registry:debian"


@pytest.fixture
def own(fresh_stack: DeployedStack) -> Iterator[DeployedStack]:
    """A deployment not yet up; foreign things with its name in theirs go at the end."""
    fresh_stack.folder.mkdir(parents=True, exist_ok=True)
    yield fresh_stack
    foreign = ("--quiet", "--filter", f"name={fresh_stack.name}")
    for left in docker("container", "ls", "--all", *foreign).split():
        docker("container", "rm", "--force", "--volumes", left, check=False)
    fresh_stack.remove()
    for kind in ("volume", "network"):
        for left in docker(kind, "ls", *foreign).split():
            docker(kind, "rm", left, check=False)


def volumes(stack: DeployedStack) -> set[str]:
    """The volumes with the deployment's name in theirs."""
    return set(docker("volume", "ls", "--quiet", "--filter", f"name={stack.name}").split())


def down_plan(stack: DeployedStack) -> dict[str, Any]:
    """What `down --volumes` says that it would remove."""
    shown = stack.deployer("down", "--volumes", "--dry-run", "--json", check=True).stdout
    found: dict[str, Any] = json.loads(shown)
    return found


def holder(stack: DeployedStack, *options: str) -> str:
    """A container of nobody's project; return its name."""
    name = f"{stack.name}-foreign"
    docker("run", "--detach", "--init", "--name", name, *options, "--entrypoint", "sleep", BASE, "600")
    return name


def killing_client(folder: Path, words: str) -> dict[str, str]:
    """A Docker client that kills the command that called it, where these words are to be done, before it does them."""
    client = folder / "docker"
    killing = f'case " $* " in *" {words} "*) kill -KILL $PPID; exit 1;; esac'
    client.write_text(f'#!/bin/sh\n{killing}\nexec {shutil.which("docker")} "$@"\n')
    client.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@contextmanager
def at_the_question(stack: DeployedStack, *arguments: str) -> Iterator[Callable[[str], tuple[int, str]]]:
    """Run a command on a terminal until it asks; what is yielded answers, and gives its exit code and words."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        stack.command(*arguments), cwd=stack.folder, env=stack.environment, stdin=theirs, stdout=subprocess.DEVNULL,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    said = b""

    def listen(until: bytes) -> None:
        nonlocal said
        while until not in said or not until:
            try:
                more = os.read(terminal, 4096)
            except OSError:
                # Linux says so where the other side is closed.
                return
            if not more:
                return
            said += more

    def answer(words: str) -> tuple[int, str]:
        os.write(terminal, f"{words}\n".encode())
        listen(b"")
        return process.wait(PATIENCE_SECONDS), said.decode()

    try:
        listen(b"[y/N]:")
        yield answer
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def test_a_volume_that_was_there_is_asked_about_and_named_when_it_would_go(
    own: DeployedStack, make_image: Callable[..., str]
) -> None:
    data = f"{own.name}_data"
    docker("volume", "create", data)
    told = f"the volume {data}"

    refused = own.deployer("up")
    assert refused.returncode == 1
    assert told in refused.stderr
    assert "Run the command again with --yes." in refused.stderr
    assert own.containers() == {}
    assert not own.directory.exists()
    report = json.loads(own.deployer("up", "--dry-run", "--json", check=True).stdout)
    assert report["found"] == [{"kind": "volume", "name": data}]
    assert any(told in warning for warning in report["warnings"])
    assert told in own.deployer("up", "--dry-run", check=True).stderr

    own.up()
    # The answer is remembered.
    assert "nothing to change" in own.deployer("up", check=True).stderr
    make_image(f"{own.name}:1")
    own.deployer("push", f"{own.name}:1", check=True)
    docker("image", "rm", f"{own.address}/{own.name}:1")

    refused = own.deployer("down", "--volumes")
    assert refused.returncode == 1
    assert f"volume {data} existed before `up`" in refused.stderr
    assert own.deployer("catalog", check=True).stdout == f"{own.name}\n"
    assert data in down_plan(own)["volumes"]
    assert down_plan(own)["not_made_by_up"] == [data]
    shown = own.deployer("down", "--volumes", "--dry-run", check=True).stdout
    assert f"{data}: will be removed (existed before `up`)" in shown

    # Also with no container left to report about it.
    own.deployer("down", check=True)
    assert down_plan(own)["not_made_by_up"] == [data]
    own.deployer("down", "--volumes", "--yes", check=True)
    assert volumes(own) == set()
    assert not own.directory.exists()


def test_what_another_uses_or_calls_its_own_stays_and_only_what_was_named_goes(own: DeployedStack) -> None:
    """One deployment with an override: its own volumes, others', and a container that comes in the meantime."""
    name = own.name
    elsewhere = own.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    for volume in ("external", "shared"):
        docker("volume", "create", f"{name}_{volume}")
    own.directory.mkdir(parents=True)
    (own.directory / "compose.override.yaml").write_text(
        f"""
services:
  registry:
    volumes: [extra:/extra, external:/external, shared:/shared, bound:/bound, /anonymous]
volumes:
  extra: {{}}
  external: {{external: true, name: {name}_external}}
  shared: {{name: {name}_shared}}
  bound: {{driver_opts: {{type: none, o: bind, device: "{elsewhere}"}}}}
"""
    )
    asked = json.loads(own.deployer("up", "--dry-run", "--json", check=True).stdout)
    assert asked["found"] == [{"kind": "volume", "name": f"{name}_shared"}]
    own.up()
    # A file of the user's own, where deployer writes its files.
    (own.directory / "registry" / "mine.tar").write_text("mine")
    mounts = json.loads(docker("inspect", "--format", "{{json .Mounts}}", own.containers()["registry"]))
    anonymous = next(mount["Name"] for mount in mounts if mount["Destination"] == "/anonymous")
    foreign = holder(own, "--network", f"{name}_default", "--volume", f"{name}_shared:/shared")

    plan = down_plan(own)
    going = {f"{name}_{volume}" for volume in ("data", "frontend", "socket", "extra", "bound")} | {anonymous}
    assert set(plan["volumes"]) == going
    assert plan["networks"] == []
    assert f"volume {name}_external (declared as external in a Compose file)" in plan["kept"]
    assert f"volume {name}_shared (used by the container {foreign})" in plan["kept"]
    assert f"network {name}_default (used by the container {foreign})" in plan["kept"]
    assert not any("mine" in path for path in plan["files"])
    shown = own.deployer("down", "--volumes", "--dry-run", check=True).stdout
    assert f"{name}_bound: will be removed (its content is in another place: {elsewhere})" in shown
    # A file that no question names stays, and no images are needed for one.
    assert "Cannot prompt: there is no terminal" in own.deployer("down", "--volumes").stderr

    docker("network", "connect", f"{name}_default", own.containers()["frontend"], check=False)
    with at_the_question(own, "down", "--volumes") as answer:
        docker("volume", "create", "--label", f"com.docker.compose.project={name}", f"{name}_late")
        (own.directory / "users").write_text("")
        code, said = answer("y")
    assert code == 1
    assert f"volume {name}_late: appeared or changed in the meantime" in said
    assert "file users: appeared or changed in the meantime" in said
    assert own.containers() == {}
    assert volumes(own) == {f"{name}_{volume}" for volume in ("external", "shared", "late")}
    assert anonymous not in docker("volume", "ls", "--quiet")
    assert (elsewhere / "kept").exists()
    assert (own.directory / "registry" / "mine.tar").read_text() == "mine"

    docker("container", "rm", "--force", "--volumes", foreign)
    plan = down_plan(own)
    assert set(plan["volumes"]) == {f"{name}_shared", f"{name}_late"}
    assert set(plan["not_made_by_up"]) == {f"{name}_shared", f"{name}_late"}
    assert plan["networks"] == [f"{name}_default"]


def test_killed_at_any_step_the_next_one_knows_what_is_whose(own: DeployedStack, tmp_path: Path) -> None:
    data, copy = f"{own.name}_data", f"{own.name}-copy"
    own.up()
    with own.client as client:
        digest = push(client, "restored", "1", image("restored"))
    # As a restore by hand: the volume is made again and filled.
    docker("volume", "create", copy)
    _copied(data, copy)
    killed = own.deployer("down", "--volumes", "--yes", environment=killing_client(tmp_path, f"volume rm {data}"))
    assert killed.returncode == -9
    assert data in volumes(own)
    assert own.containers() == {}
    plan = down_plan(own)
    assert data in plan["volumes"]
    assert plan["not_made_by_up"] == []
    assert "compose.yaml" in plan["files"]
    own.deployer("down", "--volumes", "--yes", check=True)
    assert volumes(own) == {copy}

    docker("volume", "create", data)
    _copied(copy, data)
    killed = own.deployer("up", "--yes", environment=killing_client(tmp_path, "up --detach"))
    assert killed.returncode == -9
    # It was agreed to, and is not asked about again.
    own.deployer("up", check=True)
    assert own.deployer("catalog", check=True).stdout == "restored\n"
    assert digest in own.deployer("tags", "restored", "--json", check=True).stdout
    assert down_plan(own)["not_made_by_up"] == [data]

    # Made again by hand once more, it is another one.
    own.deployer("down", check=True)
    docker("volume", "rm", f"{own.name}_frontend")
    docker("volume", "create", f"{own.name}_frontend")
    assert f"the volume {own.name}_frontend" in own.deployer("up").stderr


def test_what_cannot_be_taken_over_is_refused_by_name(own: DeployedStack) -> None:
    container, network = f"{own.name}-registry-1", f"{own.name}_default"
    docker("create", "--name", container, BASE)
    refused = own.deployer("up", "--yes")
    assert refused.returncode == 1
    assert f"A container named '{container}' already exists" in refused.stderr
    docker("rename", container, f"{container}-old")

    docker("network", "create", network)
    refused = own.deployer("up", "--yes")
    assert f"A network named '{network}' already exists" in refused.stderr
    assert f"docker network rm {network}" in refused.stderr
    docker("network", "rm", network)

    # A project of another tool, whose containers carry the project's label alone.
    labelled = f"{own.name}-labelled"
    docker("create", "--name", labelled, "--label", f"com.docker.compose.project={own.name}", BASE)
    for command in (["up", "--yes"], ["down", "--volumes", "--yes"], ["user", "list"], ["logs"], ["gc"]):
        refused = own.deployer(*command)
        assert f"A Compose project named '{own.name}' already exists, created by another tool" in refused.stderr
    docker("rm", "--volumes", labelled)

    # What a hand-written project of that name has left behind carries the very label that ours would.
    docker("volume", "create", "--label", f"com.docker.compose.project={own.name}", f"{own.name}_data")
    refused = own.deployer("up")
    assert f"the volume {own.name}_data" in refused.stderr
    assert volumes(own) == {f"{own.name}_data"}
    assert not own.directory.exists()


def test_what_another_tool_puts_into_our_project_is_named_and_stays(own: DeployedStack) -> None:
    own.up()
    label = f"com.docker.compose.project={own.name}"
    other, network = f"{own.name}-other", f"{own.name}_others"
    docker("network", "create", "--label", label, network)
    docker("create", "--name", other, "--label", label, BASE)
    try:
        for command in (["status"], ["gc", "--yes"], ["down"]):
            refused = own.deployer(*command)
            assert refused.returncode == 1
            assert f"The container {other} is in this deployment's Compose project" in refused.stderr
            # Under another name there would be another registry.
            assert f"--name {own.name}2" not in refused.stderr
            assert f"docker rm --force {other}" in refused.stderr
    finally:
        docker("rm", "--force", "--volumes", other)
    own.deployer("down", check=True)
    assert docker("network", "ls", "--quiet", "--filter", f"name={network}")
    asked = own.deployer("down", "--volumes")
    assert asked.returncode != 0
    assert f"network {network} possibly not created by `up`" in asked.stderr
    own.deployer("down", "--volumes", "--yes", check=True)
    assert not docker("network", "ls", "--quiet", "--filter", f"name={network}")


@pytest.mark.parametrize(
    ("made", "told"), [("docker/registry/v2/repositories", "contains a registry's images"), ("notes", "contains notes")]
)
def test_a_directory_that_is_not_empty_is_asked_about(own: DeployedStack, made: str, told: str) -> None:
    place = own.folder / "images"
    (place / made).mkdir(parents=True)
    setting = {"DEPLOYER_REGISTRY_DATA": "./images"}
    refused = own.deployer("up", environment=setting)
    assert refused.returncode == 1
    assert f"the directory {place} ({told}" in refused.stderr
    report = json.loads(own.deployer("up", "--dry-run", "--json", environment=setting, check=True).stdout)
    assert report["found"] == [{"kind": "directory", "name": str(place)}]
    assert not own.directory.exists()


def _copied(source: str, target: str) -> None:
    mounts = ("--volume", f"{source}:/from:ro", "--volume", f"{target}:/to")
    docker("run", "--rm", *mounts, "--entrypoint", "cp", BASE, "--archive", "/from/.", "/to")
