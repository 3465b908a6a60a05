"""What a check found: the damage with the images that it hits, and what to do about it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.upkeep import warn_of
from deployer.cli.views.words import counted, size
from deployer.phrases import listed
from deployer.workflows.finding import FindingState
from deployer.workflows.images.states import CURE
from deployer.workflows.upkeep.survey.storage_findings import FROM_BACKUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deployer.cli.output import Output
    from deployer.workflows.integrity.check import Checked
    from deployer.workflows.integrity.faults import Fault

_SHOWN = 20
_OTHERS = (
    "If a backup or another registry has the content: deployer check --repair --backup TARGET   (or --from HOST:PORT)"
)


@dataclass(frozen=True)
class CheckReport(Report):
    """What a check found. `can_repair` on the machine that runs the registry, `has_backups` if it remembers some.

    `names` are those that it was asked for, none for everything.
    """

    found: Checked
    can_repair: bool = True
    has_backups: bool = False
    names: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same in numbers."""
        return checked_json(self.found)

    def print(self, out: Output) -> None:
        """Print a table of the damage, or that there is none."""
        print_checked(out, self.found)

    def remark(self, out: Output) -> None:
        """Say what else is wrong, and how to repair it."""
        found = self.found
        for finding in found.others:
            warn_of(out, finding)
        if found.faults or found.links:
            for line in self._advice():
                out.note(f"  → {line}")
        if found.read is None:
            full = shlex.join(("deployer", "check", "--full", *self.names))
            out.note(f"Sizes were compared, and content was not read. To read every byte: {full}")

    @property
    def has_failed(self) -> bool:
        """Whether there is damage."""
        return not self.found.is_whole

    def _advice(self) -> tuple[str, ...]:
        found = self.found
        if not self.can_repair:
            return ("On the machine that runs the registry: deployer check --repair", "Or push the images again.")
        has_blobs = any(one.is_of_blob for one in found.faults)
        if found.links and not has_blobs:
            return ("deployer check --repair   (restores the link files)",)
        if not has_blobs:
            return ()
        if self.has_backups:
            return (FROM_BACKUP, _OTHERS)
        return (_OTHERS, gone(found.faults))


def gone(faults: Sequence[Fault]) -> str:
    """What is left to do where no source has the content."""
    if any(one.size is not None for one in faults if one.is_of_blob):
        return f"If no source has it: {CURE}   (removes the damaged files; then push the images again)"
    return "If no source has it: push the images again, or delete them."


def print_checked(out: Output, found: Checked, *, as_result: bool = True) -> None:
    """Print what was checked, and a table of the damage; as remarks before a repair."""
    tell, show = (out.line, out.table) if as_result else (out.note, out.remark_table)
    what = f"{counted(found.tags, 'tag')} in {counted(found.repositories, 'repository', 'repositories')}"
    if found.read is not None:
        before = f" ({found.read.blobs_before} of them by an interrupted check)" if found.read.blobs_before else ""
        what += f"; read {counted(found.read.blobs, 'blob')}{before}, {size(found.read.size)}"
    tell(f"Checked {what}.")
    if found.is_whole:
        tell("No damage found.")
    if found.faults:
        tell("")
        show(("DAMAGE", "IMAGES"), [_row(one) for one in found.faults[:_SHOWN]])
        if len(found.faults) > _SHOWN:
            tell(f"… and {len(found.faults) - _SHOWN} more (all of them: deployer check --json)")


def _row(one: Fault) -> tuple[str, str]:
    return one.state, listed(one.images) or "-"


def checked_json(found: Checked) -> dict[str, Any]:
    """What a check found, as JSON."""
    read = found.read
    return {
        "whole": found.is_whole,
        "full": read is not None,
        "repositories": found.repositories,
        "tags": found.tags,
        "read_blobs": read.blobs if read else 0,
        "read_bytes": read.size if read else 0,
        "damage": [fault_json(one) for one in found.faults],
        "links": found.links,
        "problems": [one.sentence for one in found.others if one.state is FindingState.WRONG],
    }


def fault_json(one: Fault) -> dict[str, Any]:
    """One blob or link, as JSON."""
    return {
        "digest": one.digest,
        "kind": one.kind.value,
        "manifest": one.is_manifest,
        "size": one.size,
        "state": one.state,
        "repositories": list(one.repositories),
        "images": list(one.images),
    }
