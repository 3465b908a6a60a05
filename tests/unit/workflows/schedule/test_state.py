"""What `status` and `doctor` say of a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.settings.build import build
from deployer.settings.model import Settings
from deployer.settings.schedule import RunnerChoice
from deployer.workflows.finding import FindingState
from deployer.workflows.schedule import installed, records
from deployer.workflows.schedule.records import RunResult
from deployer.workflows.schedule.state import ScheduleState, look

if TYPE_CHECKING:
    from pathlib import Path

TIME = datetime(2026, 12, 1, 3, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment("registry", tmp_path)


def settings(gc: str = "03:30") -> Settings:
    return build(Settings, {"schedule": {"gc": gc}} if gc else {}, [])


def install(deployment: Deployment, runner: RunnerChoice = RunnerChoice.SERVICE) -> None:
    wanted = installed.wanted(settings(), runner, None, TIME - 24 * HOUR)
    assert wanted is not None
    installed.keep(deployment, wanted)


def ran(deployment: Deployment, result: RunResult, started: datetime = TIME) -> None:
    with records.begun(deployment, Job.GC, started) as run:
        if result is not RunResult.RUNNING:
            run.finish(result, started + HOUR / 60, sentence="The disk is full." if not result.is_good else "")


def state(deployment: Deployment, now: datetime = TIME + HOUR / 2, gc: str = "03:30") -> ScheduleState:
    return look(settings(gc), deployment, now, UTC)


def test_without_a_schedule_there_is_nothing_to_say(deployment: Deployment) -> None:
    assert state(deployment, gc="") == ScheduleState()


def test_a_command_has_its_next_time_and_its_last_run(deployment: Deployment) -> None:
    install(deployment)
    ran(deployment, RunResult.DONE)
    found = state(deployment)
    [job] = found.jobs
    assert (job.job, job.when, job.next, found.findings) == (Job.GC, "daily 03:30", TIME + 24 * HOUR, ())
    assert job.last is not None
    assert job.last.result is RunResult.DONE


@pytest.mark.parametrize("result", [RunResult.FAILED, RunResult.SKIPPED, RunResult.INTERRUPTED])
def test_a_run_that_did_not_succeed_is_wrong_until_the_next_one_does(deployment: Deployment, result: RunResult) -> None:
    install(deployment)
    ran(deployment, result)
    [finding] = state(deployment).findings
    assert finding.state is FindingState.WRONG
    assert "The disk is full." in finding.sentence
    assert any(line.startswith("deployer runs 2026") for line in finding.advice)
    ran(deployment, RunResult.DONE, TIME + HOUR / 4)
    assert state(deployment).findings == ()


def test_a_killed_run_is_said(deployment: Deployment) -> None:
    install(deployment)
    ran(deployment, RunResult.RUNNING)
    [finding] = state(deployment).findings
    assert "was interrupted" in finding.sentence


@pytest.mark.parametrize(
    ("runner", "advice"),
    [
        (RunnerChoice.SYSTEMD, "deployer-registry-gc.timer"),
        (RunnerChoice.SERVICE, "deployer logs scheduler"),
        (RunnerChoice.NONE, "cron"),
    ],
)
def test_a_missed_run_is_wrong_after_an_hour_with_where_to_look(
    deployment: Deployment, runner: RunnerChoice, advice: str
) -> None:
    install(deployment, runner)
    assert state(deployment).findings == ()
    [finding] = state(deployment, TIME + HOUR).findings
    assert finding.state is FindingState.WRONG
    assert "scheduled for 2026-12-01 03:30 UTC did not run" in finding.sentence
    assert advice in finding.advice[0]


def test_nothing_is_missed_while_another_command_is_still_running(deployment: Deployment) -> None:
    install(deployment)
    with records.begun(deployment, Job.BACKUP, TIME - HOUR):
        assert state(deployment, TIME + 2 * HOUR).findings == ()


@pytest.mark.parametrize("gc", ["", "04:00", "weekly"])
def test_a_schedule_that_is_not_installed_yet_is_noted(deployment: Deployment, gc: str) -> None:
    install(deployment)
    ran(deployment, RunResult.DONE)
    [finding] = state(deployment, gc=gc).findings
    assert (finding.state, finding.advice) == (FindingState.NOTE, ("deployer up",))


def test_a_run_that_a_clock_that_was_ahead_has_dated_is_not_the_last_one(deployment: Deployment) -> None:
    install(deployment)
    ran(deployment, RunResult.DONE, TIME + 9000 * HOUR)
    ran(deployment, RunResult.FAILED)
    found = state(deployment)
    assert found.jobs[0].last is not None
    assert found.jobs[0].last.started == TIME
    assert found.findings[0].state is FindingState.WRONG
