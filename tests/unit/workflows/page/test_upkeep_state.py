"""What the page is told of the commands that ran by themselves and of the backups."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.settings.build import build
from deployer.settings.model import Settings
from deployer.settings.schedule import RunnerChoice
from deployer.workflows.backup import record
from deployer.workflows.drill import record as drill_record
from deployer.workflows.drill.record import DrillResult
from deployer.workflows.page import upkeep_state
from deployer.workflows.schedule import installed, records
from deployer.workflows.schedule.records import RunResult

if TYPE_CHECKING:
    from pathlib import Path

TIME = datetime(2026, 12, 1, 3, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TARGET = "sftp:nas.example:/secret/place"


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (tmp_path / "registry" / "frontend").mkdir(parents=True)
    return Deployment("registry", tmp_path / "registry")


def install(deployment: Deployment) -> None:
    settings = build(Settings, {"schedule": {"gc": "03:30"}}, [])
    wanted = installed.wanted(settings, RunnerChoice.SERVICE, None, TIME - 24 * HOUR)
    assert wanted is not None
    installed.keep(deployment, wanted)


def ran(deployment: Deployment, result: RunResult, started: datetime = TIME, job: Job = Job.GC) -> None:
    with records.begun(deployment, job, started) as run:
        run.log.write("the log names what no one else may know")
        run.finish(result, started + HOUR / 60, moved=7, sentence=f"No access to {TARGET}.")


def told(deployment: Deployment, now: datetime = TIME + HOUR / 2) -> dict[str, Any]:
    upkeep_state.publish(deployment, now, UTC)
    found: dict[str, Any] = json.loads(deployment.upkeep_state_file.read_text())["upkeep"]
    return found


def test_without_a_schedule_and_backups_nothing_is_told(deployment: Deployment) -> None:
    upkeep_state.publish(deployment, TIME, UTC)
    assert not deployment.upkeep_state_file.exists()
    install(deployment)
    assert told(deployment)["jobs"]
    deployment.schedule_file.unlink()
    upkeep_state.publish(deployment, TIME, UTC)
    assert not deployment.upkeep_state_file.exists()


def test_times_and_results_are_told_and_nothing_that_names_the_machine(deployment: Deployment) -> None:
    install(deployment)
    ran(deployment, RunResult.FAILED)
    record.keep(deployment, record.LastBackup(TARGET, "repository-id", "backup-id", TIME - HOUR))
    drill_record.keep(deployment, DrillResult(TARGET, "backup-id", TIME - HOUR / 2, f"{TARGET} does not answer."))
    seconds = int(TIME.timestamp())
    assert told(deployment) == {
        "jobs": [{"job": "gc", "when": "daily 03:30", "next": seconds + 86400, "missed": None}],
        "runs": [
            {
                "id": "20261201T033000Z-gc",
                "job": "gc",
                "started": seconds,
                "ended": seconds + 60,
                "result": "failed",
                "bytes": 7,
            }
        ],
        "alive": None,
        "backup": seconds - 3600,
        "drill": {"at": seconds - 1800, "passed": False},
    }
    text = deployment.upkeep_state_file.read_text()
    assert not any(word in text for word in (TARGET, "nas.example", "log names", "repository-id", str(deployment)))
    assert deployment.upkeep_state_file.stat().st_mode & 0o077 == 0


def test_as_long_as_something_runs_it_is_told_that_it_is_alive(deployment: Deployment) -> None:
    with records.begun(deployment, Job.GC, TIME) as run:
        for minutes in (1, 2):
            now = TIME + timedelta(minutes=minutes)
            assert told(deployment, now)["alive"] == int(now.timestamp())
        run.finish(RunResult.DONE, TIME + HOUR)
    assert told(deployment)["alive"] is None


def test_a_missed_run_is_told_when_it_can_be_known(deployment: Deployment) -> None:
    install(deployment)
    assert told(deployment, TIME + HOUR / 2)["jobs"][0]["missed"] is None
    assert told(deployment, TIME + 2 * HOUR)["jobs"][0]["missed"] == int(TIME.timestamp())


def test_the_newest_runs_are_told_and_the_last_of_each_command(deployment: Deployment) -> None:
    ran(deployment, RunResult.DONE, TIME - 24 * HOUR, Job.CHECK)
    for number in range(30):
        ran(deployment, RunResult.DONE, TIME + number * HOUR / 60)
    runs = told(deployment)["runs"]
    assert [one["job"] for one in runs] == ["gc"] * 20 + ["check"]
    assert runs[0]["started"] > runs[1]["started"]


def test_what_is_the_same_is_not_written_again(deployment: Deployment) -> None:
    install(deployment)
    told(deployment)
    before = deployment.upkeep_state_file.stat().st_ino
    told(deployment)
    assert deployment.upkeep_state_file.stat().st_ino == before


def test_without_a_deployment_nothing_is_written(tmp_path: Path) -> None:
    nowhere = Deployment("registry", tmp_path / "registry")
    record.keep(nowhere, record.LastBackup(TARGET, "repository-id", "backup-id", TIME))
    upkeep_state.publish(nowhere, TIME, UTC)
    assert not nowhere.upkeep_state_file.exists()
