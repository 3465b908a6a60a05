"""How `upgrade` and `upgrade --rollback` are reported: what they would do, what they ask, and what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.words import counted
from deployer.phrases import listed
from deployer.workflows.upgrade.upgrade import RollbackPlan, UpgradePlan

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.paths import Deployment
    from deployer.record import PinnedImage
    from deployer.workflows.upgrade.newer import ImageChange, Sought
    from deployer.workflows.upgrade.upgrade import Upgraded


def report_of(plan: UpgradePlan | RollbackPlan) -> Report:
    """The report of either plan."""
    return RollbackPlanReport(plan) if isinstance(plan, RollbackPlan) else UpgradePlanReport(plan)


def question_of(plan: UpgradePlan | RollbackPlan, deployment: Deployment) -> str:
    """What is asked before anything is changed."""
    what = "Put the previous images back into" if isinstance(plan, RollbackPlan) else "Upgrade"
    return f"{what} '{deployment.name}'? Requests may be refused for a few seconds."


@dataclass(frozen=True)
class UpgradePlanReport(Report):
    """What an upgrade would look for."""

    plan: UpgradePlan

    def as_json(self) -> dict[str, Any]:
        """For each service the image that runs, and the names that are looked for."""
        names = dict(self.plan.wanted)
        return {
            "continues": self.plan.continues,
            "services": [
                {
                    **image_json(one),
                    "service": one.service,
                    "pull": names[one.service].pull or None,
                    "build": names[one.service].build or None,
                }
                for one in self.plan.running.images
                if one.service in names
            ],
            "schema_1_tags": list(self.plan.unserved),
        }

    def print(self, out: Output) -> None:
        """Print a line for each service."""
        if self.plan.continues:
            out.line("An upgrade was interrupted; this one completes it.")
        names = dict(self.plan.wanted)
        for one in self.plan.running.images:
            if one.service in names:
                how = _in_words(names[one.service])
                out.line(f"{one.service}: runs {_named(one)}; {how}, and used if it is newer")
        if self.plan.unserved:
            count = len(self.plan.unserved)
            them, use = ("it", "uses") if count == 1 else ("them", "use")
            out.warn(
                f"{counted(count, 'tag')} {use} Docker's manifest schema 1. If the new registry is version 3, it "
                f"cannot serve {them}: {listed(self.plan.unserved)}. To keep {them}, pull {them} with Docker 25 or "
                f"older and push {them} again before. `deployer upgrade --rollback` serves {them} again."
            )


@dataclass(frozen=True)
class RollbackPlanReport(Report):
    """What a rollback would put back."""

    plan: RollbackPlan

    def as_json(self) -> dict[str, Any]:
        """The images before and after, and whether the previous files are put back too."""
        return {"services": [change_json(one) for one in self.plan.changes], "with_files": self.plan.with_files}

    def print(self, out: Output) -> None:
        """Print a line for each service."""
        _print_changes(out, self.plan.changes)
        if self.plan.with_files:
            out.line("files: as rendered before the upgrade; users, rules and certificates are kept")
        else:
            out.line("files: rendered again by this version, because `up` has changed them since the upgrade")


@dataclass(frozen=True)
class UpgradedReport(Report):
    """What an upgrade or a rollback has changed."""

    done: Upgraded

    def as_json(self) -> dict[str, Any]:
        """The images before and after, and how long requests waited or were refused at most."""
        return {
            "services": [change_json(one) for one in self.done.changes],
            "interrupted_seconds": round(self.done.seconds, 1),
        }

    def print(self, out: Output) -> None:
        """Print a line for each service."""
        _print_changes(out, self.done.changes)
        if self.done.seconds:
            undo = " To undo this: deployer upgrade --rollback" if self.done.can_be_undone else ""
            out.note(f"Done. The services were replaced within {self.done.seconds:.1f} s.{undo}")
        else:
            out.note("Nothing newer: the services run the newest images that are available.")


def image_json(one: PinnedImage) -> dict[str, Any]:
    """An image: its name, its ID, and the digest of the registry that it came from, null if it was made here."""
    return {"image": one.name, "id": one.id, "digest": one.digest or None}


def change_json(change: ImageChange) -> dict[str, Any]:
    """A service's image before and after."""
    return {
        "service": change.before.service,
        "before": image_json(change.before),
        "after": image_json(change.after),
    }


def _print_changes(out: Output, changes: tuple[ImageChange, ...]) -> None:
    for change in changes:
        if change.is_newer:
            out.line(f"{change.before.service}: {_named(change.before)} → {_named(change.after)}")
        else:
            out.line(f"{change.before.service}: {_named(change.before)}, unchanged")


def _named(one: PinnedImage) -> str:
    return f"{one.name} ({one.short_id})"


def _in_words(sought: Sought) -> str:
    if not sought.pull:
        return f"{sought.build} is built"
    return f"{sought.pull} is pulled" + (", or built if that fails" if sought.build else "")
