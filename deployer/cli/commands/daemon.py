"""The command that makes this machine's container tools accept a registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.commands import daemon_task
from deployer.cli.commands.daemon_task import DaemonChange, DaemonOptions
from deployer.cli.presentation import DryRunOption, JsonOption, YesOption
from deployer.cli.registration import command
from deployer.errors import EXIT_FAILURE, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.cli.session import Session
    from deployer.workflows.trust import decision as trust
    from deployer.workflows.trust import insecure, placement

EXAMPLE = """Example, on a client of a registry at 192.168.100.2:

deployer configure-daemon --host 192.168.100.2 --dry-run

deployer configure-daemon --host 192.168.100.2

In a script, with the fingerprint that `deployer up` printed:

deployer configure-daemon --host 192.168.100.2 --fingerprint 4F:9C:…
"""

_DOCKER_VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT")


def register(app: typer.Typer) -> None:
    """Add this group's commands."""

    @command(app, name="configure-daemon", epilog=EXAMPLE, recovers=False)
    def configure_daemon(
        session: Session,
        ca: Annotated[
            Path | None, typer.Option("--ca", metavar="FILE", help="Install this CA, instead of asking for it.")
        ] = None,
        fingerprint: Annotated[
            str,
            typer.Option("--fingerprint", metavar="SHA256", help="Install the CA only if this is its SHA-256."),
        ] = "",
        system: Annotated[
            bool, typer.Option("--system", help="Let the whole system trust the CA: browsers, curl and all.")
        ] = False,
        insecure: Annotated[
            bool, typer.Option("--insecure", help="Take the registry as plain HTTP, asking neither it nor you.")
        ] = False,
        file: Annotated[
            Path | None,
            typer.Option("--file", metavar="PATH", help="The daemon.json to edit.  [default: the engine's own]"),
        ] = None,
        remove: Annotated[bool, typer.Option("--remove", help="Undo it all: entry and CA go.")] = False,
        yes: YesOption = False,
        dry_run: DryRunOption = False,
        json: JsonOption = False,
    ) -> None:
        """Make this machine's Docker, podman and containerd accept the registry.

        Asks the registry what it needs. Where its certificate is from a CA of its own, shows
        the authority's fingerprint and, once you agree, installs it for this address alone; Docker
        needs no restart. Where it has no TLS, warns of that and, once you agree, adds HOST:PORT to
        "insecure-registries" in daemon.json, leaves every other character of the file alone, and lets
        Docker read it again; --insecure, or `tls: off` in the settings, agrees beforehand.
        Where neither is needed, says so. Needed once on every client; the registry itself may run
        elsewhere. Exit code 1 means that Docker does not apply the change yet.
        """
        from deployer.host.daemon.file import NoPermission

        given = DaemonOptions(
            file=session.directory / file if file else None,
            ca=session.directory / ca if ca else None,
            fingerprint=_fingerprint(fingerprint),
            system=system,
            insecure=insecure,
            remove=remove,
            yes=yes,
            dry_run=dry_run,
            json=json,
        )
        try:
            _configure(DaemonChange.of(session, given))
        except NoPermission as error:
            error.advice = (_as_root(session, given),)
            raise


def _configure(task: DaemonChange) -> None:
    from deployer.cli.commands.daemon_install import install
    from deployer.workflows.trust import decision as trust
    from deployer.workflows.trust import insecure

    settings = task.session.settings
    local = settings.is_loopback and insecure.needs_no_entry(settings.address, task.engine)
    if task.given.remove:
        _remove(task, local=local)
        return
    if local and not task.given.wants_authority:
        _say_needless(task, "loopback")
        return
    decision = _decide(task)
    if isinstance(decision, trust.Public):
        _say_needless(task, "public")
    elif isinstance(decision, trust.Authority):
        install(task, decision)
    else:
        _list_as_insecure(task)


def _decide(task: DaemonChange) -> trust.Decision:
    from deployer.tls import system_store
    from deployer.workflows.trust import decision as trust
    from deployer.workflows.trust import placement

    settings = task.session.settings
    wish = trust.TrustRequest(
        settings.address,
        task.given.ca,
        task.given.fingerprint,
        plain=task.is_said_plain,
        encrypted=settings.tls.is_on,
    )
    if wish.plain and task.given.wants_authority:
        why = "--insecure" if task.given.insecure else "tls: off in the settings"
        raise UsageError(
            f"{why} says that {settings.address} has no TLS; --ca, --fingerprint and --system are for one that has.",
            ("Leave one of them out.",),
        )
    installed = () if wish.plain else placement.installed(task.ground, settings.address, task.where)
    known = trust.Known(system_store.context(task.ground), installed)
    if not wish.plain and (remark := daemon_task.way_of(task).remark):
        task.session.out.note(remark)
    return trust.decide(wish, daemon_task.registry_of(task), known, daemon_task.now())


def _list_as_insecure(task: DaemonChange) -> None:
    from deployer.cli.views import daemon as views

    drafted = task.entry(remove=False)
    if not task.given.json:
        views.show_entry_plan(task.session.out, drafted)
    if drafted.changes:
        _agree_to_plain(task, drafted)
    outcome = task.carry_out(drafted)
    if task.given.json:
        task.session.out.json(views.entry_json(outcome, dry_run=task.given.dry_run))
    elif not task.given.dry_run:
        views.show_entry_outcome(task.session.out, outcome)
    if outcome.effective is False:
        raise typer.Exit(EXIT_FAILURE)


def _agree_to_plain(task: DaemonChange, drafted: insecure.DaemonPlan) -> None:
    """Let the user say that the registry is to be used without TLS, where nothing has said so yet."""
    from deployer.workflows.trust.insecure import require_permission

    out, address = task.session.out, task.address
    if task.is_said_plain or task.session.settings.is_loopback:
        return
    out.warn(
        f"{address} answers in plain HTTP: nothing is encrypted, and somebody in between reads and changes "
        "what passes, passwords and images."
    )
    if not task.given.dry_run:
        require_permission(drafted)
        out.confirm(f"Let Docker take {address} without TLS?", yes=task.given.yes)


def _remove(task: DaemonChange, *, local: bool) -> None:
    from deployer.cli.views import daemon as views
    from deployer.workflows.trust import placement

    out, address = task.session.out, task.address
    removal = placement.plan_removal(task.ground, address, task.where)
    if local and not removal.is_needed:
        _say_needless(task, "loopback")
        return
    entry = None if local else task.entry(remove=True)
    if not task.given.json:
        views.show_places(out, removal)
        if entry:
            views.show_entry_plan(out, entry)
    if not task.given.dry_run:
        placement.require_permission(removal)
    outcome = task.carry_out(entry) if entry else None
    if not task.given.dry_run:
        removal = placement.apply(removal, task.ground, daemon_task.now())
    _say_removed(task, removal, outcome)


def _say_removed(task: DaemonChange, removal: placement.PlacementPlan, outcome: insecure.DaemonOutcome | None) -> None:
    from deployer.cli.views import daemon as views
    from deployer.workflows.trust import placement

    out = task.session.out
    if task.given.json:
        out.json(views.removal_json(removal, outcome, dry_run=task.given.dry_run))
    elif not task.given.dry_run:
        if outcome:
            views.show_entry_outcome(out, outcome)
        for path in placement.left_beside(removal):
            out.note(f"{path} stays.")
    if outcome and outcome.effective is False:
        raise typer.Exit(EXIT_FAILURE)


def _fingerprint(text: str) -> str:
    from deployer.tls.certificate import fingerprint_of

    try:
        return fingerprint_of(text) if text else ""
    except ValueError as error:
        advice = "`deployer up` prints it on the machine that runs the registry."
        raise UsageError(f"What --fingerprint gives is {error}.", (advice,)) from error


def _say_needless(task: DaemonChange, why: str) -> None:
    out, address = task.session.out, task.address
    if task.given.json:
        out.json({"address": address, "needed": False, "changed": False, "trusted": True, "reason": why})
    elif why == "public":
        out.line(f"{address} speaks HTTPS with a certificate that this system trusts already. Nothing was changed.")
    else:
        # moby, registry/config.go: what is local is asked by HTTPS first, without checking, and then by HTTP.
        out.line(
            f"{address} is on this machine: Docker takes it with TLS or without, whatever its certificate, and needs "
            "no entry. Nothing was changed."
        )
        if task.session.settings.tls.is_on:
            out.note("Browsers, curl and podman want its CA: deployer configure-daemon --system")


def _as_root(session: Session, given: DaemonOptions) -> str:
    """The same command for root, who has another PATH, another home and another environment."""
    import shlex

    settings, source = session.settings, session.loaded.source
    docker = [f"{name}={session.environment[name]}" for name in _DOCKER_VARIABLES if session.environment.get(name)]
    named = {
        "--host": settings.host,
        "--port": str(settings.port),
        "--name": session.name,
        "--config": str(source) if source else None,
        "--ca": str(given.ca) if given.ca else None,
        "--fingerprint": given.fingerprint or None,
        "--file": str(given.file) if given.file else None,
    }
    words = [word for option, value in named.items() if value is not None for word in (option, value)]
    switches = {
        "--system": given.system,
        "--insecure": not given.remove and (given.insecure or settings.tls.is_off),
        "--remove": given.remove,
        "--yes": given.yes,
        "--dry-run": given.dry_run,
        "--json": given.json,
    }
    words += [switch for switch, chosen in switches.items() if chosen]
    return shlex.join(["sudo", *docker, *_own_command(), "configure-daemon", *words])


def _own_command() -> Sequence[str]:
    import sys

    program = Path(sys.argv[0]).absolute()
    return (sys.executable, "-m", "deployer") if program.name == "__main__.py" else (str(program),)
