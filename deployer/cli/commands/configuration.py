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
        str | None, typer.Option("--tls", metavar="off|internal|acme", help="TLS mode.  [default: off]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite an existing file; the old one is kept as a backup.")
    ] = False,
) -> None:
    """Create a deployer.yaml with every setting explained.

    With --tls internal, the registry gets its own CA; `deployer configure-daemon` makes clients trust it. With
    --tls acme, it gets a certificate for a public name. The file contains the values from flags and DEPLOYER_*
    variables, and defaults for the rest. No command requires the file; it is the place to keep settings.
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
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write the files to this directory.", show_default=False),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show the difference from the deployed files.")] = False,
) -> None:
    """Print or write the files that `up` would use.

    Nothing is started. Secrets are hidden when printed; with --output they are written to registry/config.yaml,
    which only you can read. With --diff, the exit code is 1 if anything would change.
    """
    from deployer.cli.views import configuration as views
    from deployer.workflows.configuration import setup

    if diff and output is not None:
        raise UsageError("--diff and --output cannot be used together.")
    found = setup.rendered(session.stack)
    if diff:
        session.show(views.DifferenceReport(setup.difference(session.stack, found)))
    elif output is not None:
        session.show(views.WrittenReport(setup.write_rendered(session.directory / output, found)))
    else:
        session.show(views.RenderedReport(found.shown()))
