"""Sizes, ages and counts in words, the same in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.registry.content.moments import TOLERANCE

if TYPE_CHECKING:
    from datetime import datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_MINUTE = 60
_HOUR = 3600
_DAY = 24 * _HOUR


def size(count: int) -> str:
    """A number of bytes, in powers of 1000 and three digits as Docker shows it: "76.1 MB"."""
    # Rounded as a whole number: a half is a half, and what becomes 1000 belongs to the next unit.
    step = int(10 ** max(0, len(str(count)) - 3))
    rounded = (count + step // 2) // step * step
    unit = min(len(_UNITS) - 1, (len(str(rounded)) - 1) // 3)
    whole, part = divmod(rounded, 1000**unit)
    digits = f"{part:0{3 * unit}}".rstrip("0") if unit else ""
    return f"{whole}{'.' if digits else ''}{digits} {_UNITS[unit]}"


def age(moment: datetime, now: datetime) -> str:
    """How long ago a moment was: "3 days ago". Units change where Docker's do."""
    seconds = int((now - moment).total_seconds() // 1)
    if seconds < -TOLERANCE.total_seconds():
        return "in the future"
    if seconds < _MINUTE:
        return "just now"
    return f"{_length(seconds)} ago"


def _length(seconds: int) -> str:
    if seconds < _HOUR:
        return counted(seconds // _MINUTE, "minute")
    hours = (seconds + _HOUR // 2) // _HOUR
    if hours < 2 * 24:
        return counted(hours, "hour")
    if hours < 14 * 24:
        return counted(hours // 24, "day")
    if hours < 60 * 24:
        return counted(hours // 24 // 7, "week")
    if hours < 730 * 24:
        return counted(hours // 24 // 30, "month")
    return counted(seconds // _DAY // 365, "year")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 tag", "3 tags"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def moment(time: datetime) -> str:
    """A time: "2026-11-30 08:15:00 UTC"."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def timestamp(time: datetime) -> str:
    """A time for programs: "2026-11-30T08:15:00Z"."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
