"""Changing a deployment's users: who is added, removed, imported, and what the rules let them do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer import layout
from deployer.errors import DeployerError, EngineError, NotFound, UsageError
from deployer.host.files import read_if_there
from deployer.host.lock import exclusive
from deployer.rendering import rules
from deployer.settings import account, checks
from deployer.workflows.deployment import access
from deployer.workflows.images.naming import did_you_mean
from deployer.workflows.users import in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from deployer.paths import Deployment
    from deployer.settings.account import Account, BadLine
    from deployer.settings.model import AccessRule, Settings
    from deployer.workflows.deployment.stack import Stack

Accounts = tuple["Account", ...]

_EVERYONE = "*"
_EVERYTHING = "*"


@dataclass
class AccountsRefused(DeployerError):
    """A change of the users that is not made; each problem a line."""

    problems: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Changed:
    """The users before and after, and whether a running frontend took them over."""

    before: Accounts
    after: Accounts
    running: bool

    @property
    def closes(self) -> bool:
        """Whether the registry was open to everyone, and now is not."""
        return bool(self.after) and not self.before


@dataclass(frozen=True)
class Import:
    """What an htpasswd file brings: users to add, whose password changes, who is as they are, and what is left out."""

    added: Accounts
    replaced: Accounts
    unchanged: Accounts
    skipped: tuple[BadLine, ...]

    def onto(self, accounts: Accounts) -> Accounts:
        """The users with these put to them."""
        known = {one.name: one for one in (*accounts, *self.added, *self.replaced)}
        return tuple(known.values())


def change(stack: Stack, command: str, edit: Callable[[Accounts], Accounts]) -> Changed:
    """Keep the users as `edit` makes them, and let a running frontend take them over.

    `edit` is given the users as they are while nothing else changes them, and raises where the
    change is refused. Raises DeployerError.
    """
    with exclusive(stack.deployment.lock_file, command):
        before = access.accounts_of(stack.deployment)
        after = edit(before)
        try:
            running = in_force.keep(stack, after, command)
        except EngineError as error:
            message = f"The change is kept, but not in force yet. {error.message}"
            raise EngineError(message, tuple(dict.fromkeys((*error.advice, "deployer up"))), error.original) from error
    return Changed(before, after, running)


def check_name(name: str) -> None:
    """Make sure that a user may be called so. Raises UsageError."""
    try:
        checks.user(name)
    except ValueError as error:
        raise UsageError(f"{error}.") from error


def find(accounts: Accounts, name: str) -> Account:
    """The user of that name. Raises NotFound with the names that are most like it."""
    known = {one.name: one for one in accounts}
    if name in known:
        return known[name]
    if not known:
        raise NotFound(f"There is no user {checks.shown(name)}: there are none at all.", ("deployer user add NAME",))
    raise NotFound(
        f"There is no user {checks.shown(name)}.", did_you_mean(name, known) or ("Who there is: deployer user list",)
    )


def added(accounts: Accounts, name: str, hashed: str) -> Accounts:
    """The users with a new one. Raises AccountsRefused where there is one of that name."""
    if any(one.name == name for one in accounts):
        raise AccountsRefused(
            f"There is a user '{name}' already.", (f"For a new password: deployer user password {name}",)
        )
    return (*accounts, account.Account(name, hashed))


def with_password(accounts: Accounts, name: str, hashed: str) -> Accounts:
    """The users with another password for one of them. Raises NotFound."""
    find(accounts, name)
    return tuple(account.Account(name, hashed) if one.name == name else one for one in accounts)


def without(accounts: Accounts, name: str, *, may_open: bool) -> Accounts:
    """The users without one of them. Raises NotFound, and AccountsRefused for the last one unless `may_open`."""
    find(accounts, name)
    left = tuple(one for one in accounts if one.name != name)
    if not left and not may_open:
        raise AccountsRefused(
            f"'{name}' is the last user: without users there is no sign-in, and the registry is open to everyone.",
            ("Add another one first: deployer user add NAME", f"If that is meant: deployer user remove {name} --open"),
        )
    return left


def read_import(content: bytes, place: str, accounts: Accounts, *, skip: bool, replace: bool) -> Import:
    """What importing an htpasswd file's content does to these users; `place` names it in messages.

    `skip` leaves lines out that cannot be imported, `replace` lets it change passwords. Raises AccountsRefused.
    """
    try:
        # Windows writes a mark before the first line.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise AccountsRefused(f"{place} is not a valid htpasswd file: it is not UTF-8 text.") from None
    found, bad = account.parse(text)
    if bad and not skip:
        raise AccountsRefused(
            f"{place} has lines that cannot be imported; nothing was changed.",
            ("Give these users a password with `deployer user add NAME`; --skip imports the others.",),
            problems=tuple(f"line {one.number}: {one.reason}" for one in bad),
        )
    if not found:
        raise AccountsRefused(f"{place} holds no user that can be imported.")
    known = {one.name: one.hash for one in accounts}
    clashing = tuple(one for one in found if one.name in known and known[one.name] != one.hash)
    if clashing and not replace:
        raise AccountsRefused(
            f"{place} has other passwords for users that are there; nothing was changed.",
            ("Add --replace to take the passwords of the file.",),
            problems=tuple(one.name for one in clashing),
        )
    return Import(
        added=tuple(one for one in found if one.name not in known),
        replaced=clashing,
        unchanged=tuple(one for one in found if known.get(one.name) == one.hash),
        skipped=bad,
    )


def rights(rules: Sequence[AccessRule], name: str) -> dict[str, tuple[str, ...]]:
    """For each action the repositories that the rules give a user; "*" alone for all of them."""
    if not rules:
        return dict.fromkeys(checks.ACTIONS, (_EVERYTHING,))
    given: dict[str, tuple[str, ...]] = {}
    for action in checks.ACTIONS:
        concerned = [rule for rule in rules if action in rule.allow and {name, _EVERYONE} & set(rule.users)]
        globs = tuple(dict.fromkeys(glob for rule in concerned for glob in rule.repositories))
        given[action] = (_EVERYTHING,) if _EVERYTHING in globs else globs
    return given


def in_words(given: Mapping[str, tuple[str, ...]]) -> str:
    """Rights in one line: "pull, push: team/*; delete: team/old"."""
    actions: dict[frozenset[str], list[str]] = {}
    for action, globs in given.items():
        if globs:
            actions.setdefault(frozenset(globs), []).append(action)
    parts = []
    for words in actions.values():
        globs = given[words[0]]
        if globs == (_EVERYTHING,) and tuple(words) == checks.ACTIONS:
            return f"everything: {', '.join(words)}"
        parts.append(f"{', '.join(words)}: {'everything' if globs == (_EVERYTHING,) else ', '.join(globs)}")
    return "; ".join(parts) or "nothing"


def rules_in_force(settings: Settings, deployment: Deployment) -> bool:
    """Whether the registry runs with the rules of these settings, as far as it was brought up. Raises HostError."""
    deployed = read_if_there(deployment.directory / layout.GRANTS)
    meant = next(file.content for file in rules.rule_files(settings) if file.path == layout.GRANTS)
    return deployed is None or deployed == meant


def rules_naming(rules: Sequence[AccessRule], name: str) -> tuple[str, ...]:
    """The rules that name a user, as the settings call them: access[0]."""
    return tuple(f"access[{number}]" for number, rule in enumerate(rules) if name in rule.users)


def strangers(rules: Sequence[AccessRule], accounts: Iterable[Account]) -> tuple[str, ...]:
    """Who is named by a rule and is no user, sorted."""
    named = {name for rule in rules for name in rule.users}
    return tuple(sorted(named - {_EVERYONE} - {one.name for one in accounts}))
