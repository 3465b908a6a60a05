"""Sizes as people write them: 50MB, 1.5GB, 200k."""

from __future__ import annotations

import re

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_WRITTEN = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)

_LEAST_RATE = 10_000


def bytes_of(text: str) -> int:
    """A size in bytes; without a unit it is in bytes. Raises ValueError with a sentence."""
    found = find(text)
    if found is None:
        raise ValueError(f"'{text}' is not a valid size: use a number followed by kB, MB or GB, such as 50MB")
    return found


def rate_of(text: str) -> int:
    """How much is read in a second, in bytes. Raises ValueError with a sentence."""
    found = bytes_of(text)
    if found < _LEAST_RATE:
        raise ValueError(f"'{text}' is too slow: at least 10kB per second")
    return found


def find(text: str, *, needs_unit: bool = False) -> int | None:
    """A size in bytes, None for anything else."""
    match = _WRITTEN.fullmatch(text.strip())
    if not match or ((match[3] or needs_unit) and not match[2]):
        return None
    units = _BINARY if match[3] else _UNITS
    return int(float(match[1]) * units[match[2].lower()])
