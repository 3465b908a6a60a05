"""Commands about the configuration: init, render."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.registration import command
from deployer.errors import UsageError

if TYPE_CHECKING:
    from deployer.cli.session import Session

_INIT_EXAMPLE = "Example: `deployer init --host 192.168.100.2 --tls internal` writes ./deployer.yaml for that address."
_RENDER_EXAMPLE = "Example: `deployer render --diff` shows what `deployer up` would change."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_INIT_EXAMPLE, recovers=False, offers=("dry_run",))(init)
    command(app, epilog=_RENDER_EXAMPLE, recovers=False, offers=("as_json",))(render)


def init(
    session: Session,
    tls: Annotated[
        str | None, typer.Option("--tls", metavar="off|internal|acme", help="Encryption.  [default: off]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there; the old one is kept.")] = False,
) -> None:
    """Write a deployer.yaml, every setting explained.

    With --tls internal the registry gets a CA of its own, which `configure-daemon` makes
    clients trust; with --tls acme a public name's certificate. The file holds the values given by
    flags and DEPLOYER_* variables, and the defaults for the rest. No command needs it; it is where
    settings are kept.
    """
    from deployer.cli.views import configuration as views
    from deployer.settings.load import FILE_NAME, Flags, load
    from deployer.workflows.configuration import setup

    path = session.directory / (session.config or FILE_NAME)
    flags = Flags(None, session.name, session.host, session.port, tls)
    settings = load(flags, session.environment, session.directory, find=False).settings
    if session.presentation.dry_run:
        views.print_configuration(session.out, path, setup.configuration(settings))
        return
    setup.write_configuration(path, settings, force=force)
    views.print_written(session.out, path, settings, session.config)


def render(
    session: Session,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the files there.", show_default=False)
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change against what is deployed.")] = False,
) -> None:
    """Print or write the files that `up` would use.

    Nothing is started. Printed, secrets are hidden; written with --output, they stand in registry/config.yaml, which
    only you can read. With --diff the exit code is 1 where something would change.
    """
    from deployer.cli.views import configuration as views
    from deployer.workflows.configuration import setup

    if diff and output is not None:
        raise UsageError("--diff shows and --output writes: give one of them.")
    found = setup.rendered(session.stack)
    if diff:
        session.show(views.DifferenceReport(setup.difference(session.stack, found)))
    elif output is not None:
        session.show(views.WrittenReport(setup.write_rendered(session.directory / output, found)))
    else:
        session.show(views.RenderedReport(found.shown()))
