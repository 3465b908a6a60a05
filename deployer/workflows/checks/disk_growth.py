"""How fast a disk fills, from the disk guard's hourly notes, and how long its free space will last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Older growth says little about the current rate.
_WINDOW = timedelta(days=14)
# With less, one large push or one garbage collection would count as a trend.
_LEAST_SPAN = timedelta(days=3)
_LEAST_SAMPLES = 10
# At most one sample per interval: the slope is computed from all pairs.
_INTERVAL_SECONDS = 6 * 3600
_DAY_SECONDS = 24 * 3600.0
# A prediction further ahead would be worth nothing.
_MOST_DAYS = 365


@dataclass(frozen=True)
class Sample:
    """The bytes of a disk, and those free, at a time in UTC."""

    time: datetime
    total: int
    free: int

    @classmethod
    def of(cls, line: str) -> Sample | None:
        """Parse a line of the history: seconds since 1970, the total and the free KiB; None if it is damaged."""
        words = line.split()
        if len(words) != 3 or not all(word.isdecimal() and len(word) < 16 for word in words):
            return None
        seconds, total, free = map(int, words)
        try:
            return cls(datetime.fromtimestamp(seconds, UTC), total * 1024, free * 1024)
        except (OverflowError, ValueError, OSError):
            return None


def days_left(samples: Iterable[Sample], room: int, total: int, now: datetime) -> int | None:
    """In how many days `room` bytes will be used up, on a disk of `total` bytes; None if unknown.

    The growth is the median of the slopes between all pairs (Theil and Sen): a collection, a large push or a
    clock that was wrong for a while hardly changes it. Samples with quite another total are of another disk.
    """
    known = _thinned(sorted(_recent(samples, total, now), key=lambda one: one.time))
    if len(known) < _LEAST_SAMPLES or known[-1].time - known[0].time < _LEAST_SPAN:
        return None
    slopes = (
        (earlier.free - later.free) / (later.time - earlier.time).total_seconds()
        for earlier, later in combinations(known, 2)
    )
    growth = median(slopes) * _DAY_SECONDS
    if growth <= 0 or room > growth * _MOST_DAYS:
        return None
    return max(0, int(room / growth))


def _recent(samples: Iterable[Sample], total: int, now: datetime) -> list[Sample]:
    # In a pool, such as ZFS's, the total changes with what others store in it.
    return [one for one in samples if now - _WINDOW <= one.time <= now and abs(one.total - total) <= total // 10]


def _thinned(samples: Sequence[Sample]) -> list[Sample]:
    """The last one of each interval."""
    return list({int(one.time.timestamp()) // _INTERVAL_SECONDS: one for one in samples}.values())
