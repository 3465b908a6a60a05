"""Whether someone may do something, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.permissions.explanation import Ground, Lack, Request, explain
from deployer.settings.access import AccessRule, Group, for_users
from deployer.settings.values import globs

GROUPS = (Group("developers", ("alice", "bob")),)
RULES = (
    AccessRule(("admin",), allow=("pull", "push", "delete")),
    AccessRule((), ("team/*",), ("pull", "push"), groups=("developers",)),
    AccessRule(("*",), ("shared/*",), ("pull",)),
    AccessRule(("anonymous",), ("public/*",), ("pull",)),
)


@pytest.mark.parametrize(
    ("who", "action", "repository", "rule", "through"),
    [
        ("admin", "delete", "team/app", 0, "admin"),
        ("alice", "push", "team/app", 1, "group:developers"),
        ("group:developers", "push", "team/app", 1, "group:developers"),
        ("alice", "pull", "shared/app", 2, "*"),
        ("group:developers", "pull", "public/app", 3, "anonymous"),
        ("anonymous", "pull", "public/app", 3, "anonymous"),
    ],
)
def test_the_rule_that_allows_it(who: str, action: str, repository: str, rule: int, through: str) -> None:
    found = explain(RULES, GROUPS, Request(who, action, repository), has_users=True)
    assert (found.is_allowed, found.ground) == (True, Ground.RULE)
    assert [(one.number, one.through) for one in found.rules] == [(rule, through)]


def test_rules_that_lack_one_thing() -> None:
    found = explain(RULES, GROUPS, Request("alice", "delete", "team/app"), has_users=True)
    assert not found.is_allowed
    assert [(one.number, lack) for one, lack in found.near] == [(0, Lack.WHO), (1, Lack.ACTION)]
    found = explain(RULES, GROUPS, Request("bob", "push", "other"), has_users=True)
    assert [(one.number, lack) for one, lack in found.near] == [(0, Lack.WHO), (1, Lack.REPOSITORY)]
    found = explain(RULES, GROUPS, Request("anonymous", "pull", "shared/app"), has_users=True)
    assert [(one.number, lack) for one, lack in found.near] == [
        (0, Lack.WHO),
        (2, Lack.WHO),
        (3, Lack.REPOSITORY),
    ]


@pytest.mark.parametrize(
    ("who", "has_users", "is_allowed", "ground"),
    [
        ("alice", True, True, Ground.NO_RULES),
        ("anonymous", True, False, Ground.NO_RULES),
        ("anonymous", False, True, Ground.NO_LOGIN),
        ("alice", False, True, Ground.NO_LOGIN),
    ],
)
def test_without_rules(who: str, has_users: bool, is_allowed: bool, ground: Ground) -> None:
    found = explain((), (), Request(who, "push", "app"), has_users=has_users)
    assert (found.is_allowed, found.ground) == (is_allowed, ground)


NAMES = st.sampled_from(["ann", "bob", "*", "anonymous"])
MADE = st.lists(
    st.builds(
        AccessRule,
        st.lists(NAMES, max_size=2).map(tuple),
        st.lists(st.sampled_from(["*", "a/*", "a/b", "?", "a*"]), min_size=1, max_size=2).map(tuple),
        st.lists(st.sampled_from(["pull", "push", "delete"]), min_size=1, max_size=2).map(tuple),
        st.lists(st.just("team"), max_size=1).map(tuple),
    ),
    min_size=1,
    max_size=5,
).map(tuple)


@given(MADE, st.sampled_from(["ann", "bob", "carl", "anonymous"]), st.sampled_from(["a/b", "a", "b/c"]))
def test_it_agrees_with_what_is_rendered(rules: tuple[AccessRule, ...], who: str, repository: str) -> None:
    groups = (Group("team", ("bob", "carl")),)
    found = explain(rules, groups, Request(who, "push", repository), has_users=True)
    user = "" if who == "anonymous" else who
    assert found.is_allowed == any(
        rule.applies_to(user) and "push" in rule.allow and globs.matches(repository, rule.repositories)
        for rule in for_users(rules, groups)
    )
