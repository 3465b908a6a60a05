from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.engine.client import Client
from deployer.engine.compose import Compose, command
from deployer.engine.environment import ClientPurpose
from deployer.engine.images import Images
from deployer.engine.resources import Volumes
from deployer.engine.values import Project
from deployer.errors import UnsetVariables
from tests.support.docker_variables import CONFIGURATION, EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable

# A client that keeps the variables and words that it was run with.
_PROGRAM = """\
import json, os, sys
with open(sys.argv[1], "w") as file:
    json.dump([dict(os.environ), sys.argv[2:]], file)
"""
PROJECT = Project("registry", Path("/nowhere"), (Path("/nowhere/compose.yaml"),))


class Recorder:
    """A client in the place of Docker's, and what it was run with."""

    def __init__(self, folder: Path) -> None:
        self.kept = folder / "kept.json"
        self.client = Client(os.environ, (sys.executable, "-c", _PROGRAM, str(self.kept)))

    @property
    def variables(self) -> dict[str, str]:
        return dict(json.loads(self.kept.read_text())[0])

    @property
    def words(self) -> list[str]:
        return list(json.loads(self.kept.read_text())[1])


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A user with every variable and every setting."""
    (tmp_path / "config.json").write_text(json.dumps(dict(CONFIGURATION)))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name, value in EVERYTHING.items():
        monkeypatch.setenv(name, value)
    return Recorder(tmp_path)


ROADS: dict[str, Callable[[Client], object]] = {
    "run": lambda client: client.run("version"),
    "begin": lambda client: client.begin("logs"),
    "exchange": lambda client: client.exchange("exec", stdin=b""),
    "start": lambda client: client.start("run").communicate(),
    "stream": lambda client: client.stream("pull", on_line=None, address="", purpose=ClientPurpose.OURS),
    "up": lambda client: Compose(client).up(PROJECT, quiet=True),
    "remove": lambda client: Volumes(client).remove("name"),
    "build": lambda client: Images(client).build(Path("/nowhere"), Path("/nowhere/file"), "name"),
    "import": lambda client: Images(client).import_image(Path("/nowhere/base.tar"), "name"),
}


@pytest.mark.parametrize("road", ROADS)
def test_on_every_road_what_is_ours_runs_without_the_users_variables(road: str, recorder: Recorder) -> None:
    ROADS[road](recorder.client)
    passed = {name: value for name, value in recorder.variables.items() if name in EVERYTHING}
    assert passed in ({}, {"DOCKER_BUILDKIT": "0"})
    assert recorder.variables["DOCKER_CONFIG"] != os.environ["DOCKER_CONFIG"]
    assert recorder.variables["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("verb", ["push", "pull"])
def test_the_users_push_and_pull_have_them(verb: str, recorder: Recorder) -> None:
    getattr(Images(recorder.client), verb)("name", address="a:1", on_line=lambda _: None)
    assert EVERYTHING.items() <= recorder.variables.items()
    assert recorder.variables["DOCKER_CONFIG"] == os.environ["DOCKER_CONFIG"]


def test_no_value_of_a_variable_is_on_a_command_line(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://name:secret@proxy")
    monkeypatch.setenv("ANOTHER", "secret")
    assert "secret" not in " ".join(map(str, Compose(recorder.client).whales(PROJECT).client_config.client_call))


def test_compose_reads_no_file_of_variables(recorder: Recorder) -> None:
    ROADS["up"](recorder.client)
    assert "--env-file /dev/null" in " ".join(recorder.words)
    assert command(PROJECT)[-2:] == ("--env-file", "/dev/null")


COMPOSE_ROADS: dict[str, Callable[[Compose], object]] = {
    "up": lambda compose: compose.up(PROJECT, quiet=True),
    "hashes": lambda compose: compose.config_hashes(PROJECT),
    "resolved": lambda compose: compose.resolved(PROJECT),
    "stop": lambda compose: compose.stop(PROJECT, ["registry"]),
    "logs": lambda compose: compose.follow_logs(PROJECT, [], follow=False, tail="", since=""),
}


@pytest.mark.parametrize("road", COMPOSE_ROADS)
def test_compose_gets_no_variable_that_it_can_do_without(
    road: str, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # They differ between a shell and a cron job, and Compose substitutes every variable that it gets.
    apart = ("TZ", "LANG", "LANGUAGE", "LC_ALL", "PWD", "USER", "LOGNAME")
    for name in apart:
        monkeypatch.setenv(name, "/x")
    # What it prints here is no answer of Compose's.
    with contextlib.suppress(ValueError):
        COMPOSE_ROADS[road](Compose(recorder.client))
    assert not {*apart} & {*recorder.variables}
    assert recorder.variables["HOME"] == os.environ["HOME"]


@pytest.mark.parametrize("code", [0, 15])
def test_a_variable_in_the_files_is_refused_by_name(code: int) -> None:
    # Compose continues with nothing in its place, which may be no limit, or another folder.
    said = r'time="…" level=warning msg="The \"MEM\" variable is not set. Defaulting to a blank string."'
    program = f"import sys; print({said!r}, file=sys.stderr); sys.exit({code})"
    with pytest.raises(UnsetVariables, match=r"\$\{MEM\}") as caught:
        Compose(Client(os.environ, (sys.executable, "-c", program))).config_hashes(PROJECT)
    assert "${MEM:-VALUE}" in caught.value.advice[0]
