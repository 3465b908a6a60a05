"""What the rules under `access` let users do, and whether the registry runs with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.rendering import grants
from deployer.settings.access import allowed, for_users, named_users
from deployer.settings.values import checks
from deployer.workflows import rule_changes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from deployer.paths import Deployment
    from deployer.settings.access import AccessRule, Expectation, Group
    from deployer.settings.model import Settings
    from deployer.settings.values.account import Account

EVERYTHING = "*"


@dataclass(frozen=True)
class Permissions:
    """The rules of the settings, and what is known of those that the registry at `address` runs with.

    `source` is the settings' file, None if there is none. The rules `are_in_force` where the registry runs with
    the same, or was never brought up; it `restricts_everyone` if it runs with any, which
    are `in_effect` as far as they can be read.
    """

    address: str
    rules: tuple[AccessRule, ...]
    source: Path | None
    are_in_force: bool
    restricts_everyone: bool
    groups: tuple[Group, ...] = ()
    expect: tuple[Expectation, ...] = ()
    in_effect: tuple[AccessRule, ...] = ()

    @property
    def user_rules(self) -> tuple[AccessRule, ...]:
        """The rules, with the users of groups among their own."""
        return for_users(self.rules, self.groups)

    @classmethod
    def of(cls, settings: Settings, deployment: Deployment, source: Path | None) -> Permissions:
        """What settings from `source` say of a deployment. Raises HostError."""
        deployed = rule_changes.in_effect(deployment)
        return cls(
            address=settings.address,
            rules=settings.access,
            source=source,
            are_in_force=deployed.content in {None, grants.written(settings.user_rules)},
            restricts_everyone=bool(deployed.content),
            groups=settings.groups,
            expect=settings.expect,
            in_effect=deployed.rules or (),
        )

    def of_user(self, name: str) -> dict[str, tuple[str, ...]]:
        """For each action the repositories that the rules give a user; "*" alone for all of them."""
        if not self.rules:
            return dict.fromkeys(checks.ACTIONS, (EVERYTHING,))
        return _given(self.user_rules, name)

    def without_login(self, *, has_users: bool) -> dict[str, tuple[str, ...]]:
        """The same for clients that are not logged in; without users and rules that is everything."""
        if not self.rules and not has_users:
            return self.of_user("")
        return _given(self.user_rules, "")

    def naming(self, name: str) -> tuple[str, ...]:
        """What names a user, as the settings call it: access[0], groups.developers, expect."""
        places = (place for place, named in named_users(self.rules, self.groups, self.expect) if named == name)
        return tuple(dict.fromkeys(place.removesuffix(".users") for place in places))

    def of_everyone_today(self) -> dict[str, tuple[str, ...]]:
        """What the rules that the registry runs with give to everyone, without login too."""
        return _given(self.in_effect, "")

    def unknown_users(self, accounts: Iterable[Account]) -> tuple[str, ...]:
        """Who is named by a rule and is no user, sorted."""
        named = {name for _, name in named_users(self.rules, self.groups, ())}
        return tuple(sorted(named - checks.EVERYONE - {one.name for one in accounts}))


def _given(rules: Iterable[AccessRule], user: str) -> dict[str, tuple[str, ...]]:
    given: dict[str, tuple[str, ...]] = {}
    for action in checks.ACTIONS:
        globs = tuple(dict.fromkeys(glob for _, glob in allowed(rules, user, action)))
        given[action] = (EVERYTHING,) if EVERYTHING in globs else globs
    return given
