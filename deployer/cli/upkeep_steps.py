"""What the commands that change the storage share: plan, show, ask, apply, report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from deployer.cli.options import drain_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.cli.presentation import Report
    from deployer.cli.session import Session
    from deployer.storage.access import Storage
    from deployer.workflows.upkeep.gate import DrainPolicy
    from deployer.workflows.upkeep.maintenance import Upkeep

Plan = TypeVar("Plan")


@dataclass(frozen=True)
class UpkeepSteps(Generic[Plan]):
    """How a command that changes the storage plans, shows its plan, asks ("": nothing), and does what was shown.

    `report_of` makes the report of a plan; it is told whether that is all, as in a dry run.
    """

    name: str
    plan: Callable[[Storage], Plan]
    report_of: Callable[[Plan, bool], Report]
    question: Callable[[Plan], str]
    apply: Callable[[Upkeep, Plan, DrainPolicy], Report]


def change_storage(session: Session, wait: str, steps: UpkeepSteps[Plan]) -> None:
    """Plan, show, ask, apply and report; in a dry run only look, without a lock or a helper."""
    from deployer.workflows.upkeep import maintenance

    drain = drain_policy(session, wait)
    session.require_deployment(session.engine, changes=True)
    if session.presentation.dry_run:
        session.show_plan(steps.report_of(steps.plan(maintenance.reading(session.stack)), True))
        return
    with maintenance.upkeep(session.stack, steps.name) as work:
        plan = steps.plan(work.storage)
        session.show_plan(steps.report_of(plan, False))
        question = steps.question(plan)
        if question:
            session.confirm(question)
        done = steps.apply(work, plan, drain)
    session.show(done)
