"""The access rules asked about: by a request, against those in effect, against what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from deployer import suggest
from deployer.errors import NotFound, UsageError
from deployer.host.files import read_if_there
from deployer.permissions import expectations
from deployer.permissions.explanation import Explanation, Request, explain
from deployer.registry.protocol.place import Place
from deployer.settings.access import check_who, group_of
from deployer.settings.lines import lines_of
from deployer.settings.values import checks
from deployer.workflows import rule_changes
from deployer.workflows.images.naming import own_reference
from deployer.workflows.users.permissions import Permissions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployer.permissions.difference import RuleChange
    from deployer.permissions.expectations import Failure
    from deployer.settings.access import Expectation
    from deployer.settings.model import Settings
    from deployer.settings.values.account import Account
    from deployer.workflows.deployment.stack import Stack


@dataclass(frozen=True)
class Answer:
    """An explanation, the lines of the rules in the settings' file, and what the explanation does not say.

    `lines` are by the rules' numbers, none if they are not known. Who is asked about `is_known` unless that is a
    user who does not exist, and a login is required. Without `may_push`, one tag of a registry 2.8 cannot be deleted
    either.
    """

    explanation: Explanation
    permissions: Permissions
    lines: Mapping[int, int]
    is_known: bool
    may_push: bool


@dataclass(frozen=True)
class ExpectationResults:
    """What is expected, those expectations that the rules do not meet, and the users in them who do not exist."""

    expectations: tuple[Expectation, ...]
    failures: tuple[Failure, ...]
    unknown: tuple[str, ...] = ()

    @property
    def met(self) -> tuple[Expectation, ...]:
        """The expectations that are met."""
        failed = {one.expectation for one in self.failures}
        return tuple(one for one in self.expectations if one not in failed and one.who not in self.unknown)


def answer(stack: Stack, accounts: tuple[Account, ...], who: str, action: str, image: str) -> Answer:
    """Answer whether someone may do something, by the settings. Raises UsageError, InvalidReference and HostError."""
    settings = stack.settings
    if action not in checks.ACTIONS:
        raise UsageError(
            f"'{action}' is not one of: {', '.join(checks.ACTIONS)}.", suggest.did_you_mean(action, checks.ACTIONS)
        )
    _check_who(settings, who)
    request = Request(who, action, own_reference(image, Place.of(settings.url)).repository)
    ask = partial(explain, settings.access, settings.groups, has_users=bool(accounts))
    return Answer(
        ask(request),
        Permissions.of(settings, stack.deployment, stack.source),
        _lines(stack.source, len(settings.access)),
        is_known=not accounts or _is_no_user(who) or who in {one.name for one in accounts},
        may_push=ask(Request(who, "push", request.repository)).is_allowed,
    )


def difference(stack: Stack, accounts: tuple[Account, ...]) -> tuple[RuleChange, ...]:
    """What `up` would change for whom. Raises NotFound before the first `up`, UsageError, and EngineError."""
    before = rule_changes.in_effect(stack.deployment)
    if before.content is None:
        raise NotFound(
            f"No rules are in effect: '{stack.deployment.name}' has not been started on this machine.",
            ("deployer up", "To show permissions by the settings: deployer user list"),
        )
    if before.rules is None:
        raise UsageError(
            "The rules in effect were written by another version of deployer, or by hand, and cannot be compared.",
            ("deployer up   (writes the rules of the settings)",),
        )
    existing = partial(rule_changes.existing, stack.engine, stack.containers())
    return rule_changes.compare(before, stack.settings, accounts, existing, stack.now())


def test(settings: Settings, accounts: tuple[Account, ...]) -> ExpectationResults:
    """Hold the rules against what is expected. Raises UsageError if nothing is, and ConfigurationError."""
    if not settings.expect:
        raise UsageError(
            "Nothing is expected: there is no `expect` in the settings.",
            ("Add for example `expect: [{ci: [cannot delete team/*]}]` to deployer.yaml.",),
        )
    known = {one.name for one in accounts}
    asked = dict.fromkeys(one.who for one in settings.expect if not _is_no_user(one.who))
    unknown = tuple(name for name in asked if name not in known)
    return ExpectationResults(settings.expect, expectations.failures(settings, has_users=bool(accounts)), unknown)


def _is_no_user(who: str) -> bool:
    return who == checks.ANONYMOUS or group_of(who) is not None


def _check_who(settings: Settings, who: str) -> None:
    group = group_of(who)
    if group is not None and group not in settings.group_by_name:
        raise UsageError(f"There is no group '{group}'.", suggest.did_you_mean(group, settings.group_by_name))
    try:
        check_who(who)
    except ValueError as error:
        raise UsageError(f"{error}.") from error


def _lines(source: Path | None, count: int) -> dict[int, int]:
    content = read_if_there(source) if source else None
    found = lines_of(content or b"")
    return {number: found[f"access[{number}]"] for number in range(count) if f"access[{number}]" in found}
