"""What patterns have in common, against a search through names."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import ConfigurationError
from deployer.permissions.patterns import example
from deployer.reference import is_repository
from deployer.settings.values import globs

# Every name of up to five characters out of these.
NAMES = sorted(
    (name for length in range(1, 6) for parts in itertools.product("ab/-_", repeat=length)
     if is_repository(name := "".join(parts))),
    key=len,
)  # fmt: skip
PATTERNS = st.text("ab/*?-", min_size=1, max_size=4).filter(globs.is_comparable)


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.lists(PATTERNS, max_size=3))
def test_it_is_the_shortest_name_that_matches(wanted: list[str], excluded: list[str]) -> None:
    found = example(wanted, excluded)
    expected = next(
        (
            name
            for name in NAMES
            if all(globs.matches(name, [one]) for one in wanted) and not globs.matches(name, excluded)
        ),
        None,
    )
    if found is not None:
        assert is_repository(found)
        assert all(globs.matches(found, [one]) for one in wanted)
        assert not globs.matches(found, excluded)
    if expected is not None:
        assert found is not None
        assert len(found) <= len(expected)


@pytest.mark.parametrize(
    ("wanted", "excluded", "found"),
    [
        (["team/*"], [], "team/a"),
        (["team/*"], ["*"], None),
        (["team/*"], ["team/a*", "team/?"], "team/ba"),
        (["team/*", "*/app"], [], "team/app"),
        (["team/*", "ci/*"], [], None),
        # No name has an empty part, so these have none in common.
        (["a*", "*"], ["a", "a?*"], None),
        (["a/", "*"], [], None),
        (["*"], ["?*"], None),
    ],
)
def test_names_in_some_and_not_in_others(wanted: list[str], excluded: list[str], found: str | None) -> None:
    assert example(wanted, excluded) == found


def test_hundreds_of_patterns_are_compared() -> None:
    rules = [f"team-{number}/*" for number in range(200)]
    assert example(["team-*"], rules) is not None
    assert example(["team-7/app"], rules) is None
    assert example(["*"], [*rules, "*"]) is None


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="too many patterns"):
        example([f"*{one}*" for one in "abcdefghijklmnopqrst"])
