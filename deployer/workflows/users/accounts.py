"""Changing a deployment's users: who is added, removed and imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from deployer.errors import AnotherDeployment, DeployerError, EngineError, HostError, NotFound, UsageError
from deployer.host.files import read_if_there
from deployer.host.lock import exclusive
from deployer.settings.values import account, checks
from deployer.suggest import did_you_mean
from deployer.workflows.configuration import deployments
from deployer.workflows.deployment import access
from deployer.workflows.users import in_force, lost_users

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from deployer.engine.values import ServiceContainer
    from deployer.settings.values.account import Account, BadLine
    from deployer.workflows.deployment.stack import Stack

Accounts = tuple["Account", ...]


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


def current(stack: Stack, environment: Mapping[str, str], *, must_exist: bool) -> Accounts:
    """The users of a deployment, which `must_exist` if only its name is given.

    Raises NotFound if it does not, or if a deployment of another name has its address, AnotherDeployment and
    HostError.
    """
    _containers(stack)
    return _kept(stack, environment, must_exist=must_exist)


def not_lost(stack: Stack, environment: Mapping[str, str], *, must_exist: bool) -> Accounts:
    """The same, for what would be wrong to say or do while others are in effect, the files being lost.

    Raises HostError for that too.
    """
    containers = _containers(stack)
    found = _kept(stack, environment, must_exist=must_exist)
    lost = lost_users.find(stack, found, containers)
    if lost:
        raise HostError(lost.sentence, lost.advice)
    return found


def _kept(stack: Stack, environment: Mapping[str, str], *, must_exist: bool) -> Accounts:
    if not stack.deployment.users_file.exists():
        deployments.refuse_other(stack.deployment, stack.settings, environment)
        if must_exist:
            deployments.require(stack.deployment, environment)
    return access.accounts_of(stack.deployment)


def _containers(stack: Stack) -> tuple[ServiceContainer, ...]:
    """The deployment's containers; none without an engine, as users can be changed before the first `up`.

    Raises AnotherDeployment as `Stack.containers` does.
    """
    try:
        return stack.containers()
    except AnotherDeployment:
        raise
    except DeployerError:
        return ()


def check_addition(stack: Stack, environment: Mapping[str, str], name: str) -> None:
    """Make sure that a user of that name can be added. Raises UsageError, ConfigurationError or AccountsRefused."""
    check_name(name)
    access.refuse_unencrypted(stack.settings)
    added(current(stack, environment, must_exist=False), name, "")


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
            message = f"The change is saved but not in effect yet. {error.message}"
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
        raise NotFound(f"No such user: {checks.shown(name)}. There are no users.", ("deployer user add NAME",))
    raise NotFound(
        f"No such user: {checks.shown(name)}.", did_you_mean(name, known) or ("To list the users: deployer user list",)
    )


def added(accounts: Accounts, name: str, hashed: str) -> Accounts:
    """The users with a new one. Raises AccountsRefused if there is one of that name."""
    if any(one.name == name for one in accounts):
        raise AccountsRefused(f"User '{name}' already exists.", (f"For a new password: deployer user password {name}",))
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
            f"'{name}' is the last user; without users, no login is required and the registry is open to everyone.",
            (
                "Add another one first: deployer user add NAME",
                f"Or open the registry to everyone: deployer user remove {name} --open",
            ),
        )
    return left


def importer(stack: Stack, file: Path, *, skip: bool, replace: bool) -> Callable[[Accounts], Import]:
    """What importing an htpasswd file does to users, see `read_import`; the file is read once, now.

    Raises ConfigurationError if passwords would cross the network in the clear, and HostError.
    """
    access.refuse_unencrypted(stack.settings)
    content = read_if_there(file)
    if content is None:
        raise HostError(f"No such file: {file}.")
    return partial(read_import, content, str(file), skip=skip, replace=replace)


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
        raise AccountsRefused(f"{place} contains no users that can be imported.")
    known = {one.name: one.hash for one in accounts}
    clashing = tuple(one for one in found if one.name in known and known[one.name] != one.hash)
    if clashing and not replace:
        raise AccountsRefused(
            f"{place} has different passwords for existing users; nothing was changed.",
            ("Add --replace to use the passwords in the file.",),
            problems=tuple(one.name for one in clashing),
        )
    return Import(
        added=tuple(one for one in found if one.name not in known),
        replaced=clashing,
        unchanged=tuple(one for one in found if known.get(one.name) == one.hash),
        skipped=bad,
    )
