"""How long the room on a disk lasts: told of a steady growth, whatever happens in between, and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deployer.workflows.checks.disk_growth import Sample, days_left

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TOTAL = 1000 * 10**9
GB = 10**9


def history(days: float, daily: float, *, every: int = 1, free: float = 100 * GB) -> list[Sample]:
    """A sample each `every` hours until now, when `free` bytes are left, with `daily` bytes less each day."""
    hours = range(0, int(days * 24) + 1, every)
    return [Sample(NOW - timedelta(hours=hour), TOTAL, int(free + daily * hour / 24)) for hour in hours]


def test_steady_growth_is_predicted() -> None:
    assert days_left(history(10, 10 * GB), 100 * GB, TOTAL, NOW) in {9, 10}
    assert days_left(history(10, 10 * GB), 5 * GB, TOTAL, NOW) == 0
    assert days_left(history(10, 10 * GB), 0, TOTAL, NOW) == 0


@pytest.mark.parametrize(
    "samples",
    [[], history(2, 10 * GB), history(14, 10 * GB, every=48), history(10, 0), history(10, -GB), history(10, GB / 10)],
    ids=["none", "two days", "few", "no growth", "less and less", "in years"],
)
def test_too_few_samples_predict_nothing(samples: list[Sample]) -> None:
    assert days_left(samples, 100 * GB, TOTAL, NOW) is None


def test_one_collection_or_one_large_push_is_not_the_growth() -> None:
    grown = history(10, 10 * GB)
    for change in (50 * GB, -50 * GB):
        # Since yesterday there is more, or less.
        stepped = [
            one if one.time > NOW - timedelta(days=1) else Sample(one.time, one.total, one.free - change)
            for one in grown
        ]
        assert 8 <= (days_left(stepped, 100 * GB, TOTAL, NOW) or 0) <= 14, change


def test_a_clock_that_was_wrong_and_another_disk_say_nothing() -> None:
    grown = history(10, 10 * GB)
    wrong = [
        *(Sample(NOW + timedelta(days=day), TOTAL, 0) for day in range(1, 20)),
        *(Sample(datetime(1970, 1, day, tzinfo=UTC), TOTAL, 0) for day in range(1, 20)),
        *(Sample(NOW - timedelta(hours=hour), 2 * TOTAL, 0) for hour in range(200)),
    ]
    assert days_left([*wrong, *grown], 100 * GB, TOTAL, NOW) == days_left(grown, 100 * GB, TOTAL, NOW)
    assert days_left(wrong, 100 * GB, TOTAL, NOW) is None


def test_the_total_of_a_pool_changes_a_little() -> None:
    pool = [Sample(one.time, TOTAL - number * GB // 4, one.free) for number, one in enumerate(history(10, 10 * GB))]
    assert days_left(pool, 100 * GB, TOTAL, NOW) in {9, 10}


@pytest.mark.parametrize("line", ["", "1 2", "1 2 3 4", "a 2 3", "-1 2 3", "1.5 2 3", "9" * 30 + " 1 1", "\x00\x00"])
def test_a_damaged_line_is_left_out(line: str) -> None:
    assert Sample.of(line) is None


def test_a_line_is_read() -> None:
    assert Sample.of("86400 1000 10\n") == Sample(datetime(1970, 1, 2, tzinfo=UTC), 1_024_000, 10_240)
