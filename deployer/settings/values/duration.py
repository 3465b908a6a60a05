"""Lengths of time as people write them: 30d, 12h, 2w."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_WRITTEN = re.compile(r"(\d+)([smhdw])")
_MOST = 9_999_999


def seconds_of(text: str) -> int:
    """A length of time in seconds. Raises ValueError with a sentence."""
    match = _WRITTEN.fullmatch(text.strip())
    if not match:
        raise ValueError(f"'{text}' is not a valid duration: use a number followed by s, m, h, d or w, such as 30d")
    # Python reads no number of more than 4300 digits.
    if len(match[1]) > 100 or int(match[1]) > _MOST:
        raise ValueError(f"'{text}' is too long: the number may be at most {_MOST}")
    return int(match[1]) * _UNITS[match[2]]


def written(seconds: int) -> str:
    """The shortest way to write a length of time exactly."""
    unit = next((name for name, length in reversed(_UNITS.items()) if seconds and seconds % length == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"
