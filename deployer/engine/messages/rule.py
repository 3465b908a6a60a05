"""One rule of the tables that turn Docker's messages into sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from deployer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping


_UNSET = re.compile(r"unset (\w+)")


@dataclass(frozen=True)
class MessageRule:
    """A text that Docker prints, as a pattern, and the message that users get for it.

    In `message` and `advice`, {1} is the pattern's first group, {address} the registry's address,
    {at} the flags that name it, and {own_engine} the command that makes the client use this machine's
    engine. One with a `variable` is only for a client that had this variable.
    """

    text: str
    message: str
    advice: tuple[str, ...] = ()
    kind: type[EngineError] = EngineError
    variable: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The text as a pattern; upper and lower case are the same."""
        return re.compile(self.text, re.IGNORECASE)

    def error_for(self, original: str, address: str, variables: Mapping[str, str]) -> EngineError | None:
        """The error for what Docker printed, or None if it is another message.

        `variables` are those that the client ran with; `unset` is advised of these alone. Of another registry,
        such as "the image's registry", nothing is advised that is about our own.
        """
        found = self.pattern.search(original)
        if found is None or (self.variable and not variables.get(self.variable)):
            return None
        host, _, port = address.rpartition(":")
        words = {"at": f" --host {host.strip('[]')} --port {port}" if port.isdecimal() else ""}
        words |= {str(number): group for number, group in enumerate(found.groups(""), 1)}
        words["address"] = address or "the registry"
        words["own_engine"] = _own_engine(variables)
        advice = tuple(
            line
            for line in self.advice
            if (host or not _is_about_ours(line, is_foreign=bool(address))) and not _is_of_unset(line, variables)
        )
        return self.kind(_filled(self.message, words), tuple(_filled(line, words) for line in advice), original)


def _is_about_ours(line: str, *, is_foreign: bool) -> bool:
    return "{address}" in line or "{at}" in line or (is_foreign and "deployer" in line)


def _own_engine(variables: Mapping[str, str]) -> str:
    # docker/cli, cli/command/cli.go, resolveContextName: in this order.
    named = next((name for name in ("DOCKER_HOST", "DOCKER_CONTEXT") if variables.get(name)), "")
    return f"unset {named}" if named else "docker context use default"


def _is_of_unset(line: str, variables: Mapping[str, str]) -> bool:
    found = _UNSET.match(line)
    return found is not None and not variables.get(found[1])


def _filled(text: str, words: dict[str, str]) -> str:
    # At once, so that what Docker printed is never filled itself.
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), text)


def rule(
    text: str, message: str, *advice: str, kind: type[EngineError] = EngineError, variable: str = ""
) -> MessageRule:
    """A rule of a table."""
    return MessageRule(text, message, advice, kind, variable)
