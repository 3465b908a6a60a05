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
        RuleChange("alice", "push", False, ("team/*",), (), 2, 1),
        RuleChange("bob", "push", True, ("team/*", "other"), (), 3, 2),
    ]
    assert [one.repositories for one in compare(before, after, None)] == [None, None]


def test_a_part_of_a_pattern_stays() -> None:
    (found,) = compare((rule("alice", "*", "pull"),), (rule("alice", "team/* ci", "pull"),))
    assert found == RuleChange("alice", "pull", False, ("*",), ("team/*", "ci"), 1, 1)


def test_what_changes_for_all_is_told_once() -> None:
    found = compare((), (rule("*", "team/*", "pull"), rule("alice", "*", "pull", "push", "delete")))
    assert [(one.who, one.action) for one in found] == [("*", "pull"), ("*", "push"), ("*", "delete")]
    assert found[0] == RuleChange("*", "pull", False, ("*",), ("team/*",), 1, 1)


def test_who_has_no_rule_any_more_loses_all() -> None:
    found = compare((rule("*", "*", "pull"), rule("dave", "a", "push")), (rule("anonymous", "*", "pull"),))
    assert found == [
        RuleChange("dave", "push", False, ("a",), (), 0, 0),
        RuleChange("anonymous", "pull", True, ("*",), (), 3, 2),
    ]
