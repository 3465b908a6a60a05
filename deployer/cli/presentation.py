"""How a user wants the result of a command, and what a result must offer for that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from deployer.cli.output import Output

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be done without changing anything.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question.")]

# The fields of Presentation, as a command names those that it offers.
Offer = Literal["as_json", "dry_run", "yes"]


@dataclass(frozen=True)
class Presentation:
    """Whether a result is wanted as JSON, whether only the plan is, and whether questions are answered already.

    A command offers some of these options, see `registration.command`; the others stay False.
    """

    as_json: JsonOption = False
    dry_run: DryRunOption = False
    yes: YesOption = False


class Report(ABC):
    """What a command found, plans or did: a frozen dataclass around a workflow's value.

    `Session.show` prints it, as JSON or for people.
    """

    @abstractmethod
    def as_json(self) -> Any:  # noqa: ANN401 - whatever JSON can hold
        """The result as docs/reference/json-output.md describes it."""

    @abstractmethod
    def print(self, out: Output) -> None:
        """Print the result for people."""

    def remark(self, out: Output) -> None:  # noqa: B027 - most reports have nothing to add
        """Print what is no result and is said in both cases, after it: warnings, what to do next."""

    @property
    def moved_bytes(self) -> int | None:
        """How many bytes the command stored or freed, for the record of a scheduled run; None if it says nothing."""
        return None

    @property
    def concern(self) -> str:
        """Why a scheduled run counts as failed although the command did what it should; "" for nothing."""
        return ""

    @property
    def has_failed(self) -> bool:
        """Whether the command is to end with exit code 1."""
        return False
