"""What other rules would give to whom, and take from whom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer.permissions.patterns import example
from deployer.settings.access import AccessRule, allowed
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
    """What users gain or lose: the patterns of one action, and the repositories of today that they are about.

    `users` are names, and `anonymous`. If it is `for_all`, every user has the change except for `others`. What
    matches one of the `unchanged` patterns too is the same before and after. `recent` are those of the repositories
    that were pushed to lately. Both are None if it is not known which repositories there are.
    """

    users: tuple[str, ...]
    action: str
    gains: bool
    patterns: tuple[str, ...]
    unchanged: tuple[str, ...]
    repositories: int | None
    recent: int | None
    for_all: bool = False
    others: tuple[str, ...] = ()


def changes(
    before: tuple[AccessRule, ...],
    after: tuple[AccessRule, ...],
    accounts: Iterable[Account],
    existing: Iterable[Repository] | None,
    since: int,
) -> tuple[RuleChange, ...]:
    """Compare rules without groups; no rules mean what `NO_RULES` says. `since` is when lately begins.

    Users with the same change are put together. What is lost comes first. Raises ConfigurationError, see `example`.
    """
    old, new = before or NO_RULES, after or NO_RULES
    repositories = None if existing is None else tuple(existing)
    named = {name for rule in (*old, *new) for name in rule.users} - checks.EVERYONE
    users = sorted(named | {one.name for one in accounts})
    whose: dict[RuleChange, list[str]] = {}
    for who in (*users, checks.LOGGED_IN, checks.ANONYMOUS):
        for one in _of(who, old, new, repositories, since):
            whose.setdefault(one, []).append(who)
    found = [_for(one, names, users) for one, names in whose.items()]
    return tuple(sorted(found, key=lambda one: one.gains))


def _for(change: RuleChange, names: list[str], users: list[str]) -> RuleChange:
    """A change with whom it is for."""
    anonymous = (checks.ANONYMOUS,) if checks.ANONYMOUS in names else ()
    if checks.LOGGED_IN not in names:
        return replace(change, users=tuple(names))
    return replace(change, users=anonymous, for_all=True, others=tuple(one for one in users if one not in names))


def _of(
    who: str,
    old: Iterable[AccessRule],
    new: Iterable[AccessRule],
    repositories: tuple[Repository, ...] | None,
    since: int,
) -> Iterator[RuleChange]:
    """The changes of one, without a name."""
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
            yield RuleChange((), action, gains, patterns, same, None if hit is None else len(hit), recent)


def _given(rules: Iterable[AccessRule], who: str, action: str) -> tuple[str, ...]:
    user = "" if who == checks.ANONYMOUS else who
    return tuple(dict.fromkeys(pattern for _, pattern in allowed(rules, user, action)))
