"""How much of the disk stays free: what may be written, and what it means."""

from __future__ import annotations

import pytest

from deployer.settings.values import checks
from deployer.settings.values.reserve import LEAST_FREE_BYTES, Reserve


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("auto", Reserve(5, 2_000_000_000)),
        ("2GB", Reserve(bytes=2_000_000_000)),
        ("2 gb", Reserve(bytes=2_000_000_000)),
        ("1.5G", Reserve(bytes=1_500_000_000)),
        ("500MB", Reserve(bytes=500_000_000)),
        ("1TiB", Reserve(bytes=2**40)),
        # The disk guard's shell has numbers of 64 bits.
        ("999999999999TB", Reserve(bytes=2**60)),
        ("10%", Reserve(percent=10)),
        ("1 %", Reserve(percent=1)),
        ("off", Reserve(0, 0)),
    ],
)
def test_what_is_written_is_understood(written: str, meant: Reserve) -> None:
    assert checks.reserve(written) == written
    assert Reserve.of(written) == meant
    assert meant.is_off == (written == "off")


@pytest.mark.parametrize("no", [False, "off", "no", "False"])
def test_any_word_for_no_is_off(no: object) -> None:
    assert checks.reserve(no) == "off"


@pytest.mark.parametrize("wrong", [True, None, 2, 2.5, "2", "", "2 apples", "-1GB", "2GBB", "%", "much", ["2GB"]])
def test_an_invalid_value_is_refused_with_valid_ones(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"use auto, off, a size with its unit, such as 2GB, or a share such as 10%"):
        checks.reserve(wrong)


@pytest.mark.parametrize("wrong", ["0%", "51%", "99%"])
def test_a_share_has_bounds(wrong: str) -> None:
    with pytest.raises(ValueError, match="a share is from 1% to 50%"):
        checks.reserve(wrong)


@pytest.mark.parametrize("nothing", ["0GB", "0.5kB"])
def test_nothing_is_said_by_off_and_not_by_a_size(nothing: str) -> None:
    with pytest.raises(ValueError, match="to have none, use off"):
        checks.reserve(nothing)


@pytest.mark.parametrize(
    ("written", "disk", "free"),
    [
        ("auto", 10**12, 2 * 10**9),
        ("auto", 10**10, 5 * 10**8),
        ("30%", 10**12, 3 * 10**11),
        ("off", 10**12, LEAST_FREE_BYTES),
        ("auto", 10**9, LEAST_FREE_BYTES),
    ],
)
def test_commands_leave_free_what_pushes_do_and_never_less_than_up_needs(written: str, disk: int, free: int) -> None:
    assert Reserve.of(written).least_free(disk) == free
