"""When scheduled commands run, in local time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.settings.schedule import When, when_of
from deployer.workflows.schedule.calendar import following, latest, systemd_calendar, zone_of_machine

if TYPE_CHECKING:
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "moment", "before", "after"),
    [
        # 1 December 2026 is a Tuesday; Berlin is an hour ahead in winter.
        ("02:30", "2026-12-01T01:30", "2026-12-01T01:30", "2026-12-02T01:30"),
        ("02:30", "2026-12-01T01:29", "2026-11-30T01:30", "2026-12-01T01:30"),
        ("00:15", "2026-12-01T23:30", "2026-12-01T23:15", "2026-12-02T23:15"),
        ("sun 04:00", "2026-12-01T12:00", "2026-11-29T03:00", "2026-12-06T03:00"),
        ("mon 04:00", "2026-12-01T12:00", "2026-11-30T03:00", "2026-12-07T03:00"),
        ("monthly 04:00", "2026-12-01T02:59", "2026-11-01T03:00", "2026-12-01T03:00"),
        ("monthly 04:00", "2026-12-31T12:00", "2026-12-01T03:00", "2027-01-01T03:00"),
        # The clock goes forward at 02:00 on 28 March 2027, and back at 03:00 on 31 October.
        ("02:30", "2027-03-28T00:00", "2027-03-27T01:30", "2027-03-28T01:30"),
        ("02:30", "2027-03-28T12:00", "2027-03-28T01:30", "2027-03-29T00:30"),
        ("02:30", "2027-10-31T01:00", "2027-10-31T00:30", "2027-11-01T01:30"),
    ],
)
def test_times_are_of_the_local_clock(when: str, moment: str, before: str, after: str) -> None:
    found = when_of(when, 0, 0)
    assert latest(found, at(moment), BERLIN) == at(before)
    assert following(found, at(moment), BERLIN) == at(after)


whens = st.sampled_from(["daily", "monthly", "mon", "sun"]).flatmap(
    lambda word: st.builds(lambda hour, minute: when_of(word, hour, minute), st.integers(0, 23), st.integers(0, 59))
)


@given(whens, st.integers(946_684_800, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_a_moment_is_between_the_last_time_and_the_next(when: When, moment: datetime) -> None:
    before, after = latest(when, moment, BERLIN), following(when, moment, BERLIN)
    assert before <= moment < after
    assert after - before <= timedelta(days=31, hours=1)
    assert following(when, before, BERLIN) == after


@pytest.mark.parametrize(
    ("when", "event"),
    [("02:30", "*-*-* 02:30:00"), ("sun 04:05", "Sun *-*-* 04:05:00"), ("monthly 23:59", "*-*-01 23:59:00")],
)
def test_systemd_gets_the_same_time(when: str, event: str) -> None:
    assert systemd_calendar(when_of(when, 0, 0)) == event


def test_the_zone_is_the_machines_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert zone_of_machine(tmp_path / "missing") is UTC
    (tmp_path / "damaged").write_bytes(b"no zone")
    assert zone_of_machine(tmp_path / "damaged") is UTC
