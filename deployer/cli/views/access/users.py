"""How users, their permissions, and changes of both are printed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.session import NOTHING_CHANGED
from deployer.cli.views.words import counted
from deployer.host.passwords import USUAL_COSTS
from deployer.settings.values import checks
from deployer.workflows.users.permissions import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployer.cli.output import Output
    from deployer.cli.presentation import Presentation
    from deployer.settings.model import Settings
    from deployer.settings.values.account import Account
    from deployer.workflows.users.accounts import Accounts, Changed, Import
    from deployer.workflows.users.permissions import Permissions


@dataclass(frozen=True)
class UsersReport(Report):
    """The users, and what the rules let them do."""

    accounts: Accounts
    permissions: Permissions

    def as_json(self) -> dict[str, Any]:
        """Whether there are users, and each with what the rules let it do."""
        everyone = {action: list(globs) for action, globs in self._without_login().items()}
        users = [self._user(one) for one in self._sorted()]
        return {"sign_in": bool(self.accounts), "users": users, "anonymous": {"may": everyone}}

    def print(self, out: Output) -> None:
        """Print the users as a table."""
        rows = [(one.name, str(one.cost), _may(one.name, self.permissions)) for one in self._sorted()]
        everyone = self._without_login()
        if rows and any(everyone.values()):
            rows.append((f"({checks.ANONYMOUS})", "-", in_words(everyone)))
        if rows:
            out.table(("NAME", "COST", "PERMISSIONS"), rows)
        else:
            out.note(f"There are no users, so no login is required. {_open_to_all(self.permissions, 'can')}")
            out.note("To add the first user: deployer user add NAME")

    def remark(self, out: Output) -> None:
        """Warn of rules that are not in effect, and of names in them."""
        warn_of_rules(out, self.permissions)
        for name in self.permissions.unknown_users(self.accounts):
            out.warn(f"A rule under `access` names {name}, but there is no such user.")

    def _sorted(self) -> list[Account]:
        return sorted(self.accounts, key=lambda one: one.name)

    def _without_login(self) -> Mapping[str, tuple[str, ...]]:
        return self.permissions.without_login(has_users=bool(self.accounts))

    def _user(self, one: Account) -> dict[str, Any]:
        given = self.permissions.of_user(one.name)
        return {"name": one.name, "cost": one.cost, "may": {action: list(globs) for action, globs in given.items()}}


@dataclass(frozen=True)
class ImportReport(Report):
    """The users that came from a file; `done` is None in a dry run."""

    address: str
    plan: Import
    done: Changed | None
    permissions: Permissions | None = None

    def as_json(self) -> dict[str, Any]:
        """The names, and whether a running registry has them."""
        return {
            "added": [one.name for one in self.plan.added],
            "replaced": [one.name for one in self.plan.replaced],
            "unchanged": [one.name for one in self.plan.unchanged],
            "skipped": [{"line": line.number, "reason": line.reason} for line in self.plan.skipped],
            "dry_run": self.done is None,
            "running": self.done.running if self.done else None,
        }

    def print(self, out: Output) -> None:
        """Say how many came, and what follows."""
        if self.done is None:
            out.note(NOTHING_CHANGED)
            return
        out.line(f"Imported {counted(len(self.plan.added) + len(self.plan.replaced), 'user')}.")
        _say_what_follows(out, self.address, self.done, self.permissions)


def print_import(out: Output, plan: Import, presentation: Presentation) -> None:
    """Say what an import does to whom; nothing with JSON, which has it."""
    if presentation.as_json:
        return
    begin = "Would " if presentation.dry_run else ""
    for verb, some in (
        ("add", plan.added),
        ("change the password for", plan.replaced),
        ("keep unchanged", plan.unchanged),
    ):
        if some:
            text = f"{begin}{verb}: {', '.join(one.name for one in some)}"
            out.note(text[0].upper() + text[1:])
    for line in plan.skipped:
        out.warn(f"Line {line.number} skipped: {line.reason}.")
    for one in (*plan.added, *plan.replaced):
        _warn_of_cost(out, one)


def print_addition(out: Output, user: str, permissions: Permissions) -> None:
    """Say who would be added."""
    out.line(f"Would add user {user}. Permissions: {_may(user, permissions)}")
    warn_of_rules(out, permissions)
    out.note(NOTHING_CHANGED)


def print_added(out: Output, user: str, permissions: Permissions, done: Changed) -> None:
    """Say who was added."""
    out.line(f"Added user {user}. Permissions: {_may(user, permissions)}")
    warn_of_rules(out, permissions)
    _say_what_follows(out, permissions.address, done, permissions)


def print_password(out: Output, user: str) -> None:
    """Say whose password would change."""
    out.line(f"Would change the password for {user}.")
    out.note(NOTHING_CHANGED)


def print_changed_password(out: Output, user: str, address: str, done: Changed) -> None:
    """Say whose password changed."""
    out.line(f"Changed the password for {user}.")
    _say_what_follows(out, address, done)


def print_removal(out: Output, user: str, permissions: Permissions, *, is_last: bool) -> None:
    """Show what a removed user may no longer do."""
    out.note(f"Current permissions of {user}: {_may(user, permissions)}")
    warn_of_rules(out, permissions)
    if is_last:
        out.warn(f"{user} is the last user. {_open_to_all(permissions, 'can then')}")


def print_dry_removal(out: Output, user: str) -> None:
    """Say who would be removed."""
    out.line(f"Would remove user {user}.")
    out.note(NOTHING_CHANGED)


def question_of_removal(user: str, permissions: Permissions, *, is_last: bool) -> str:
    """What to ask before a user is removed."""
    opens = " and open it to everyone" if is_last else ""
    return f"Remove user {user} from {permissions.address}{opens}?"


def print_removed(out: Output, user: str, permissions: Permissions, done: Changed) -> None:
    """Say who was removed."""
    out.line(f"Removed user {user}.")
    _say_what_follows(out, permissions.address, done, permissions)


def warn_of_rules_naming(out: Output, user: str, permissions: Permissions) -> None:
    """Warn of rules that still name a user who is removed."""
    naming = permissions.naming(user)
    if naming:
        name = "names" if len(naming) == 1 else "name"
        out.warn(
            f"{' and '.join(naming)} in {permissions.source} still {name} {user}; remove the name, or "
            "`deployer up` will fail."
        )


def print_secret(out: Output, settings: Settings, text: str, *, directory: Path, file: Path | None) -> None:
    """Print a Secret's manifest, or say to which file, as it was named, it was written."""
    if settings.is_loopback:
        out.warn(f"Only this machine can reach {settings.address}; on a cluster node, that address is the node itself.")
    if file is None:
        out.text(text.rstrip())
    else:
        out.note(f"Wrote {directory / file}. Next: kubectl apply -f {shlex.quote(str(file))}")


def in_words(given: Mapping[str, tuple[str, ...]]) -> str:
    """Rights in one line: "pull, push: team/*; delete: team/old"."""
    actions: dict[frozenset[str], list[str]] = {}
    for action, globs in given.items():
        if globs:
            actions.setdefault(frozenset(globs), []).append(action)
    parts = []
    for words in actions.values():
        globs = given[words[0]]
        if globs == (EVERYTHING,) and tuple(words) == checks.ACTIONS:
            return f"full access ({', '.join(words)})"
        parts.append(f"{', '.join(words)}: {'everything' if globs == (EVERYTHING,) else ', '.join(globs)}")
    return "; ".join(parts) or "none"


def _may(name: str, permissions: Permissions) -> str:
    return in_words(permissions.of_user(name))


def warn_of_rules(out: Output, permissions: Permissions) -> None:
    """Warn if the permissions shown are not those of the running registry."""
    if permissions.are_in_force:
        return
    if permissions.source is None:
        out.warn(
            "Permissions are shown as if there were no rules, but the running registry has rules. No "
            "deployer.yaml was found; specify it with --config."
        )
    else:
        out.warn(
            f"Permissions are shown according to {permissions.source}; the running registry uses other rules "
            "until you run: deployer up"
        )


def _open_to_all(permissions: Permissions, may: str) -> str:
    if permissions.restricts_everyone:
        given = permissions.of_everyone_today()
        what = f"only {in_words(given)}" if any(given.values()) else "nothing"
        return f"The rules in effect allow {what} at {permissions.address} without login."
    return f"Anyone who can reach {permissions.address} {may} pull, push and delete."


def _say_what_follows(out: Output, address: str, done: Changed, permissions: Permissions | None = None) -> None:
    if done.running:
        out.note("Applied to the running registry; nothing was restarted.")
    else:
        out.note("The change takes effect when the registry is started: deployer up")
    if done.closes:
        given = permissions.of_everyone_today() if permissions else {}
        but = f", except to {in_words(given)}" if any(given.values()) else ""
        out.note(f"From now on everyone has to log in{but}: docker login {address}")


def _warn_of_cost(out: Output, one: Account) -> None:
    if one.cost < USUAL_COSTS[0]:
        out.warn(f"The hash of {one.name} has cost {one.cost}: anyone who reads it can guess passwords quickly.")
    elif one.cost > USUAL_COSTS[-1]:
        out.warn(f"The hash of {one.name} has cost {one.cost}: every login attempt takes long, including failed ones.")
