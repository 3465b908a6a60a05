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
    """What the registry is taken for, and where that is written."""

    ca: Annotated[
        Path | None, typer.Option("--ca", metavar="FILE", help="Install this CA, instead of asking for it.")
    ] = None
    fingerprint: Annotated[
        str, typer.Option("--fingerprint", metavar="SHA256", help="Install the CA only if this is its SHA-256.")
    ] = ""
    system: Annotated[
        bool, typer.Option("--system", help="Let the whole system trust the CA: browsers, curl and all.")
    ] = False
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Take the registry as plain HTTP, asking neither it nor you.")
    ] = False
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="PATH", help="The daemon.json to edit.  [default: the engine's own]"),
    ] = None
    remove: Annotated[bool, typer.Option("--remove", help="Undo it all: entry and CA go.")] = False


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, name="configure-daemon", epilog=EXAMPLE, recovers=False, offers=("yes", "dry_run", "as_json"))(
        configure_daemon
    )


def configure_daemon(session: Session, options: ConfigureDaemonOptions) -> None:
    """Make this machine's Docker, podman and containerd accept the registry.

    Asks the registry what it needs. Where its certificate is from a CA of its own, shows
    the CA's fingerprint and, once you agree, installs it for this address alone; Docker
    needs no restart. Where it has no TLS, warns of that and, once you agree, adds HOST:PORT to
    "insecure-registries" in daemon.json, leaves every other character of the file alone, and lets
    Docker read it again; --insecure, or `tls: off` in the settings, agrees beforehand.
    Where neither is needed, says so. Needed once on every client; the registry itself may run
    elsewhere. Exit code 1 means that Docker does not apply the change yet.
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
        advice = "`deployer up` prints it on the machine that runs the registry."
        raise UsageError(f"What --fingerprint gives is {error}.", (advice,)) from error
