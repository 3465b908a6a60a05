"""When something was made: as its creator says if that can be true, otherwise when it was pushed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from deployer.registry.content.order import natural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deployer.registry.content.order import NaturalKey

Thing = TypeVar("Thing")

# RFC 3339 as Go writes it; without a zone it is UTC, and a day alone is its first moment.
_WRITTEN = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))?)?"
)
# Longer ones no program writes, and the page's lists have no room for them.
_MOST_CHARACTERS = 64
# Tools that build reproducibly write a moment of about then into every image, which says nothing.
_NO_REAL_TIME = datetime(1980, 1, 2, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799
# By so much the clocks of two machines may differ.
TOLERANCE = timedelta(minutes=5)


class Source(StrEnum):
    """What a moment is known from."""

    CREATED = "created"
    PUSHED = "pushed"


@dataclass(frozen=True)
class Moment:
    """When something was made, and what says so."""

    at: datetime
    source: Source


def parse_time(value: object) -> datetime | None:
    """A moment as RFC 3339 writes it, in UTC; None if there is none.

    None also for the year 1, which Go writes if a program set no time.
    """
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) and len(value) <= _MOST_CHARACTERS else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micro = int((found[7] or "0")[:6].ljust(6, "0"))
    ahead, minutes = int(found[9] or 0), int(found[10] or 0)
    if ahead > 23 or minutes > 59:
        return None
    offset = timedelta(hours=ahead, minutes=minutes) * (-1 if found[8] == "-" else 1)
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1 else None


def at_second(seconds: int) -> datetime:
    """A moment in seconds since 1970, as files have them; those beyond the calendar are its last."""
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), UTC)


def real_time(created: datetime | None, now: datetime) -> datetime | None:
    """A creation time, or None if nothing can have been made then: of a reproducible build, or ahead of now."""
    return created if created and _NO_REAL_TIME < created <= now + TOLERANCE else None


def moment_of(created: datetime | None, pushed: datetime | None, now: datetime) -> Moment | None:
    """The creation where it is real, otherwise the push; None if neither is known."""
    real = real_time(created, now)
    if real:
        return Moment(real, Source.CREATED)
    return Moment(pushed, Source.PUSHED) if pushed else None


def newest_first(
    things: Iterable[Thing],
    name: Callable[[Thing], str],
    at: Callable[[Thing], datetime | None],
    pushed: Callable[[Thing], datetime | None],
) -> list[Thing]:
    """By moment, of equal ones the last pushed first, then the last in natural order; those without a moment last."""

    def key(thing: Thing) -> tuple[float, float, NaturalKey]:
        return _seconds(at(thing)), _seconds(pushed(thing)), natural(name(thing))

    return sorted(things, key=key, reverse=True)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else float("-inf")
