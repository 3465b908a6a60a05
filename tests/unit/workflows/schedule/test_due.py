"""What is due, what was missed, and whose turn it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from deployer.errors import Busy
from deployer.host.lock import exclusive
from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.settings.build import build
from deployer.settings.model import Settings
from deployer.settings.schedule import RunnerChoice, when_of
from deployer.workflows.schedule import due, installed, records
from deployer.workflows.schedule.installed import Installed, InstalledJob
from deployer.workflows.schedule.records import Run, RunResult

if TYPE_CHECKING:
    from pathlib import Path

TIME = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def plan(since: datetime = TIME - DAY, **jobs: str) -> Installed:
    return Installed(
        RunnerChoice.SERVICE,
        {Job(job): InstalledJob(when_of(when, 0, 0), since) for job, when in (jobs or {"gc": "02:30"}).items()},
    )


def run(started: datetime, result: RunResult = RunResult.DONE, job: Job = Job.GC) -> Run:
    return Run(f"{started:%Y%m%dT%H%M%SZ}-{job}", job, started, result)


def jobs_due(now: datetime, *runs: Run, there: Installed | None = None) -> tuple[Job, ...]:
    return due.due(there or plan(), runs, now, UTC)


def test_a_command_is_due_from_its_time_until_a_run_began() -> None:
    assert jobs_due(TIME - MINUTE, run(TIME - DAY)) == ()
    assert jobs_due(TIME, run(TIME - DAY)) == (Job.GC,)
    assert jobs_due(TIME + 5 * DAY - MINUTE, run(TIME - DAY)) == (Job.GC,)
    assert jobs_due(TIME + MINUTE, run(TIME)) == ()


@pytest.mark.parametrize("result", RunResult)
def test_a_run_counts_however_it_ended_so_that_none_is_repeated_all_night(result: RunResult) -> None:
    assert jobs_due(TIME + MINUTE, run(TIME, result)) == ()


def test_a_run_of_another_command_does_not_count() -> None:
    assert jobs_due(TIME + MINUTE, run(TIME, job=Job.BACKUP)) == (Job.GC,)


def test_a_clock_that_was_ahead_keeps_nothing_from_running() -> None:
    ahead = TIME + 365 * DAY
    assert jobs_due(TIME + MINUTE, run(ahead)) == (Job.GC,)
    assert jobs_due(TIME + MINUTE, run(ahead), run(TIME)) == ()
    assert jobs_due(TIME + MINUTE, there=plan(since=ahead)) == (Job.GC,)


def test_times_before_the_schedule_was_installed_are_not_made_up() -> None:
    assert jobs_due(TIME + MINUTE, there=plan(since=TIME + MINUTE)) == ()
    assert due.missed(plan(since=TIME + MINUTE), (), TIME + 5 * MINUTE, UTC) == {}


def test_what_a_clock_that_was_ahead_has_noted_keeps_nothing_from_running() -> None:
    ahead = TIME + 1500 * DAY
    assert jobs_due(TIME, run(TIME - DAY), run(ahead)) == (Job.GC,)
    assert jobs_due(TIME, there=plan(since=ahead)) == (Job.GC,)
    assert due.missed(plan(since=ahead), (run(ahead),), TIME + 2 * 60 * MINUTE, UTC) == {Job.GC: TIME}


def test_after_a_clock_was_set_back_a_little_nothing_runs_twice() -> None:
    assert jobs_due(TIME, run(TIME + MINUTE)) == ()


def test_up_notes_the_time_again_if_it_is_in_the_future() -> None:
    settings = build(Settings, {"schedule": {"gc": "02:30"}}, [])
    found = installed.wanted(settings, RunnerChoice.SERVICE, plan(since=TIME + DAY, gc="daily 02:30"), TIME)
    assert found is not None
    assert found.jobs[Job.GC].since == TIME


def test_the_commands_run_in_their_order() -> None:
    there = plan(gc="02:30", backup="02:00", prune="02:15")
    assert set(jobs_due(TIME, there=there)) == {Job.GC, Job.BACKUP, Job.PRUNE}


def test_a_run_is_missed_an_hour_after_its_time() -> None:
    assert due.missed(plan(), (), TIME + 59 * MINUTE, UTC) == {}
    assert due.missed(plan(), (), TIME + 60 * MINUTE, UTC) == {Job.GC: TIME}
    assert due.missed(plan(), (run(TIME + 30 * MINUTE),), TIME + 60 * MINUTE, UTC) == {}


@pytest.mark.parametrize(
    ("now", "seconds"),
    [(TIME - timedelta(seconds=9.5), 10), (TIME - DAY + MINUTE, 300), (TIME, 0), (TIME + MINUTE, 0)],
)
def test_nobody_sleeps_past_the_next_time_or_for_long(tmp_path: Path, now: datetime, seconds: int) -> None:
    deployment = Deployment("registry", tmp_path)
    installed.keep(deployment, plan())
    with records.begun(deployment, Job.GC, TIME - DAY) as begun:
        begun.finish(RunResult.DONE, TIME - DAY)
    assert due.pause(deployment, now, UTC) == seconds


def test_without_a_schedule_one_looks_again_later(tmp_path: Path) -> None:
    assert due.pause(Deployment("registry", tmp_path), TIME, UTC) == 300


def test_a_run_waits_for_the_command_that_is_running(tmp_path: Path) -> None:
    deployment, said, slept = Deployment("registry", tmp_path), list[str](), list[float]()
    other = exclusive(deployment.lock_file, "backup")
    other.__enter__()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            other.__exit__(None, None, None)

    due.wait_for_turn(deployment, 3600, said.append, sleep)
    assert len(slept) == 3
    [sentence] = said
    assert "deployer backup" in sentence


def test_a_run_does_not_wait_for_ever(tmp_path: Path) -> None:
    deployment, slept = Deployment("registry", tmp_path), list[float]()
    with exclusive(deployment.lock_file, "gc"), pytest.raises(Busy):
        due.wait_for_turn(deployment, 30, lambda _: None, slept.append)
    assert sum(slept) == 30


def test_an_unchanged_time_keeps_the_day_since_which_it_counts() -> None:
    from deployer.settings.build import build
    from deployer.settings.model import Settings

    settings = build(Settings, {"schedule": {"gc": "02:30", "backup": {"when": "weekly", "to": "/b"}}}, [])
    before = plan(gc="02:30", backup="daily 01:00")
    after = installed.wanted(settings, RunnerChoice.SERVICE, before, TIME)
    assert after is not None
    assert (after.jobs[Job.GC].since, after.jobs[Job.BACKUP].since) == (TIME - DAY, TIME)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"runner": "x", "jobs": {}}', '{"runner": "none", "jobs": []}'])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: str) -> None:
    deployment = Deployment("registry", tmp_path)
    installed.keep(deployment, plan())
    assert installed.read(deployment) == plan()
    deployment.schedule_file.write_text(content)
    assert installed.read(deployment) is None
