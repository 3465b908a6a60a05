"""Commands that report the state of a registry: doctor, status, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command

if TYPE_CHECKING:
    from deployer.cli.session import Session

_DOCTOR_EXAMPLE = "Example: run `deployer doctor --host 192.168.100.2` on a machine that cannot push to that registry."
_STATUS_EXAMPLE = "Example: `deployer status --json | jq .ready` prints true if the registry is ready."
_LOGS_EXAMPLE = "Example: `deployer logs -f registry` follows the registry's log."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_DOCTOR_EXAMPLE, offers=("as_json",))(doctor)
    command(app, epilog=_STATUS_EXAMPLE, offers=("as_json",))(status)
    command(app, epilog=_LOGS_EXAMPLE)(logs)


def doctor(session: Session) -> None:
    """Find problems and show how to fix them.

    Checks the Docker client with its contexts and plugins; the engine's options, addresses and disk; the
    deployment; the connection to the registry and whether it is trusted; proxies and clocks. Works on the
    machine that runs the registry and on clients. The exit code is 1 if a problem is found.
    """
    from deployer.cli.views.diagnosis import DoctorReport
    from deployer.workflows.diagnosis.doctor import examine

    findings = examine(session.stack, session.environment, named="name" in session.loaded.given)
    session.show(DoctorReport(findings, session.out.selection))


def status(session: Session) -> None:
    """Show the status of the registry.

    Shows its services and their health, its version and address, and its contents. The exit code is 0 if
    everything responds, 1 if not.
    """
    from deployer.cli.views.diagnosis import StatusReport
    from deployer.workflows.diagnosis.status import read

    session.require_deployment(session.engine)
    session.show(StatusReport(read(session.stack)))


def logs(
    session: Session,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE", help="One or more of: registry, frontend, page, scheduler.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow log output; press Ctrl-C to stop.")] = False,
    tail: Annotated[
        str, typer.Option("--tail", metavar="N", help="Number of lines to show from the end of each log.")
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Show only lines since TIME, such as 10m.")
    ] = "",
) -> None:
    """Show the logs of the services."""
    from deployer.workflows.diagnosis.logs import follow_logs

    session.require_deployment(session.engine)
    follow_logs(session.stack, tuple(services or ()), follow=follow, tail=tail, since=since)
