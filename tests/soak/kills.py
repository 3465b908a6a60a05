"""What is killed while a command runs."""

from __future__ import annotations

import os
import signal
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.support.cut_off import helpers, kill_all
from tests.support.stack import docker

if TYPE_CHECKING:
    from tests.support.dockerd import Dockerd
    from tests.support.stack import DeployedStack
    from tests.support.warm import Warm


class Victim(StrEnum):
    """What is killed, in the words of the report."""

    COMMAND = "the command"
    WITH_CHILDREN = "the command and what it started"
    HELPER = "the helper"
    REGISTRY = "the registry"
    FRONTEND = "the frontend"
    ENGINE = "the engine"


def kill(victim: Victim, command: Warm, stack: DeployedStack, engine: Dockerd) -> None:
    """Kill it with SIGKILL, as the kernel does when memory ends; what is gone already is no failure."""
    match victim:
        case Victim.COMMAND:
            command.kill()
        case Victim.WITH_CHILDREN:
            kill_all(command)
        case Victim.HELPER:
            for helper in helpers(stack):
                _kill_container(helper)
        case Victim.REGISTRY | Victim.FRONTEND:
            _kill_container(f"{stack.name}-{victim.name.lower()}-1")
        case Victim.ENGINE:
            os.kill(engine.pid, signal.SIGKILL)


def _kill_container(name: str) -> None:
    """Kill a container's program behind the engine's back: what the engine kills itself it does not start again."""
    found = docker("inspect", "--format", "{{.State.Pid}}", name, check=False).strip()
    if found.isdigit() and int(found):
        try:
            os.kill(int(found), signal.SIGKILL)
        except ProcessLookupError:
            return
