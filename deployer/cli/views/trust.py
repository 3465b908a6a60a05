"""How trust is reported: what will be done, what is asked, and what was done, for people and as JSON."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.insecure import entry_json, show_entry_outcome, show_entry_plan
from deployer.workflows.trust.configure import EntryPlan, InstallPlan, NothingNeeded, Reason
from deployer.workflows.trust.decision import CASource
from deployer.workflows.trust.placement import FileChange, left_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.cli.output import Output
    from deployer.cli.presentation import Presentation
    from deployer.cli.session import Session
    from deployer.tls.certificate import CertificateFacts
    from deployer.workflows.trust.configure import TrustOptions, TrustOutcome, TrustPlan
    from deployer.workflows.trust.decision import PrivateCA
    from deployer.workflows.trust.insecure import DaemonOutcome
    from deployer.workflows.trust.placement import PlacementPlan

_CHANGES = {
    FileChange.ADD: "new",
    FileChange.REPLACE: "replaced",
    FileChange.REMOVE: "removed",
    FileChange.NONE: "unchanged",
}

_DOCKER_VARIABLES = ("DOCKER_HOST", "DOCKER_CONTEXT")


def show_plan(out: Output, plan: TrustPlan, how: Presentation) -> None:
    """Show what will be done; as JSON only the warnings."""
    if isinstance(plan, InstallPlan):
        for warning in plan.warnings:
            out.warn(warning)
    if not how.as_json:
        _show_plan(out, plan)
    if isinstance(plan, EntryPlan) and plan.asks:
        out.warn(
            f"{plan.address} uses plain HTTP: nothing is encrypted, so anyone on the network path can read and "
            "change passwords and images."
        )


def agree(session: Session, plan: TrustPlan) -> None:
    """Ask the user to confirm what is unsafe if unchecked. Raises Cancelled, ConfirmationNeeded."""
    if isinstance(plan, EntryPlan) and plan.asks:
        session.confirm(f"Allow Docker to use {plan.address} without TLS?")
    if isinstance(plan, InstallPlan) and plan.asks:
        _agree_to_ca(session, plan)


@dataclass(frozen=True)
class TrustReport(Report):
    """What was done."""

    outcome: TrustOutcome

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return outcome_json(self.outcome)

    def print(self, out: Output) -> None:
        """Print it; in a dry run the plan has said everything."""
        if isinstance(self.outcome.plan, NothingNeeded):
            _show_nothing(out, self.outcome.plan)
        elif not self.outcome.dry_run:
            _show_done(out, self.outcome)

    @property
    def has_failed(self) -> bool:
        """Whether Docker does not apply the change yet."""
        return self.outcome.is_ineffective


def sudo_command(session: Session, options: TrustOptions) -> str:
    """The same command for root, who has another PATH, another home and another environment."""
    settings, source, how = session.settings, session.loaded.source, session.presentation
    docker = [f"{name}={session.environment[name]}" for name in _DOCKER_VARIABLES if session.environment.get(name)]
    named = {
        "--host": settings.host,
        "--port": str(settings.port),
        "--name": session.name,
        "--config": str(source) if source else None,
        "--ca": str(options.ca) if options.ca else None,
        "--fingerprint": options.fingerprint or None,
        "--file": str(options.file) if options.file else None,
    }
    words = [word for option, value in named.items() if value is not None for word in (option, value)]
    switches = {
        "--system": options.system,
        "--insecure": not options.remove and (options.insecure or settings.tls.is_off),
        "--remove": options.remove,
        "--yes": how.yes,
        "--dry-run": how.dry_run,
        "--json": how.as_json,
    }
    words += [switch for switch, chosen in switches.items() if chosen]
    return shlex.join(["sudo", *docker, *_own_command(), "configure-daemon", *words])


def _own_command() -> Sequence[str]:
    program = Path(sys.argv[0]).absolute()
    return (sys.executable, "-m", "deployer") if program.name == "__main__.py" else (str(program),)


def _show_plan(out: Output, plan: TrustPlan) -> None:
    if isinstance(plan, NothingNeeded):
        return
    if isinstance(plan, EntryPlan):
        show_entry_plan(out, plan.entry)
        return
    if isinstance(plan, InstallPlan):
        show_ca(out, plan.address, plan.ca)
    show_places(out, plan.placement)
    if plan.entry is None:
        return
    if isinstance(plan, InstallPlan):
        out.note(
            f"The entry for {plan.address} in {plan.entry.file.path} turns off verification of the registry; it "
            "will be removed:"
        )
    show_entry_plan(out, plan.entry)


def _agree_to_ca(session: Session, plan: InstallPlan) -> None:
    """Let the user compare the fingerprint."""
    out, address = session.out, plan.address
    if plan.ca.source is not CASource.FILE:
        out.note(
            "Compare its SHA-256 with the one that `deployer status` prints on the machine that runs the registry."
        )
        if session.presentation.yes:
            out.warn(
                f"The fingerprint was not compared: whatever responded at {address} is trusted from now on. In "
                "scripts, use --fingerprint."
            )
    session.confirm(
        f"Trust this CA for {address}?",
        otherwise=(
            "Run the command again with --fingerprint SHA256.",
            "`deployer status` prints it on the machine that runs the registry.",
        ),
    )


def _show_nothing(out: Output, plan: NothingNeeded) -> None:
    if plan.reason is Reason.PUBLIC:
        out.line(f"{plan.address} uses HTTPS with a certificate that this system already trusts. Nothing was changed.")
        return
    # moby, registry/config.go: what is local is asked by HTTPS first, without checking, and then by HTTP.
    out.line(
        f"{plan.address} is on this machine: Docker accepts it with or without TLS, whatever its certificate, and "
        "needs no entry. Nothing was changed."
    )
    if plan.has_tls:
        out.note("Browsers, curl and podman need its CA: deployer configure-daemon --system")


def _show_done(out: Output, outcome: TrustOutcome) -> None:
    plan = outcome.plan
    if outcome.placement:
        show_places_done(out, outcome.placement)
    if outcome.entry:
        show_entry_outcome(out, outcome.entry)
    if outcome.placement is None:
        return
    if isinstance(plan, InstallPlan):
        address, is_new = plan.address, plan.placement.is_needed
        out.line(f"{address} is trusted." if is_new else f"{address} is already trusted; nothing to do.")
        return
    for path in left_beside(outcome.placement):
        out.note(f"Kept {path}.")


def outcome_json(outcome: TrustOutcome) -> dict[str, Any]:
    """What was done, as JSON."""
    plan, dry_run = outcome.plan, outcome.dry_run
    if isinstance(plan, NothingNeeded):
        needless = {"needed": False, "changed": False, "trusted": True, "reason": plan.reason}
        return {"address": plan.address, **needless}
    if outcome.placement is None:
        return entry_json(outcome.entry, dry_run=dry_run) if outcome.entry else {}
    if isinstance(plan, InstallPlan):
        return ca_json(plan.ca, outcome.placement, outcome.entry, dry_run=dry_run)
    return removal_json(outcome.placement, outcome.entry, dry_run=dry_run)


def show_ca(out: Output, address: str, found: PrivateCA) -> None:
    """Show the CA that will be trusted."""
    origin = {
        CASource.REGISTRY: f"{address} uses HTTPS with a certificate from a CA that this machine does not trust yet:",
        CASource.FILE: f"{address} uses HTTPS with a certificate from the CA in the file:",
        CASource.INSTALLED: (
            f"{address} uses HTTPS with a certificate from a CA that this machine already trusts for it:"
        ),
    }
    public = f"{address} uses HTTPS with a certificate that this system already trusts; its CA:"
    out.line(public if found.public else origin[found.source])
    facts = found.facts
    out.fields(
        (
            ("  Subject", facts.subject),
            ("  Valid", f"{facts.not_before:%Y-%m-%d} to {facts.not_after:%Y-%m-%d}"),
            ("  SHA-256", facts.fingerprint),
        )
    )


def show_places(out: Output, plan: PlacementPlan) -> None:
    """Show the change to each file, with what it replaces."""
    for item in plan.items:
        if item.change is FileChange.NONE and item.content is None:
            continue
        out.line(f"{item.client}: {item.file.path}   ({_CHANGES[item.change]})")
        if item.change is FileChange.REPLACE and item.is_ca:
            before = item.before.fingerprint if item.before else "none (not a certificate)"
            out.line(f"  SHA-256 of the old file: {before}; a backup is kept.")
        if item.change is FileChange.REMOVE and item.is_ca:
            before = f"{item.before.subject}, SHA-256 {item.before.fingerprint}" if item.before else "not a certificate"
            kept = "; a backup is kept, as deployer may not have installed it." if item.keeps_backup else ""
            out.line(f"  {before}{kept}")
    for warning in plan.warnings:
        out.warn(warning)


def show_places_done(out: Output, plan: PlacementPlan) -> None:
    """Show what the user should know after the files were changed."""
    for item in plan.items:
        if item.backup:
            out.line(f"Backup: {item.backup}")
        if item.remark and item.content is not None:
            out.note(f"{item.client}: {item.remark}")


def ca_json(found: PrivateCA, plan: PlacementPlan, entry: DaemonOutcome | None, *, dry_run: bool) -> dict[str, Any]:
    """What was installed, as JSON."""
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


def places_json(plan: PlacementPlan) -> dict[str, Any]:
    """The files, as JSON."""
    listed = [
        {
            "client": item.client,
            "file": str(item.file.path),
            "change": item.change,
            "subject_before": item.before.subject if item.is_ca and item.before else None,
            "sha256_before": item.before.fingerprint if item.is_ca and item.before else None,
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


def removal_json(plan: PlacementPlan, entry: DaemonOutcome | None, *, dry_run: bool) -> dict[str, Any]:
    """What was removed, as JSON."""
    rest = {"address": plan.address, "needed": True, "action": "remove", "way": "authority", "dry_run": dry_run}
    changed = not dry_run and (plan.is_needed or bool(entry and entry.plan.changes))
    return {**(entry_json(entry, dry_run=dry_run) if entry else rest), **places_json(plan), "changed": changed}
