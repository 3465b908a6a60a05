"""What the answers of Docker's client mean."""

from __future__ import annotations

import pytest

from tools.machine import facts
from tools.machine.facts import Engine


def test_docker_host_decides_where_the_client_looks() -> None:
    assert facts.probe_endpoint({"DOCKER_HOST": "ssh://far"}) == ("ssh://far", "DOCKER_HOST")


def test_otherwise_the_context_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "ask", lambda *_: (0, "colima unix:///x/docker.sock\n", ""))
    assert facts.probe_endpoint({}) == ("unix:///x/docker.sock", "the Docker context colima")


@pytest.mark.parametrize(
    ("info", "version", "engine"),
    [
        ((0, "28.2\n", ""), (0, "", ""), Engine.ANSWERS),
        ((0, "\n", ""), (1, "", "Cannot connect to the Docker daemon"), Engine.SILENT),
        ((1, "", ""), (1, "", "Got permission denied while trying to connect"), Engine.DENIED),
        ((127, "", "No such file"), (127, "", "No such file"), Engine.SILENT),
    ],
)
def test_what_docker_info_means(
    monkeypatch: pytest.MonkeyPatch,
    info: tuple[int, str, str],
    version: tuple[int, str, str],
    engine: Engine,
) -> None:
    monkeypatch.setattr(facts, "ask", lambda *command: info if "info" in command else version)
    assert facts.probe_engine() is engine
