"""The order of the tests names modules that there are: a moved one would begin last, unnoticed."""

from __future__ import annotations

from pathlib import Path

from tests.support.order import named

_TESTS = Path(__file__).parents[1]


def test_every_module_that_the_order_names_is_there() -> None:
    assert [name for name in sorted(named()) if not (_TESTS / name).is_file()] == []
