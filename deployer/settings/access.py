"""The settings of access: groups of users, the rules, and what is expected of the rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer.settings.setting import checked
from deployer.settings.values import checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OF_GROUP = "group:"
"""What comes before the name of a group where the name of a user may be too."""
EXPECT = "expect"
_BETWEEN = re.compile(r" *, *(?:and +)?| +and +")
_STATEMENT = re.compile(rf"(can|cannot) +([a-z]+(?:(?:{_BETWEEN.pattern})[a-z]+)*)(?: +(\S+))?")
_FORM = "use for example 'cannot delete team/*'"


@dataclass(frozen=True)
class Group:
    """A name for several users."""

    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class AccessRule:
    """Which users may do what with which repositories. What no rule allows is denied."""

    users: tuple[str, ...] = checked(
        checks.users,
        (),
        "The users of the rule. `*` means every logged-in user, `anonymous` everyone, without login too.",
    )
    repositories: tuple[str, ...] = checked(
        checks.access_globs, ("*",), "The repositories of the rule. `*` matches any part of a name, `?` one character."
    )
    allow: tuple[str, ...] = checked(checks.actions, (), "What is allowed: any of `pull`, `push`, `delete`.")
    groups: tuple[str, ...] = checked(checks.group_names, (), "The groups whose users the rule is for too.")
    anonymous_writes: bool = checked(
        checks.yes_or_no,
        False,
        "Confirms that a rule for `anonymous` lets everyone `push` or `delete`, without login too.",
    )

    @property
    def is_for_everyone(self) -> bool:
        """Whether the rule applies to clients that are not logged in too."""
        return checks.ANONYMOUS in self.users

    def applies_to(self, user: str) -> bool:
        """Whether the rule applies to a user, "" for a client that is not logged in, by the names under `users`."""
        return self.is_for_everyone or (bool(user) and not {user, checks.LOGGED_IN}.isdisjoint(self.users))

    def with_users_of(self, groups: Mapping[str, Group]) -> AccessRule:
        """The same rule with the users of its groups among its own; what is no group has none."""
        members = (user for name in self.groups if name in groups for user in groups[name].users)
        return replace(self, users=tuple(dict.fromkeys((*self.users, *members))), groups=())

    def complaint(self) -> str:
        """Why the rule cannot be meant, "" if it can."""
        missing = ["users or groups"] if not (self.users or self.groups) else []
        missing += [] if self.allow else ["allow"]
        if missing:
            return f"the rule has no {' and no '.join(missing)}"
        writes = [action for action in self.allow if action != "pull"]
        if self.is_for_everyone and writes and not self.anonymous_writes:
            return (
                f"everyone could {' and '.join(writes)} without login; allow anonymous only [pull], or confirm with "
                "anonymous_writes: true"
            )
        if self.anonymous_writes and not (self.is_for_everyone and writes):
            return "anonymous_writes applies only to a rule that lets anonymous push or delete; remove it"
        return ""


def group_of(who: str) -> str | None:
    """The group that `group:NAME` means; None for a user and for `anonymous`."""
    return who.removeprefix(OF_GROUP) if who.startswith(OF_GROUP) else None


def check_who(who: str) -> None:
    """Make sure that it can be a user, `anonymous`, or a group with `group:` before its name. Raises ValueError."""
    group = group_of(who)
    if group is not None:
        checks.group_name(group)
    elif who != checks.ANONYMOUS:
        checks.user(who)


def allowed(rules: Iterable[AccessRule], user: str, action: str) -> Iterator[tuple[int, str]]:
    """The patterns of repositories that rules without groups give a user, each with its rule's number."""
    for number, rule in enumerate(rules):
        if rule.applies_to(user) and action in rule.allow:
            yield from ((number, pattern) for pattern in rule.repositories)


def named_users(
    rules: Iterable[AccessRule], groups: Iterable[Group], expect: Iterable[Expectation]
) -> Iterator[tuple[str, str]]:
    """Where users are named, such as access[0].users, groups.developers and expect, each with the name."""
    for number, rule in enumerate(rules):
        yield from ((f"access[{number}].users", name) for name in rule.users)
    for group in groups:
        yield from ((f"groups.{group.name}", name) for name in group.users)
    yield from ((EXPECT, one.who) for one in expect if group_of(one.who) is None)


def for_users(rules: Iterable[AccessRule], groups: Iterable[Group]) -> tuple[AccessRule, ...]:
    """The rules with the users of these groups among their own."""
    by_name = {one.name: one for one in groups}
    return tuple(rule.with_users_of(by_name) for rule in rules)


@dataclass(frozen=True)
class Expectation:
    """What the rules have to say of someone: that they `may` do all of these actions, or none of them.

    `who` is a user, `anonymous`, or a group with `group:` before its name.
    """

    who: str
    may: bool
    actions: tuple[str, ...]
    repositories: str

    @property
    def statement(self) -> str:
        """As it is written: "cannot delete team/*"."""
        return f"{'can' if self.may else 'cannot'} {' and '.join(self.actions)} {self.repositories}"

    def users_by(self, groups: Mapping[str, Group]) -> tuple[str, ...]:
        """The users whom it is about, "" being a client that is not logged in."""
        if self.who == checks.ANONYMOUS:
            return ("",)
        group = group_of(self.who)
        return (self.who,) if group is None else groups[group].users


def groups(value: object) -> tuple[Group, ...]:
    """Take groups by their names, each with its users."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ValueError(f"{checks.shown(value)} is not a list of groups; use for example {{developers: [alice, bob]}}")  # noqa: TRY004
    return tuple(_group(str(name), users) for name, users in value.items())


def written_groups(made: Iterable[Group]) -> dict[str, list[str]]:
    """The groups as deployer.yaml has them."""
    return {one.name: list(one.users) for one in made}


def expectations(value: object) -> tuple[Expectation, ...]:
    """Take what is expected of the rules: lists of statements by the name of a user."""
    if value is None:
        return ()
    entries = [value] if isinstance(value, Mapping) else value
    if not isinstance(entries, (list, tuple)) or not all(isinstance(one, Mapping) for one in entries):
        raise ValueError(f"{checks.shown(value)} is not a list such as [{{ci: [cannot delete team/*]}}]")
    return tuple(made for one in entries for who, said in one.items() for made in _expected(str(who), said))


def written_expectations(made: Iterable[Expectation]) -> list[dict[str, list[str]]]:
    """The expectations as deployer.yaml has them."""
    return [{one.who: [one.statement]} for one in made]


def _group(name: str, users: object) -> Group:
    checks.group_name(name)
    if users in (None, [], ()):
        raise ValueError(f"the group '{name}' has no users; name one, or remove the group and its rules")
    names = checks.users(users)
    for one in names:
        if one in checks.EVERYONE:
            raise ValueError(f"'{one}' cannot be in the group '{name}'; name it in the rule's users")
    return Group(name, tuple(dict.fromkeys(names)))


def _expected(who: str, said: object) -> Iterator[Expectation]:
    check_who(who)
    statements = [said] if isinstance(said, str) else said
    if not isinstance(statements, (list, tuple)) or not statements:
        raise ValueError(f"{checks.shown(said)} does not say what '{who}' can or cannot do; {_FORM}")
    for one in statements:
        match = _STATEMENT.fullmatch(one.strip()) if isinstance(one, str) else None
        if match is None:
            raise ValueError(f"{checks.shown(one)} is not a valid expectation; {_FORM}")
        actions = checks.actions(_BETWEEN.split(match[2]))
        (pattern,) = checks.access_globs(match[3] or "*")
        yield Expectation(who, match[1] == "can", actions, pattern)
