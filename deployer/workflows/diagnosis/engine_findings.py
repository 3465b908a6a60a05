"""Whether the Docker client reaches an engine that will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.workflows.diagnosis.examined import Examined


def examine(examined: Examined) -> Iterator[Finding]:
    """Ask for the engine, and whether it will do for `up`."""
    engine = examined.stack.engine
    yield Finding(FindingState.OK, f"The Docker engine responds (version {engine.system.version()}).")
    try:
        examined.stack.check_engine()
    except DeployerError as error:
        # A client pushes and pulls without Compose, and with an engine elsewhere; only `up` cannot.
        yield Finding(
            FindingState.NOTE, f"{error.message} This matters only on the machine that runs the registry.", error.advice
        )
