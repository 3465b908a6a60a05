"""The rules that the frontend reads, read again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.rendering.grants import rules_in, written
from deployer.settings.access import AccessRule
from deployer.settings.values import checks, globs

USERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,5}", fullmatch=True).filter(lambda one: one != "anonymous")
PATTERNS = st.text("ab0._/*?-", min_size=1, max_size=6).filter(globs.is_comparable)
RULES = st.lists(
    st.builds(
        AccessRule,
        st.lists(USERS, min_size=1, max_size=3, unique=True).map(tuple) | st.sampled_from([("*",), ("anonymous",)]),
        st.lists(PATTERNS, min_size=1, max_size=3).map(tuple),
        st.lists(st.sampled_from(checks.ACTIONS), min_size=1, unique=True).map(checks.actions),
    ),
    max_size=4,
).map(tuple)


@given(RULES)
def test_what_was_written_is_read_again(rules: tuple[AccessRule, ...]) -> None:
    found = rules_in(written(rules))
    assert found is not None
    assert written(found) == written(rules)
    assert [one.users for one in found] == [one.users for one in rules]
    for read, meant in zip(found, rules, strict=True):
        assert read.allow == meant.allow
        # `**` matches what `*` does.
        assert list(read.repositories) == [re.sub(r"\A\*+\Z", "*", one) for one in meant.repositories]


@pytest.mark.parametrize(
    "content", [b"import other\n", b'"~^(?:a) (?:pull|look) (?:b)$" no\n', b"\xff", b'"~^(?:a) (?:fly) (?:b)$" yes\n']
)
def test_what_others_wrote_is_not_guessed_at(content: bytes) -> None:
    assert rules_in(content) is None


def test_no_rules_are_no_rules() -> None:
    assert rules_in(b"") == ()
