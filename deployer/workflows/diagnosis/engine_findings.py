"""Whether the Docker client reaches a suitable engine, and whether that engine starts at boot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.host.daemon.process import is_elsewhere
from deployer.workflows.autostart.engine_start import Machine, starts
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.workflows.diagnosis.examined import Examined


def examine(examined: Examined) -> Iterator[Finding]:
    """Check whether there is an engine, and whether `up` can use it."""
    engine = examined.stack.engine
    yield Finding(FindingState.OK, f"The Docker engine responds (version {engine.system.version()}).")
    try:
        examined.stack.check_engine()
    except DeployerError as error:
        # A client pushes and pulls without Compose, and with an engine elsewhere; only `up` cannot.
        yield Finding(
            FindingState.NOTE, f"{error.message} This matters only on the machine that runs the registry.", error.advice
        )


def start(examined: Examined, machine: Machine | None = None) -> Iterator[Finding]:
    """Check whether the engine of a deployment on this machine starts at boot."""
    facts = examined.engine_info.facts
    if is_elsewhere(facts.endpoint) or not examined.is_of_deployment or not examined.containers:
        return
    if starts(machine or Machine.here(), facts.kind) is False:
        yield Finding(
            FindingState.WRONG,
            "The engine does not start at boot: after a reboot, the registry is not available.",
            ("deployer autostart",),
        )
