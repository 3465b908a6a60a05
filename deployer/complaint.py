"""One line of the tables that turn Docker's error texts into sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from deployer.errors import EngineError


@dataclass(frozen=True)
class Complaint:
    """A text that Docker prints, as a pattern, and what a user is told for it.

    In `message` and `advice`, {1} is the pattern's first group, {address} the registry's address
    and {at} the flags that name it.
    """

    text: str
    message: str
    advice: tuple[str, ...] = ()
    kind: type[EngineError] = EngineError

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The text as a pattern; upper and lower case are the same."""
        return re.compile(self.text, re.IGNORECASE)

    def said_of(self, original: str, address: str) -> EngineError | None:
        """The error for what Docker printed, or None where it is another complaint.

        Of another registry, such as "the hub", nothing is advised that is about our own.
        """
        found = self.pattern.search(original)
        if found is None:
            return None
        host, _, port = address.rpartition(":")
        words = {"at": f" --host {host.strip('[]')} --port {port}" if port.isdecimal() else ""}
        words |= {str(number): group for number, group in enumerate(found.groups(""), 1)}
        words["address"] = address or "the registry"
        advice = tuple(line for line in self.advice if host or not _is_about_ours(line, is_foreign=bool(address)))
        return self.kind(_filled(self.message, words), tuple(_filled(line, words) for line in advice), original)


def _is_about_ours(line: str, *, is_foreign: bool) -> bool:
    return "{address}" in line or "{at}" in line or (is_foreign and "deployer" in line)


def _filled(text: str, words: dict[str, str]) -> str:
    # At once, so that what Docker printed is never filled itself.
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found[1], found[0]), text)


def complaint(text: str, message: str, *advice: str, kind: type[EngineError] = EngineError) -> Complaint:
    """A line of a table."""
    return Complaint(text, message, advice, kind)
