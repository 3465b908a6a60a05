"""How drills are printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.backups.backup import contents_in_words
from deployer.cli.views.words import counted, moment, size
from deployer.workflows.drill.drill import LoginTest

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.workflows.drill.drill import Drill, DrillPlan

_SHOWN = 20
_LOGIN = {
    LoginTest.PASSED: "login and users as in the backup",
    LoginTest.FAILED: "login or users not as in the backup",
    LoginTest.NOT_REQUIRED: "no login required, as in the backup",
    LoginTest.NOT_IN_BACKUP: "login not tested",
}


@dataclass(frozen=True)
class DrillPlanReport(Report):
    """What a drill would do."""

    plan: DrillPlan

    def as_json(self) -> dict[str, Any]:
        """The backup, the room on the disk, and what is removed first or left out."""
        request = self.plan.request
        return {
            "backup": request.images.backup.id,
            "target": str(request.images.target),
            "size": self.plan.needed,
            "free": self.plan.free,
            "sample": request.sample,
            "removes": list(self.plan.left),
            "not_tested": list(request.origin.left_out),
        }

    def print(self, out: Output) -> None:
        """Print it as sentences."""
        request = self.plan.request
        backup = request.images.backup
        out.note(
            f"Testing the backup of {backup.host} as of {moment(backup.time)}: {contents_in_words(backup.contents)}."
        )
        out.note(
            f"A temporary copy is started; it needs {size(self.plan.needed)} of the "
            f"{size(self.plan.free)} free on {self.plan.disk}."
        )
        for name in self.plan.left:
            out.note(f"{name}, left by an interrupted drill, is removed first.")
        if request.origin.left_out:
            out.note(f"Not tested: {'; '.join(request.origin.left_out)}.")


@dataclass(frozen=True)
class DrillReport(Report):
    """What a drill found."""

    drill: Drill

    def as_json(self) -> dict[str, Any]:
        """What was restored, pulled and compared, and how it differs."""
        drill, plan = self.drill, self.drill.restored.plan
        return {
            "backup": plan.backup.id,
            "target": str(drill.request.images.target),
            "passed": not drill.differences,
            "differences": list(drill.differences),
            "repositories": plan.repositories,
            "tags": len(plan.added),
            "size": plan.size,
            "sampled": list(drill.examined.sample),
            "contents_compared": drill.examined.contents,
            "bytes_compared": drill.examined.bytes,
            "login": drill.login.value,
            "users": len(drill.request.origin.accounts),
            "ca_sha256": drill.ca,
            "missing_blobs": len(plan.lacking),
            "not_tested": list(drill.request.origin.left_out),
            "seconds": round(drill.seconds, 1),
        }

    def print(self, out: Output) -> None:
        """Print it as sentences."""
        drill, plan = self.drill, self.drill.restored.plan
        if drill.differences:
            out.line(f"The copy differs from backup {plan.backup.id}: {drill.problem}")
        else:
            out.line(f"Backup {plan.backup.id} passed the drill in {drill.seconds:.0f} s.")
        images = counted(len(drill.examined.sample), "image")
        out.fields(
            [
                ("Restored", f"{counted(len(plan.added), 'tag')}, {size(plan.size)}"),
                ("Pulled", f"{images}, {size(drill.examined.bytes)} compared with their digests"),
                ("Access", _LOGIN[drill.login]),
                *([("CA", f"SHA-256 {drill.ca}")] if drill.ca else []),
            ]
        )

    def remark(self, out: Output) -> None:
        """Say what else differs, and what the backup itself does not have."""
        for one in self.drill.differences[1:_SHOWN]:
            out.warn(one)
        plan = self.drill.restored.plan
        if plan.lost:
            out.warn(f"Tags whose image is not in the backup were not restored: {', '.join(plan.lost[:_SHOWN])}.")
        if plan.lacking:
            out.warn(f"{counted(len(plan.lacking), 'blob')} missing in the backup, as in the registry: deployer status")

    @property
    def has_failed(self) -> bool:
        """Whether the copy differs from the backup."""
        return bool(self.drill.differences)
