"""Sizes and ages in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deployer.cli.words import age, counted, size

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (76_097_157, "76.1 MB"), (999_960, "1.0 MB"), (10**18, "1000.0 PB")],
)
def test_size(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=-5), "in the future"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=13), "1 week ago"),
        (timedelta(days=400), "1 year ago"),
    ],
)
def test_age(before: timedelta, text: str) -> None:
    assert age(NOW - before, NOW) == text


def test_counted() -> None:
    assert (counted(1, "tag"), counted(2, "tag"), counted(2, "repository", "repositories")) == (
        "1 tag",
        "2 tags",
        "2 repositories",
    )
