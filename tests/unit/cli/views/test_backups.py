"""How backups, restores and their progress are printed."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deployer.cli.output import Output
from deployer.cli.views.backups.backup import BackupDoneReport, BackupPlanReport, BackupsReport
from deployer.cli.views.backups.drill import DrillPlanReport, DrillReport
from deployer.cli.views.backups.progress import ProgressLine, described
from deployer.cli.views.backups.restore import DeploymentPlanReport, RestoredReport, RestorePlanReport
from deployer.errors import StorageError
from deployer.paths import Deployment
from deployer.restic.repository import Progress
from deployer.restic.target import Target
from deployer.settings.values.reserve import Reserve
from deployer.workflows.backup.archive import About, Archive, Kept
from deployer.workflows.backup.catalog import Contents
from deployer.workflows.backup.create import BackupDone
from deployer.workflows.backup.damage import DamagedImages
from deployer.workflows.backup.password import Password
from deployer.workflows.backup.plan import BackupPlan
from deployer.workflows.drill.drill import Drill, DrillPlan, DrillRequest, LoginTest
from deployer.workflows.drill.examination import Examined
from deployer.workflows.drill.record import DrillResult
from deployer.workflows.restore.deployment import FilesToRestore, ImageRestore
from deployer.workflows.restore.images import Restored
from deployer.workflows.restore.plan import RestorePlan, TagChange
from deployer.workflows.restore.selection import Selection, Wanted
from tests.support.backups import BACKUP, MOMENT, TARGET
from tests.support.fake_engine import FakeEngine

GB = 1_000_000_000
FULL = replace(BACKUP, contents=Contents(3, 12, 40, 1_200_000_000, 0))
OLD = replace(BACKUP, id="20251231T000000Z", time=MOMENT - timedelta(days=1))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Paper:
    """Where a report is printed."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.err = Terminal() if terminal else io.StringIO()
        self.out = io.StringIO()
        self.output = Output(self.out, self.err)

    @property
    def results(self) -> list[str]:
        return self.out.getvalue().splitlines()

    @property
    def remarks(self) -> list[str]:
        return self.err.getvalue().splitlines()


@pytest.fixture
def paper() -> Paper:
    return Paper()


OF_OTHER = ("registry@other", BACKUP.id)
PASSED = DrillResult(str(TARGET), BACKUP.id, MOMENT + timedelta(hours=1))
OF_THIS = {(BACKUP.host, BACKUP.id): PASSED}
PLAN = RestorePlan(
    FULL,
    Wanted(Selection()),
    3,
    (TagChange("app", "1", "", "sha256:a"),) * 12,
    (),
    0,
    {"sha256:b": 2_000},
    frozenset(),
    {},
)


def drilled(*differences: str, **changes: Any) -> DrillReport:
    settings = Archive(About("registry", "localhost", 5000, {}), {Kept.SETTINGS: b"name: registry"})
    images = ImageRestore(TARGET, FULL, Selection(), "s3cr3t")
    request = DrillRequest.of(
        Deployment("registry", Path("/data/registry")), images, settings, sample=10,
        reserve=Reserve.of("auto"), engine=FakeEngine(), now=lambda: MOMENT, clock=lambda: 0.0,
    )  # fmt: skip
    examined = Examined(("app:1",), 3, 2_000)
    drill = Drill(request, Restored(PLAN), examined, LoginTest.PASSED, "AB:CD", differences, 12.3)
    return DrillReport(replace(drill, **changes))


def test_a_drill_that_passed_says_what_was_compared(paper: Paper) -> None:
    report = drilled()
    report.print(paper.output)
    report.remark(paper.output)
    assert paper.results == [
        "Backup 20260101T000000Z passed the drill in 12 s.",
        "Restored: 12 tags, 2 kB",
        "Pulled:   1 image, 2 kB compared with their digests",
        "Access:   login and users as in the backup",
        "CA:       SHA-256 AB:CD",
    ]
    assert paper.remarks == []
    assert not report.has_failed
    assert "s3cr3t" not in json.dumps(report.as_json())


def test_a_copy_that_differs_is_one_sentence_and_the_rest_below(paper: Paper) -> None:
    report = drilled("app:1 cannot be pulled.", "Blob b is damaged in the backup.")
    report.print(paper.output)
    report.remark(paper.output)
    assert paper.results[0] == (
        "The copy differs from backup 20260101T000000Z: app:1 cannot be pulled. There is 1 more difference."
    )
    assert paper.remarks == ["Warning: Blob b is damaged in the backup."]
    assert report.has_failed
    assert report.as_json()["passed"] is False


def test_what_the_backup_lacks_does_not_fail_the_drill(paper: Paper) -> None:
    lacking = Restored(replace(PLAN, lost=("app:2",), lacking=frozenset({"sha256:c"})))
    report = drilled(restored=lacking, login=LoginTest.NOT_IN_BACKUP, ca="")
    report.print(paper.output)
    report.remark(paper.output)
    assert paper.results[-1] == "Access:   login not tested"
    assert paper.remarks == [
        "Warning: Tags whose image is not in the backup were not restored: app:2.",
        "Warning: 1 blob missing in the backup, as in the registry: deployer status",
    ]
    assert not report.has_failed


def test_the_plan_of_a_drill_says_what_it_needs_removes_and_leaves_out(paper: Paper) -> None:
    request = drilled().drill.request
    override = replace(
        request.origin.archive, files={**request.origin.archive.files, Kept.OVERRIDE: b"services: {a: 1}"}
    )
    request = replace(request, origin=replace(request.origin, archive=override))
    plan = DrillPlan(request, 1_200_000_000, 2 * GB, 4 * GB, Path("/var/lib/docker"), ("registry-drill-0",))
    DrillPlanReport(plan).print(paper.output)
    assert paper.remarks == [
        "Testing the backup of registry@machine as of 2026-01-01 00:00:00 UTC: 3 repositories, 12 tags, 1.2 GB.",
        ("A temporary copy is started; it needs 1.2 GB of the 4 GB free on /var/lib/docker."),
        "registry-drill-0, left by an interrupted drill, is removed first.",
        "Not tested: compose.override.yaml.",
    ]


@pytest.mark.parametrize(
    ("drills", "secrets", "cells"),
    [
        ({}, None, "-        never"),
        # Another machine may have backed up to the same target in the same second.
        ({OF_OTHER: PASSED}, None, "-        never"),
        (OF_THIS | {OF_OTHER: replace(PASSED, problem="no")}, True, "yes      4 hours ago"),
        ({next(iter(OF_THIS)): replace(PASSED, problem="no")}, False, "no       failed 4 hours ago"),
    ],
)
def test_a_listed_backup_says_whether_it_has_secrets_and_when_it_was_tested(
    paper: Paper, drills: dict[tuple[str, str], DrillResult], secrets: bool | None, cells: str
) -> None:
    report = BackupsReport(TARGET, (replace(FULL, has_secrets=secrets),), 0, MOMENT + timedelta(hours=5), drills)
    report.print(paper.output)
    assert paper.results[1].endswith(cells)
    (listed,) = report.as_json()["backups"]
    assert listed["secrets"] is secrets
    assert (listed["drill"] is None) is cells.endswith("never")


def test_backups_dated_in_the_future_are_marked(paper: Paper) -> None:
    ahead = replace(FULL, id="20360101T000000Z", time=MOMENT.replace(year=2036))
    report = BackupsReport(TARGET, (FULL, ahead), 0, MOMENT + timedelta(hours=5))
    report.print(paper.output)
    report.remark(paper.output)
    assert "2036-01-01 00:00:00 UTC (in the future)" in paper.results[1]
    (remark,) = paper.remarks
    assert remark.startswith("Warning: Backups are dated in the future: the clock was wrong when they were made, or")
    assert [one["in_future"] for one in report.as_json()["backups"]] == [False, True]


@pytest.mark.parametrize(
    ("progress", "seconds", "text"),
    [
        (Progress(0, 0), 5, ""),
        (Progress(0, 4 * GB), 5, "0 B of 4 GB (0 %)"),
        (Progress(GB, 4 * GB), 0.5, "1 GB of 4 GB (25 %)"),
        (Progress(GB, 4 * GB), 10, "1 GB of 4 GB (25 %), 100 MB/s, 30 s left"),
        (Progress(GB, 100 * GB), 10, "1 GB of 100 GB (1 %), 100 MB/s, 16 min left"),
        (Progress(GB, 1000 * GB), 10, "1 GB of 1 TB (0 %), 100 MB/s, 2 h 46 min left"),
        (Progress(4 * GB, 4 * GB), 10, "4 GB of 4 GB (100 %), 400 MB/s, 0 s left"),
        # Restic reads before it has counted all.
        (Progress(5 * GB, 4 * GB), 10, "5 GB of 5 GB (100 %), 500 MB/s, 0 s left"),
    ],
)
def test_progress_has_words(progress: Progress, seconds: float, text: str) -> None:
    assert described(progress, seconds) == text


def test_progress_is_one_line_of_a_terminal_which_is_cleared() -> None:
    paper, seconds = Paper(terminal=True), iter([100.0, 110.0])
    with ProgressLine(paper.output, lambda: next(seconds)) as line:
        line.show(Progress(0, 4 * GB))
        line.show(Progress(GB, 4 * GB))
    assert paper.err.getvalue() == ("\r\x1b[K0 B of 4 GB (0 %)\r\x1b[K1 GB of 4 GB (25 %), 100 MB/s, 30 s left\r\x1b[K")


def test_progress_is_not_in_a_log(paper: Paper) -> None:
    with ProgressLine(paper.output, lambda: 0.0) as line:
        line.show(Progress(1, 2))
    assert paper.err.getvalue() == ""


def test_a_line_that_was_never_shown_is_not_cleared() -> None:
    paper = Paper(terminal=True)
    with ProgressLine(paper.output, lambda: 0.0):
        pass
    assert paper.err.getvalue() == ""


def test_a_plan_says_what_is_stored_and_what_goes(paper: Paper) -> None:
    report = BackupPlanReport(BackupPlan(TARGET, 1, 12, GB, (OLD,)))
    report.print(paper.output)
    assert paper.remarks[0] == "Backing up 1 repository with 12 tags (1 GB) to /backups."
    assert paper.remarks[1] == "1 old backup will be removed:"
    assert "20251231T000000Z" in paper.remarks[3]
    assert paper.results == []
    assert json.loads(json.dumps(report.as_json()))["removes"][0]["id"] == OLD.id


def done(password: Password, damaged: int = 0) -> BackupDoneReport:
    backup = replace(FULL, contents=replace(FULL.contents, damaged=damaged))
    return BackupDoneReport(BackupDone(backup, 3_000, password, Path("/data/backup-password"), (OLD,)), TARGET)


def test_a_backup_that_was_made_is_a_line(paper: Paper) -> None:
    report = done(Password("s3cr3t"))
    report.print(paper.output)
    report.remark(paper.output)
    assert paper.results == [
        "Backup 20260101T000000Z: 3 repositories, 12 tags, 1.2 GB, 3 kB of it new.",
        "Removed 1 old backup.",
    ]
    assert paper.remarks == []


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_new_password_is_shown_to_a_person_alone(terminal: bool, is_new: bool) -> None:
    paper = Paper(terminal=terminal)
    report = done(Password("s3cr3t", is_new=is_new))
    report.print(paper.output)
    report.remark(paper.output)
    assert ("s3cr3t" in paper.err.getvalue()) is (terminal and is_new)
    assert ("/data/backup-password" in paper.err.getvalue()) is (is_new and not terminal)
    assert ("Keep it in another place too" in paper.err.getvalue()) is is_new
    assert "s3cr3t" not in paper.out.getvalue() + json.dumps(report.as_json()) + repr(report)


def test_blobs_that_the_registry_lacks_are_a_warning(paper: Paper) -> None:
    report = done(Password("x"), damaged=1)
    report.remark(paper.output)
    assert paper.remarks[0].startswith("Warning: 1 blob missing or unreadable in the registry itself")
    assert report.as_json()["missing_blobs"] == 1
    assert "damaged" not in report.as_json()


@pytest.mark.parametrize("keeps_all", [True, False])
def test_a_backup_with_damaged_images_names_them_and_why_no_old_one_went(paper: Paper, keeps_all: bool) -> None:
    made = replace(done(Password("x")).done, removed=(), damaged=DamagedImages(("app:1", "app:2"), True))
    report = BackupDoneReport(replace(made, keeps_all=keeps_all), TARGET)
    report.print(paper.output)
    report.remark(paper.output)
    said = "app:1, app:2 are damaged in the registry, and so in this backup."
    assert len(paper.results) == 1
    assert paper.remarks[0] == f"Warning: {said} To repair: deployer check --repair --backup {TARGET.quoted}"
    assert [one.startswith("Warning: No old backups were removed") for one in paper.remarks[1:]] == [True] * keeps_all
    assert report.as_json()["damaged_images"] == ["app:1", "app:2"]
    assert report.concern == said
    assert not report.has_failed


def test_what_is_not_repaired_by_a_backup_is_explained_by_a_check() -> None:
    assert DamagedImages(("app:1",)).cure(TARGET) == "deployer check"


@pytest.mark.parametrize(("keeps_all", "what"), [(True, "Old backups were not"), (False, "The images were not")])
def test_a_check_for_damage_that_failed_is_said(paper: Paper, keeps_all: bool, what: str) -> None:
    made = replace(done(Password("x")).done, removed=(), problem=StorageError("Gone."), keeps_all=keeps_all)
    BackupDoneReport(made, TARGET).remark(paper.output)
    assert paper.remarks[0].startswith(f"Warning: {what}")
    assert paper.remarks[0].endswith(": Gone.")


def test_a_registry_with_damage_is_not_said_to_be_as_in_the_backup(paper: Paper) -> None:
    report = RestoredReport(Restored(EMPTY, 0.0), "localhost:5000", ("app:1",), "deployer check --repair --backup /x")
    report.print(paper.output)
    assert paper.results == [
        "Nothing was restored, but app:1 is damaged in the registry. To repair: deployer check --repair --backup /x"
    ]
    assert report.has_failed
    assert report.as_json()["damaged_images"] == ["app:1"]


def test_backups_are_listed_the_newest_first(paper: Paper) -> None:
    report = BackupsReport(TARGET, (OLD, FULL), 0, MOMENT + timedelta(hours=5))
    report.print(paper.output)
    report.remark(paper.output)
    _, first, second = paper.results
    assert first.split()[0] == FULL.id
    assert "5 hours ago" in first
    assert "1.2 GB" in first
    assert second.split()[0] == OLD.id
    assert paper.remarks == []
    assert [one["id"] for one in report.as_json()["backups"]] == [OLD.id, FULL.id]


def test_an_interrupted_backup_is_not_listed_but_mentioned(paper: Paper) -> None:
    report = BackupsReport(TARGET, (), 2, MOMENT)
    report.print(paper.output)
    report.remark(paper.output)
    assert paper.results == []
    assert paper.remarks == [
        "There is no complete backup at /backups.",
        "A backup in progress, or one that was interrupted, is not listed.",
    ]
    assert report.as_json() == {"target": "/backups", "backups": [], "unfinished": 2}


def test_the_password_in_a_url_is_not_printed(paper: Paper) -> None:
    target = Target("rest:https://ann:s3cr3t@nas.example/")
    for report in (BackupPlanReport(BackupPlan(target, 1, 1, 1)), BackupsReport(target, (), 0, MOMENT)):
        report.print(paper.output)
        assert "s3cr3t" not in json.dumps(report.as_json()) + paper.err.getvalue() + paper.out.getvalue()


def change(number: int, before: str = "sha256:" + "a" * 64) -> TagChange:
    return TagChange("team/app", str(number), before, "sha256:" + "b" * 64)


EMPTY = RestorePlan(FULL, Wanted(Selection()), 0, (), (), 5, {}, frozenset(), {})


def test_a_restore_lists_the_tags_that_change(paper: Paper) -> None:
    plan = replace(EMPTY, added=(change(0, ""),), changed=tuple(map(change, range(25))), blobs={"sha256:x": 2_000})
    report = RestorePlanReport(plan)
    report.print(paper.output)
    assert paper.remarks[0] == (
        "From the backup of 2026-01-01 00:00:00 UTC: 1 missing tag, 25 changed tags, 2 kB to restore; 5 tags unchanged."
    )
    assert "sha256:aaaaaaaaaaaa " in paper.remarks[3]
    assert paper.remarks[-1] == "… and 5 more"
    assert len(report.as_json()["changed_tags"]) == 25
    assert report.as_json()["new_tags"] == ["team/app:0"]


def test_a_damaged_tag_has_a_word(paper: Paper) -> None:
    RestorePlanReport(replace(EMPTY, changed=(replace(change(1), after=""),))).print(paper.output)
    assert "(damaged)" in paper.err.getvalue()


def test_what_the_backup_lacks_is_a_warning(paper: Paper) -> None:
    RestorePlanReport(replace(EMPTY, lost=("app:1",), lacking=frozenset({"sha256:x"}))).remark(paper.output)
    assert paper.remarks == [
        "Warning: Tags whose image is not in the backup are not restored: app:1.",
        "Warning: 1 blob missing in the backup: some images will be damaged.",
    ]
    RestorePlanReport(EMPTY).remark(paper.output)
    assert len(paper.remarks) == 2


def test_what_was_restored_is_a_sentence(paper: Paper) -> None:
    RestoredReport(Restored(EMPTY, 0.0), "localhost:5000").print(paper.output)
    plan = replace(EMPTY, added=(change(0, ""),), changed=(change(1),), blobs={"sha256:x": 2_000})
    report = RestoredReport(Restored(plan, 0.12345), "localhost:5000")
    report.print(paper.output)
    assert paper.results == [
        "Nothing to restore: the registry has everything as it is in the backup.",
        "Restored 2 tags (2 kB) from backup 20260101T000000Z.",
    ]
    assert report.as_json()["writes_paused_seconds"] == 0.123


@pytest.mark.parametrize("with_secrets", [True, False])
def test_a_deployment_is_shown_with_its_files(paper: Paper, with_secrets: bool) -> None:
    about = About("registry", "h", 1, {}, with_secrets)
    files = FilesToRestore({Path("/data/users"): Kept.USERS}, (Path("/here/deployer.yaml"),))
    report = DeploymentPlanReport(FULL, about, "localhost:5000", 1, files)
    report.print(paper.output)
    report.remark(paper.output)
    first = "Restoring registry@machine as of 2026-01-01 00:00:00 UTC, at localhost:5000: "
    contents = "3 repositories, 12 tags, 1.2 GB, 1 user."
    assert paper.remarks[:2] == [first + contents, "  /data/users will be written"]
    assert paper.remarks[2] == "Warning: /here/deployer.yaml stays as it is; it differs from the one in the backup."
    assert any("without secrets" in line for line in paper.remarks) is not with_secrets
    assert report.as_json()["secrets"] is with_secrets
