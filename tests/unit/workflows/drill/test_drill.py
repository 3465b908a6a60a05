"""A drill from its beginning to its end: the room that it needs, and what is recorded of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from deployer.errors import BackupError, HostError
from deployer.paths import Deployment
from deployer.settings.values.reserve import Reserve
from deployer.workflows.backup.archive import About, Archive, Kept
from deployer.workflows.backup.catalog import Contents
from deployer.workflows.backup.create import Machine
from deployer.workflows.drill import drill, place, record
from deployer.workflows.drill.drill import Drill, DrillRequest, LoginTest
from deployer.workflows.drill.examination import DrillTalk, Examined
from deployer.workflows.drill.place import DrillPlace
from deployer.workflows.restore.deployment import ImageRestore
from deployer.workflows.restore.images import Restored
from deployer.workflows.restore.plan import RestorePlan
from deployer.workflows.restore.selection import Selection, Wanted
from tests.support.backups import BACKUP, MOMENT, TARGET
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = Machine("machine", {}, "restic")


class DiskUsage(NamedTuple):
    """As shutil.disk_usage returns it."""

    total: int
    used: int
    free: int


def request_of(folder: Path, size: int = 1000) -> DrillRequest:
    seconds = iter([100.0, 112.0])
    backup = replace(BACKUP, contents=Contents(size=size))
    settings = Archive(About("registry", "localhost", 5000, {}), {Kept.SETTINGS: b"name: registry"})
    return DrillRequest.of(
        Deployment("registry", folder / "registry"), ImageRestore(TARGET, backup, Selection(), "secret"), settings,
        sample=10, reserve=Reserve.of("auto"), engine=FakeEngine(), now=lambda: MOMENT, clock=lambda: next(seconds),
    )  # fmt: skip


def found(request: DrillRequest, *differences: str) -> Drill:
    plan = RestorePlan(BACKUP, Wanted(Selection()), 0, (), (), 0, {}, frozenset(), {})
    return Drill(request, Restored(plan), Examined(), LoginTest.PASSED, "", differences)


def run(request: DrillRequest, monkeypatch: pytest.MonkeyPatch, *results: Drill | BaseException) -> Drill:
    """A drill that finds this; no engine is asked."""

    def tested(*_: object) -> Drill:
        if isinstance(results[0], BaseException):
            raise results[0]
        return results[0]

    monkeypatch.setattr(drill, "_tested", tested)
    monkeypatch.setattr(place, "remove", lambda _engine, copy: copy.directory.rmdir())
    return drill.run(request, MACHINE, DrillTalk(lambda _: None, lambda _: None, lambda _: None))


def problems(request: DrillRequest) -> list[str]:
    return [one.problem for one in record.read(request.deployment)]


def test_a_copy_that_would_fill_the_disk_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(10**12, 0, 10**18 + 3 * 10**9))
    request = request_of(tmp_path, size=10**18)
    drill.plan(request)
    request = replace(request, reserve=Reserve.of("1%"))
    with pytest.raises(BackupError, match="1,000,000,000,000,000,000 bytes, and 10,000,000,000 must stay free"):
        drill.plan(request)
    with pytest.raises(BackupError, match="must stay free"):
        run(request, monkeypatch, found(request))
    assert problems(request) == []


def test_what_a_killed_drill_has_left_may_be_what_fills_the_disk(tmp_path: Path) -> None:
    request = request_of(tmp_path, size=10**18)
    where = DrillPlace.of(request.deployment)
    with where.locked():
        copy = where.new()
    assert drill.plan(request).left == (copy.name,)


@pytest.mark.parametrize(
    ("differences", "problem"),
    [
        ((), ""),
        (("app:1 is gone.",), "app:1 is gone."),
        (("app:1 is gone.", "b"), "app:1 is gone. There is 1 more difference."),
        (("app:1 is gone.", "b", "c"), "app:1 is gone. There are 2 more differences."),
    ],
)
def test_what_a_drill_finds_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differences: tuple[str, ...], problem: str
) -> None:
    request = request_of(tmp_path)
    done = run(request, monkeypatch, found(request, *differences))
    assert (done.problem, done.seconds) == (problem, 12.0)
    assert problems(request) == [problem]
    assert DrillPlace.of(request.deployment).left() == ()


def test_a_copy_that_does_not_start_is_a_failed_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_of(tmp_path)
    with pytest.raises(HostError):
        run(request, monkeypatch, HostError("The registry does not start."))
    assert problems(request) == ["The registry does not start."]
    assert DrillPlace.of(request.deployment).left() == ()


def test_an_interrupted_drill_says_nothing_of_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_of(tmp_path)
    with pytest.raises(KeyboardInterrupt, match="the copy was removed"):
        run(request, monkeypatch, KeyboardInterrupt())
    assert problems(request) == []
    assert DrillPlace.of(request.deployment).left() == ()


def test_clearing_does_not_ask_the_engine_if_nothing_is_left(tmp_path: Path) -> None:
    drill.clear(Deployment("registry", tmp_path / "registry"), FakeEngine(), lambda _: None)
    assert list(tmp_path.iterdir()) == []
