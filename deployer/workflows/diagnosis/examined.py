"""What `doctor` looks at: every family of findings starts from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deployer.engine.system import EngineInfo
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.finding import Finding


@dataclass(frozen=True)
class Examined:
    """A deployment or a registry elsewhere, and the machine that asks.

    With `named` the deployment was named; otherwise a host or port that is not its own is a
    client's question about another registry, and nothing is said of the deployment here.
    """

    stack: Stack
    environment: Mapping[str, str]
    named: bool

    @cached_property
    def engine_info(self) -> EngineInfo:
        """What the engine says of itself, asked once. Raises EngineError."""
        return self.stack.engine.system.info()


@dataclass(frozen=True)
class Family:
    """Findings of one kind. With `needs_engine` they are not looked for where no engine answers."""

    examine: Callable[[Examined], Iterator[Finding]]
    needs_engine: bool = False
