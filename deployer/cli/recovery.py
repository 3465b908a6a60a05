"""What every command does first: finish what a command that was killed, or failed, had begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer import __version__
from deployer.errors import HostError
from deployer.layout import GATE_MARKS
from deployer.record import STATE_FORMAT, format_of

if TYPE_CHECKING:
    from deployer.cli.session import Session
    from deployer.paths import Deployment


def recover(session: Session, command: str) -> None:
    """Resume writes, and apply the users, if a killed command has not.

    `command` is the one that begins now, such as "user add".
    """
    deployment = session.known_deployment
    if deployment is None:
        return
    refuse_newer(deployment)
    _recover_gate(session, deployment)
    # Looked for here, so that a command that has nothing to finish loads nothing for it.
    if deployment.reload_pending_file.exists() or deployment.apply_pending_file.exists():
        from deployer.workflows.users.in_force import finish

        said = finish(session.stack, by_up=command == "up" and not session.presentation.dry_run)
        if said:
            session.out.warn(said)
    if deployment.upgrade_pending_file.exists():
        from deployer.workflows.upgrade.kept import interrupted

        said = interrupted(deployment)
        # These two bring it to an end.
        if said and command not in {"upgrade", "up"}:
            session.out.warn(said)


def refuse_newer(deployment: Deployment) -> None:
    """Make sure that no newer version has written this deployment's files. Raises HostError."""
    found = format_of(deployment.release_file)
    if found > STATE_FORMAT:
        raise HostError(
            f"The files of '{deployment.name}' were written by a newer version of deployer (format {found}; this "
            f"version knows up to {STATE_FORMAT}). Nothing was changed.",
            (f"Use that version of deployer; this one is {__version__}.",),
        )


def _recover_gate(session: Session, deployment: Deployment) -> None:
    """Resume writes if the command that paused them has been killed."""
    if not any((deployment.gate_directory / name).exists() for name in GATE_MARKS):
        return
    from deployer.workflows.upkeep.gate import recover as open_again

    said = open_again(deployment, session.engine)
    if said:
        session.out.warn(said)
