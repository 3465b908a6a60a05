"""Sizes, ages and counts in words, the same in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.phrases import size as size  # noqa: PLC0414 - views find all their words here
from deployer.registry.content.moments import TOLERANCE

if TYPE_CHECKING:
    from datetime import datetime

_MINUTE = 60
_HOUR = 3600
_DAY = 24 * _HOUR


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
