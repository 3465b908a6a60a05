"""What other rules would give to whom, and take from whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.permissions.patterns import example
from deployer.settings.access import AccessRule
from deployer.settings.values import checks, globs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.settings.values.account import Account

NO_RULES = (AccessRule((checks.LOGGED_IN,), allow=checks.ACTIONS),)
"""What it means that there are no rules: every logged-in user may do everything."""


@dataclass(frozen=True)
class Repository:
    """A repository that there is, and when it was last pushed to, in seconds since 1970; 0 if never to a tag."""

    name: str
    pushed: int


@dataclass(frozen=True)
class RuleChange:
    """What someone gains or loses: the patterns of one action, and the repositories of today that they are about.

    `who` is a user, `anonymous`, or `*` for every user who has no change of their own. What matches one of the
    `unchanged` patterns too is the same before and after. `recent` are those of the repositories that were pushed to
    lately. Both are None if it is not known which repositories there are.
    """

    who: str
    action: str
    gains: bool
    patterns: tuple[str, ...]
    unchanged: tuple[str, ...]
    repositories: int | None
    recent: int | None


def changes(
    before: tuple[AccessRule, ...],
    after: tuple[AccessRule, ...],
    accounts: Iterable[Account],
    existing: Iterable[Repository] | None,
    since: int,
) -> tuple[RuleChange, ...]:
    """Compare rules without groups; no rules mean what `NO_RULES` says. `since` is when lately begins.

    What a user loses comes first. Raises ConfigurationError, see `example`.
    """
    old, new = before or NO_RULES, after or NO_RULES
    repositories = None if existing is None else tuple(existing)
    named = {name for rule in (*old, *new) for name in rule.users} - checks.EVERYONE
    users = sorted(named | {one.name for one in accounts})
    others = tuple(_of(checks.LOGGED_IN, old, new, repositories, since))
    found: list[RuleChange] = []
    for user in users:
        own = tuple(_of(user, old, new, repositories, since))
        if _without_name(own) != _without_name(others):
            found += own
    found += [*others, *_of(checks.ANONYMOUS, old, new, repositories, since)]
    return tuple(sorted(found, key=lambda one: one.gains))


def _of(
    who: str,
    old: Iterable[AccessRule],
    new: Iterable[AccessRule],
    repositories: tuple[Repository, ...] | None,
    since: int,
) -> Iterator[RuleChange]:
    for action in checks.ACTIONS:
        had, gets = _given(old, who, action), _given(new, who, action)
        for gains, some, others in ((False, had, gets), (True, gets, had)):
            patterns = tuple(one for one in some if example([one], others) is not None)
            if not patterns:
                continue
            hit = None
            if repositories is not None:
                hit = [one for one in repositories if globs.matches(one.name, some) > globs.matches(one.name, others)]
            recent = None if hit is None else sum(1 for one in hit if one.pushed >= since)
            same = tuple(one for one in others if any(example([one, other]) is not None for other in patterns))
            yield RuleChange(who, action, gains, patterns, same, None if hit is None else len(hit), recent)


def _given(rules: Iterable[AccessRule], who: str, action: str) -> tuple[str, ...]:
    user = "" if who == checks.ANONYMOUS else who
    meant = (rule for rule in rules if rule.applies_to(user) and action in rule.allow)
    return tuple(dict.fromkeys(pattern for rule in meant for pattern in rule.repositories))


def _without_name(some: Iterable[RuleChange]) -> list[tuple[str, bool, tuple[str, ...], tuple[str, ...]]]:
    return [(one.action, one.gains, one.patterns, one.unchanged) for one in some]
