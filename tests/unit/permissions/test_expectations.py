"""Whether rules say what is expected of them."""

from __future__ import annotations

import pytest

from deployer.permissions.expectations import failures, sentence
from deployer.settings.access import AccessRule, Group, expectations
from deployer.settings.model import Settings

GROUPS = (Group("developers", ("alice", "bob")),)
RULES = (
    AccessRule(("admin",), allow=("pull", "push", "delete")),
    AccessRule((), ("team/*",), ("pull", "push"), groups=("developers",)),
    AccessRule(("anonymous",), ("public/*",), ("pull",)),
    AccessRule(("ci",), ("team/a*", "team/b*"), ("delete",)),
)


def unmet(who: str, statement: str, rules: tuple[AccessRule, ...] = RULES, *, has_users: bool = True) -> list[str]:
    return [
        sentence(one)
        for one in failures(
            Settings(groups=GROUPS, access=rules, expect=expectations([{who: statement}])), has_users=has_users
        )
    ]


@pytest.mark.parametrize(
    ("who", "statement"),
    [
        ("alice", "can push team/*"),
        ("alice", "cannot delete team/*"),
        ("alice", "cannot pull other"),
        ("admin", "can pull, push, delete *"),
        ("admin", "can delete"),
        ("anonymous", "cannot pull team/*"),
        ("anonymous", "can pull public/tool"),
        ("group:developers", "can pull public/*"),
        # No rule names her: what is for everyone is for her.
        ("carol", "can pull public/*"),
        ("carol", "cannot push"),
        ("ci", "cannot delete team/c*"),
    ],
)
def test_what_is_so_is_met(who: str, statement: str) -> None:
    assert unmet(who, statement) == []


@pytest.mark.parametrize(
    ("who", "statement", "said"),
    [
        ("alice", "can delete team/app", "expect: alice cannot delete team/app (alice: can delete team/app)"),
        ("alice", "can push *", "expect: alice cannot push a (alice: can push *)"),
        ("group:developers", "cannot push *pp",
         "expect: alice can push team/pp, by access[1] (group:developers: cannot push *pp)"),
        ("anonymous", "cannot pull *", "expect: anonymous can pull public/a, by access[2] (anonymous: cannot pull *)"),
        ("ci", "can delete team/*", "expect: ci cannot delete team/c (ci: can delete team/*)"),
        ("ci", "cannot pull, delete team/?",
         "expect: ci can delete team/a, by access[3] (ci: cannot pull and delete team/?)"),
    ],
)  # fmt: skip
def test_what_is_not_so_is_told_with_an_example(who: str, statement: str, said: str) -> None:
    assert unmet(who, statement) == [said]


def test_without_rules_every_logged_in_user_may_do_everything() -> None:
    assert unmet("alice", "can push *", ()) == []
    assert unmet("anonymous", "cannot pull *", ()) == []
    (said,) = unmet("ci", "cannot delete team/*", ())
    assert said == "expect: ci can delete team/a, because there are no rules (ci: cannot delete team/*)"


def test_without_users_everyone_may_do_everything() -> None:
    (said,) = unmet("anonymous", "cannot push", (), has_users=False)
    assert said == "expect: anonymous can push a, because there are no rules (anonymous: cannot push *)"
