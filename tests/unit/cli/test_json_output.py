"""docs/reference/json-output.md has the fields that commands print, in their order."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deployer.cli.selection import Selection
from deployer.cli.views.access.rules import AnswerReport, ExpectationsReport
from deployer.cli.views.access.rules import DifferenceReport as RuleDifferenceReport
from deployer.cli.views.access.users import ImportReport, UsersReport
from deployer.cli.views.backups.backup import BackupDoneReport, BackupPlanReport, BackupsReport
from deployer.cli.views.backups.drill import DrillPlanReport, DrillReport
from deployer.cli.views.backups.restore import DeploymentPlanReport, RestoredReport, RestorePlanReport
from deployer.cli.views.configuration import DifferenceReport, WrittenReport
from deployer.cli.views.deletion import DeletionReport
from deployer.cli.views.deployment import DownReport, UpReport
from deployer.cli.views.diagnosis import DoctorReport, StatusReport
from deployer.cli.views.images import CatalogReport, TagsReport
from deployer.cli.views.inspection import InspectionReport
from deployer.cli.views.integrity.check import CheckReport
from deployer.cli.views.integrity.repair import RepairedReport, RepairPlanReport
from deployer.cli.views.schedule.runs import LogReport, RunsReport, UntilNextReport
from deployer.cli.views.transfer import TransferPlanReport, TransferReport
from deployer.cli.views.trust import TrustReport
from deployer.cli.views.upgrades.check import UpgradeCheckReport
from deployer.cli.views.upgrades.upgrade import RollbackPlanReport, UpgradedReport, UpgradePlanReport
from deployer.cli.views.upkeep import CollectedReport, GcReport, PruneReport, RemovedReport, RepositoriesReport
from deployer.engine.inventory import AnonymousVolume
from deployer.engine.values import Transferred
from deployer.errors import RegistryError
from deployer.host.daemon.file import DaemonFile
from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.permissions.difference import RuleChange
from deployer.permissions.expectations import Failure
from deployer.permissions.explanation import Request, explain
from deployer.record import Owned, PinnedImage, Release, Resource, ResourceKind
from deployer.reference import Reference
from deployer.registry.content.documents import Document
from deployer.restic.target import Target
from deployer.settings.access import AccessRule, expectations
from deployer.settings.model import Settings, TlsMode
from deployer.settings.schedule import RunnerChoice
from deployer.settings.values.account import Account, BadLine
from deployer.settings.values.reserve import Reserve
from deployer.storage.access import Storage
from deployer.storage.removal import StorageRemoval
from deployer.storage.snapshot import Snapshot
from deployer.tls.certificate import CertificateFacts
from deployer.workflows.backup.archive import About, Archive, Kept
from deployer.workflows.backup.catalog import Backup, Contents
from deployer.workflows.backup.create import BackupDone
from deployer.workflows.backup.password import Password
from deployer.workflows.backup.plan import BackupPlan
from deployer.workflows.checks.disk_room import DiskRoom
from deployer.workflows.deployment.ownership import Adoption
from deployer.workflows.deployment.provision import Choice, Source, Wanted
from deployer.workflows.deployment.service_change import Action, ServiceChange
from deployer.workflows.deployment.up import UpOutcome
from deployer.workflows.deployment.up_plan import UpPlan
from deployer.workflows.diagnosis.status import Encryption, Login, ServiceStatus, Status
from deployer.workflows.drill.drill import Drill, DrillPlan, DrillRequest, LoginTest
from deployer.workflows.drill.examination import Examined
from deployer.workflows.drill.record import DrillResult
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.images.browse import Catalog
from deployer.workflows.images.deletion import DeletionPlan, ManifestRemoval, TagRemoval
from deployer.workflows.images.inspection import Inspection
from deployer.workflows.images.tags import Repository, Tag, Unread
from deployer.workflows.integrity.check import Checked
from deployer.workflows.integrity.faults import Fault, FaultKind
from deployer.workflows.integrity.repair import Fetch, Repaired, RepairPlan
from deployer.workflows.removal.down_plan import DownPlan, ToRemove
from deployer.workflows.restore.deployment import FilesToRestore, ImageRestore
from deployer.workflows.restore.images import Restored
from deployer.workflows.restore.plan import RestorePlan, TagChange
from deployer.workflows.restore.selection import Selection as ImageSelection
from deployer.workflows.restore.selection import Wanted as WantedLinks
from deployer.workflows.schedule.install import SchedulePlan
from deployer.workflows.schedule.records import Run, RunResult
from deployer.workflows.schedule.state import JobState, ScheduleState
from deployer.workflows.schedule.systemd import UnitAction, UnitChange
from deployer.workflows.transfer.push import Push
from deployer.workflows.transfer.remarks import Transfer
from deployer.workflows.transfer.transfers import TransferOutcome
from deployer.workflows.trust.configure import (
    EntryPlan,
    InstallPlan,
    NothingNeeded,
    Reason,
    RemovalPlan,
    TrustOutcome,
)
from deployer.workflows.trust.decision import CASource, PrivateCA
from deployer.workflows.trust.insecure import DaemonOutcome, DaemonPlan, DaemonRequest, NextStep
from deployer.workflows.trust.placement import Item, PlacementPlan
from deployer.workflows.upgrade.advisories import Advisory
from deployer.workflows.upgrade.check import Concern, ServiceCheck, UpgradeCheck
from deployer.workflows.upgrade.exposure import Exposure
from deployer.workflows.upgrade.newer import ImageChange, Sought
from deployer.workflows.upgrade.upgrade import RollbackPlan, Upgraded, UpgradePlan
from deployer.workflows.upgrade.versions import Available, Running
from deployer.workflows.upkeep import repositories
from deployer.workflows.upkeep.collection import Collected
from deployer.workflows.upkeep.gc import GcOptions, GcPlan
from deployer.workflows.upkeep.prune import PrunePlan
from deployer.workflows.upkeep.retention import CreationTimes, Retention, SelectedTag
from deployer.workflows.upkeep.survey.damaged_images import Damage
from deployer.workflows.upkeep.survey.garbage import InProgress, Survey
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, RemovalSet
from deployer.workflows.upkeep.survey.unfinished_uploads import UnfinishedUploads
from deployer.workflows.users.accounts import Changed, Import
from deployer.workflows.users.permissions import Permissions
from deployer.workflows.users.rules import Answer, ExpectationResults
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.cli.presentation import Report

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "json-output.md"
ADDRESS = "localhost:5000"
DIGEST = "sha256:" + "a" * 64
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def sections() -> dict[str, str]:
    """The text of each command's section."""
    _, *parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


SECTIONS = sections()


def example(section: str) -> Any:
    """The JSON value that a section shows, None for none."""
    found = re.search(r"```console\n\$ .+?\n(.+?)```", section, re.DOTALL)
    return json.loads(found[1]) if found else None


def fields(value: Any) -> Iterator[str]:
    """The names of all fields of a value, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from fields(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from fields(inner)


TAG = Tag("1", DIGEST, "type", 1, MOMENT, ("linux/amd64",), pushed=MOMENT)
SERVICE = ServiceStatus("registry", "docs-registry-1", "running", "healthy", "always", "image", 1)
PINNED = PinnedImage("registry", "registry:3", DIGEST, f"registry@{DIGEST}")
UPGRADE = UpgradePlan(Release((PINNED,)), (("registry", Sought("registry:3", "built")),), unserved=("old:1",))
IMAGE_CHANGE = ImageChange(PINNED, PINNED)
CONCERN = Concern(Advisory("CVE-1", "registry", "2.0", "3.1", "nothing", "A summary."), Exposure())
UPGRADE_CHECK = UpgradeCheck(
    (ServiceCheck(Running(PINNED, "3.0.0"), Available("registry:3"), (CONCERN,)),), MOMENT.date()
)
STATUS = Status(
    name="docs", address="localhost:5000", page="", version="", data="", repositories=None, used_bytes=None,
    garbage_bytes=None, unfinished_upload_bytes=None, free_bytes=None, services=(SERVICE,), problems=(),
    upkeep=None, sign_in=Login(), encryption=Encryption(TlsMode.UNSET), disk=DiskRoom(10, 5, 1, 0, 0, 0, refused=False),
)  # fmt: skip
UP = UpPlan(
    images=(Choice("image", Source.HERE, Wanted("image")),),
    services=(ServiceChange("registry", Action.KEEP),),
    files=(),
)
DOWN = DownPlan(going=(), kept=(), loses_images=False)
PERMISSIONS = Permissions("localhost:5000", (), None, are_in_force=True, restricts_everyone=False)
RULES = (AccessRule(("admin",), allow=("push",)),)
ANSWER = Answer(
    explain(RULES, (), Request("bob", "push", "team/app"), has_users=True), PERMISSIONS, {0: 6},
    is_known=True, may_push=False,
)  # fmt: skip
RULE_CHANGE = RuleChange(("bob",), "push", False, ("team/*",), (), 1, 1)
EXPECTATIONS = expectations([{"alice": "can push team/*"}])
TESTED = ExpectationResults(EXPECTATIONS, (Failure(EXPECTATIONS[0], "alice", "push", "team/b", allowed=False),))
TAG_REMOVAL = TagRemoval("tool", "1", DIGEST, "type", ())

ENTRY = DaemonOutcome(
    DaemonPlan(
        DaemonRequest(ADDRESS, ""), DaemonFile(Path("daemon.json"), Path("daemon.json"), None), text="{}", diff="+{}",
        present="", step=NextStep.RELOAD, reason="", daemon=None, restart="",
        log="",
        unvalidated="", loopback_trusted=True,
    ),
)  # fmt: skip
CA = PrivateCA(
    b"", CertificateFacts("CN=registry", "CN=registry", "AB:CD", MOMENT, MOMENT, (), is_ca=True, is_root=True),
    CASource.REGISTRY, compared=True,
)  # fmt: skip
PLACEMENT = PlacementPlan(ADDRESS, (Item("Docker", DaemonFile(Path("ca.crt"), Path("ca.crt"), None), b""),))

SURVEY = Survey(
    snapshot=Snapshot(0, {}, {}), to_remove={}, removal=StorageRemoval(), size=0, freed=0, in_progress=InProgress(),
    uploads=UnfinishedUploads(), damages=(), unknown=(), wrong_sizes=(), damaged_unreferenced=frozenset(),
    skipped_repositories=(), future_tags=(), tags_without_digest=(), unexpected_paths=(), links_to_repair=frozenset(),
)  # fmt: skip
REMOVAL = StorageRemoval(tags=(("tool", "1"),), revisions=(("tool", DIGEST),))
REMOVES = replace(
    SURVEY,
    to_remove={"tool": RemovalSet()},
    removal=REMOVAL,
    damages=(Damage("tool", DIGEST, 1, is_manifest=True, tags=frozenset({"1"}), manifests=frozenset()),),
)
REPOSITORIES = repositories.RemovalPlan((repositories.RepositoryRemoval("tool", 1, 1, 0, ()),), 0, SURVEY.snapshot)


class NoStorage(Storage):
    """A storage of which nothing is asked."""

    def __init__(self) -> None:
        pass


def pruned(survey: Survey) -> PruneReport:
    tags = {"tool": (SelectedTag("1", DIGEST, 0, "old"),)}
    retention = Retention((), CreationTimes(NoStorage()))
    return PruneReport(PrunePlan(retention, survey, Manifests(), tags, {"tool": ("2",)}), is_dry_run=True)


TARGET = Target("/mnt/nas/registry", Path("/mnt/nas/registry"))
BACKUP = Backup("20261201T005106Z", datetime(2026, 12, 1, tzinfo=UTC), "registry@server", Contents(), {})
BACKUP_DONE = BackupDone(BACKUP, 1, Password("secret"), Path("backup-password"), (BACKUP,))
RESTORE = RestorePlan(
    backup=BACKUP,
    wanted=WantedLinks(ImageSelection()),
    repositories=1,
    added=(TagChange("tool", "1", "", DIGEST),),
    changed=(TagChange("tool", "2", DIGEST, DIGEST),),
    same=0,
    blobs={},
    lacking=frozenset(),
    stored={},
)
WHOLE = DeploymentPlanReport(
    BACKUP,
    About("registry", "localhost", 5000, {}),
    "localhost:5000",
    1,
    FilesToRestore({Path("users"): Kept.USERS}, ()),
)

DRILL_REQUEST = DrillRequest.of(
    Deployment("registry", Path("registry")), ImageRestore(TARGET, BACKUP, ImageSelection(), "secret"),
    Archive(About("registry", "localhost", 5000, {}), {Kept.SETTINGS: b"name: registry"}), sample=10,
    reserve=Reserve.of("auto"), engine=FakeEngine(), now=lambda: MOMENT, clock=lambda: 0.0,
)  # fmt: skip
DRILL = Drill(DRILL_REQUEST, Restored(RESTORE), Examined(), LoginTest.PASSED, "", ())
DRILLED = {(BACKUP.host, BACKUP.id): DrillResult(str(TARGET), BACKUP.id, MOMENT)}
FAULT = Fault(DIGEST, FaultKind.DAMAGED, "damaged", size=1, repositories=("tool",), images=("tool:1",))
CHECKED = Checked(1, 1, (FAULT,), (Finding(FindingState.WRONG, "no"),), is_whole=False)
FETCH = Fetch(FAULT, "the backups at /mnt/nas/registry", 1)
RUN = Run("20261201T023004Z-backup", Job.BACKUP, BACKUP.time, RunResult.DONE, BACKUP.time, 1)
SCHEDULE = ScheduleState(RunnerChoice.SERVICE, (JobState(Job.BACKUP, "daily 02:30", BACKUP.time, RUN),))

# The plainest result of each command that has an example.
PLAIN: dict[str, Report] = {
    "catalog": CatalogReport("localhost:5000", Catalog(("tool",), 1), None),
    "tags": TagsReport(Repository("tool", (TAG,)), with_attached=False),
    "push": TransferReport(Transfer.PUSH, (TransferOutcome("tool:1", "tool:1", Transferred(DIGEST, 1)),)),
    "delete": DeletionReport(DeletionPlan((TAG_REMOVAL,)), (), is_dry_run=True),
    "gc": GcReport(GcPlan(GcOptions(), SURVEY, Manifests(), 0, 0), is_dry_run=True),
    "check": CheckReport(CHECKED),
    "backup create": BackupDoneReport(replace(BACKUP_DONE, removed=()), TARGET),
    "backup list": BackupsReport(TARGET, (BACKUP,), 0, BACKUP.time),
    "backup drill": DrillReport(DRILL),
    "restore": RestorePlanReport(RESTORE),
    "status": StatusReport(STATUS),
    "doctor": DoctorReport((Finding(FindingState.OK, "The engine answers."),), Selection()),
    "up": UpReport(Settings(), UpOutcome(UP, "", requires_login=False)),
    "upgrade": UpgradedReport(Upgraded((IMAGE_CHANGE,), 1.0)),
    "down": DownReport(DOWN, volumes=False),
    "runs": RunsReport((RUN,)),
    "access explain": AnswerReport(ANSWER),
    "access diff": RuleDifferenceReport((RULE_CHANGE,)),
    "access test": ExpectationsReport(TESTED),
}

DAMAGED = replace(
    TAG, half_deleted=DIGEST, missing=(DIGEST,), not_read=(DIGEST,), name=f"{DIGEST.replace(':', '-')}.sig"
)
ADOPTION = Adoption(Owned(), found=(Resource(ResourceKind.VOLUME, "data"),))
# Results in which every field has something to say.
FULL: dict[str, list[Report]] = {
    **{name: [report] for name, report in PLAIN.items()},
    "tags": [
        TagsReport(Repository("tool", (TAG, DAMAGED), (Unread("2", RegistryError("no")),)), with_attached=False),
    ],
    "catalog": [
        CatalogReport("localhost:5000", Catalog((), 0), (Repository("tool", (), failed=RegistryError("no")),)),
    ],
    "inspect": [
        InspectionReport(
            "localhost:5000",
            Inspection(
                Reference("localhost:5000", "tool", "1"),
                Document("tool:1", DIGEST, "type", b"no JSON", "", (), ""),
                DAMAGED,
                fault=RegistryError("no"),
            ),
        )
    ],
    "push": [
        PLAIN["push"],
        TransferPlanReport((Push("tool:1", Reference("localhost:5000", "tool", "1"), "id", "other"),)),
    ],
    "delete": [
        PLAIN["delete"],
        DeletionReport(
            DeletionPlan((ManifestRemoval("tool", DIGEST, "type", ("1",), ("2",), ("3",), ("4",)),), ("tool:2",)),
            (),
            is_dry_run=True,
        ),
        RepositoriesReport(REPOSITORIES, is_dry_run=True),
        RemovedReport(REPOSITORIES, 0.0),
    ],
    "gc": [
        GcReport(GcPlan(GcOptions(), REMOVES, Manifests(), 0, 0), is_dry_run=True),
        CollectedReport(Collected(REMOVAL, 0, 0, 0.0)),
    ],
    "prune": [pruned(REMOVES), CollectedReport(Collected(REMOVAL, 0, 0, 0.0))],
    "check": [
        RepairPlanReport(CHECKED, RepairPlan((FETCH,), 0, (FAULT,))),
        RepairedReport(Repaired((FETCH,), 1, 0.0, CHECKED)),
    ],
    "backup create": [
        BackupDoneReport(BACKUP_DONE, TARGET),
        BackupPlanReport(BackupPlan(TARGET, 1, 1, 1, (BACKUP,))),
    ],
    "backup list": [BackupsReport(TARGET, (BACKUP,), 0, BACKUP.time, DRILLED)],
    "backup drill": [DrillReport(DRILL), DrillPlanReport(DrillPlan(DRILL_REQUEST, 1, 1, 1, Path("/"), ()))],
    "restore": [RestoredReport(Restored(RESTORE, 0.0), "localhost:5000"), RestorePlanReport(RESTORE), WHOLE],
    "upgrade": [
        PLAIN["upgrade"],
        UpgradePlanReport(UPGRADE),
        RollbackPlanReport(RollbackPlan((IMAGE_CHANGE,), with_files=True)),
        UpgradeCheckReport(UPGRADE_CHECK),
    ],
    "up": [
        UpReport(
            Settings(),
            UpOutcome(
                replace(UP, adoption=ADOPTION, schedule=SchedulePlan(units=(UnitChange("x.timer", UnitAction.WRITE),))),
                DIGEST,
                requires_login=True,
            ),
        )
    ],
    "status": [StatusReport(replace(STATUS, schedule=SCHEDULE))],
    "runs": [RunsReport((RUN,)), LogReport(RUN, "")],
    "run-scheduled": [RunsReport((RUN,), is_of_now=True), UntilNextReport(1)],
    "down": [
        DownReport(
            replace(
                DOWN,
                going=(ToRemove(ResourceKind.VOLUME, "data", "data", was_found=True),),
                anonymous=(AnonymousVolume("volume", "registry", "docs-registry-1", "/data"),),
            ),
            volumes=True,
        )
    ],
    "render": [DifferenceReport({"compose.yaml": "diff"}), WrittenReport((Path("compose.yaml"),))],
    "configure-daemon": [
        TrustReport(TrustOutcome(NothingNeeded(ADDRESS, Reason.PUBLIC))),
        TrustReport(TrustOutcome(EntryPlan(ADDRESS, ENTRY.plan, asks=False), entry=ENTRY)),
        TrustReport(TrustOutcome(InstallPlan(ADDRESS, CA, PLACEMENT, None), PLACEMENT, ENTRY)),
        TrustReport(TrustOutcome(RemovalPlan(ADDRESS, PLACEMENT, None), PLACEMENT)),
    ],
    "user list": [UsersReport((Account("ann", "hash"),), PERMISSIONS)],
    "access explain": [AnswerReport(ANSWER)],
    "access diff": [RuleDifferenceReport((RULE_CHANGE,))],
    "access test": [ExpectationsReport(TESTED)],
    "user import": [
        ImportReport("localhost:5000", Import((), (), (), (BadLine(1, "no"),)), Changed((), (), running=True)),
    ],
}


# Sections that say "as" another.
REFERS = {
    "catalog": "tags",
    "prune": "gc",
    "backup create": "backup list",
    "restore": "backup list",
    "status": "runs",
    "run-scheduled": "runs",
}


@pytest.mark.parametrize("name", PLAIN)
def test_an_example_has_the_fields_in_their_order(name: str) -> None:
    shown, printed = example(SECTIONS[name]), PLAIN[name].as_json()
    assert without_values(shown) == without_values(printed)


def without_values(value: Any) -> Any:
    """A value with its fields alone; of the members of a list the first, and none if there is no field in it."""
    if isinstance(value, dict):
        return [(key, without_values(inner)) for key, inner in value.items()]
    if isinstance(value, (list, tuple)):
        return [without_values(value[0])] if value and isinstance(value[0], dict) else []
    return None


@pytest.mark.parametrize("name", FULL)
def test_every_field_is_described(name: str) -> None:
    told = [SECTIONS[name], *([SECTIONS[REFERS[name]]] if name in REFERS else [])]
    described = {field for section in told for field in re.findall(r"`([a-z_0-9A-Z]+)`", section)}
    described |= {field for section in told for field in fields(example(section))}
    found = {field for report in FULL[name] for field in fields(report.as_json())}
    assert found - described == set()


def test_these_tests_can_fail() -> None:
    assert without_values({"a": 1, "b": 2}) != without_values({"b": 2, "a": 1})
    assert set(fields({"a": [{"b": 1}]})) == {"a", "b"}
    assert example(SECTIONS["status"])["ready"] is True


def test_nothing_is_left_out() -> None:
    # `pull` prints what `push` does.
    elsewhere = {"pull"}
    assert FULL.keys() | elsewhere == SECTIONS.keys()
