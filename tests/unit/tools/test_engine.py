"""What an engine needs, and which engine is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.machine import engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess


@pytest.mark.parametrize(
    ("client", "apparmor", "candidates", "packages"),
    [
        (False, False, {}, ["docker.io", "ca-certificates"]),
        (False, False, {"docker-cli": (26, 1, 5)}, ["docker.io", "ca-certificates", "docker-cli"]),
        (True, False, {"docker-cli": (26, 1, 5)}, ["docker.io", "ca-certificates"]),
        (True, True, {}, ["docker.io", "ca-certificates", "apparmor"]),
    ],
    ids=["debian-12", "debian-13", "client here", "apparmor"],
)
def test_the_packages_of_the_engine(
    *, client: bool, apparmor: bool, candidates: dict[str, tuple[int, ...]], packages: list[str]
) -> None:
    assert engine.engine_packages(client=client, apparmor=apparmor, candidates=candidates) == packages


def test_a_remote_engine_that_does_not_answer_is_not_touched(run: Callable[..., CompletedProcess[str]]) -> None:
    done = run("engine", DOCKER_HOST="tcp://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "127.0.0.1:9" in done.stderr
