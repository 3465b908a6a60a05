"""How trust is told: what will be done and what was done, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.tls.certificate import CertificateFacts
    from deployer.workflows.trust import placement
    from deployer.workflows.trust.decision import Authority
    from deployer.workflows.trust.insecure import DaemonOutcome, DaemonPlan

_LOOPBACK_LOST = (
    "This Docker no longer takes registries on localhost without TLS: since 29.10, a list in daemon.json "
    "replaces that default. If one is used here: deployer configure-daemon --host localhost"
)

_CHANGES = {"add": "new", "replace": "replaced", "remove": "taken away", "none": "there already"}


def show_entry_plan(out: Output, plan: DaemonPlan) -> None:
    """Tell what becomes of the entry in daemon.json."""
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


def _what_follows(plan: DaemonPlan) -> str:
    if plan.step == "reload":
        return "Docker is then told to read the file again, without a restart; running containers go on."
    if plan.step == "start":
        return f"{plan.reason} Docker reads the file when it starts."
    if plan.step == "restart":
        return f"The change waits for a restart, because {plan.reason}."
    return f"Docker is not told: {plan.reason}."


def show_entry_outcome(out: Output, outcome: DaemonOutcome) -> None:
    """Tell what was done to the entry in daemon.json, and whether Docker applies it."""
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
    elif outcome.effective and (plan.changes or not removed):
        out.line(f"Docker {'no longer accepts' if removed else 'accepts'} {address} without TLS.")
    elif not plan.changes and plan.reason:
        out.note(_what_follows(plan))
    if outcome.loopback_lost:
        out.warn(_LOOPBACK_LOST)


def entry_json(outcome: DaemonOutcome, *, dry_run: bool) -> dict[str, Any]:
    """The same for programs."""
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


def show_authority(out: Output, address: str, found: Authority) -> None:
    """Tell which CA it is that will be trusted."""
    origin = {
        "registry": f"{address} speaks HTTPS, with a certificate of a CA that this machine does not trust yet:",
        "file": f"{address} speaks HTTPS, with a certificate of the CA in the file:",
        "installed": f"{address} speaks HTTPS, with a certificate of a CA that is trusted for it here already:",
    }
    public = f"{address} speaks HTTPS, with a certificate that this system trusts already; its CA:"
    out.line(public if found.public else origin[found.source])
    facts = found.facts
    out.fields(
        (
            ("  Subject", facts.subject),
            ("  Valid", f"{facts.not_before:%Y-%m-%d} to {facts.not_after:%Y-%m-%d}"),
            ("  SHA-256", facts.fingerprint),
        )
    )


def show_places(out: Output, plan: placement.PlacementPlan) -> None:
    """Tell what becomes of which files, with what replaces what."""
    for item in plan.items:
        if item.change == "none" and item.content is None:
            continue
        out.line(f"{item.client}: {item.file.path}   ({_CHANGES[item.change]})")
        if item.change == "replace" and item.is_authority:
            out.line(
                f"  SHA-256 of the old one: {item.before or 'none, it is not a certificate'}; it is kept as a backup."
            )
    for warning in plan.warnings:
        out.warn(warning)


def show_places_done(out: Output, plan: placement.PlacementPlan) -> None:
    """Tell what there is to know after the files were changed."""
    for item in plan.items:
        if item.backup:
            out.line(f"As it was: {item.backup}")
        if item.remark and item.content is not None:
            out.note(f"{item.client}: {item.remark}")


def authority_json(
    found: Authority, plan: placement.PlacementPlan, entry: DaemonOutcome | None, *, dry_run: bool
) -> dict[str, Any]:
    """What was installed, for programs."""
    return {
        "address": plan.address,
        "needed": True,
        "action": "add",
        "way": "authority",
        "authority": _facts_json(found.facts),
        "source": found.source,
        "compared": found.compared,
        **places_json(plan),
        "dry_run": dry_run,
        "changed": not dry_run and (plan.is_needed or bool(entry and entry.plan.changes)),
        "insecure": entry_json(entry, dry_run=dry_run) if entry else None,
    }


def places_json(plan: placement.PlacementPlan) -> dict[str, Any]:
    """The files, for programs."""
    listed = [
        {
            "client": item.client,
            "file": str(item.file.path),
            "change": item.change,
            "sha256_before": (item.before or None) if item.is_authority else None,
            "backup": str(item.backup) if item.backup else None,
            "remark": item.remark or None,
        }
        for item in plan.items
    ]
    return {"places": listed, "warnings": list(plan.warnings)}


def _facts_json(facts: CertificateFacts) -> dict[str, Any]:
    return {
        "subject": facts.subject,
        "sha256": facts.fingerprint,
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
    }


def removal_json(plan: placement.PlacementPlan, entry: DaemonOutcome | None, *, dry_run: bool) -> dict[str, Any]:
    """What was taken away, for programs."""
    rest = {"address": plan.address, "needed": True, "action": "remove", "way": "authority", "dry_run": dry_run}
    changed = not dry_run and (plan.is_needed or bool(entry and entry.plan.changes))
    return {**(entry_json(entry, dry_run=dry_run) if entry else rest), **places_json(plan), "changed": changed}
