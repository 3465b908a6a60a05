"""A group of commands of which one needs no name: `deployer backup DIR` is `deployer backup create DIR`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

_WITH_VALUE = frozenset({"--config", "-c", "--name", "--host", "--port"})
DEFAULT = "create"


class DefaultGroup(TyperGroup):
    """Runs `create` where the first word is no command. The options that every command has may stand before it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's own kind
        """Put the command's name in front of its words."""
        rest = args[_shared(args) :]
        # Its own options may come before its words.
        if args and (not rest or (rest[0] not in self.commands and rest[0] not in {"-h", "--help"})):
            args = [DEFAULT, *args]
        return list(super().parse_args(ctx, args))


def _shared(args: list[str]) -> int:
    """How many words at the beginning are options that every command has, with their values."""
    place = 0
    while place < len(args) and args[place].partition("=")[0] in _WITH_VALUE:
        place += 1 if "=" in args[place] else 2
    return min(place, len(args))
