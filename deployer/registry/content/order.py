"""The order of names: numbers by their value, and before words."""

from __future__ import annotations

import re

_PARTS = re.compile(r"([0-9]+)")

NaturalKey = tuple[tuple[tuple[int, int, str], ...], str]


def natural(text: str) -> NaturalKey:
    """A sorting key that puts `7.9` before `7.10`, numbers before words, and capitals beside small letters."""
    parts = (part for part in _PARTS.split(text.lower()) if part)
    return tuple((0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts), text
