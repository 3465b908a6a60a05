"""What was looked at and found, by `doctor`, `status`, `gc` and `prune`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from deployer.errors import DeployerError

_OWN_COMMAND = "deployer doctor"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what was found, and how to fix it."""

    state: Literal["ok", "note", "wrong"]
    sentence: str
    advice: tuple[str, ...] = ()
    original: str = ""

    @classmethod
    def of(cls, error: DeployerError) -> Finding:
        """The finding that an error stands for; advice to run doctor is left out, since this is doctor."""
        problems = "\n".join(getattr(error, "problems", ()))
        advice = tuple(line for line in error.advice if _OWN_COMMAND not in line)
        return cls("wrong", error.message, advice, "\n".join(filter(None, (problems, error.original))))
