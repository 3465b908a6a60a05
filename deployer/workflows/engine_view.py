"""What trust needs to know of the Docker engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class EngineFacts(Protocol):
    """What must be known of the engine."""

    @property
    def version(self) -> str:
        """Such as "28.5.2"."""

    @property
    def rootless(self) -> bool:
        """Whether it runs as an ordinary user."""

    @property
    def desktop(self) -> bool:
        """Whether it is Docker Desktop's."""

    @property
    def endpoint(self) -> str:
        """Where it listens."""


class Registries(Protocol):
    """The registries that the running engine accepts without verified TLS."""

    @property
    def cidrs(self) -> Sequence[str]:
        """Networks."""

    @property
    def hosts(self) -> Sequence[str]:
        """Names with their ports."""


@dataclass(frozen=True)
class EngineView:
    """The engine, asked at the moment: `facts` is None where none answers, and `silence` says why."""

    facts: EngineFacts | None
    registries: Callable[[], Registries]
    silence: str = ""
