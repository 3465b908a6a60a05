"""Services of the user's own in compose.override.yaml: their hooks, and their volumes without a name."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

from tests.support.stack import docker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import DeployedStack

BASE = "deployer-registry:debian"


def unnamed_of(stack: DeployedStack) -> str:
    """The volume that the service `db` has at /unnamed."""
    mounts = json.loads(docker("inspect", "--format", "{{json .Mounts}}", stack.containers()["db"]))
    return next(str(mount["Name"]) for mount in mounts if mount["Destination"] == "/unnamed")


def test_hooks_run_and_volumes_without_a_name_are_asked_about(fresh_stack: DeployedStack) -> None:
    """`down` and `up` with services of the user's own."""
    own = fresh_stack
    own.folder.mkdir(parents=True, exist_ok=True)
    own.directory.mkdir(parents=True)
    override = own.directory / "compose.override.yaml"
    override.write_text(
        f"""
services:
  registry:
    pre_stop:
      - {{command: [sh, -c, 'echo "$$WHO" >> /var/lib/registry/stopped'], environment: {{WHO: registry}}}}
  db:
    image: {BASE}
    entrypoint: [sh, -c, 'trap exit TERM; echo more >> /unnamed/data; while :; do sleep 0.2; done']
    volumes: [/unnamed]
    tmpfs: [/var/lib/registry]
    post_start:
      - command: [sh, -c, 'echo started > /unnamed/started']
    pre_stop:
      - command: [sh, -c, 'test -e /may-stop']
"""
    )
    own.up()
    unnamed = unnamed_of(own)
    assert docker("exec", own.containers()["db"], "cat", "/unnamed/started") == "started\n"

    refused = own.deployer("down")
    assert refused.returncode == 1
    assert f"/unnamed of {own.name}-db-1 (volume {unnamed})" in refused.stderr
    assert "The next `up` starts with empty volumes" in refused.stderr
    plan = json.loads(own.deployer("down", "--dry-run", "--json", check=True).stdout)
    assert [one["volume"] for one in plan["unnamed"]] == [unnamed]

    failed = own.deployer("down", "--yes")
    assert failed.returncode == 1
    assert "A hook of the service 'db' ended with exit code 1. Nothing was removed." in failed.stderr
    assert set(own.containers()) == {"db", "frontend", "registry"}
    docker("exec", own.containers()["db"], "touch", "/may-stop")

    # It continues to a container with the same volume, unless the files ask for another there.
    text = override.read_text()
    override.write_text(text.replace("volumes:", "environment: {A: b}\n    volumes:"))
    own.deployer("up", check=True)
    assert unnamed_of(own) == unnamed
    docker("exec", own.containers()["db"], "touch", "/may-stop")
    override.write_text(text.replace("[/unnamed]", '["named:/unnamed"]') + "volumes: {named: {}}\n")
    refused = own.deployer("up")
    assert refused.returncode == 1
    assert f"is on the anonymous volume {unnamed}." in refused.stderr
    override.write_text(text.replace("db:", "another:"))
    refused = own.deployer("up")
    assert refused.returncode == 1
    assert f"is on the anonymous volume {unnamed}." in refused.stderr
    override.write_text(text)
    own.deployer("up", check=True)
    docker("exec", own.containers()["db"], "touch", "/may-stop")
    own.deployer("down", "--yes", check=True)
    assert own.containers() == {}
    stopped = docker("run", "--rm", "--volume", f"{own.name}_data:/data", "--entrypoint", "cat", BASE, "/data/stopped")
    assert set(stopped.split()) == {"registry"}
    docker("volume", "rm", unnamed)


def test_a_service_whose_hook_failed_is_started_again_by_the_next_up(fresh_stack: DeployedStack) -> None:
    own = fresh_stack
    own.folder.mkdir(parents=True, exist_ok=True)
    (own.directory / "gate").mkdir(parents=True)
    (own.directory / "compose.override.yaml").write_text(
        f"""
services:
  db:
    image: {BASE}
    entrypoint: [sh, -c, 'trap exit TERM; while :; do sleep 0.2; done']
    volumes: ['./gate:/gate']
    tmpfs: [/var/lib/registry]
    post_start:
      - command: [sh, -c, 'test -e /gate/open && touch /prepared']
  calm:
    image: {BASE}
    entrypoint: [sh, -c, 'trap exit TERM; while :; do sleep 0.2; done']
    tmpfs: [/var/lib/registry]
"""
    )
    for _ in range(2):
        failed = own.deployer("up", "--yes")
        assert failed.returncode == 1
        assert "A hook of the service 'db' ended with exit code 1." in failed.stderr
    (own.directory / "gate/open").touch()
    planned = own.deployer("up", "--dry-run", check=True)
    assert "service  db: recreate (its post_start hooks did not succeed)" in planned.stdout
    calm = own.containers().get("calm")
    own.deployer("up", "--yes", check=True)
    docker("exec", own.containers()["db"], "test", "-e", "/prepared")
    assert calm is None or own.containers()["calm"] == calm
    assert "nothing to change" in own.deployer("up", "--yes", check=True).stderr


def test_an_interrupted_down_says_how_to_go_on_and_does(fresh_stack: DeployedStack, tmp_path: Path) -> None:
    own = fresh_stack
    own.up()
    client = tmp_path / "docker"
    ending = 'case " $* " in *" container rm "*) kill -TERM $PPID; exit 1;; esac'
    client.write_text(f'#!/bin/sh\n{ending}\nexec {shutil.which("docker")} "$@"\n')
    client.chmod(0o755)
    done = own.deployer("down", environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert done.returncode == 130
    assert done.stderr.endswith("Interrupted. To continue, run: deployer down\n")
    own.deployer("down", check=True)
    assert own.containers() == {}
