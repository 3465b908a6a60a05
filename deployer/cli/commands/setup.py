"""Commands about the configuration: init, render, doctor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.output import underneath
from deployer.cli.selection import Selection
from deployer.cli.session import DryRunOption, JsonOption, Session, command
from deployer.errors import EXIT_FAILURE, UsageError

if TYPE_CHECKING:
    from deployer.rendering.templates import File

_INIT_EXAMPLE = "Example: `deployer init --host 192.168.100.2 --tls internal` writes ./deployer.yaml for that address."
_RENDER_EXAMPLE = "Example: `deployer render --diff` shows what `deployer up` would change."
_DOCTOR_EXAMPLE = "Example: `deployer doctor --host 192.168.100.2` on a machine that cannot push there."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_INIT_EXAMPLE, recovers=False)(init)
    command(app, epilog=_RENDER_EXAMPLE, recovers=False)(render)
    command(app, epilog=_DOCTOR_EXAMPLE)(doctor)


def init(
    session: Session,
    tls: Annotated[
        str | None, typer.Option("--tls", metavar="off|internal|acme", help="Encryption.  [default: off]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there; the old one is kept.")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Write a deployer.yaml, every setting explained.

    With --tls internal the registry gets a CA of its own, which `configure-daemon` makes
    clients trust; with --tls acme a public name's certificate. The file holds the values given by
    flags and DEPLOYER_* variables, and the defaults for the rest. No command needs it; it is where
    settings are kept.
    """
    from deployer.rendering import snippets
    from deployer.settings.load import FILE_NAME, Flags, load
    from deployer.workflows.configuration import setup

    path = session.directory / (session.config or FILE_NAME)
    flags = Flags(None, session.name, session.host, session.port, tls)
    settings = load(flags, session.environment, session.directory, find=False).settings
    if dry_run:
        session.out.line(snippets.configuration_file(settings).rstrip())
        session.out.note(f"Dry run: {path} was not written.")
        return
    setup.write_configuration(path, settings, force=force)
    session.out.note(f"Wrote {path}.")
    # The file has the other flags' values by now.
    out = replace(session.out, selection=Selection.of(config=session.config))
    if settings.tls.is_on:
        out.note("Next: deployer user add NAME   (so that only who signs in gets in), then: deployer up")
    else:
        out.note("Next: deployer up")


def render(
    session: Session,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the files there.", show_default=False)
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change against what is deployed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print or write the files that `up` would use.

    Nothing is started. Printed, secrets are hidden; written with --output, they stand in registry/config.yaml, which
    only you can read. With --diff the exit code is 1 where something would change.
    """
    from deployer.cli.commands.deployment import stack_of
    from deployer.workflows.configuration import setup

    if diff and output is not None:
        raise UsageError("--diff shows and --output writes: give one of them.")
    stack = stack_of(session)
    what = setup.rendered(stack)
    if diff:
        changed = setup.difference(stack, what)
        if as_json:
            session.out.json({"changes": [{"path": path, "diff": text} for path, text in changed.items()]})
        else:
            session.out.line("".join(changed.values()).rstrip() or "Nothing would change.")
        if changed:
            raise typer.Exit(EXIT_FAILURE)
    elif output is not None:
        written = [str(path) for path in setup.write_rendered(session.directory / output, what)]
        session.out.json({"written": written}) if as_json else session.out.line("\n".join(written))
    elif as_json:
        session.out.json({file.path: file.content.decode(errors="replace") for file in what.shown()})
    else:
        _print_files(session, what.shown())


def _print_files(session: Session, files: tuple[File, ...]) -> None:
    for file in files:
        session.out.line(session.out.bold(f"# ---- {file.path}"))
        session.out.line(file.content.decode(errors="replace").rstrip())
        session.out.line()


def doctor(session: Session, as_json: JsonOption = False) -> None:
    """Find what is wrong, and say how to fix it.

    Looks at the Docker client and its contexts and plugins, the engine's options, addresses and disk,
    the deployment, the way to the registry, the trust in it, proxies and clocks. Works on the machine
    that runs the registry and on its clients. The exit code is 1 where something is wrong.
    """
    from deployer.cli.commands.deployment import stack_of
    from deployer.workflows.diagnosis import doctor as workflow

    named = "name" in session.loaded.given
    findings = [
        replace(finding, advice=tuple(map(session.out.selection.applied, finding.advice)))
        for finding in workflow.examine(stack_of(session), session.environment, named=named)
    ]
    if as_json:
        session.out.json([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            mark = {"ok": session.out.good("ok   "), "note": "note ", "wrong": session.out.bad("wrong")}[finding.state]
            session.out.line(f"{mark}  {finding.sentence}")
            for advice in finding.advice:
                session.out.line(f"       → {advice}")
            for line in underneath(finding.sentence, finding.original):
                session.out.line(f"       | {line}")
        if all(finding.state == "ok" for finding in findings):
            session.out.note("Nothing is wrong.")
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(EXIT_FAILURE)
