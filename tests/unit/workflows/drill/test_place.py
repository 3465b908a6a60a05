"""Where copies of drills are, how they are removed, and what `status` says of drills."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from deployer.errors import Busy, HostError
from deployer.paths import Deployment
from deployer.workflows.backup import record as backups
from deployer.workflows.backup.record import LastBackup
from deployer.workflows.drill import place, record
from deployer.workflows.drill.findings import findings
from deployer.workflows.drill.place import DrillPlace
from deployer.workflows.drill.record import DrillResult
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 12, 1, tzinfo=UTC)
TARGET = "/mnt/nas/registry"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    found = Deployment("registry", tmp_path / "registry")
    found.directory.mkdir()
    return found


@dataclass
class Removals:
    """Stands for the removal of a copy; raises what is given, one after another."""

    errors: list[BaseException] = field(default_factory=list)
    copies: list[Deployment] = field(default_factory=list)

    def __call__(self, _engine: object, copy: Deployment) -> None:
        self.copies.append(copy)
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def removals(monkeypatch: pytest.MonkeyPatch) -> Removals:
    found = Removals()
    monkeypatch.setattr(place, "remove", found)
    return found


def test_a_copy_is_beside_the_deployments_with_a_name_of_its_own(deployment: Deployment) -> None:
    where = DrillPlace.of(deployment)
    with where.locked():
        first, second = where.new(), where.new()
    assert first.name != second.name
    assert first.name.startswith("registry-drill-")
    assert first.directory.parent.parent.parent == deployment.directory.parent
    assert {one.name for one in where.copies()} == {first.name, second.name}
    assert list(deployment.directory.iterdir()) == []


def test_the_name_is_one_that_compose_takes(tmp_path: Path) -> None:
    where = DrillPlace("r" * 63, tmp_path)
    assert len(where.new().name) == 63


def test_only_copies_are_taken_for_what_a_drill_has_left(deployment: Deployment) -> None:
    (deployment.drills_directory / "letters").mkdir(parents=True)
    assert DrillPlace.of(deployment).left() == ()


def test_two_drills_do_not_run_at_once(deployment: Deployment) -> None:
    where = DrillPlace.of(deployment)
    with where.locked():
        where.new()
        with pytest.raises(Busy, match="backup drill"), where.locked():
            pass
        assert where.left() == ()
    assert len(where.left()) == 1


@pytest.mark.parametrize("error", [None, HostError("no"), KeyboardInterrupt(), ZeroDivisionError()])
def test_the_copy_is_removed_however_the_drill_ends(
    deployment: Deployment, removals: Removals, error: BaseException | None
) -> None:
    def drill() -> None:
        with place.temporary(FakeEngine(), deployment, lambda _: None):
            if error:
                raise error

    if error is None:
        drill()
    else:
        with pytest.raises(type(error)):
            drill()
    assert removals.copies == [deployment]


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), BrokenPipeError()])
def test_the_copy_is_removed_even_if_no_one_reads_what_is_said(
    deployment: Deployment, removals: Removals, error: BaseException | None
) -> None:
    def say(_: str) -> None:
        raise BrokenPipeError

    with (
        pytest.raises(type(error)) if error else nullcontext(),
        place.temporary(FakeEngine(), deployment, say),
    ):
        if error:
            raise error
    assert removals.copies == [deployment]


def test_an_interruption_while_it_is_removed_removes_it_first(deployment: Deployment, removals: Removals) -> None:
    removals.errors = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt), place.temporary(FakeEngine(), deployment, lambda _: None):
        pass
    assert len(removals.copies) == 2


def test_what_went_wrong_first_is_the_error_and_the_rest_is_said(deployment: Deployment, removals: Removals) -> None:
    said: list[str] = []
    removals.errors = [HostError("The copy is still there.")]
    with pytest.raises(HostError, match="first"), place.temporary(FakeEngine(), deployment, said.append):
        raise HostError("first")
    assert said == ["Removing the copy …", "The copy is still there."]


def result(days: int, problem: str = "", target: str = TARGET, backup: str = "b") -> DrillResult:
    return DrillResult(target, backup, NOW - timedelta(days=days), problem)


def made_backups(deployment: Deployment, days: int) -> None:
    """Backups since so many days, and the last one now."""
    backups.keep(deployment, LastBackup(TARGET, "id", "newest", NOW))
    deployment.backup_password_file.write_text("secret\n")
    moment = (NOW - timedelta(days=days)).timestamp()
    os.utime(deployment.backup_password_file, (moment, moment))


def sentences(deployment: Deployment) -> list[str]:
    return [one.sentence for one in findings(deployment, NOW)]


NEVER = [f"No backup at {TARGET} has had a successful drill in the last 30 days."]


@pytest.mark.parametrize(
    ("since", "results", "said"),
    [
        (29, (), []),
        (30, (), NEVER),
        (90, (result(29),), []),
        (90, (result(30),), NEVER),
        # A drill of an older backup at the same target counts; one elsewhere does not.
        (90, (result(1, backup="old"),), []),
        (90, (result(1, target="/other"),), NEVER),
        (1, (result(2), result(1, "app:1 is gone.", backup="c")), None),
        (90, (result(2, "app:1 is gone."), result(1, backup="c")), []),
    ],
)
def test_status_says_when_backups_are_not_tested(
    deployment: Deployment, since: int, results: tuple[DrillResult, ...], said: list[str] | None
) -> None:
    made_backups(deployment, since)
    for one in results:
        record.keep(deployment, one)
    failed = [f"The last drill of a backup at {TARGET}, on 2026-11-30, failed: app:1 is gone."]
    assert sentences(deployment) == (failed if said is None else said)


@pytest.mark.parametrize(
    ("host", "tested"), [("registry@this", True), ("registry@other", False), ("web@this", False), ("", True)]
)
def test_a_drill_of_another_machines_backup_at_the_same_target_does_not_count(
    deployment: Deployment, host: str, tested: bool
) -> None:
    """One of which that is not recorded does."""
    made_backups(deployment, 90)
    backups.keep(deployment, LastBackup(TARGET, "id", "newest", NOW, "registry@this"))
    record.keep(deployment, replace(result(1), host=host))
    assert sentences(deployment) == ([] if tested else NEVER)
    # And one that failed is not this one's.
    record.keep(deployment, replace(result(1, "app:1 is gone."), host=host))
    assert (sentences(deployment) == NEVER) is not tested


def test_drills_of_two_machines_backups_of_the_same_second_are_kept_apart(deployment: Deployment) -> None:
    for host in ("registry@this", "registry@other"):
        record.keep(deployment, replace(result(1), host=host))
    assert [one.host for one in record.read(deployment)] == ["registry@this", "registry@other"]


def test_a_drill_under_a_clock_that_was_ahead_does_not_stay_the_last(deployment: Deployment) -> None:
    made_backups(deployment, 90)
    record.keep(deployment, result(-3650, "app:1 is gone."))
    record.keep(deployment, result(1, backup="c"))
    assert sentences(deployment) == []


def test_status_says_nothing_of_drills_without_backups(deployment: Deployment) -> None:
    assert sentences(deployment) == []


def test_status_says_what_an_interrupted_drill_has_left(deployment: Deployment) -> None:
    made_backups(deployment, 1)
    where = DrillPlace.of(deployment)
    with where.locked():
        copy = where.new()
        assert sentences(deployment) == []
    assert sentences(deployment) == [f"A drill was interrupted, and its copy {copy.name} is still on this machine."]
    (found,) = findings(deployment, NOW)
    assert found.advice == (f"deployer backup drill {TARGET}   (removes it first)",)


def test_the_last_drill_of_each_backup_is_kept(deployment: Deployment) -> None:
    for one in (result(3), result(2, "failed"), result(1, backup="c")):
        record.keep(deployment, one)
    assert [(one.backup, one.problem) for one in record.read(deployment)] == [("b", "failed"), ("c", "")]


@pytest.mark.parametrize("content", ["", "{}", "7", "[1]", '[{"target": "x"}]', json.dumps([{"time": "no"}])])
def test_results_that_cannot_be_read_are_none(deployment: Deployment, content: str) -> None:
    deployment.drills_directory.mkdir(parents=True)
    (deployment.drills_directory / "results.json").write_text(content)
    assert record.read(deployment) == ()
    record.keep(deployment, result(1))
    assert record.read(deployment) == (result(1),)


def test_the_number_of_results_is_limited(deployment: Deployment) -> None:
    for number in range(205):
        record.keep(deployment, result(number, backup=str(number)))
    assert [one.backup for one in record.read(deployment)] == [str(number) for number in range(5, 205)]
