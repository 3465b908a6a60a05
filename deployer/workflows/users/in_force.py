"""Putting a change of the users in force: kept first, then taken over by a running frontend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.host.files import PRIVATE, read_if_there, write_atomically
from deployer.host.lock import exclusive
from deployer.rendering import rules
from deployer.settings.account import written
from deployer.workflows.checks import preflight
from deployer.workflows.deployment import access

if TYPE_CHECKING:
    from deployer.settings.account import Account
    from deployer.workflows.deployment.stack import Stack


def keep(stack: Stack, accounts: tuple[Account, ...], command: str) -> bool:
    """Keep these users, and let a running frontend take them over at once; return whether one did.

    Interrupted anywhere, the next command finishes, and names this one. Raises HostError or EngineError.
    """
    deployment = stack.deployment
    if deployment.is_there:
        # Elsewhere no frontend of this deployment would be found, and the one here would go on with the users before.
        preflight.check_here(stack.engine)
    write_atomically(deployment.reload_pending_file, command.encode(), PRIVATE)
    write_atomically(deployment.users_file, written(accounts), PRIVATE)
    return apply(stack)


def apply(stack: Stack) -> bool:
    """Write the users where the frontend reads them, and let it; return whether one runs.

    The rules stay those that `up` put in force: settings read elsewhere may hold none. Raises
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


def finish(stack: Stack) -> str:
    """Put in force what a command that is gone has kept; return what to say about it, "" for nothing.

    Whether it had come to the change itself nobody knows: its user looks. What cannot be done now is
    said as well, and not raised.
    """
    deployment = stack.deployment
    try:
        with exclusive(deployment.lock_file):
            if deployment.apply_pending_file.exists():
                # Only `up` knows the rules and certificates that were wanted.
                return (
                    "`deployer up` was interrupted; the previous users, rules or certificates may still be in "
                    "effect: deployer up"
                )
            command = read_if_there(deployment.reload_pending_file)
            if command is None:
                return ""
            apply(stack)
    except DeployerError as error:
        return f"A change of the users was interrupted, and may not be in effect yet: {error}"
    named = f"`deployer {command.decode(errors='replace')}`"
    return f"{named} was interrupted. Check whether it took effect, and repeat it if not: deployer user list"
