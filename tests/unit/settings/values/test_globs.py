"""Patterns of repository names: compared here, and in the frontend as regular expressions."""

from __future__ import annotations

import re

import pytest

from deployer.settings.values import globs

NAMES = ("app", "team/app", "team/deep/app", "app.1", "app-1", "a")
PATTERNS = ("*", "**", "app", "team/*", "*/app", "app?1", "?", "*a*", "app.1", "none", "team/*/*")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_frontend_compares_as_the_commands_do(pattern: str) -> None:
    assert globs.is_comparable(pattern)
    for name in NAMES:
        assert bool(re.fullmatch(globs.expression(pattern), name)) == globs.matches(name, [pattern]), name


def test_only_what_takes_everything_takes_the_catalog() -> None:
    assert [one for one in PATTERNS if re.fullmatch(globs.expression(one), "*")] == ["*", "**"]


def test_several_characters_for_one_are_not_for_the_frontend() -> None:
    assert globs.matches("app1", ["app[12]"])
    assert not globs.matches("app3", ["app[12]"])
    assert globs.matches("app3", ["app[!12]"])
    assert not globs.is_comparable("app[12]")


@pytest.mark.parametrize("pattern", [*PATTERNS, "app[12]", "[!b]pp", "team/[a-z]*", "[]a]pp", "a[.-]b"])
def test_what_a_repositorys_name_can_match(pattern: str) -> None:
    assert globs.can_match(pattern)


@pytest.mark.parametrize(
    "pattern", ["Team/*", "*/", "/a", "a b", "h:5000/*", "app[A-Z]", "[!a-z0-9._/-]", "app[12", "app@*", "ä"]
)
def test_what_no_repositorys_name_can_match(pattern: str) -> None:
    assert not globs.can_match(pattern)


@pytest.mark.parametrize(("pattern", "expected"), [("app", True), ("app*", False), ("app?", False), ("app[1]", False)])
def test_a_pattern_may_be_a_name(pattern: str, *, expected: bool) -> None:
    assert globs.is_name(pattern) == expected
