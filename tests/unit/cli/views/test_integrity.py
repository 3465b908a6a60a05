"""What is said of damage: which images it hits, and advice that can work where it is given."""

from __future__ import annotations

import io

import pytest

from deployer.cli.output import Output
from deployer.cli.views.integrity.check import CheckReport
from deployer.cli.views.integrity.repair import RepairedReport, RepairPlanReport, question
from deployer.errors import BackupError, RegistryUnreachable
from deployer.workflows.integrity.check import Checked
from deployer.workflows.integrity.faults import Fault, FaultKind
from deployer.workflows.integrity.reading import ReadContent
from deployer.workflows.integrity.repair import Failure, Fetch, Repaired, RepairPlan

CUT = Fault("sha256:" + "a" * 64, FaultKind.DAMAGED, "the file aaaaaaaaaaaa is empty", False, 0, ("app",), ("app:1",))
LOST = Fault("sha256:" + "b" * 64, FaultKind.MISSING, "the file bbbbbbbbbbbb is missing", False, None, ("app",), ())
LINK = Fault("sha256:" + "c" * 64, FaultKind.LINK, "the link to it is missing", False, None, ("app",), ("app:2",))


def found(*faults: Fault, links: int = 0, read: ReadContent | None = None) -> Checked:
    return Checked(2, 3, faults, (), not faults, links, read)


def said(report: CheckReport | RepairPlanReport | RepairedReport) -> tuple[str, str]:
    """What was printed as the result, and as remarks."""
    out, err = io.StringIO(), io.StringIO()
    output = Output(out, err)
    report.print(output)
    report.remark(output)
    return out.getvalue(), err.getvalue()


def test_without_damage_it_says_so_and_what_was_compared() -> None:
    result, remarks = said(CheckReport(found()))
    assert "3 tags in 2 repositories" in result
    assert "No damage found." in result
    assert "deployer check --full" in remarks
    result, remarks = said(CheckReport(found(read=ReadContent(7, 5000, 2, frozenset()))))
    assert "read 7 blobs (2 of them by an interrupted check), 5 kB" in result
    assert remarks == ""
    _, remarks = said(CheckReport(found(), names=("team/*", "app:1")))
    assert "deployer check --full 'team/*' app:1" in remarks


@pytest.mark.parametrize(
    ("report", "advised", "not_advised"),
    [
        (CheckReport(found(CUT), has_backups=True), "--repair   (restores the content from a backup)", "gc"),
        (CheckReport(found(CUT)), "deployer gc --damaged", "from a backup)"),
        (CheckReport(found(LOST)), "push the images again", "gc"),
        (CheckReport(found(LINK, links=1)), "--repair   (restores the link files)", "push"),
        (CheckReport(found(CUT), can_repair=False), "On the machine that runs the registry", "gc"),
    ],
)
def test_advice_is_of_what_can_be_done(report: CheckReport, advised: str, not_advised: str) -> None:
    result, remarks = said(report)
    assert advised in remarks
    assert not_advised not in remarks.replace("Sizes were compared", "").replace("push the images again)", "push")
    assert report.found.faults[0].state in result
    assert report.has_failed


def test_a_plan_is_a_result_in_a_dry_run_alone_and_leaves_damage() -> None:
    plan = RepairPlan((Fetch(CUT, "the backups at /b", 1_500_000),), 2, (LOST,))
    result, remarks = said(RepairPlanReport(found(CUT, LOST), plan))
    assert result == ""
    assert "the backups at /b" in remarks
    assert "No source has: bbbbbbbbbbbb" in remarks
    dry = RepairPlanReport(found(CUT, LOST), plan, is_dry_run=True)
    result, remarks = said(dry)
    assert CUT.state in result
    assert "nothing was changed" in remarks
    assert dry.has_failed
    assert question(plan, "localhost:5000") == "Fetch 1 blob (1.5 MB) and rewrite 2 link files in localhost:5000?"


def test_a_source_that_fails_is_named_with_its_advice_but_for_that_to_start_one_here() -> None:
    failures = (
        Failure("the backups at /b", BackupError("Gone.", ("Mount it.",))),
        Failure("the registry a:1", RegistryUnreachable("Silent.", ("Start it: deployer up",))),
    )
    _, remarks = said(RepairPlanReport(found(CUT), RepairPlan((), 0, (CUT,), failures)))
    assert "the backups at /b cannot be used: Gone." in remarks
    assert "Mount it." in remarks
    assert "the registry a:1 cannot be used: Silent." in remarks
    assert "deployer up" not in remarks
    _, remarks = said(RepairPlanReport(found(CUT), RepairPlan((), 0, (CUT,), has_sources=False)))
    assert "--backup TARGET or --from REGISTRY" in remarks


def test_what_is_left_after_a_repair_is_a_failure_with_the_way_on() -> None:
    done = Repaired((Fetch(CUT, "the backups at /b", 1),), 1, 1.25, found(LOST))
    report = RepairedReport(done)
    result, remarks = said(report)
    assert "Restored 1 blob from the backups at /b." in result
    assert "Rewrote 1 link file." in result
    assert LOST.state in result
    assert "push the images again" in remarks
    assert report.has_failed
    assert not RepairedReport(Repaired((), 0, 0.0, found())).has_failed
