from __future__ import annotations

import pytest

from deployer.settings.values.duration import seconds_of, written


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("5m", 300), ("12h", 43200), ("30d", 2592000), (" 2w ", 1209600)]
)
def test_lengths_of_time_are_read(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds
    assert seconds_of(written(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "5", "d", "-1d", "1.5h", "30 d", "1M", "1d2h"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid duration"):
        seconds_of(text)


@pytest.mark.parametrize("text", ["10000000s", "99999999d", f"{'9' * 5000}d"])
def test_one_beyond_the_bound_is_told_with_it(text: str) -> None:
    with pytest.raises(ValueError, match="is too long: the number may be at most 9999999"):
        seconds_of(text)


def test_they_are_written_in_the_largest_unit_that_fits() -> None:
    assert [written(seconds) for seconds in (0, 90, 3600, 86400, 1209600)] == ["0s", "90s", "1h", "1d", "2w"]
