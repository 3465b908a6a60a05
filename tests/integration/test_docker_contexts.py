"""Which engine the client speaks to: the user's own client, and the one that runs for us, side by side."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from deployer.engine.environment import ClientEnvironment, ClientPurpose
from tests.support.docker_login import PATH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ONE, TWO = "unix:///run/one.sock", "tcp://192.0.2.7:2376"


def _keep(folder: Path, name: str, host: str) -> None:
    """A context as `docker context create` keeps it (docker/cli, cli/context/store)."""
    meta = folder / "contexts/meta" / sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}))


def _engine(environment: Mapping[str, str], folder: Path) -> tuple[bool, str]:
    """Whether the client knows its engine, and its address or what it says."""
    command = ("docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode == 0, (done.stdout or done.stderr).strip()


@pytest.mark.parametrize(
    ("config", "variables", "expected"),
    [
        ("{}", {}, "unix:///var/run/docker.sock"),
        ('{"currentContext": "one"}', {}, ONE),
        ('{"CURRENTCONTEXT": "one"} and more', {}, ONE),
        ('{"currentContext": "one", "currentContext": null}', {}, ONE),
        ('{"currentContext": "default"}', {}, "unix:///var/run/docker.sock"),
        ('{"currentContext": "one"}', {"DOCKER_CONTEXT": "two"}, TWO),
        ('{"currentContext": "one"}', {"DOCKER_CONTEXT": "two", "DOCKER_HOST": ONE}, ONE),
        ('{"currentContext": "one"}', {"DOCKER_HOST": TWO}, TWO),
        ('{"currentContext": "one"}', {"DOCKER_HOST": ""}, ONE),
        ('{"currentContext": "gone"}', {}, ""),
        ('{"currentContext": "gone"}', {"DOCKER_CONTEXT": "one"}, ONE),
        ('{"currentContext": "one", "psFormat": "x", "proxies": {}}', {}, ONE),
        ('{"currentContext": "one", "x": [', {}, "unix:///var/run/docker.sock"),
        ('{"currentContext": "one"}', {"DOCKER_CONFIG": "docker"}, ONE),
        ('{"currentContext": "one"}', {"DOCKER_CONFIG": "nowhere"}, "unix:///var/run/docker.sock"),
    ],
)
def test_the_engine_is_the_one_that_docker_speaks_to(
    engine: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: str,
    variables: dict[str, str],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "docker"
    _keep(folder, "one", ONE)
    _keep(folder, "two", TWO)
    (folder / "config.json").write_text(config)
    user = {"PATH": PATH, "HOME": str(tmp_path), "DOCKER_CONFIG": str(folder), **variables}
    theirs = _engine(user, tmp_path)
    assert (theirs[1] if theirs[0] else "") == expected
    chosen = ClientEnvironment(user)
    assert _engine(chosen.of(ClientPurpose.OURS), tmp_path) == theirs
