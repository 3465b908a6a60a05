"""The settings of `schedule`: times, options, and every mistake with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import ConfigurationError
from deployer.jobs import Job
from deployer.settings.dump import dump
from deployer.settings.load import Flags, load
from deployer.settings.model import Settings
from deployer.settings.schedule import RunnerChoice, when_of

if TYPE_CHECKING:
    from pathlib import Path


def settings_from(folder: Path, text: str) -> Settings:
    (folder / "deployer.yaml").write_text(text)
    return load(Flags(), {"HOME": str(folder)}, folder).settings


def problems_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        settings_from(folder, text)
    return tuple(problem.removeprefix(f"{folder}/deployer.yaml: ") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("02:30", "daily 02:30"),
        ("2:30", "daily 02:30"),
        ("nightly", "daily 01:15"),
        ("daily 23:59", "daily 23:59"),
        ("weekly", "sun 01:15"),
        ("weekly 04:00", "sun 04:00"),
        ("Wed 04:00", "wed 04:00"),
        ("sat", "sat 01:15"),
        ("monthly", "monthly 01:15"),
        ("monthly  00:00", "monthly 00:00"),
    ],
)
def test_a_time_is_a_time_of_day_a_word_or_both(written: str, meant: str) -> None:
    assert str(when_of(written, 1, 15)) == meant
    assert when_of(meant, 9, 9) == when_of(written, 1, 15)


@pytest.mark.parametrize(
    "written", ["", " ", "24:00", "02:60", "2", "0230", "hourly", "sunday", "sun sun", "02:30 sun"]
)
def test_what_is_no_time_is_refused(tmp_path: Path, written: str) -> None:
    [problem] = problems_of(tmp_path, f"schedule: {{gc: '{written}'}}")
    assert problem.startswith("schedule.gc.when: ")
    assert "is not a valid time" in problem


def test_a_plain_value_is_the_time_and_the_commands_do_not_collide(tmp_path: Path) -> None:
    schedule = settings_from(
        tmp_path,
        "schedule: {gc: nightly, prune: {when: nightly, keep: 5}, backup: {when: nightly, to: b}, check: daily}",
    ).schedule
    assert schedule.jobs == (Job.BACKUP, Job.PRUNE, Job.GC, Job.CHECK)
    assert len({(one.hour, one.minute) for one in (schedule.of(job).at for job in schedule.jobs)}) == len(schedule.jobs)


def test_nothing_is_scheduled_unless_it_is_written() -> None:
    assert Settings().schedule.jobs == ()
    assert Settings().schedule.runner is RunnerChoice.AUTO


def test_every_mistake_is_found_at_once_with_its_key_and_the_nearest_name(tmp_path: Path) -> None:
    text = """
schedule:
  backup: "02:30"
  prune: {when: weekly, kep: 5}
  gc: {when: nightly, older_than: 30d}
  prunes: nightly
  runner: cron
"""
    assert problems_of(tmp_path, text) == (
        'schedule.backup: `to` is missing, the target of the backups: {when: "02:30", to: /mnt/nas/registry}',
        "schedule.prune.kep: unknown setting, did you mean schedule.prune.keep?",
        "schedule.gc: older_than requires untagged: true",
        "schedule.runner: 'cron' is not one of: auto, systemd, service, none",
        "schedule.prunes: unknown setting, did you mean schedule.prune?",
    )


def test_uploads_are_kept_for_as_long_as_a_push_may_be_in_progress(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, "schedule: {gc: {when: nightly, uploads: 59m}}")
    assert problem == "schedule.gc: uploads must be at least 1h: pushes may be in progress"


@pytest.mark.parametrize("options", ["full: true, rate: fast", "rate: 50MB"])
def test_a_rate_is_a_size_and_is_for_a_full_check(tmp_path: Path, options: str) -> None:
    [problem] = problems_of(tmp_path, f"schedule: {{check: {{when: monthly, {options}}}}}")
    assert problem.startswith("schedule.check")
    text = "schedule: {check: {when: monthly, full: true, rate: 50MB}}"
    assert settings_from(tmp_path, text).schedule.check.rate == "50MB"


@pytest.mark.parametrize("keep", ["0d", "7x", "7d,3d", "7d,,4w", ""])
def test_a_list_of_what_is_kept_is_checked_before_the_first_night(tmp_path: Path, keep: str) -> None:
    [problem] = problems_of(tmp_path, f"schedule: {{backup: {{when: nightly, to: /b, keep: '{keep}'}}}}")
    assert problem.startswith("schedule.backup.keep: ")


def test_options_without_a_time_are_a_mistake(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, "schedule: {backup: {to: /b}}")
    assert problem == "schedule.backup: `when` is missing, such as when: nightly"


def test_prune_goes_by_the_rules_under_retention_or_by_options_that_say_what_goes(tmp_path: Path) -> None:
    by_rules = settings_from(tmp_path, "schedule: {prune: weekly}\nretention: [{keep: 5}]").schedule.prune
    assert (by_rules.is_on, by_rules.says_what) == (True, False)
    [problem] = problems_of(tmp_path, "schedule: {prune: weekly}")
    assert problem == "schedule.prune: there are no rules under retention: write some, or set keep, older_than, match"
    [problem] = problems_of(tmp_path, "schedule: {prune: {when: weekly, protect: v}}\nretention: [{keep: 5}]")
    assert problem == ("schedule.prune: the rule does not say what to remove: set keep, older_than, match or untagged")


@pytest.mark.parametrize("target", ["s3:https://host/bucket", "rest:https://host/", "sftp:host:/folder"])
def test_a_relative_directory_is_one_beside_the_file_and_a_server_stays_as_it_is(tmp_path: Path, target: str) -> None:
    backup = settings_from(tmp_path, "schedule: {backup: {when: nightly, to: ./b, env_file: keys}}").schedule.backup
    assert (backup.to, backup.env_file) == (str(tmp_path / "b"), str(tmp_path / "keys"))
    assert (
        settings_from(tmp_path, f"schedule: {{backup: {{when: nightly, to: '{target}'}}}}").schedule.backup.to == target
    )


def test_no_variable_schedules_anything(tmp_path: Path) -> None:
    found = load(Flags(), {"HOME": str(tmp_path), "DEPLOYER_SCHEDULE_GC": "nightly"}, tmp_path).settings
    assert found.schedule.jobs == ()


def test_a_schedule_that_is_written_down_is_read_again(tmp_path: Path) -> None:
    text = "schedule: {gc: {when: nightly, untagged: true, older_than: 30d}, prune: {when: sun 04:00, keep: 3}}"
    found = settings_from(tmp_path, text)
    (tmp_path / "deployer.yaml").write_bytes(dump(found))
    assert load(Flags(), {"HOME": str(tmp_path)}, tmp_path).settings == found
