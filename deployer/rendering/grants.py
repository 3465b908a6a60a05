"""The rules as the frontend reads them, a line each, and read again: what a registry runs with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.layout import GRANTS
from deployer.rendering.templates import render
from deployer.settings.access import AccessRule
from deployer.settings.values import checks, globs

if TYPE_CHECKING:
    from collections.abc import Iterable

# What each action of a rule allows, see templates/frontend/access/rules.j2.
_GRANTED = {"pull": "pull|look", "push": "push|look", "delete": "delete"}
# Whom a rule means; who is not logged in has no name.
_EVERYONE, _LOGGED_IN = "[^ ]*", "[^ ]+"
_LINE = re.compile(r'"~\^\(\?:(?P<users>.+)\) \(\?:(?P<actions>[a-z|]+)\) \(\?:(?P<repositories>.+)\)\$" yes')


@dataclass(frozen=True)
class Grant:
    """An access rule as regular expressions, in Go's syntax."""

    users: str
    actions: str
    repositories: str

    @classmethod
    def of(cls, rule: AccessRule) -> Grant:
        """The expressions of a rule that has no groups."""
        return cls(
            users=_users(rule),
            actions="|".join(_GRANTED[action] for action in rule.allow),
            repositories="|".join(map(globs.expression, rule.repositories)),
        )


def written(rules: Iterable[AccessRule]) -> bytes:
    """The file of the rules' expressions."""
    return render(f"{GRANTS}.j2", rules=[Grant.of(rule) for rule in rules])


def rules_in(content: bytes) -> tuple[AccessRule, ...] | None:
    """The rules of such a file, None if it holds anything else, such as what another version wrote."""
    found = []
    for line in content.decode(errors="replace").splitlines():
        rule = _rule_of(line) if line.strip() else None
        if rule is not None:
            found.append(rule)
        elif line.strip():
            return None
    return tuple(found) if written(found) == content else None


def _rule_of(line: str) -> AccessRule | None:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        return None
    words = match["actions"].split("|")
    repositories = tuple(map(globs.pattern_of, globs.split(match["repositories"])))
    if match["users"] in {_EVERYONE, _LOGGED_IN}:
        users: tuple[str, ...] = (checks.ANONYMOUS if match["users"] == _EVERYONE else checks.LOGGED_IN,)
    else:
        users = tuple(re.sub(r"\\(.)", r"\1", one) for one in match["users"].split("|"))
    allow = tuple(action for action in checks.ACTIONS if action in words)
    return AccessRule(users, repositories, allow)


def _users(rule: AccessRule) -> str:
    if rule.is_for_everyone:
        return _EVERYONE
    return _LOGGED_IN if checks.LOGGED_IN in rule.users else "|".join(map(re.escape, rule.users))
