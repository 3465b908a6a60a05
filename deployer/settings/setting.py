"""How a setting is declared, with its check and its line in docs/reference/settings.md."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.settings.values.checks import Check

    Write = Callable[[Any], object]


def checked(check: Check, default: Any, about: str, write: Write | None = None) -> Any:  # noqa: ANN401 - as in field
    """A setting; `about` is its line in the reference. `write` gives the value as in deployer.yaml, if that differs."""
    return field(default=default, metadata={"check": check, "about": about, "write": write})


def section(kind: type[Any], about: str, *, short: str = "") -> Any:  # noqa: ANN401
    """A group of settings; a plain value in its place is the one that `short` names."""
    return field(default_factory=kind, metadata={"section": kind, "short": short, "about": about})


def list_of(kind: type[Any], about: str) -> Any:  # noqa: ANN401
    """A list of groups of settings."""
    return field(default=(), metadata={"each": kind, "about": about})
