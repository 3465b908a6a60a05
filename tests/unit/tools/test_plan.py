"""What has to be done about an engine, on every kind of machine."""

from __future__ import annotations

from typing import Any

import pytest

from tools.machine import plan
from tools.machine.errors import RefusalError
from tools.machine.facts import Engine, Facts, Host
from tools.machine.plan import Step

DEBIAN = Host(macos=False, apt=True, root=True)
DEBIAN_USER = Host(macos=False, apt=True, root=False)
FEDORA = Host(macos=False, apt=False, root=True)
MACOS = Host(macos=True, apt=False, root=False)


def facts(host: Host = DEBIAN, engine: Engine = Engine.SILENT, compose: tuple[int, ...] = (), **more: Any) -> Facts:
    return Facts(host, engine, compose, **more)


@pytest.mark.parametrize("host", [DEBIAN, DEBIAN_USER, FEDORA, MACOS])
@pytest.mark.parametrize("compose", [(2, 8, 0), (2, 40, 3), (5, 0)])
def test_nothing_to_do_where_engine_and_compose_answer(host: Host, compose: tuple[int, ...]) -> None:
    assert plan.plan(facts(host, Engine.ANSWERS, compose)) == []


def test_a_remote_engine_that_answers_is_as_good() -> None:
    there = facts(DEBIAN_USER, Engine.ANSWERS, (2, 40), endpoint="tcp://10.0.0.1:2376", source="DOCKER_HOST")
    assert plan.plan(there) == []


@pytest.mark.parametrize(
    ("here", "steps"),
    [
        ({}, [Step.ENGINE, Step.COMPOSE, Step.START]),
        ({"client": True}, [Step.ENGINE, Step.COMPOSE, Step.START]),
        ({"daemon": True}, [Step.ENGINE, Step.COMPOSE, Step.START]),
        ({"client": True, "compose": (2, 40, 3)}, [Step.ENGINE, Step.START]),
        ({"client": True, "daemon": True}, [Step.COMPOSE, Step.START]),
        ({"client": True, "daemon": True, "compose": (2, 40, 3)}, [Step.START]),
        ({"client": True, "daemon": True, "compose": (1, 29, 2)}, [Step.COMPOSE, Step.START]),
        ({"client": True, "engine": Engine.ANSWERS}, [Step.COMPOSE]),
    ],
)
def test_root_on_debian_gets_exactly_what_is_missing(here: dict[str, Any], steps: list[Step]) -> None:
    assert plan.plan(facts(**here)) == steps


def test_an_installed_daemon_is_started_on_any_linux() -> None:
    assert plan.plan(facts(FEDORA, compose=(2, 40), client=True, daemon=True)) == [Step.START]


@pytest.mark.parametrize(
    ("here", "words"),
    [
        (facts(DEBIAN_USER), "needs root to install the Docker engine and install a Compose v2 plugin and start"),
        (facts(DEBIAN_USER, compose=(2, 40), client=True, daemon=True), "needs root to start the Docker daemon, so"),
        (facts(DEBIAN_USER, Engine.ANSWERS), "`docker compose` is not Compose 2.8 or newer: it needs root"),
        (facts(FEDORA), "only Debian and Ubuntu are known here"),
        (facts(MACOS), "start Docker Desktop, OrbStack or Colima"),
        (facts(DEBIAN_USER, Engine.DENIED, (2, 40)), "sudo usermod -aG docker"),
        (facts(endpoint="tcp://10.0.0.1:2376", source="DOCKER_HOST"), "tcp://10.0.0.1:2376, where DOCKER_HOST"),
        (
            facts(endpoint="unix:///home/u/.docker/desktop/docker.sock", source="the Docker context desktop-linux"),
            "the Docker context desktop-linux",
        ),
    ],
)
def test_refusals_say_what_is_missing_and_what_to_do(here: Facts, words: str) -> None:
    with pytest.raises(RefusalError) as refusal:
        plan.plan(here)
    assert words in str(refusal.value)
    assert "run this again" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("endpoint", ["", "unix:///var/run/docker.sock", "unix:///run/docker.sock"])
def test_this_machines_own_socket_is_not_foreign(endpoint: str) -> None:
    assert plan.plan(facts(endpoint=endpoint, source="DOCKER_HOST"))
