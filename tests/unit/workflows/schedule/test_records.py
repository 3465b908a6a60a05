"""The records of runs: whole at every moment, bounded, and of a killed run it is known."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError, NotFound
from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.workflows.schedule import records
from deployer.workflows.schedule.records import MOST, RunResult

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment("registry", tmp_path / "registry")


def ran(deployment: Deployment, started: datetime = NOW, job: Job = Job.GC) -> records.Run:
    with records.begun(deployment, job, started) as run:
        return run.finish(RunResult.DONE, started + timedelta(seconds=5), moved=7)


def test_a_run_is_kept_with_its_end_and_its_log(deployment: Deployment) -> None:
    with records.begun(deployment, Job.BACKUP, NOW) as run:
        run.log.write("stored\n")
        [running] = records.read(deployment)
        done = run.finish(RunResult.FAILED, NOW + timedelta(minutes=2), moved=10, sentence="The disk is full.")
    assert (running.result, running.ended) == (RunResult.RUNNING, None)
    assert records.read(deployment) == (done,)
    assert (done.duration, done.moved, done.sentence) == (timedelta(minutes=2), 10, "The disk is full.")
    assert records.log_of(deployment, done) == "stored\n"
    assert {path.stat().st_mode & 0o777 for path in deployment.runs_directory.iterdir()} == {0o600}


def test_a_run_that_was_killed_is_known_by_its_missing_end(deployment: Deployment) -> None:
    program = (
        "import sys, time; from datetime import UTC, datetime; from pathlib import Path\n"
        "from deployer.paths import Deployment; from deployer.jobs import Job\n"
        "from deployer.workflows.schedule import records\n"
        f"with records.begun(Deployment('registry', Path({str(deployment.directory)!r})), Job.GC, datetime.now(UTC)):\n"
        "    print('begun', flush=True); time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "begun\n"
        assert records.read(deployment)[0].result is RunResult.RUNNING
    finally:
        process.kill()
        process.communicate()
    [found] = records.read(deployment)
    assert (found.result, found.ended, bool(found.sentence)) == (RunResult.INTERRUPTED, None, True)


def test_two_runs_of_one_second_have_two_records(deployment: Deployment) -> None:
    assert ran(deployment).id != ran(deployment).id
    assert len(records.read(deployment)) == 2


def test_the_newest_hundred_are_kept(deployment: Deployment) -> None:
    for number in range(MOST + 3):
        ran(deployment, NOW + timedelta(minutes=number))
    found = records.read(deployment)
    assert [run.started for run in found] == [NOW + timedelta(minutes=number) for number in range(MOST + 2, 2, -1)]
    assert len(list(deployment.runs_directory.iterdir())) == 2 * MOST


@pytest.mark.parametrize("ahead", [timedelta(days=91), timedelta(days=3650), timedelta(days=-3650)])
def test_a_run_under_a_wrong_clock_removes_no_other(deployment: Deployment, ahead: timedelta) -> None:
    kept = [ran(deployment, NOW + timedelta(minutes=number)) for number in range(20)]
    wrong = ran(deployment, NOW + ahead)
    assert set(records.read(deployment)) == {wrong, *kept}
    new = ran(deployment, NOW + timedelta(hours=1))
    assert set(records.read(deployment)) == {wrong, *kept, new}
    # Nor is it the newest for as long as the clock was ahead.
    assert records.newest_first(records.read(deployment), NOW + timedelta(hours=2))[0] == new


DAMAGES: tuple[dict[str, object], ...] = (
    {"started": "2026-12-01T02:00:00"},
    {"started": 7},
    {"ended": "2026-12-01T02:00:00"},
    {"started": "9999-12-31T23:59:59-09:00"},
    {"moved": "many"},
    {"moved": []},
    {"result": []},
)
WHOLE = {
    "job": "gc",
    "started": "2026-12-01T02:00:00+00:00",
    "ended": None,
    "result": "done",
    "moved": 1,
    "sentence": "",
}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"[]", b"{}", b'{"job": "dance"}', b"\xff", b"7", b"null"),
        *(json.dumps({**WHOLE, **change}).encode() for change in DAMAGES),
        None,
    ],
)
def test_a_damaged_record_hides_no_other_and_is_named(deployment: Deployment, content: bytes | None) -> None:
    run = ran(deployment)
    path = deployment.runs_directory / "20261201T020000Z-gc.json"
    # A directory stands for what the disk does not give.
    path.mkdir() if content is None else path.write_bytes(content)
    (deployment.runs_directory / "notes.txt").write_text("mine")
    assert records.read(deployment) == (run,)
    assert records.damaged(deployment) == (path,)
    # It is in no other's way.
    assert ran(deployment, NOW + timedelta(minutes=1)) in records.read(deployment)


def test_before_the_first_run_there_are_none(deployment: Deployment) -> None:
    assert records.read(deployment) == ()


def test_a_log_that_was_removed_is_said(deployment: Deployment) -> None:
    run = ran(deployment)
    (deployment.runs_directory / f"{run.id}.log").unlink()
    with pytest.raises(NotFound):
        records.log_of(deployment, run)


def test_where_nothing_can_be_written_no_run_begins(deployment: Deployment) -> None:
    deployment.directory.mkdir()
    deployment.runs_directory.write_text("a file")
    with pytest.raises(HostError), records.begun(deployment, Job.GC, NOW):
        raise AssertionError
