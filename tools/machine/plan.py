"""What has to be done about an engine: decided on the facts alone."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from tools.machine.errors import RefusalError
from tools.machine.facts import Engine
from tools.machine.versions import OLDEST_COMPOSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.machine.facts import Facts

LOCAL_ENDPOINTS = ("", "unix:///var/run/docker.sock", "unix:///run/docker.sock")


class Step(enum.Enum):
    """One thing to do, in the words of the announcement."""

    ENGINE = "install the Docker engine"
    COMPOSE = "install a Compose v2 plugin"
    START = "start the Docker daemon"


def plan(facts: Facts) -> list[Step]:
    """Return what is missing, in the order of doing it; refuse what we must or can not do."""
    steps = []
    if facts.engine is not Engine.ANSWERS:
        refuse_foreign_engine(facts)
        if not (facts.client and facts.daemon):
            steps.append(Step.ENGINE)
    if facts.compose < OLDEST_COMPOSE:
        steps.append(Step.COMPOSE)
    if facts.engine is not Engine.ANSWERS:
        steps.append(Step.START)
    if steps:
        refuse_without_rights(facts, steps)
    return steps


def refuse_foreign_engine(facts: Facts) -> None:
    """Refuse where the client is set to an engine that is not this machine's, or is kept from using ours."""
    if facts.endpoint not in LOCAL_ENDPOINTS:
        raise RefusalError(
            f"No engine answers at {facts.endpoint}, where {facts.source} sends Docker's client: start that "
            "engine, or unset DOCKER_HOST and run `docker context use default`, then run this again."
        )
    if facts.engine is Engine.DENIED:
        raise RefusalError(
            "A Docker engine runs here, but you may not use it: run `sudo usermod -aG docker $USER`, log in "
            "again, then run this again."
        )


def refuse_without_rights(facts: Facts, steps: Sequence[Step]) -> None:
    """Refuse, naming what is missing and what to do, unless we are root on Debian or Ubuntu."""
    silent = facts.engine is not Engine.ANSWERS
    missing = "No Docker engine answers" if silent else "`docker compose` is not Compose 2.8 or newer"
    if facts.host.macos:
        raise RefusalError(f"{missing}: start Docker Desktop, OrbStack or Colima, then run this again.")
    if not facts.host.apt and steps != [Step.START]:
        raise RefusalError(
            f"{missing}, and only Debian and Ubuntu are known here: install Docker Engine and its Compose v2 "
            "plugin with your system's package manager, start it, then run this again."
        )
    if not facts.host.root:
        todo = " and ".join(step.value for step in steps)
        raise RefusalError(
            f"{missing}: it needs root to {todo}, so run `sudo python3 -m tools.machine engine`, let yourself in "
            "with `sudo usermod -aG docker $USER`, log in again, then run this again."
        )
