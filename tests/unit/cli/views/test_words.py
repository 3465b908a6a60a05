"""Sizes and ages in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from deployer.cli.views.words import age, counted, size

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_size_of_more_than_any_disk() -> None:
    assert (size(10**18), size(1_234_567 * 10**15)) == ("1 EB", "1230 EB")


def test_age_of_less_than_a_second() -> None:
    assert age(NOW - timedelta(seconds=59.9), NOW) == "just now"
    assert age(NOW + timedelta(minutes=5, seconds=0.1), NOW) == "in the future"


def test_counted() -> None:
    assert (counted(1, "tag"), counted(2, "tag"), counted(2, "repository", "repositories")) == (
        "1 tag",
        "2 tags",
        "2 repositories",
    )
