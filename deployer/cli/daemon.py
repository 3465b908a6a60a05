"""The command that makes this machine's Docker engine accept a registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deployer.cli.session import DryRunOption, JsonOption, Session, command
from deployer.errors import EXIT_FAILURE, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.cli.output import Output
    from deployer.workflows.engine_view import EngineView
    from deployer.workflows.insecure import Outcome, Plan

EXAMPLE = """Example, on a client of a registry at 192.168.100.2:

deployer configure-daemon --host 192.168.100.2 --dry-run

deployer configure-daemon --host 192.168.100.2
"""

_LOOPBACK_LOST = (
    "This Docker no longer takes registries on localhost without TLS: since 29.10, a list in daemon.json "
    "stands in the place of that default. If one is used here: deployer configure-daemon --host localhost"
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""

    @command(app, name="configure-daemon", epilog=EXAMPLE, recovers=False)
    def configure_daemon(
        session: Session,
        file: Annotated[
            Path | None,
            typer.Option("--file", metavar="PATH", help="The daemon.json to edit.  [default: the engine's own]"),
        ] = None,
        remove: Annotated[bool, typer.Option("--remove", help="Take the registry off the list again.")] = False,
        dry_run: DryRunOption = False,
        json: JsonOption = False,
    ) -> None:
        """Make this machine's Docker engine accept the registry, which has no TLS.

        Adds HOST:PORT to "insecure-registries" in daemon.json and leaves every other character of
        the file alone, keeps a backup beside it, lets Docker read it again without a restart, and
        asks Docker whether it took it over. Needed once on every client; the registry itself may
        run elsewhere. Exit code 1 means that Docker does not heed the change yet.
        """
        from deployer.host.daemon_file import NoPermission

        try:
            _configure(session, file, remove=remove, dry_run=dry_run, json=json)
        except NoPermission as error:
            error.advice = (_as_root(session, file, remove=remove, dry_run=dry_run, json=json),)
            raise


def _configure(session: Session, file: Path | None, *, remove: bool, dry_run: bool, json: bool) -> None:
    import time
    from datetime import UTC, datetime

    from deployer import render
    from deployer.host.daemon_reload import Machine
    from deployer.workflows import insecure

    settings, engine = session.settings, _engine(session)
    if settings.is_loopback and insecure.needs_no_entry(settings.address, engine):
        _say_needless(session.out, settings.address, json=json)
        return
    machine = Machine(session.environment)
    chosen = session.directory / file if file else None
    request = insecure.Request(settings.address, render.daemon_snippet(settings.address), remove, chosen)
    plan = insecure.plan(request, machine, engine)
    if not json:
        _show_plan(session.out, plan)
    if dry_run:
        outcome = insecure.Outcome(plan)
    else:
        outcome = insecure.apply(plan, machine, engine, lambda: datetime.now(UTC).astimezone(), time.sleep)
    if json:
        session.out.json(_as_json(outcome, dry_run=dry_run))
    elif not dry_run:
        _show_outcome(session.out, outcome)
    if outcome.effective is False:
        raise typer.Exit(EXIT_FAILURE)


def _engine(session: Session) -> EngineView:
    from deployer.workflows.engine_view import EngineView

    try:
        return EngineView(session.engine.describe(), session.engine.insecure_registries)
    except EngineUnavailable as error:
        return EngineView(None, session.engine.insecure_registries, error.message)


def _say_needless(out: Output, address: str, *, json: bool) -> None:
    if json:
        out.json({"address": address, "needed": False, "changed": False, "trusted": True})
    else:
        out.line(f"{address} is on this machine: Docker takes it without TLS and needs no entry. Nothing was changed.")


def _show_plan(out: Output, plan: Plan) -> None:
    path, address = plan.file.path, plan.request.address
    for line in plan.diff.splitlines():
        out.line(out.good(line) if line.startswith("+") else out.bad(line) if line.startswith("-") else line)
    if plan.changes:
        out.note(_what_follows(plan))
    elif plan.request.remove:
        out.line(f"{path} does not list {address}.")
    elif plan.step == "none" and plan.daemon and plan.present in plan.daemon.insecure_registries:
        out.line(f"Docker is started with --insecure-registry {plan.present}, so {address} needs no entry.")
    elif plan.present != address:
        out.line(f"{path} lists {plan.present}, which covers {address}.")
    else:
        out.line(f"{path} lists {address} already.")


def _what_follows(plan: Plan) -> str:
    if plan.step == "reload":
        return "Docker is then told to read the file again, without a restart; running containers go on."
    if plan.step == "start":
        return f"{plan.reason} Docker reads the file when it starts."
    if plan.step == "restart":
        return f"The change waits for a restart, because {plan.reason}."
    return f"Docker is not told: {plan.reason}."


def _show_outcome(out: Output, outcome: Outcome) -> None:
    plan = outcome.plan
    address, removed = plan.request.address, plan.request.remove
    if plan.changes:
        out.line(f"{plan.file.path} is {'written' if plan.file.content is None else 'changed'}.")
    if outcome.backup:
        out.line(f"As it was: {outcome.backup}")
    if outcome.effective is False:
        out.warn(f"Docker {'still accepts' if removed else 'does not accept'} {address}: {outcome.problem}.")
        for advice in outcome.advice:
            out.note(f"  → {advice}")
    elif removed and outcome.accepted:
        out.line(f"Docker still accepts {address}, through a network that it lists: see `docker info`.")
    elif outcome.effective:
        out.line(f"Docker {'no longer accepts' if removed else 'accepts'} {address} without TLS.")
    elif not plan.changes and plan.reason:
        out.note(_what_follows(plan))
    if outcome.loopback_lost:
        out.warn(_LOOPBACK_LOST)


def _as_json(outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    plan = outcome.plan
    return {
        "address": plan.request.address,
        "needed": True,
        "action": "remove" if plan.request.remove else "add",
        "file": str(plan.file.path),
        "dry_run": dry_run,
        "changed": plan.changes and not dry_run,
        "diff": plan.diff,
        "backup": str(outcome.backup) if outcome.backup else None,
        "validated": outcome.validated,
        "reloaded": outcome.reloaded or None,
        "trusted": outcome.accepted,
        "effective": outcome.effective,
        "problem": outcome.problem or plan.reason or None,
        "advice": list(outcome.advice),
        "loopback_lost": outcome.loopback_lost,
    }


def _as_root(session: Session, file: Path | None, *, remove: bool, dry_run: bool, json: bool) -> str:
    """The same command for root, who has another PATH, another home and another environment."""
    import shlex

    settings, source = session.settings, session.loaded.source
    docker = [f"{name}={session.environment[name]}" for name in _DOCKER_VARIABLES if session.environment.get(name)]
    named = {
        "--host": settings.host,
        "--port": str(settings.port),
        "--name": session.name,
        "--config": str(source) if source else None,
        "--file": str(session.directory / file) if file else None,
    }
    words = [word for option, value in named.items() if value is not None for word in (option, value)]
    switches = {"--remove": remove, "--dry-run": dry_run, "--json": json}
    words += [switch for switch, given in switches.items() if given]
    return shlex.join(["sudo", *docker, *_own_command(), "configure-daemon", *words])


_DOCKER_VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT")


def _own_command() -> Sequence[str]:
    import sys

    program = Path(sys.argv[0]).absolute()
    return (sys.executable, "-m", "deployer") if program.name == "__main__.py" else (str(program),)
