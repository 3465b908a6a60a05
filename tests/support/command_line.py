"""The command line as Typer reads it, for tests of texts that name commands; nothing is run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from deployer.cli.default_command import DEFAULT
from deployer.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

# Typer has Click inside, under its own name.
UsageError: Any = typer.BadParameter.__base__


@cache
def program() -> Any:
    """The command `deployer`."""
    return typer.main.get_command(app)


def known(words: list[str]) -> Any | None:
    """The command that these words begin with."""
    command = program()
    for word in words:
        if not hasattr(command, "commands"):
            break
        # A group may have a command that needs no name.
        command = command.commands.get(word) or command.commands.get(DEFAULT)
        if command is None:
            return None
    return command.commands.get(DEFAULT, command) if hasattr(command, "commands") else command


def options_of(command: Any) -> set[str]:
    """The options of a command, as they are written."""
    return {name for parameter in command.params for name in parameter.opts}


def commands(group: Any = None, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its words."""
    for name, command in (group or program()).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def parse(words: list[str]) -> None:
    """Let the command line's own parser read the words. Raises UsageError."""
    command, name, context = program(), "deployer", None
    while True:
        try:
            context = command.make_context(name, list(words), parent=context)
        except typer.Exit:
            return
        if not hasattr(command, "commands"):
            return
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
