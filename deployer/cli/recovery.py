"""What every command does first: finish what a command that was killed, or failed, had begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.layout import GATE_MARKS

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
    _recover_gate(session, deployment)
    # Looked for here, so that a command that has nothing to finish loads nothing for it.
    if deployment.reload_pending_file.exists() or deployment.apply_pending_file.exists():
        from deployer.workflows.users.in_force import finish

        said = finish(session.stack, by_up=command == "up" and not session.presentation.dry_run)
        if said:
            session.out.warn(said)


def _recover_gate(session: Session, deployment: Deployment) -> None:
    """Resume writes if the command that paused them has been killed."""
    if not any((deployment.gate_directory / name).exists() for name in GATE_MARKS):
        return
    from deployer.workflows.upkeep.gate import recover as open_again

    said = open_again(deployment, session.engine)
    if said:
        session.out.warn(said)
