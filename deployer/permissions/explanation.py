"""Whether someone may do something, by which rules, and which rules nearly say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer.settings.access import OF_GROUP, group_of
from deployer.settings.values import checks, globs

if TYPE_CHECKING:
    from deployer.settings.access import AccessRule, Group


@dataclass(frozen=True)
class Request:
    """Who wants to do what: a user, `anonymous`, or a group with `group:` before its name."""

    who: str
    action: str
    repository: str


class Ground(StrEnum):
    """What an answer is based on."""

    RULE = "rule"
    NO_RULE = "no rule allows it"
    NO_RULES = "there are no rules"
    NO_LOGIN = "there are no users"


class Lack(StrEnum):
    """In what alone a rule differs from a request."""

    WHO = "who"
    ACTION = "action"
    REPOSITORY = "repository"


@dataclass(frozen=True)
class RuleMatch:
    """A rule with its number under `access`. `through` says how it means who asks, "" if it does not."""

    number: int
    rule: AccessRule
    through: str


@dataclass(frozen=True)
class Explanation:
    """The answer to a request: the rules that allow it, or those that lack one thing, each with what it lacks."""

    request: Request
    is_allowed: bool
    ground: Ground
    rules: tuple[RuleMatch, ...] = ()
    near: tuple[tuple[RuleMatch, Lack], ...] = ()


def explain(
    rules: tuple[AccessRule, ...], groups: tuple[Group, ...], request: Request, *, has_users: bool
) -> Explanation:
    """Answer a request by the rules as they are written."""
    if not rules:
        if not has_users:
            return Explanation(request, is_allowed=True, ground=Ground.NO_LOGIN)
        return Explanation(request, request.who != checks.ANONYMOUS, Ground.NO_RULES)
    by_name = {one.name: one for one in groups}
    matches = [RuleMatch(number, rule, _through(rule, by_name, request.who)) for number, rule in enumerate(rules)]
    lacks = [(one, _lacks(one, request)) for one in matches]
    allowing = tuple(one for one, lack in lacks if not lack)
    if allowing:
        return Explanation(request, is_allowed=True, ground=Ground.RULE, rules=allowing)
    near = tuple((one, lack[0]) for one, lack in lacks if len(lack) == 1)
    return Explanation(request, is_allowed=False, ground=Ground.NO_RULE, near=near)


def _lacks(match: RuleMatch, request: Request) -> list[Lack]:
    found = []
    if not match.through:
        found.append(Lack.WHO)
    if request.action not in match.rule.allow:
        found.append(Lack.ACTION)
    if not globs.matches(request.repository, match.rule.repositories):
        found.append(Lack.REPOSITORY)
    return found


def _through(rule: AccessRule, groups: dict[str, Group], who: str) -> str:
    """How a rule means someone: by name, by a group, or with everyone; "" if it does not."""
    if who in rule.users or group_of(who) in rule.groups:
        return who
    group = next((name for name in rule.groups if name in groups and who in groups[name].users), None)
    if group is not None:
        return f"{OF_GROUP}{group}"
    if checks.LOGGED_IN in rule.users and who != checks.ANONYMOUS:
        return checks.LOGGED_IN
    return checks.ANONYMOUS if rule.is_for_everyone else ""
