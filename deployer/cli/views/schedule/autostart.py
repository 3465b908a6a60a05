"""How `autostart` is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report

if TYPE_CHECKING:
    from deployer.cli.output import Output
    from deployer.workflows.autostart.engine_start import StartPlan


@dataclass(frozen=True)
class StartPlanReport(Report):
    """What would be run."""

    plan: StartPlan

    def as_json(self) -> list[str]:
        """The commands."""
        return [" ".join(command) for command in self.plan.commands]

    def print(self, out: Output) -> None:
        """Print the commands, a line each."""
        if not self.plan.commands:
            how = "does not start" if self.plan.remove else "already starts"
            out.note(f"The engine {how} at boot; nothing to change.")
        for command in self.plan.commands:
            out.line(" ".join(command))


@dataclass(frozen=True)
class StartReport(Report):
    """That it was done."""

    plan: StartPlan

    def as_json(self) -> Any:  # noqa: ANN401
        """The commands that were run."""
        return StartPlanReport(self.plan).as_json()

    def print(self, out: Output) -> None:
        """Say what happens at the next boot."""
        now = "no longer starts" if self.plan.remove else "now starts"
        out.note(f"Done. The engine {now} at boot.")


def question(plan: StartPlan) -> str:
    """What to ask before the commands are run."""
    if plan.remove:
        return "After a reboot, the registry is not available until the engine is started. Run this?"
    return "Run this, so that the engine starts at boot?"
