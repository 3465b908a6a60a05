"""Patterns of repository names, as `catalog`, retention rules and access rules take them.

`*` matches any part of a name, slashes too, and `?` one character. `[ab]` matches one of these characters and `[!ab]`
any other, but not in access rules: the frontend compares these, as regular expressions of Go.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILDCARD = re.compile(r"[*?\[]")
_COMPARABLE = re.compile(r"[a-z0-9*?]([a-z0-9._/*?-]*[a-z0-9*?])?")
# As `fnmatch` reads them: a bracket at their start is one of the characters.
_ONE_OF = re.compile(r"\[!?\]?[^\]]*\]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789._/-"
_IN_NAME = "[a-z0-9._/-]"
_EVERY = rf"{_IN_NAME}+|\*"


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is of this name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def is_name(pattern: str) -> bool:
    """Whether it matches nothing but the name that it is."""
    return not _WILDCARD.search(pattern)


def is_comparable(pattern: str) -> bool:
    """Whether the frontend can compare it, and a repository's name can match it."""
    return bool(_COMPARABLE.fullmatch(pattern))


def can_match(pattern: str) -> bool:
    """Whether a repository's name can match it, also where it has `[ab]` or `[!ab]`."""

    def one_of(found: re.Match[str]) -> str:
        return "?" if any(fnmatchcase(letter, found[0]) for letter in _LETTERS) else found[0]

    return is_comparable(_ONE_OF.sub(one_of, pattern))


def split(alternatives: str) -> list[str]:
    """The expressions of patterns that are put together as alternatives, such as `a|b`."""
    return alternatives.replace(_EVERY, "\0").replace("|", "\n").replace("\0", _EVERY).split("\n")


def pattern_of(made: str) -> str:
    """The pattern of which `expression` made this."""
    if made == _EVERY:
        return "*"
    return re.sub(r"\\(.)", r"\1", made.replace(f"{_IN_NAME}*", "*").replace(_IN_NAME, "?"))


def expression(pattern: str) -> str:
    """The same as a regular expression of Go.

    Only a pattern that takes every repository takes the catalog, which is named `*`.
    """
    if not pattern.strip("*"):
        return _EVERY
    return "".join(f"{_IN_NAME}*" if one == "*" else _IN_NAME if one == "?" else re.escape(one) for one in pattern)
