"""Users who can log in to the running registry, and of whom the files here know nothing any more."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from deployer.layout import USERS_IN_FORCE
from deployer.workflows.deployment import access
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from deployer.engine.values import ServiceContainer
    from deployer.settings.values.account import Account
    from deployer.workflows.deployment.stack import Stack


def find(stack: Stack, accounts: tuple[Account, ...], containers: tuple[ServiceContainer, ...]) -> Finding | None:
    """What to say where the kept `accounts` are fewer than those in effect, the files being lost. Raises HostError."""
    count = access.lost_users(stack.deployment, accounts)
    if count:
        return _without_users(stack, count)
    if access.are_files_missing(stack.deployment, containers):
        return _without_files(stack, access.users_in_frontend(stack.engine, containers))
    return None


def _without_users(stack: Stack, count: int) -> Finding:
    file = stack.deployment.users_file
    # It has the form of Caddy's file, with a user `--` who cannot log in.
    quoted = shlex.quote(str(stack.deployment.directory / USERS_IN_FORCE))
    return Finding(
        FindingState.WRONG,
        f"{file} has no users, but the running registry has {count}: `deployer up` would turn login off.",
        (
            f"To put them back: (umask 077; grep -v '^\"--\"' {quoted} | tr -d '\"' | tr ' ' : > lost-users)",
            "Then: deployer user import lost-users",
            "Or add them again: deployer user add NAME",
        ),
    )


def _without_files(stack: Stack, count: int) -> Finding:
    lost = f", and with them {count} user{'s' if count > 1 else ''} who can still log in" if count else ""
    return Finding(
        FindingState.WRONG,
        f"The deployment's files are missing from {stack.deployment.directory}{lost}.",
        ("Restore them from a backup.", "If there is none: deployer up   (without them, no login is required)"),
    )
