"""Commands that tell how a registry is: doctor, status, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command

if TYPE_CHECKING:
    from deployer.cli.session import Session

_DOCTOR_EXAMPLE = "Example: `deployer doctor --host 192.168.100.2` on a machine that cannot push there."
_STATUS_EXAMPLE = "Example: `deployer status --json | jq .ready`. The exit code is 1 while it is not healthy."
_LOGS_EXAMPLE = "Example: `deployer logs -f registry`"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_DOCTOR_EXAMPLE, offers=("as_json",))(doctor)
    command(app, epilog=_STATUS_EXAMPLE, offers=("as_json",))(status)
    command(app, epilog=_LOGS_EXAMPLE)(logs)


def doctor(session: Session) -> None:
    """Find what is wrong, and say how to fix it.

    Looks at the Docker client and its contexts and plugins, the engine's options, addresses and disk,
    the deployment, the way to the registry, the trust in it, proxies and clocks. Works on the machine
    that runs the registry and on its clients. The exit code is 1 where something is wrong.
    """
    from deployer.cli.views.diagnosis import DoctorReport
    from deployer.workflows.diagnosis.doctor import examine

    findings = examine(session.stack, session.environment, named="name" in session.loaded.given)
    session.show(DoctorReport(findings, session.out.selection))


def status(session: Session) -> None:
    """Show how the registry is.

    Its services, their health, version and address, and what it holds. The exit code is 0 when
    everything answers, and 1 when not.
    """
    from deployer.cli.views.diagnosis import StatusReport
    from deployer.workflows.diagnosis.status import read

    session.require_deployment(session.engine)
    session.show(StatusReport(read(session.stack)))


def logs(
    session: Session,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE", help="registry, frontend, or page; or several.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new lines come; Ctrl-C ends it.")] = False,
    tail: Annotated[str, typer.Option("--tail", metavar="N", help="Only the last N lines of each service.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Only lines since then, such as 10m.")] = "",
) -> None:
    """Show what the services wrote."""
    from deployer.workflows.diagnosis.logs import follow_logs

    session.require_deployment(session.engine)
    follow_logs(session.stack, tuple(services or ()), follow=follow, tail=tail, since=since)
