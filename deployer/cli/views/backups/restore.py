"""How what is restored of a backup is printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.backups.backup import backup_json, contents_in_words
from deployer.cli.views.words import counted, moment, size
from deployer.phrases import listed
from deployer.printable import one_line

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.workflows.backup.archive import About
    from deployer.workflows.backup.catalog import Backup
    from deployer.workflows.restore.deployment import FilesToRestore
    from deployer.workflows.restore.images import Restored
    from deployer.workflows.restore.plan import RestorePlan

_SHOWN = 20


@dataclass(frozen=True)
class RestorePlanReport(Report):
    """What would be restored into a running registry."""

    plan: RestorePlan

    def as_json(self) -> dict[str, Any]:
        """What would be restored, and the tags that would change."""
        plan = self.plan
        return {
            "backup": plan.backup.id,
            "repositories": plan.repositories,
            "new_tags": [str(one) for one in plan.added],
            "changed_tags": [{"tag": str(one), "before": one.before, "after": one.after} for one in plan.changed],
            "unchanged_tags": plan.same,
            "size": plan.size,
        }

    def print(self, out: Output) -> None:
        """Print it as sentences, the tags that change one by one."""
        plan = self.plan
        out.note(
            f"From the backup of {moment(plan.backup.time)}: {counted(len(plan.added), 'missing tag')}, "
            f"{counted(len(plan.changed), 'changed tag')}, {size(plan.size)} to restore; "
            f"{counted(plan.same, 'tag')} unchanged."
        )
        if plan.changed:
            out.note("These tags will refer to the image in the backup:")
            rows = [(str(one), _short(one.before), _short(one.after)) for one in plan.changed[:_SHOWN]]
            out.remark_table(("TAG", "NOW", "AFTERWARDS"), rows)
            if len(plan.changed) > _SHOWN:
                out.note(f"… and {len(plan.changed) - _SHOWN} more")

    def remark(self, out: Output) -> None:
        """Say what the backup lacks."""
        if self.plan.lost:
            out.warn(f"Tags whose image is not in the backup are not restored: {', '.join(self.plan.lost[:_SHOWN])}.")
        if self.plan.lacking:
            out.warn(f"{counted(len(self.plan.lacking), 'blob')} missing in the backup: some images will be damaged.")


@dataclass(frozen=True)
class RestoredReport(Report):
    """What was restored; `damaged` images the registry has though it has all the files that are in the backup.

    `cure` is the command that repairs them.
    """

    restored: Restored
    address: str
    damaged: tuple[str, ...] = ()
    cure: str = ""

    def as_json(self) -> dict[str, Any]:
        """What was restored, and for how long writes were paused."""
        report = RestorePlanReport(self.restored.plan).as_json()
        return {
            **report,
            "address": self.address,
            "writes_paused_seconds": round(self.restored.paused, 3),
            "damaged_blobs": list(self.restored.damaged),
            "damaged_images": list(self.damaged),
        }

    def print(self, out: Output) -> None:
        """Print it as a sentence."""
        plan = self.restored.plan
        kept = f" Kept as they are: {counted(plan.kept, 'changed tag')}." if plan.kept else ""
        if self.damaged:
            # Files of the same size are not restored again.
            are = "is" if len(self.damaged) == 1 else "are"
            out.line(
                f"Nothing was restored, but {one_line(listed(self.damaged))} {are} damaged in the registry. "
                f"To repair: {self.cure}{kept}"
            )
            return
        if plan.is_empty:
            same = "the registry has everything" + ("" if kept else " as it is in the backup")
            out.line(f"Nothing to restore: {same}.{kept}")
            return
        tags = len(plan.added) + len(plan.changed)
        out.line(f"Restored {counted(tags, 'tag')} ({size(plan.size)}) from backup {plan.backup.id}.{kept}")

    def remark(self, out: Output) -> None:
        """Say what the backup had damaged."""
        if self.restored.damaged:
            out.warn(
                f"{counted(len(self.restored.damaged), 'blob')} damaged in the backup, as in the registry when it was "
                "made; to see the images that need them: deployer status"
            )

    @property
    def has_failed(self) -> bool:
        """Whether something could not be restored, or is damaged."""
        return bool(self.restored.damaged or self.damaged)


@dataclass(frozen=True)
class DeploymentPlanReport(Report):
    """What restoring a whole deployment would make."""

    backup: Backup
    about: About
    address: str
    users: int
    files: FilesToRestore

    def as_json(self) -> dict[str, Any]:
        """The backup, the address, and the files that are written."""
        return {
            **backup_json(self.backup),
            "address": self.address,
            "users": self.users,
            "secrets": self.about.with_secrets,
            "files": [str(path) for path in self.files.written],
        }

    def print(self, out: Output) -> None:
        """Print it as sentences."""
        out.note(
            f"Restoring {self.backup.host} as of {moment(self.backup.time)}, at {self.address}: "
            f"{contents_in_words(self.backup.contents)}, {counted(self.users, 'user')}."
        )
        for path in self.files.written:
            out.note(f"  {path} will be written")

    def remark(self, out: Output) -> None:
        """Say what differs from the backup."""
        for path in self.files.kept:
            out.warn(f"{path} stays as it is; it differs from the one in the backup.")
        if not self.about.with_secrets:
            out.warn("The backup was made without secrets: users have to be added, and clients configured again.")


def _short(digest: str) -> str:
    return digest[:19] or "(damaged)"
