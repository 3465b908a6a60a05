"""How backups are printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.words import age, counted, moment, size, timestamp
from deployer.phrases import listed
from deployer.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from deployer.cli.output import Output
    from deployer.restic.target import Target
    from deployer.workflows.backup.catalog import Backup, Contents
    from deployer.workflows.backup.create import BackupDone
    from deployer.workflows.backup.plan import BackupPlan
    from deployer.workflows.drill.record import DrillResult

# None: one of an earlier version does not say.
_SECRETS = {True: "yes", False: "no", None: "-"}


@dataclass(frozen=True)
class BackupPlanReport(Report):
    """What a backup would store, and which earlier ones would be removed."""

    plan: BackupPlan
    is_thinned: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        plan = self.plan
        return {
            "target": str(plan.target),
            "repositories": plan.repositories,
            "tags": plan.tags,
            "size": plan.size,
            "removes": [backup_json(one) for one in plan.removes],
        }

    def print(self, out: Output) -> None:
        """Print it as sentences."""
        plan = self.plan
        what = f"{counted(plan.repositories, 'repository', 'repositories')} with {counted(plan.tags, 'tag')}"
        out.note(f"Backing up {what} ({size(plan.size)}) to {plan.target}.")
        if plan.removes:
            out.note(f"{counted(len(plan.removes), 'old backup')} will be removed:")
            out.remark_table(("BACKUP", "CREATED"), [(one.id, moment(one.time)) for one in plan.removes])
        if self.is_thinned:
            out.note("The new backup counts towards --keep too, so one more may be removed.")


@dataclass(frozen=True)
class BackupDoneReport(Report):
    """A backup that was made."""

    done: BackupDone
    target: Target

    def as_json(self) -> dict[str, Any]:
        """The backup, how much of it was new, and which were removed."""
        return {
            **backup_json(self.done.backup),
            "target": str(self.target),
            "added": self.done.added,
            "removed": [one.id for one in self.done.removed],
            "damaged_images": list(self.done.damaged.images),
        }

    def print(self, out: Output) -> None:
        """Print it as sentences."""
        backup = self.done.backup
        out.line(f"Backup {backup.id}: {contents_in_words(backup.contents)}, {size(self.done.added)} of it new.")
        if self.done.removed:
            out.line(f"Removed {counted(len(self.done.removed), 'old backup')}.")

    @property
    def moved_bytes(self) -> int | None:
        """What was new."""
        return self.done.added

    def remark(self, out: Output) -> None:
        """Say the password, once, to the person who is there; and what the registry lacks."""
        if self.done.backup.contents.damaged:
            out.warn(
                f"{counted(self.done.backup.contents.damaged, 'blob')} missing or unreadable in the registry itself, "
                "and so missing in its backup: deployer check"
            )
        if self.done.damaged:
            self._tell_damaged(out)
        if self.done.problem:
            what = "Old backups were not removed" if self.done.keeps_all else "The images were not checked for damage"
            out.warn(f"{what}: {self.done.problem.message}")
        if not self.done.password.is_new:
            return
        if out.err.isatty():
            out.note("")
            out.note(f"Backup password: {self.done.password.value}")
        else:
            out.note(f"The backup password is in {self.done.password_file}.")
        out.note("Keep it in another place too: on another machine, no backup can be restored without it.")

    @property
    def concern(self) -> str:
        """The images that are damaged in it."""
        images = self.done.damaged.images
        if not images:
            return ""
        are = "is" if len(images) == 1 else "are"
        return f"{one_line(listed(images))} {are} damaged in the registry, and so in this backup."

    def _tell_damaged(self, out: Output) -> None:
        out.warn(f"{self.concern} To repair: {self.done.damaged.cure(self.target)}")
        if self.done.keeps_all:
            out.warn(
                "No old backups were removed, because this backup has damaged images; an older one may have them whole."
            )


@dataclass(frozen=True)
class BackupsReport(Report):
    """The backups at a target, with the last drill of each that had one on this machine, by their hosts and IDs."""

    target: Target
    backups: tuple[Backup, ...]
    unfinished: int
    now: datetime
    drills: Mapping[tuple[str, str], DrillResult] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The backups, the oldest first."""
        found = [
            {**backup_json(one), "in_future": one.is_in_future(self.now), "drill": _drill_json(self._drill_of(one))}
            for one in self.backups
        ]
        return {"target": str(self.target), "backups": found, "unfinished": self.unfinished}

    def print(self, out: Output) -> None:
        """Print them as a table, the newest first."""
        if not self.backups:
            out.note(f"There is no complete backup at {self.target}.")
            return
        out.table(
            ("BACKUP", "CREATED", "DEPLOYMENT", "REPOSITORIES", "TAGS", "SIZE", "SECRETS", "DRILLED"),
            [
                (
                    one.id,
                    f"{moment(one.time)} ({age(one.time, self.now)})",
                    one.host,
                    str(one.contents.repositories),
                    str(one.contents.tags),
                    size(one.contents.size),
                    _SECRETS[one.has_secrets],
                    _drilled(self._drill_of(one), self.now),
                )
                for one in reversed(self.backups)
            ],
        )

    def remark(self, out: Output) -> None:
        """Say what is not listed, and what is not the newest in spite of its date."""
        if any(one.is_in_future(self.now) for one in self.backups):
            out.warn(
                "Backups are dated in the future: the clock was wrong when they were made, or is wrong here. "
                "`restore` and `drill` use them only with --backup ID."
            )
        if self.unfinished:
            out.note("A backup in progress, or one that was interrupted, is not listed.")

    def _drill_of(self, backup: Backup) -> DrillResult | None:
        return self.drills.get((backup.host, backup.id))


def contents_in_words(contents: Contents) -> str:
    """How much a backup holds: "3 repositories, 12 tags, 1.2 GB"."""
    repositories = counted(contents.repositories, "repository", "repositories")
    return f"{repositories}, {counted(contents.tags, 'tag')}, {size(contents.size)}"


def backup_json(backup: Backup) -> dict[str, Any]:
    """A backup as JSON."""
    return {
        "id": backup.id,
        "created": timestamp(backup.time),
        "deployment": backup.host,
        **{key: value for key, value in vars(backup.contents).items() if key != "damaged"},
        "missing_blobs": backup.contents.damaged,
        "secrets": backup.has_secrets,
    }


def _drilled(drill: DrillResult | None, now: datetime) -> str:
    if drill is None:
        return "never"
    return f"{'failed ' if drill.problem else ''}{age(drill.time, now)}"


def _drill_json(drill: DrillResult | None) -> dict[str, str] | None:
    return None if drill is None else {"time": timestamp(drill.time), "problem": drill.problem}
