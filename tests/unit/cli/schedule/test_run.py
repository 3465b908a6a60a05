"""One run of a scheduled command: every end is in its record, and what was printed in its log."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import typer

from deployer.cli.commands import backup, integrity, upkeep
from deployer.cli.commands.schedule import runs
from deployer.cli.output import Output
from deployer.cli.schedule import run as running
from deployer.cli.session import Session
from deployer.cli.views.upkeep import CollectedReport
from deployer.errors import Busy, HostError, NotFound, UsageError
from deployer.jobs import Job
from deployer.settings.schedule import RunnerChoice
from deployer.storage.removal import StorageRemoval
from deployer.workflows.page import upkeep_state
from deployer.workflows.schedule import installed, records
from deployer.workflows.schedule.records import RunResult
from deployer.workflows.upkeep.collection import Collected
from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "deployer.yaml").write_text(
        f"schedule: {{gc: nightly, backup: {{when: nightly, to: /b, keep: 7d, env_file: {tmp_path}/keys}}}}"
    )
    (tmp_path / "keys").write_text(f"AWS_SECRET_ACCESS_KEY={PASSWORD}\n")
    out = Output(io.StringIO(), io.StringIO())
    return Session(None, None, None, None, {"HOME": str(tmp_path)}, tmp_path, out)


def printed(session: Session) -> str:
    assert isinstance(session.out.out, io.StringIO)
    assert isinstance(session.out.err, io.StringIO)
    return session.out.out.getvalue() + session.out.err.getvalue()


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def perform(_session: Session, _job: Job) -> None:
        raise error

    monkeypatch.setattr(running, "perform", perform)


def test_what_a_command_prints_and_moves_is_in_its_log_and_record(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(own: Session, _job: Job) -> None:
        own.confirm("Remove 3 tags?")
        own.show(CollectedReport(Collected(StorageRemoval(), 5, 7, 1.5)))

    monkeypatch.setattr(running, "perform", perform)
    done = running.run(session, Job.GC, 0)
    assert (done.result, done.moved) == (RunResult.DONE, 12)
    assert "Freed" in records.log_of(session.deployment, done)
    assert printed(session) == ""
    assert records.read(session.deployment) == (done,)


@pytest.mark.parametrize(
    ("error", "result", "sentence"),
    [
        (HostError("The disk is full.", ("df -h /",)), RunResult.FAILED, "The disk is full."),
        (Busy("`deployer gc` is already running."), RunResult.SKIPPED, "`deployer gc` is already running."),
        (typer.Exit(1), RunResult.FAILED, "It found problems."),
        (typer.Exit(0), RunResult.DONE, ""),
    ],
)
def test_how_a_command_ends_is_recorded(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: Exception, result: RunResult, sentence: str
) -> None:
    ending(monkeypatch, error)
    done = running.run(session, Job.GC, 0)
    assert (done.result, done.sentence, done.ended is not None) == (result, sentence, True)
    assert records.read(session.deployment) == (done,)
    if isinstance(error, HostError):
        assert f"Error: {sentence}" in records.log_of(session.deployment, done)


@pytest.mark.parametrize("rule", ["prune: {when: weekly, older_than: 30d}", "prune: weekly"])
def test_nothing_is_removed_by_age_after_a_clock_has_jumped(
    session: Session, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    (session.directory / "deployer.yaml").write_text(f"schedule: {{{rule}}}\nretention: [{{older_than: 30d}}]\n")
    pruned: list[object] = []
    monkeypatch.setattr(upkeep, "prune", lambda *_arguments: pruned.append(_arguments))
    with records.begun(session.deployment, Job.PRUNE, datetime.now(UTC) - timedelta(days=900)) as before:
        before.finish(RunResult.DONE, datetime.now(UTC) - timedelta(days=900))
    done = running.run(session, Job.PRUNE, 0)
    assert (done.result, pruned) == (RunResult.FAILED, [])
    assert "the last scheduled run was 900 days ago" in done.sentence
    assert (running.run(session, Job.PRUNE, 0).result, len(pruned)) == (RunResult.DONE, 1)


def test_what_is_of_concern_in_what_was_made_is_a_failure_with_its_sentence(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Concern(CollectedReport):
        concern = "app:1 is damaged."

    def perform(own: Session, _job: Job) -> None:
        own.show(Concern(Collected(StorageRemoval(), 5, 7, 1.5)))

    monkeypatch.setattr(running, "perform", perform)
    done = running.run(session, Job.BACKUP, 0)
    assert (done.result, done.sentence, done.moved) == (RunResult.FAILED, "app:1 is damaged.", 12)


@pytest.mark.parametrize(
    ("error", "result"), [(KeyboardInterrupt(), RunResult.INTERRUPTED), (ZeroDivisionError(), RunResult.FAILED)]
)
def test_an_exception_that_is_raised_again_is_recorded_first(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: BaseException, result: RunResult
) -> None:
    ending(monkeypatch, error)
    with pytest.raises(type(error)):
        running.run(session, Job.GC, 0)
    [found] = records.read(session.deployment)
    assert (found.result, found.ended is not None) == (result, True)


def test_a_backup_has_the_options_and_variables_of_the_schedule_and_its_log_no_secret(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def create(own: Session, target: str, options: object) -> None:
        seen.append((own.environment.get("AWS_SECRET_ACCESS_KEY"), own.presentation.yes, target, options))

    monkeypatch.setattr(backup, "create", create)
    done = running.run(session, Job.BACKUP, 0)
    assert done.result is RunResult.DONE
    assert seen == [(PASSWORD, True, "/b", backup.CreateOptions(keep="7d"))]
    assert PASSWORD not in records.log_of(session.deployment, done)


def test_the_page_hears_of_a_run_as_long_as_it_is_alive(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that was killed it hears nothing more."""
    file, again = session.deployment.upkeep_state_file, threading.Event()
    (session.deployment.directory / "frontend").mkdir(parents=True)
    seen: list[int | None] = []
    threads = threading.active_count()

    def perform(_session: Session, _job: Job) -> None:
        assert again.wait(PATIENCE_SECONDS)

    def tell(own: Session) -> None:
        upkeep_state.publish(own.deployment, datetime.now(UTC) + timedelta(minutes=len(seen)))
        seen.append(json.loads(file.read_text())["upkeep"]["alive"])
        if len(seen) == 4:
            again.set()

    monkeypatch.setattr(running, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(running, "perform", perform)
    monkeypatch.setattr(Session, "tell_page", tell)
    running.run(session, Job.GC, 0)
    *alive, ended = seen
    assert len(set(alive)) == len(alive) >= 4
    assert ended is None
    assert threading.active_count() == threads


@pytest.mark.parametrize(("job", "has_rules"), [(Job.PRUNE, False), (Job.PRUNE, True), (Job.CHECK, False)])
def test_a_command_that_was_never_scheduled_is_refused_without_a_record(
    session: Session, job: Job, *, has_rules: bool
) -> None:
    if has_rules:
        with (session.directory / "deployer.yaml").open("a") as file:
            file.write("\nretention: [{keep: 5}]\n")
    settings = session.settings
    found = installed.wanted(settings, RunnerChoice.NONE, None, datetime.now(UTC))
    assert found is not None
    installed.keep(session.deployment, found)
    with pytest.raises(UsageError) as caught:
        runs.run_scheduled(session, job)
    assert caught.value.message == f"{job} is not scheduled for 'registry'; scheduled are: backup, gc."
    # Without rules under `retention`, `prune` by itself does not know what to remove.
    once = (f"deployer {job}   (runs it once, without the schedule)",) if job is not Job.PRUNE or has_rules else ()
    assert caught.value.advice == (f"Set schedule.{job} in deployer.yaml, then: deployer up", *once)
    assert records.read(session.deployment) == ()


@pytest.mark.parametrize("name", ["deployer.yaml", "t4.yaml"])
def test_a_command_that_was_taken_out_of_the_file_fails_with_what_to_do(session: Session, name: str) -> None:
    file = session.directory / name
    (session.directory / "deployer.yaml").rename(file)
    done = running.run(replace(session, config=file), Job.PRUNE, 0)
    assert (done.result, done.sentence) == (RunResult.FAILED, f"schedule.prune is not set in {file}.")


def test_a_command_that_is_in_no_file_at_all(session: Session) -> None:
    (session.directory / "deployer.yaml").unlink()
    assert running.run(session, Job.GC, 0).sentence == "schedule.gc is not set: there is no deployer.yaml."


def test_runs_of_one_command_that_has_not_run(session: Session) -> None:
    runs.runs(session)
    assert printed(session) == "No scheduled command has run yet.\n"
    backup_run = running.run(session, Job.BACKUP, 0)
    runs.runs(session, job=Job.PRUNE)
    assert printed(session).splitlines()[-1] == "prune has not run yet."
    with pytest.raises(NotFound, match=r"^prune has not run yet\.$"):
        runs.runs(session, job=Job.PRUNE, log=True)
    with pytest.raises(NotFound, match=f"There is no run {backup_run.id} of prune") as caught:
        runs.runs(session, backup_run.id, Job.PRUNE)
    assert caught.value.advice == ("deployer runs",)


def test_a_missing_file_of_variables_is_a_failure(session: Session, tmp_path: Path) -> None:
    (tmp_path / "keys").unlink()
    done = running.run(session, Job.BACKUP, 0)
    assert done.result is RunResult.FAILED
    assert "keys" in done.sentence


@pytest.mark.parametrize(
    ("options", "rule", "patterns"),
    [
        ("weekly", upkeep.RuleOptions(), None),
        (
            "{when: weekly, keep: 5, older_than: 30d, match: ^ci-, repositories: ['team/*'], by: pushed}",
            upkeep.RuleOptions(keep="5", older_than="30d", match="^ci-", by="pushed"),
            ["team/*"],
        ),
    ],
)
def test_prune_has_the_options_of_the_schedule_or_none(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, rule: object, patterns: object
) -> None:
    seen = []

    def prune(_session: Session, given: object, names: object = None) -> None:
        seen.append((given, names))

    monkeypatch.setattr(upkeep, "prune", prune)
    (tmp_path / "deployer.yaml").write_text(f"schedule: {{prune: {options}}}\nretention: [{{keep: 3}}]")
    assert running.run(session, Job.PRUNE, 0).result is RunResult.DONE
    assert seen == [(rule, patterns)]


def test_a_check_has_the_options_of_the_schedule(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(integrity, "check", lambda _session, wanted: seen.append(wanted))
    (tmp_path / "deployer.yaml").write_text("schedule: {check: {when: monthly, full: true, rate: 50MB}}")
    assert running.run(session, Job.CHECK, 0).result is RunResult.DONE
    assert seen == [integrity.CheckFlags(full=True, rate="50MB")]
