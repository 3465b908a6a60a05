"""Commands about who may sign in: user add, remove, list, password, import."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployer.cli import ask_password as asking
from deployer.cli.commands.deployment import stack_of
from deployer.cli.session import SHARED_HELP, DryRunOption, JsonOption, Session, YesOption, command, take_shared_options
from deployer.cli.views.words import counted
from deployer.host.passwords import DEFAULT_COST

if TYPE_CHECKING:
    from deployer.settings.account import Account
    from deployer.workflows.users.accounts import Accounts, Changed, Import

_GROUP_EXAMPLE = "Example: `deployer user add admin` asks for the password; from then on everyone has to sign in."
_ADD_EXAMPLE = "Example: `deployer user add ci --password-stdin < ci.password` takes the password from a file."
_REMOVE_EXAMPLE = "Example: `deployer user remove bob --dry-run` says what bob may do today."
_LIST_EXAMPLE = "Example: `deployer user list --json` tells each user's rights to a program."
_PASSWORD_EXAMPLE = "Example: `deployer user password bob` asks for the new password twice."  # noqa: S105 - a help's text
_IMPORT_EXAMPLE = "Example: `deployer user import /etc/registry/htpasswd --dry-run` says who would come."
_DRY = "Dry run: nothing was changed."

UserArgument = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.", show_default=False)]
CostOption = Annotated[
    int, typer.Option("--cost", metavar="N", help="bcrypt's cost; one more takes twice as long to check.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Take a password that is easy to guess, and any cost from 4 to 20.")
]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(
        name="user",
        help="Say who may sign in. While there are no users, the registry is open.",
        epilog=f"{_GROUP_EXAMPLE} {SHARED_HELP}",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    take_shared_options(group)
    command(group, "add", epilog=_ADD_EXAMPLE, group="user")(add)
    command(group, "remove", epilog=_REMOVE_EXAMPLE, group="user")(remove)
    command(group, "list", epilog=_LIST_EXAMPLE, group="user")(list_users)
    command(group, "password", epilog=_PASSWORD_EXAMPLE, group="user")(password)
    command(group, "import", epilog=_IMPORT_EXAMPLE, group="user")(import_file)
    app.add_typer(group)


def add(
    session: Session,
    user: UserArgument,
    cost: CostOption = DEFAULT_COST,
    force: ForceOption = False,
    from_stdin: asking.StdinOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Add a user, who may sign in from then on.

    The password is asked for, and kept as a bcrypt hash that only you can read. With the first user
    everyone has to sign in. Works before the first `deployer up` too; a running registry takes the user over
    at once, without a restart.
    """
    from deployer.workflows.users import accounts

    accounts.check_name(user)
    _refuse_unencrypted(session)
    accounts.added(_known(session, must_exist=False), user, "")
    if dry_run:
        _check_cost(cost, force=force)
        session.out.line(f"Would add the user {user}, who may do {_may(session, user)}")
        _warn_of_rules(session)
        session.out.note(_DRY)
        return
    hashed = _new_hash(session, user, cost, force=force, from_stdin=from_stdin)
    edit = partial(accounts.added, name=user, hashed=hashed)
    done = accounts.change(stack_of(session), f"user add {user}", edit)
    session.out.line(f"Added the user {user}, who may do {_may(session, user)}")
    _warn_of_rules(session)
    _say_what_follows(session, done)


def password(
    session: Session,
    user: UserArgument,
    cost: CostOption = DEFAULT_COST,
    force: ForceOption = False,
    from_stdin: asking.StdinOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Give a user another password. The one before is refused at once."""
    from deployer.workflows.users import accounts

    accounts.find(_known(session), user)
    if dry_run:
        _check_cost(cost, force=force)
        session.out.line(f"Would change the password of {user}.")
        session.out.note(_DRY)
        return
    hashed = _new_hash(session, user, cost, force=force, from_stdin=from_stdin)
    edit = partial(accounts.with_password, name=user, hashed=hashed)
    done = accounts.change(stack_of(session), f"user password {user}", edit)
    session.out.line(f"Changed the password of {user}.")
    _say_what_follows(session, done)


def remove(
    session: Session,
    user: UserArgument,
    may_open: Annotated[
        bool, typer.Option("--open", help="Remove the last user too: the registry is then open to everyone.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Remove a user, whose sign-in is refused at once.

    What the user pushed stays. A rule under `access` that names the user is to be taken out by hand.
    """
    from deployer.workflows.users import accounts

    left = accounts.without(_known(session), user, may_open=may_open)
    session.out.note(f"{user} may do today: {_may(session, user)}")
    _warn_of_rules(session)
    if not left:
        session.out.warn(f"{user} is the last user. {_open_to_all(session, 'then may')}")
    if dry_run:
        session.out.line(f"Would remove the user {user}.")
        session.out.note(_DRY)
    else:
        opens = "" if left else f" and open {session.settings.address} to everyone"
        session.out.confirm(f"Remove the user {user}{opens}?", yes=yes)
        edit = partial(accounts.without, name=user, may_open=may_open)
        done = accounts.change(stack_of(session), f"user remove {user}", edit)
        session.out.line(f"Removed the user {user}.")
        _say_what_follows(session, done)
    naming = accounts.rules_naming(session.settings.access, user)
    if naming:
        session.out.warn(
            f"{' and '.join(naming)} in {session.loaded.source} still names {user}: take the name out, "
            "or `deployer up` refuses."
        )


def list_users(session: Session, as_json: JsonOption = False) -> None:
    """List the users, the cost of their passwords' hashes, and what the rules let them do."""
    from deployer.workflows.deployment import access
    from deployer.workflows.users import accounts

    if not session.deployment.users_file.exists():
        _refuse_other(session)
        session.require_deployment()
    known = sorted(access.accounts_of(session.deployment), key=lambda one: one.name)
    rules = session.settings.access
    if as_json:
        session.out.json({"sign_in": bool(known), "users": [_user_json(session, one) for one in known]})
    elif known:
        rows = [(one.name, str(one.cost), _may(session, one.name)) for one in known]
        session.out.table(("NAME", "COST", "MAY"), rows)
    else:
        session.out.note(f"There are no users, and so no sign-in. {_open_to_all(session, 'may')}")
        session.out.note("To begin: deployer user add NAME")
    _warn_of_rules(session)
    for name in accounts.strangers(rules, known):
        session.out.warn(f"A rule under `access` names {name}, who is not a user.")


def import_file(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An htpasswd file.", show_default=False)],
    skip: Annotated[bool, typer.Option("--skip", help="Leave out what cannot be imported.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Change the passwords of users that are there to those of the file.")
    ] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take over the users of an htpasswd file, with their passwords.

    Only bcrypt hashes can be taken over, as `htpasswd -B` makes them. Where the file holds anything else,
    it is said, and nothing is changed.
    """
    from deployer.errors import HostError
    from deployer.host.files import read_if_there
    from deployer.workflows.users import accounts

    _refuse_unencrypted(session)
    path = session.directory / file
    content = read_if_there(path)
    if content is None:
        raise HostError(f"There is no file {path}.")

    def read(known: Accounts) -> Import:
        return accounts.read_import(content, str(path), known, skip=skip, replace=replace)

    plan = read(_known(session, must_exist=False))
    if not as_json:
        _print_import(session, plan, dry_run=dry_run)
    done = None
    if not dry_run:
        done = accounts.change(stack_of(session), "user import", lambda known: read(known).onto(known))
    if as_json:
        session.out.json({**_import_json(plan), "dry_run": dry_run, "running": done.running if done else None})
    elif done is None:
        session.out.note(_DRY)
    else:
        session.out.line(f"Imported {counted(len(plan.added) + len(plan.replaced), 'user')}.")
        _say_what_follows(session, done)


def _refuse_other(session: Session) -> None:
    """Where these settings mean no deployment, but one of another name has their address, say so. Raises NotFound."""
    from deployer.workflows.configuration import deployments

    deployments.refuse_other(session.deployment, session.settings, session.environment)


def _refuse_unencrypted(session: Session) -> None:
    from deployer.workflows.deployment import access

    access.refuse_unencrypted(session.settings)


def _known(session: Session, *, must_exist: bool = True) -> Accounts:
    """The users before they are changed. A deployment's name that is mistyped is told, where it must exist."""
    from deployer.workflows.deployment import access

    if not session.deployment.users_file.exists():
        _refuse_other(session)
        if must_exist:
            session.require_deployment()
    return access.accounts_of(session.deployment)


def _check_cost(cost: int, *, force: bool) -> None:
    from deployer.host import passwords

    passwords.check_cost(cost, force=force)


def _new_hash(session: Session, name: str, cost: int, *, force: bool, from_stdin: bool) -> str:
    """Ask for a new password, and return its hash."""
    from deployer.host import passwords

    passwords.check_cost(cost, force=force)
    known = (name, session.settings.name, session.settings.host, "registry", "docker")

    def check(tried: str) -> None:
        passwords.check(tried, known, force=force)

    chosen = asking.chosen(session.out, name, check, from_stdin=from_stdin)
    if cost > passwords.USUAL_COSTS[-1]:
        session.out.note("Hashing it takes long at this cost, as each sign-in then will.")
    return passwords.hashed(chosen, cost)


def _may(session: Session, name: str) -> str:
    from deployer.workflows.users import accounts

    return accounts.in_words(accounts.rights(session.settings.access, name))


def _warn_of_rules(session: Session) -> None:
    """Say where what users may do is shown by other rules than the registry's."""
    from deployer.workflows.users import accounts

    if accounts.rules_in_force(session.settings, session.deployment):
        return
    source = session.loaded.source
    if source is None:
        session.out.warn(
            "What users may do is shown as if there were no rules, but the registry runs with some: no deployer.yaml "
            "is found from here. Name it with --config."
        )
    else:
        session.out.warn(
            f"What users may do is shown by the rules in {source}, and the registry runs with others until: deployer up"
        )


def _open_to_all(session: Session, may: str) -> str:
    from deployer.host.files import read_if_there
    from deployer.layout import GRANTS

    address = session.settings.address
    if read_if_there(session.deployment.directory / GRANTS):
        return f"The rules that are in force let nobody do anything at {address} without a sign-in."
    return f"Anyone who reaches {address} {may} pull, push and delete."


def _say_what_follows(session: Session, done: Changed) -> None:
    if done.running:
        session.out.note("Applied to the running registry; nothing was restarted.")
    else:
        session.out.note("It counts once the registry runs: deployer up")
    if done.closes:
        session.out.note(f"From now on everyone has to sign in: docker login {session.settings.address}")


def _print_import(session: Session, plan: Import, *, dry_run: bool) -> None:
    begin = "Would " if dry_run else ""
    for verb, some in (
        ("add", plan.added),
        ("change the password of", plan.replaced),
        ("leave as they are", plan.unchanged),
    ):
        if some:
            text = f"{begin}{verb}: {', '.join(one.name for one in some)}"
            session.out.note(text[0].upper() + text[1:])
    for line in plan.skipped:
        session.out.warn(f"Line {line.number} is left out: {line.reason}.")
    for one in (*plan.added, *plan.replaced):
        _warn_of_cost(session, one)


def _warn_of_cost(session: Session, one: Account) -> None:
    from deployer.host.passwords import USUAL_COSTS

    if one.cost < USUAL_COSTS[0]:
        session.out.warn(f"The hash of {one.name} has cost {one.cost}: anyone who reads it tries passwords fast.")
    elif one.cost > USUAL_COSTS[-1]:
        session.out.warn(f"The hash of {one.name} has cost {one.cost}: each sign-in takes long, a wrong one too.")


def _user_json(session: Session, one: Account) -> dict[str, Any]:
    from deployer.workflows.users import accounts

    given = accounts.rights(session.settings.access, one.name)
    return {"name": one.name, "cost": one.cost, "may": {action: list(globs) for action, globs in given.items()}}


def _import_json(plan: Import) -> dict[str, Any]:
    return {
        "added": [one.name for one in plan.added],
        "replaced": [one.name for one in plan.replaced],
        "unchanged": [one.name for one in plan.unchanged],
        "skipped": [{"line": line.number, "reason": line.reason} for line in plan.skipped],
    }
