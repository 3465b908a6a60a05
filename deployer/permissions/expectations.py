"""Whether access rules say what is expected of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.permissions.patterns import example
from deployer.settings.access import allowed
from deployer.settings.values import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.settings.access import Expectation
    from deployer.settings.model import Settings


@dataclass(frozen=True)
class Failure:
    """An expectation that the rules do not meet: a user, an action and a repository of which it is not true.

    The user is "" for a client that is not logged in. `rule` is the number of the rule that allows what should not be
    `allowed`, None if there are no rules.
    """

    expectation: Expectation
    user: str
    action: str
    repository: str
    allowed: bool
    rule: int | None = None


def failures(settings: Settings, *, has_users: bool) -> tuple[Failure, ...]:
    """The expectations that the rules do not meet, each with one example. Raises ConfigurationError, see `example`.

    Without users no login is required, and without rules everyone may do everything then.
    """
    found = (next(_failures(settings, one, has_users=has_users), None) for one in settings.expect)
    return tuple(one for one in found if one is not None)


def sentence(failure: Failure) -> str:
    """What is not as expected: "expect: ci can delete team/app, by access[2] (ci: cannot delete team/*)"."""
    one = failure.expectation
    who = failure.user or checks.ANONYMOUS
    if not failure.allowed:
        return f"expect: {who} cannot {failure.action} {failure.repository} ({one.who}: {one.statement})"
    why = "because there are no rules" if failure.rule is None else f"by access[{failure.rule}]"
    return f"expect: {who} can {failure.action} {failure.repository}, {why} ({one.who}: {one.statement})"


def _failures(settings: Settings, one: Expectation, *, has_users: bool) -> Iterator[Failure]:
    rules = settings.user_rules
    for user in one.users_by(settings.group_by_name):
        for action in one.actions:
            # Without rules, every logged-in user may do everything.
            is_open = not rules and (user or not has_users)
            given: list[tuple[int | None, str]] = [(None, "*")] if is_open else [*allowed(rules, user, action)]
            if one.may:
                denied = example([one.repositories], [pattern for _, pattern in given])
                if denied is not None:
                    yield Failure(one, user, action, denied, allowed=False)
                continue
            for number, pattern in given:
                found = example([one.repositories, pattern])
                if found is not None:
                    yield Failure(one, user, action, found, allowed=True, rule=number)
