"""What other rules would give to whom, and take from whom."""

from __future__ import annotations

from deployer.permissions.difference import Repository, RuleChange, changes
from deployer.settings.access import AccessRule
from deployer.settings.values.account import Account

ACCOUNTS = tuple(Account(name, "") for name in ("alice", "bob", "carol"))
EXISTING = (Repository("team/app", 100), Repository("team/web", 5), Repository("other", 100))
SINCE = 50


def compare(
    before: tuple[AccessRule, ...],
    after: tuple[AccessRule, ...],
    existing: tuple[Repository, ...] | None = EXISTING,
) -> list[RuleChange]:
    return list(changes(before, after, ACCOUNTS, existing, SINCE))


def rule(users: str, repositories: str, *allow: str) -> AccessRule:
    return AccessRule(tuple(users.split()), tuple(repositories.split()), allow)


def test_the_same_rights_in_other_words_are_no_change() -> None:
    assert compare((rule("alice bob", "team/*", "pull", "push"),), (rule("bob", "team/*", "push"),
                   rule("alice", "team/*", "push"), rule("bob alice", "team/app team/*", "pull"))) == []  # fmt: skip
    assert compare((), (rule("*", "*", "pull", "push", "delete"),)) == []


def test_a_user_loses_and_another_gains() -> None:
    before = (rule("alice", "team/*", "push"),)
    after = (rule("bob", "team/* other", "push"),)
    assert compare(before, after) == [
        RuleChange(("alice",), "push", False, ("team/*",), (), 2, 1),
        RuleChange(("bob",), "push", True, ("team/*", "other"), (), 3, 2),
    ]
    assert [one.repositories for one in compare(before, after, None)] == [None, None]


def test_users_with_the_same_change_are_together() -> None:
    (found,) = compare((rule("alice bob", "team/*", "push"),), (rule("carol", "other", "pull"),))[:1]
    assert found == RuleChange(("alice", "bob"), "push", False, ("team/*",), (), 2, 1)


def test_a_part_of_a_pattern_stays() -> None:
    (found,) = compare((rule("alice", "*", "pull"),), (rule("alice", "team/* ci", "pull"),))
    assert found == RuleChange(("alice",), "pull", False, ("*",), ("team/*", "ci"), 1, 1)


def test_who_keeps_what_all_lose_is_named() -> None:
    after = (rule("alice", "*", "pull", "push", "delete"), rule("bob", "*", "pull", "push"))
    assert sorted((one.action, one.for_all, one.others) for one in compare((), after)) == [
        ("delete", True, ("alice",)),
        ("pull", True, ("alice", "bob")),
        ("push", True, ("alice", "bob")),
    ]


def test_who_has_no_rule_any_more_loses_all() -> None:
    found = compare((rule("*", "*", "pull"), rule("dave", "a", "push")), (rule("anonymous", "*", "pull"),))
    assert found == [
        RuleChange(("dave",), "push", False, ("a",), (), 0, 0),
        RuleChange(("anonymous",), "pull", True, ("*",), (), 3, 2),
    ]
