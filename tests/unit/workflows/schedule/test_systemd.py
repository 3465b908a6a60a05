"""systemd's timers, with a `systemctl` that remembers what it was told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from deployer.errors import HostError, PreflightError
from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.settings.schedule import RunnerChoice, when_of
from deployer.workflows.schedule.installed import Installed, InstalledJob
from deployer.workflows.schedule.systemd import Systemd, UnitAction, UnitChange

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment("team", tmp_path / "team")


def schedule(**jobs: str) -> Installed:
    since = datetime(2026, 12, 1, tzinfo=UTC)
    return Installed(
        RunnerChoice.SYSTEMD, {Job(job): InstalledJob(when_of(when, 0, 0), since) for job, when in jobs.items()}
    )


def state(systemd: Systemd) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((systemd.folder.parent / "state").read_text())
    return found


def set_state(systemd: Systemd, **values: object) -> None:
    (systemd.folder.parent / "state").write_text(json.dumps({**state(systemd), **values}))


def install(systemd: Systemd, deployment: Deployment, what: Installed | None) -> tuple[UnitChange, ...]:
    changes = systemd.plan(deployment, what)
    systemd.apply(changes)
    return changes


def test_timers_are_written_enabled_and_started(systemd: Systemd, deployment: Deployment) -> None:
    changes = install(systemd, deployment, schedule(backup="02:30", gc="03:30"))
    assert {(one.name, one.action) for one in changes} == {
        (f"deployer-team-{job}.{kind}", UnitAction.WRITE) for job in ("backup", "gc") for kind in ("service", "timer")
    }
    active = state(systemd)["active"]
    assert active.keys() == {"deployer-team-backup.timer", "deployer-team-gc.timer"}
    assert "OnCalendar=*-*-* 02:30:00" in active["deployer-team-backup.timer"]
    assert systemd.plan(deployment, schedule(backup="02:30", gc="03:30")) == ()


def test_only_what_differs_is_changed_and_a_new_time_counts_at_once(systemd: Systemd, deployment: Deployment) -> None:
    install(systemd, deployment, schedule(backup="02:30", gc="03:30"))
    set_state(systemd, calls=[])
    changes = install(systemd, deployment, schedule(backup="02:30", gc="sun 05:00"))
    assert [(one.name, one.action) for one in changes] == [("deployer-team-gc.timer", UnitAction.WRITE)]
    assert "OnCalendar=Sun *-*-* 05:00:00" in state(systemd)["active"]["deployer-team-gc.timer"]
    assert not any("backup" in call for call in state(systemd)["calls"] if "is-" not in call)


def test_a_command_that_is_taken_out_goes_and_the_others_stay(systemd: Systemd, deployment: Deployment) -> None:
    install(systemd, deployment, schedule(backup="02:30", gc="03:30"))
    install(systemd, deployment, schedule(gc="03:30"))
    assert state(systemd)["active"].keys() == {"deployer-team-gc.timer"}
    assert {path.name for path in systemd.folder.iterdir()} == {"deployer-team-gc.service", "deployer-team-gc.timer"}


def test_all_of_it_is_removed_but_nothing_of_another_deployment(systemd: Systemd, deployment: Deployment) -> None:
    other = Deployment("team-gc", deployment.directory.parent / "team-gc")
    install(systemd, other, schedule(gc="03:30"))
    install(systemd, deployment, schedule(gc="03:30"))
    install(systemd, deployment, None)
    assert {path.name for path in systemd.folder.iterdir()} == {
        "deployer-team-gc-gc.service",
        "deployer-team-gc-gc.timer",
    }
    assert state(systemd)["active"].keys() == {"deployer-team-gc-gc.timer"}


@pytest.mark.parametrize("content", ["[Timer]\n", "# Written by deployer for /home/other/deployer/team\n"])
def test_a_unit_of_another_is_not_overwritten(systemd: Systemd, deployment: Deployment, content: str) -> None:
    mine = systemd.folder / "deployer-team-gc.timer"
    mine.write_text(content)
    with pytest.raises(PreflightError) as caught:
        systemd.plan(deployment, schedule(gc="03:30"))
    assert str(mine) in caught.value.message
    assert systemd.plan(deployment, None) == ()
    assert mine.read_text() == content


def test_a_systemd_that_cannot_be_reached_is_said_before_anything_is_changed(systemd: Systemd) -> None:
    systemd.check()
    set_state(systemd, fails="show")
    with pytest.raises(PreflightError) as caught:
        systemd.check()
    assert caught.value.original == "Failed to connect to bus"


def test_units_are_removed_even_if_systemd_does_not_respond(systemd: Systemd, deployment: Deployment) -> None:
    install(systemd, deployment, schedule(gc="03:30"))
    set_state(systemd, fails="disable")
    with pytest.raises(HostError):
        install(systemd, deployment, None)
    assert systemd.plan(deployment, None) == ()


@pytest.mark.parametrize("fails", ["daemon-reload", "enable", "restart"])
def test_what_was_interrupted_is_continued(systemd: Systemd, deployment: Deployment, fails: str) -> None:
    set_state(systemd, fails=fails)
    with pytest.raises(HostError) as caught:
        install(systemd, deployment, schedule(gc="03:30"))
    assert (f"systemctl {fails}" in caught.value.message, caught.value.original) == (True, "Failed to connect to bus")
    set_state(systemd, fails="")
    install(systemd, deployment, schedule(gc="03:30"))
    assert state(systemd)["active"].keys() == {"deployer-team-gc.timer"}
    assert state(systemd)["enabled"] == ["deployer-team-gc.timer"]


def test_a_timer_that_was_stopped_by_hand_is_started_again(systemd: Systemd, deployment: Deployment) -> None:
    install(systemd, deployment, schedule(gc="03:30"))
    set_state(systemd, active={})
    [change] = systemd.plan(deployment, schedule(gc="03:30"))
    assert (change.name, change.action) == ("deployer-team-gc.timer", UnitAction.START)


def test_a_users_own_systemd_is_found_without_a_login_session(
    systemd: Systemd, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    install(Systemd(systemd.folder, is_user=True, program=systemd.program), deployment, schedule(gc="03:30"))
    assert all(call.startswith("--user ") for call in state(systemd)["calls"])
    assert "docker.service" not in (systemd.folder / "deployer-team-gc.service").read_text()
