"""Sizes, ages and counts in words, the same in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_AGES = (
    (365 * 86400, "year"),
    (30 * 86400, "month"),
    (7 * 86400, "week"),
    (86400, "day"),
    (3600, "hour"),
    (60, "minute"),
)


def size(count: int) -> str:
    """A number of bytes, in powers of 1000 as Docker shows it: "76.1 MB"."""
    value = float(count)
    for unit in _UNITS:
        if value < 999.95 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def age(moment: datetime, now: datetime) -> str:
    """How long ago a moment was: "3 days ago"."""
    seconds = int((now - moment).total_seconds())
    if seconds < 0:
        return "in the future"
    for length, name in _AGES:
        if seconds >= length:
            return f"{counted(seconds // length, name)} ago"
    return "just now"


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 tag", "3 tags"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
