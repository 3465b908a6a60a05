"""Commands about who may log in: user add, remove, list, password, import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import ask_password as asking
from deployer.cli.options import UserArgument
from deployer.cli.registration import command, command_group
from deployer.host.passwords import DEFAULT_COST

if TYPE_CHECKING:
    from deployer.cli.session import Session
    from deployer.workflows.users.new_password import PasswordPolicy
    from deployer.workflows.users.permissions import Permissions

_GROUP_EXAMPLE = "Example: `deployer user add admin` prompts for the password; from then on everyone has to log in."
_ADD_EXAMPLE = "Example: `deployer user add ci --password-stdin < ci.password` reads the password from a file."
_REMOVE_EXAMPLE = "Example: `deployer user remove bob --dry-run` shows bob's current permissions."
_LIST_EXAMPLE = "Example: `deployer user list --json` prints each user's permissions as JSON."
_PASSWORD_EXAMPLE = "Example: `deployer user password bob` prompts for the new password twice."  # noqa: S105 - a help's text
_IMPORT_EXAMPLE = (
    "Example: `deployer user import /etc/registry/htpasswd --dry-run` shows which users would be imported."
)


@dataclass(frozen=True)
class PasswordOptions:
    """How a new password is given, and how it is kept."""

    cost: Annotated[
        int, typer.Option("--cost", metavar="N", help="bcrypt cost; each step doubles the time to check a password.")
    ] = DEFAULT_COST
    force: Annotated[
        bool, typer.Option("--force", help="Allow a password that is easy to guess, and any cost from 4 to 20.")
    ] = False
    from_stdin: asking.StdinOption = False


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    about = "Manage the users who may log in. Without users, no login is required."
    group = command_group(app, "user", about=about, example=_GROUP_EXAMPLE)
    command(group, "add", epilog=_ADD_EXAMPLE, group="user", offers=("dry_run",))(add)
    command(group, "remove", epilog=_REMOVE_EXAMPLE, group="user", offers=("dry_run", "yes"))(remove)
    command(group, "list", epilog=_LIST_EXAMPLE, group="user", offers=("as_json",))(list_users)
    command(group, "password", epilog=_PASSWORD_EXAMPLE, group="user", offers=("dry_run",))(password)
    command(group, "import", epilog=_IMPORT_EXAMPLE, group="user", offers=("dry_run", "as_json"))(import_file)


def add(session: Session, user: UserArgument, options: PasswordOptions) -> None:
    """Add a user.

    Prompts for the password and stores it as a bcrypt hash that only you can read. After the first user is
    added, everyone has to log in. Also works before the first `deployer up`; a running registry applies the
    change at once, without a restart.
    """
    from deployer.cli.views.access import users as views
    from deployer.workflows.users import accounts

    session.refuse_elsewhere(changes=True, before_up=True)
    accounts.check_addition(session.stack, session.environment, user)
    policy = _policy(session, user, options)
    if session.presentation.dry_run:
        views.print_addition(session.out, user, _permissions(session))
        return
    hashed = asking.new_hash(session.out, user, policy, from_stdin=options.from_stdin)
    edit = partial(accounts.added, name=user, hashed=hashed)
    done = accounts.change(session.stack, f"user add {user}", edit)
    views.print_added(session.out, user, _permissions(session), done)


def password(session: Session, user: UserArgument, options: PasswordOptions) -> None:
    """Change a user's password. The old password is rejected at once."""
    from deployer.cli.views.access import users as views
    from deployer.workflows.users import accounts

    accounts.find(session.accounts(changes=True), user)
    policy = _policy(session, user, options)
    if session.presentation.dry_run:
        views.print_password(session.out, user)
        return
    hashed = asking.new_hash(session.out, user, policy, from_stdin=options.from_stdin)
    edit = partial(accounts.with_password, name=user, hashed=hashed)
    done = accounts.change(session.stack, f"user password {user}", edit)
    views.print_changed_password(session.out, user, session.settings.address, done)


def remove(
    session: Session,
    user: UserArgument,
    may_open: Annotated[
        bool, typer.Option("--open", help="Allow removing the last user, which opens the registry to everyone.")
    ] = False,
) -> None:
    """Remove a user.

    The user's login is rejected at once. Images that the user pushed are kept. Rules under `access` that name
    the user must be removed by hand.
    """
    from deployer.cli.views.access import users as views
    from deployer.workflows.users import accounts

    known, permissions = session.accounts(changes=True), _permissions(session)
    is_last = not accounts.without(known, user, may_open=may_open)
    views.print_removal(session.out, user, permissions, is_last=is_last)
    if session.presentation.dry_run:
        views.print_dry_removal(session.out, user)
    else:
        session.confirm(views.question_of_removal(user, permissions, is_last=is_last))
        edit = partial(accounts.without, name=user, may_open=may_open)
        done = accounts.change(session.stack, f"user remove {user}", edit)
        views.print_removed(session.out, user, permissions, done)
    views.warn_of_rules_naming(session.out, user, permissions)


def list_users(session: Session) -> None:
    """List users with their bcrypt cost and permissions."""
    from deployer.cli.views.access.users import UsersReport

    session.show(UsersReport(session.accounts(), _permissions(session)))


def import_file(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An htpasswd file.", show_default=False)],
    skip: Annotated[bool, typer.Option("--skip", help="Skip lines that cannot be imported.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the passwords of existing users.")] = False,
) -> None:
    """Import users and passwords from an htpasswd file.

    Only bcrypt hashes, as created by `htpasswd -B`, can be imported. If the file contains anything else, it is
    reported and nothing is changed.
    """
    from deployer.cli.views.access import users as views
    from deployer.workflows.users import accounts

    session.refuse_elsewhere(changes=True, before_up=True)
    read = accounts.importer(session.stack, session.directory / file, skip=skip, replace=replace)
    plan = read(accounts.current(session.stack, session.environment, must_exist=False))
    views.print_import(session.out, plan, session.presentation)
    done = None
    if not session.presentation.dry_run:
        done = accounts.change(session.stack, "user import", lambda known: read(known).onto(known))
    session.show(views.ImportReport(session.settings.address, plan, done, _permissions(session)))


def _permissions(session: Session) -> Permissions:
    from deployer.workflows.users.permissions import Permissions

    return Permissions.of(session.settings, session.deployment, session.loaded.source)


def _policy(session: Session, user: str, options: PasswordOptions) -> PasswordPolicy:
    from deployer.workflows.users.new_password import PasswordPolicy

    return PasswordPolicy.of(session.settings, user, options.cost, force=options.force)
