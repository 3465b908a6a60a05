"""Arguments and options that several groups of commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.errors import UsageError

if TYPE_CHECKING:
    from deployer.cli.session import Session
    from deployer.workflows.upkeep.gate import DrainPolicy

UserArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the user.", show_default=False)]
WaitOption = Annotated[
    str,
    typer.Option("--wait", metavar="TIME", help="How long to wait for pushes in progress before pausing writes."),
]
WAIT = "20s"


def drain_policy(session: Session, wait: str) -> DrainPolicy:
    """What --wait says. Raises UsageError."""
    from deployer.workflows.upkeep.gate import DrainPolicy

    return DrainPolicy(seconds("--wait", wait), session.out.note)


def seconds(flag: str, text: str) -> int:
    """A length of time that an option says, in seconds. Raises UsageError."""
    from deployer.settings.values.duration import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}.") from error
