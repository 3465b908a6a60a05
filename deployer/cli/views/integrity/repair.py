"""What a repair would do, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.session import NOTHING_CHANGED
from deployer.cli.views.integrity.check import checked_json, fault_json, gone, print_checked
from deployer.cli.views.upkeep import warn_of
from deployer.cli.views.words import counted, size
from deployer.errors import RegistryUnreachable
from deployer.phrases import listed, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.cli.output import Output
    from deployer.workflows.integrity.check import Checked
    from deployer.workflows.integrity.repair import Failure, Fetch, Repaired, RepairPlan

_SHOWN = 20


@dataclass(frozen=True)
class RepairPlanReport(Report):
    """The damage, and from where it would be repaired."""

    found: Checked
    plan: RepairPlan
    is_dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """What the check found, and the plan."""
        return {
            **checked_json(self.found),
            "repairs": [_fetch_json(one) for one in self.plan.fetches],
            "unavailable": [one.digest for one in self.plan.unavailable],
        }

    def print(self, out: Output) -> None:
        """Print the damage, and a table of what is fetched from where."""
        plan = self.plan
        print_checked(out, self.found, as_result=self.is_dry_run)
        if plan.fetches:
            out.note("")
            rows = [(short(one.fault.digest), size(one.size), one.source) for one in plan.fetches[:_SHOWN]]
            out.remark_table(("BLOB", "SIZE", "SOURCE"), rows)
            if len(plan.fetches) > _SHOWN:
                out.note(f"… and {len(plan.fetches) - _SHOWN} more")
        if plan.links:
            out.note(f"{counted(plan.links, 'link file')} to rewrite.")
        if plan.unavailable and plan.has_sources:
            out.note(f"No source has: {listed([short(one.digest) for one in plan.unavailable])}.")

    def remark(self, out: Output) -> None:
        """Say which sources could not be asked, and what else is wrong."""
        _warn_of_failures(out, self.plan.failed)
        if self.plan.unavailable and not self.plan.has_sources:
            out.note("No backups of this deployment are known. Give a source: --backup TARGET or --from REGISTRY")
        if self.is_dry_run:
            for finding in self.found.others:
                warn_of(out, finding)
            out.note(NOTHING_CHANGED)

    @property
    def has_failed(self) -> bool:
        """Whether damage is left, as it is after a dry run."""
        return self.is_dry_run and not self.found.is_whole


def question(plan: RepairPlan, address: str) -> str:
    """What is asked before anything is changed, and in which registry."""
    blobs = f"fetch {counted(len(plan.fetches), 'blob')} ({size(plan.size)})" if plan.fetches else ""
    links = f"rewrite {counted(plan.links, 'link file')}" if plan.links else ""
    asked = " and ".join(filter(None, (blobs, links)))
    return f"{asked[:1].upper()}{asked[1:]} in {address}?"


@dataclass(frozen=True)
class RepairedReport(Report):
    """What was repaired, and what is left."""

    done: Repaired

    def as_json(self) -> dict[str, Any]:
        """What a check found afterwards, and what was repaired."""
        return {
            **checked_json(self.done.left),
            "repaired": [_fetch_json(one) for one in self.done.blobs],
            "repaired_links": self.done.links,
            "writes_paused_seconds": round(self.done.paused, 3),
        }

    def print(self, out: Output) -> None:
        """Print what was repaired, and a table of what is left."""
        for source in dict.fromkeys(one.source for one in self.done.blobs):
            number = sum(one.source == source for one in self.done.blobs)
            out.line(f"Restored {counted(number, 'blob')} from {source}.")
        if self.done.links:
            out.line(
                f"Rewrote {counted(self.done.links, 'link file')}. Writes were paused for {self.done.paused:.1f} s."
            )
        print_checked(out, self.done.left)

    def remark(self, out: Output) -> None:
        """Say what could not be asked, and what to do about what is left."""
        _warn_of_failures(out, self.done.failed)
        left = self.done.left
        for finding in left.others:
            warn_of(out, finding)
        if any(one.is_of_blob for one in left.faults):
            out.note(f"  → {gone(left.faults)}")

    @property
    def has_failed(self) -> bool:
        """Whether damage is left."""
        return not self.done.left.is_whole


def _warn_of_failures(out: Output, failures: Iterable[Failure]) -> None:
    for one in failures:
        out.warn(f"{one.source} cannot be used: {one.error.message}")
        # Of a registry that nothing is known of but its address, it advises to start one here.
        for advice in () if isinstance(one.error, RegistryUnreachable) else one.error.advice:
            out.note(f"  → {advice}")


def _fetch_json(one: Fetch) -> dict[str, Any]:
    return {**fault_json(one.fault), "size": one.size, "source": one.source}
