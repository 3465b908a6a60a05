"""How the entry in daemon.json is reported, which makes Docker accept the registry without TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deployer.workflows.trust.insecure import NextStep

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.workflows.trust.insecure import DaemonOutcome, DaemonPlan

_LOOPBACK_LOST = (
    "Docker no longer accepts registries on localhost without TLS here: since 29.10, a list in daemon.json "
    "replaces that default. If you use such a registry: deployer configure-daemon --host localhost"
)


def show_entry_plan(out: Output, plan: DaemonPlan) -> None:
    """Show the change to the entry in daemon.json."""
    path, address = plan.file.path, plan.request.address
    for line in plan.diff.splitlines():
        out.line(out.good(line) if line.startswith("+") else out.bad(line) if line.startswith("-") else line)
    if plan.changes:
        out.note(_what_follows(plan))
        if plan.unvalidated:
            out.note(f"The file is not validated: {plan.unvalidated}.")
    elif plan.request.remove:
        out.line(f"{path} does not list {address}.")
    elif plan.step is NextStep.NONE and plan.daemon and plan.present in plan.daemon.insecure_registries:
        out.line(f"Docker is started with --insecure-registry {plan.present}, so no entry is needed for {address}.")
    elif plan.present != address:
        out.line(f"{path} lists {plan.present}, which covers {address}.")
    else:
        out.line(f"{path} already lists {address}.")


def _what_follows(plan: DaemonPlan) -> str:
    if plan.step is NextStep.RELOAD:
        return "Docker then reloads the file without a restart; running containers are not affected."
    if plan.step is NextStep.START:
        return f"{plan.reason} Docker reads the file when it starts."
    if plan.step is NextStep.RESTART:
        return f"The change takes effect after a restart, because {plan.reason}."
    return f"Docker is not reloaded: {plan.reason}."


def show_entry_outcome(out: Output, outcome: DaemonOutcome) -> None:
    """Show what was done to the entry in daemon.json, and whether Docker applies it."""
    plan = outcome.plan
    address, removed = plan.request.address, plan.request.remove
    if plan.changes:
        out.line(f"{'Created' if plan.file.content is None else 'Changed'} {plan.file.path}.")
    if outcome.backup:
        out.line(f"Backup: {outcome.backup}")
    if outcome.effective is False:
        out.warn(f"Docker {'still accepts' if removed else 'does not accept'} {address}: {outcome.problem}.")
        for advice in outcome.advice:
            out.note(f"  → {advice}")
    elif removed and outcome.accepted:
        out.line(f"Docker still accepts {address}, because a network in its list includes it: see `docker info`.")
    elif outcome.effective and (plan.changes or not removed):
        out.line(f"Docker {'no longer accepts' if removed else 'accepts'} {address} without TLS.")
    elif not plan.changes and plan.reason:
        out.note(_what_follows(plan))
    if outcome.loopback_lost:
        out.warn(_LOOPBACK_LOST)


def entry_json(outcome: DaemonOutcome, *, dry_run: bool) -> dict[str, Any]:
    """The same as JSON."""
    plan = outcome.plan
    return {
        "address": plan.request.address,
        "needed": True,
        "action": "remove" if plan.request.remove else "add",
        "way": "insecure",
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
