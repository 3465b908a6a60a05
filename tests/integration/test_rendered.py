"""Rendered files, before the programs that read them: Compose and Caddy."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from deployer.rendering.deployment import render_deployment
from tests.support.stack import docker
from tests.unit.rendering.test_deployment import IMAGES, VARIANTS, kept_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import DeployedStack

_PAGE_GOES = re.compile(r"^-\s+root \* /etc/deployer/page$", re.MULTILINE)


@pytest.mark.parametrize("variant", VARIANTS)
def test_compose_accepts_each_variant(engine: None, variant: str, tmp_path: Path) -> None:
    for file in render_deployment(VARIANTS[variant], IMAGES, kept_of(variant)):
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_bytes(file.content)
    config = json.loads(docker("compose", "--file", str(tmp_path / "compose.yaml"), "config", "--format", "json"))
    assert config["name"] == VARIANTS[variant].name
    mounts = {mount["target"]: mount for mount in config["services"]["registry"]["volumes"]}
    directory = VARIANTS[variant].registry.data_directory
    assert mounts["/var/lib/registry"]["source"].replace("$$", "$") == (str(directory) if directory else "data")


@pytest.mark.parametrize("variant", VARIANTS)
def test_caddy_accepts_each_variant(stack: DeployedStack, variant: str, tmp_path: Path) -> None:
    for file in render_deployment(VARIANTS[variant], IMAGES, kept_of(variant)):
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_bytes(file.content)
    image = docker("inspect", "--format", "{{.Config.Image}}", stack.containers()["frontend"]).strip()
    done = subprocess.run(
        ["docker", "run", "--rm", "--volume", f"{tmp_path}/frontend:/etc/deployer:ro", "--entrypoint", "caddy", image,
         "validate", "--config", "/etc/deployer/Caddyfile", "--adapter", "caddyfile"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Valid configuration" in done.stdout + done.stderr


def test_render_shows_writes_and_compares(stack: DeployedStack, tmp_path: Path) -> None:
    shown = stack.deployer("render", check=True).stdout
    secret = json.loads((stack.directory / "secrets").read_text())["http"]
    assert "# ---- compose.yaml" in shown
    assert secret not in shown
    stack.deployer("render", "--output", str(tmp_path / "out"), check=True)
    # What is the user's own is not written over; what was rendered before is.
    (tmp_path / "mine" / "frontend").mkdir(parents=True)
    (tmp_path / "mine" / "frontend" / "Caddyfile").write_text("localhost\n")
    refused = stack.deployer("render", "--output", str(tmp_path / "mine"))
    assert refused.returncode == 2
    assert "has files that deployer did not write: frontend/Caddyfile. Nothing was written." in refused.stderr
    assert [path.name for path in (tmp_path / "mine").rglob("*")] == ["frontend", "Caddyfile"]
    refused = stack.deployer("render", "--output", str(stack.directory), environment={"DEPLOYER_PORT": "5999"})
    assert refused.returncode == 2
    assert "is the directory of a deployment" in refused.stderr
    assert ":5999" not in (stack.directory / "compose.yaml").read_text()
    stack.deployer("render", "--output", str(tmp_path / "out"), check=True, environment={"DEPLOYER_PORT": "5999"})
    assert ":5999" in (tmp_path / "out" / "compose.yaml").read_text()
    stack.deployer("render", "--output", str(tmp_path / "out"), check=True)
    config = tmp_path / "out" / "registry" / "config.yaml"
    assert secret in config.read_text()
    assert config.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out" / "compose.yaml").read_bytes() == (stack.directory / "compose.yaml").read_bytes()
    assert stack.deployer("render", "--diff").returncode == 0
    changed = stack.deployer("render", "--diff", environment={"DEPLOYER_FRONTEND_PAGE": "none"})
    assert changed.returncode == 1
    assert _PAGE_GOES.search(changed.stdout)
    assert secret not in changed.stdout

    told = stack.deployer("render", "--diff", "--json", environment={"DEPLOYER_FRONTEND_PAGE": "none"})
    assert told.returncode == 1
    changes = {change["path"]: change["diff"] for change in json.loads(told.stdout)["changes"]}
    assert _PAGE_GOES.search(changes["frontend/Caddyfile"])
    assert "".join(changes.values()).rstrip() == changed.stdout.rstrip()
    same = stack.deployer("render", "--diff", "--json", check=True)
    assert json.loads(same.stdout) == {"changes": []}
    written = json.loads(stack.deployer("render", "--json", "-o", str(tmp_path / "more"), check=True).stdout)["written"]
    assert {str(tmp_path / "more" / "compose.yaml"), str(tmp_path / "more" / "registry" / "config.yaml")} <= set(
        written
    )
    assert stack.deployer("up", "--dry-run", check=True).stdout == "Nothing would change.\n"
