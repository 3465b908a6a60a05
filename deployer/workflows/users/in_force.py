"""Applying a change of the users: saved first, then applied by a running frontend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import Busy, DeployerError
from deployer.host import marks
from deployer.host.files import PRIVATE, write_atomically
from deployer.host.lock import exclusive
from deployer.rendering import rules
from deployer.settings.values.account import written
from deployer.workflows.checks import preflight
from deployer.workflows.deployment import access

if TYPE_CHECKING:
    from deployer.host.marks import Mark
    from deployer.settings.values.account import Account
    from deployer.workflows.deployment.stack import Stack

MARK_OF_CHECK = "upgrade"
"""The mark of an upgrade's check, which adds a user for its own time."""


def keep(stack: Stack, accounts: tuple[Account, ...], command: str) -> bool:
    """Keep these users, and let a running frontend take them over at once; return whether one did.

    Interrupted anywhere, the next command finishes, and names this one. Raises HostError or EngineError.
    """
    deployment = stack.deployment
    if deployment.is_there:
        # Elsewhere no frontend of this deployment would be found, and the one here would keep the previous users.
        preflight.check_here(stack.engine)
    with marks.begun(deployment.reload_pending_file, command):
        write_atomically(deployment.users_file, written(accounts), PRIVATE)
        return apply(stack)


def apply(stack: Stack) -> bool:
    """Write the users where the frontend reads them, and let it; return whether one runs.

    The rules stay those that `up` put into effect: settings read elsewhere may hold none. Raises
    HostError or EngineError.
    """
    deployment = stack.deployment
    if not deployment.is_there:
        deployment.reload_pending_file.unlink(missing_ok=True)
        return False
    preflight.check_here(stack.engine)
    for file in rules.user_files(stack.settings, access.accounts_of(deployment)):
        write_atomically(deployment.directory / file.path, file.content, file.mode)
    return access.reload_frontend(stack.engine, deployment)


def finish(stack: Stack, *, by_up: bool = False) -> str:
    """Apply what a killed command has saved; return what to say about it, "" for nothing.

    Whether one that was interrupted had come to the change itself no one knows: its user looks. What cannot be done
    now is said as well, and not raised. `by_up`: the command that asks is `up`, which finishes what an `up` has begun.
    """
    deployment = stack.deployment
    changed = None
    try:
        with exclusive(deployment.lock_file):
            applied = marks.read(deployment.apply_pending_file)
            if applied:
                # Only `up` knows the rules and certificates that were wanted.
                return "" if by_up else _unapplied(applied)
            changed = marks.read(deployment.reload_pending_file)
            if changed:
                apply(stack)
    except Busy:
        # It may be the one whose mark this is, and has not come to its end yet.
        return ""
    except DeployerError as error:
        return f"{_not_yet(changed)}: {error}"
    # Its own user is gone again, and no one else's change is in question.
    return _finished(changed) if changed and changed.command != MARK_OF_CHECK else ""


def _unapplied(mark: Mark) -> str:
    return (
        f"`deployer up` {'failed' if mark.has_failed else 'was interrupted'}; the previous users, rules or "
        "certificates may still be in effect. To apply the new ones: deployer up"
    )


def _not_yet(mark: Mark | None) -> str:
    if mark is None:
        return "A change to the users may not be in effect yet"
    if mark.has_failed:
        return f"The change made by `deployer {mark.command}` is not in effect yet"
    return f"`deployer {mark.command}` was interrupted, and its change may not be in effect yet"


def _finished(mark: Mark) -> str:
    named = f"`deployer {mark.command}`"
    if mark.has_failed:
        return f"The change made by {named}, which had failed, is now in effect."
    return f"{named} was interrupted. Check whether it took effect, and repeat it if not: deployer user list"
