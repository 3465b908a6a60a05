"""Installing a registry's own authority: shown, agreed to, done, and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from deployer.cli.commands import daemon_task
from deployer.errors import EXIT_FAILURE, HostError

if TYPE_CHECKING:
    from deployer.cli.commands.daemon_task import DaemonChange
    from deployer.workflows.trust import decision, insecure, placement


def install(task: DaemonChange, found: decision.Authority) -> None:
    """Show the CA and what becomes of which files, ask, and do it. Raises DeployerError."""
    from deployer.cli.views import daemon as views
    from deployer.workflows.trust import placement

    out, address = task.session.out, task.address
    drafted = _placing(task, found)
    entry = _insecure_entry(task)
    if not task.given.json:
        views.show_authority(out, address, found)
        views.show_places(out, drafted)
        if entry:
            out.note(f"Docker would take {address} unverified, by its entry in {entry.file.path}, which goes:")
            views.show_entry_plan(out, entry)
    if drafted.is_needed and not task.given.dry_run:
        placement.require_permission(drafted)
        _agree(task, found, drafted)
        drafted = placement.apply(drafted, task.ground, daemon_task.now())
        _verify(task, found)
    outcome = task.carry_out(entry) if entry else None
    if task.given.json:
        out.json(views.authority_json(found, drafted, outcome, dry_run=task.given.dry_run))
    elif not task.given.dry_run:
        views.show_places_done(out, drafted)
        if outcome:
            views.show_entry_outcome(out, outcome)
        out.line(f"{address} is trusted." if drafted.is_needed else f"{address} is trusted already: nothing to do.")
    if outcome and outcome.effective is False:
        raise typer.Exit(EXIT_FAILURE)


def _placing(task: DaemonChange, found: decision.Authority) -> placement.PlacementPlan:
    from dataclasses import replace

    from deployer.tls import system_store
    from deployer.workflows.trust import placement

    address = task.address
    store = system_store.store(task.ground, address) if task.given.system else None
    if task.given.system and store is None:
        raise HostError(
            "How this system takes an CA of your own is not known: it has neither Debian's "
            "update-ca-certificates nor Fedora's update-ca-trust.",
            ("Repeat the command without --system, and install the CA as the system's manual says.",),
        )
    places, warnings = placement.places(task.ground, address, task.where)
    held = system_store.holds(task.ground.root, found.pem)
    drafted = placement.plan(address, found.pem, places, store, held=held)
    return replace(drafted, warnings=(*drafted.warnings, *warnings))


def _agree(task: DaemonChange, found: decision.Authority, drafted: placement.PlacementPlan) -> None:
    """Let the user compare the fingerprint, where nothing has compared it yet."""
    replaces = any(item.change == "replace" and item.is_authority for item in drafted.items)
    if found.compared or (found.source == "installed" and not replaces):
        return
    out, address = task.session.out, task.address
    if found.source != "file":
        out.note(
            "Compare its SHA-256 with the one that `deployer status` prints on the machine that runs the registry."
        )
        if task.given.yes:
            out.warn(
                f"Nobody compared it: anyone who answered at {address} just now is trusted from now on. "
                "In scripts, give --fingerprint."
            )
    out.confirm(
        f"Trust this CA for {address}?",
        yes=task.given.yes,
        otherwise="Repeat the command with --fingerprint SHA256: `deployer status` prints it where the registry runs.",
    )


def _verify(task: DaemonChange, found: decision.Authority) -> None:
    """Make sure that what was installed is what the registry's certificate is from."""
    from deployer.tls import probe

    try:
        verdict = daemon_task.registry_of(task).verify(probe.trusting(found.pem))
    except OSError as error:
        verdict = probe.Verdict(-1, str(error))
    if not verdict.ok:
        raise HostError(
            f"The CA is installed, but a connection to {task.address} is not verified by it.",
            ("deployer doctor", "deployer configure-daemon --remove"),
            verdict.words,
        )


def _insecure_entry(task: DaemonChange) -> insecure.DaemonPlan | None:
    """The entry in daemon.json by which Docker would not verify; None where there is none to take away."""
    from deployer.host.daemon import file
    from deployer.workflows.trust import insecure

    address, engine = task.address, task.engine
    registries = engine.registries() if engine.facts else None
    listed = registries is not None and address in registries.hosts
    if registries and not listed and insecure.accepts(registries, address) and not task.session.settings.is_loopback:
        task.session.out.warn(f"Docker does not verify {address}: a network in its insecure-registries covers it.")
    try:
        drafted = task.entry(remove=True)
    except file.NoPermission:
        raise
    except HostError as error:
        if listed:
            task.session.out.warn(f"Docker does not verify {address}: {error.message}")
        return None
    return drafted if drafted.changes or listed else None
