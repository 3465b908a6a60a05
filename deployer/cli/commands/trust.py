"""The command that makes this machine's container tools accept a registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command
from deployer.errors import UsageError

if TYPE_CHECKING:
    from deployer.cli.session import Session
    from deployer.workflows.trust.client import ClientMachine
    from deployer.workflows.trust.configure import TrustOptions

EXAMPLE = """Example, on a client of a registry at 192.168.100.2:

deployer configure-daemon --host 192.168.100.2 --dry-run

deployer configure-daemon --host 192.168.100.2

In a script, with the fingerprint that `deployer up` printed:

deployer configure-daemon --host 192.168.100.2 --fingerprint 4F:9C:…
"""


@dataclass(frozen=True)
class ConfigureDaemonOptions:
    """What the registry is assumed to be, and where that is written."""

    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca", metavar="FILE", help="Install the CA certificate in FILE instead of fetching it from the registry."
        ),
    ] = None
    fingerprint: Annotated[
        str,
        typer.Option("--fingerprint", metavar="SHA256", help="Install the CA only if its SHA-256 fingerprint matches."),
    ] = ""
    system: Annotated[
        bool, typer.Option("--system", help="Also add the CA to the system trust store, for browsers, curl and others.")
    ] = False
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Treat the registry as plain HTTP, without probing it or asking.")
    ] = False
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="PATH", help="Path to the daemon.json to edit.  [default: the engine's own]"),
    ] = None
    remove: Annotated[bool, typer.Option("--remove", help="Remove the CA and the daemon.json entry.")] = False


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, name="configure-daemon", epilog=EXAMPLE, recovers=False, offers=("yes", "dry_run", "as_json"))(
        configure_daemon
    )


def configure_daemon(session: Session, options: ConfigureDaemonOptions) -> None:
    """Configure Docker, podman and containerd on this machine to accept the registry.

    Probes the registry to find out what is needed. If its certificate was issued by its own CA, shows the CA's
    fingerprint and, after you confirm, installs the CA for this address only; Docker needs no restart. If it
    has no TLS, warns you and, after you confirm, adds HOST:PORT to "insecure-registries" in daemon.json without
    changing any other character, and makes Docker reload the file; --insecure, or `tls: off` in the settings,
    confirms in advance. If neither is needed, says so. Run it once on every client; the registry may run on
    another machine. The exit code is 1 if Docker does not apply the change yet.
    """
    from deployer.cli.views import trust as views
    from deployer.host.daemon.file import NoPermission
    from deployer.workflows.trust import configure

    request = request_of(session, options)
    try:
        client = client_of(session)
        plan = configure.plan(session.settings, request, client, session.out.note)
        views.show_plan(session.out, plan, session.presentation)
        if session.presentation.dry_run:
            outcome = configure.dry_run(plan)
        else:
            configure.require_permission(plan)
            views.agree(session, plan)
            outcome = configure.apply(plan, session.settings, client)
    except NoPermission as error:
        error.advice = (views.sudo_command(session, request),)
        raise
    session.show(views.TrustReport(outcome))


def request_of(session: Session, options: ConfigureDaemonOptions) -> TrustOptions:
    """What the user asks for, with absolute paths. Raises UsageError."""
    from deployer.workflows.trust.configure import TrustOptions

    return TrustOptions(
        file=options.file and session.directory / options.file,
        ca=options.ca and session.directory / options.ca,
        fingerprint=_fingerprint(options.fingerprint),
        system=options.system,
        insecure=options.insecure,
        remove=options.remove,
    )


def client_of(session: Session) -> ClientMachine:
    """This machine, as a client of a registry."""
    from deployer.workflows.trust.client import ClientMachine

    return ClientMachine.of(session.engine, session.environment)


def _fingerprint(text: str) -> str:
    from deployer.tls.certificate import fingerprint_of

    try:
        return fingerprint_of(text) if text else ""
    except ValueError as error:
        advice = "To get it, run `deployer status` on the machine that runs the registry."
        raise UsageError(f"--fingerprint: {error}.", (advice,)) from error
