"""The times of a schedule: the last one up to a moment, and the next one after it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from deployer.settings.schedule import WEEKDAYS, Cadence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from deployer.settings.schedule import When

LOCAL_TIME = Path("/etc/localtime")
# More than the days between the first of two months.
_DAYS = 33


def zone_of_machine(file: Path = LOCAL_TIME) -> tzinfo:
    """The machine's time zone, which systemd and a container in its file system use, whatever TZ says."""
    try:
        with file.open("rb") as stream:
            return ZoneInfo.from_file(stream)
    except (OSError, ValueError):
        return UTC


def latest(when: When, moment: datetime, zone: tzinfo) -> datetime:
    """The last time at or before a moment."""
    return next(found for found in _times(when, moment, zone, step=-1) if found <= moment)


def following(when: When, moment: datetime, zone: tzinfo) -> datetime:
    """The first time after a moment."""
    return next(found for found in _times(when, moment, zone, step=1) if found > moment)


def systemd_calendar(when: When) -> str:
    """A time as systemd's calendar event (systemd.time(7))."""
    day = "01" if when.cadence is Cadence.MONTHLY else "*"
    weekday = f"{WEEKDAYS[when.weekday].capitalize()} " if when.cadence is Cadence.WEEKLY else ""
    return f"{weekday}*-*-{day} {when.hour:02}:{when.minute:02}:00"


def _times(when: When, moment: datetime, zone: tzinfo, *, step: int) -> Iterator[datetime]:
    """The times around a moment in UTC, forwards or backwards.

    A time that the clock skips in spring is later by what it skips; of one that it repeats in autumn, the first counts.
    """
    today = moment.astimezone(zone).date()
    # Around midnight, the day before may have the next time.
    for number in range(-1, _DAYS):
        day = today + timedelta(days=step * number)
        if _is_day(when, day):
            yield datetime.combine(day, time(when.hour, when.minute), zone).astimezone(UTC)


def _is_day(when: When, day: date) -> bool:
    if when.cadence is Cadence.WEEKLY:
        return day.weekday() == when.weekday
    return when.cadence is Cadence.DAILY or day.day == 1
