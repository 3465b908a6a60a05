"""Sizes as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.settings import schedule
from deployer.settings.values.size import bytes_of, rate_of

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "expected"),
    [("50MB", 50_000_000), ("50 mb", 50_000_000), ("1.5GB", 1_500_000_000), ("200k", 200_000), ("7", 7),
     ("1MiB", 1 << 20), ("2TB", 2 * 10**12)],
)  # fmt: skip
def test_a_size_is_read(text: str, expected: int) -> None:
    assert bytes_of(text) == expected


@pytest.mark.parametrize("text", ["", "fast", "-1MB", "50MB/s", "1e9", "9" * 5000, "10i", "٣MB"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid size"):
        bytes_of(text)


@pytest.mark.parametrize("take", [rate_of, schedule.rate])
def test_a_rate_that_never_ends_is_refused_in_the_settings_as_on_the_command_line(
    take: Callable[[str], object],
) -> None:
    assert take("10kB")
    with pytest.raises(ValueError, match="'9999' is too slow: at least 10kB per second"):
        take("9999")
