"""Which way a schedule is installed, and where it cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from deployer.errors import ConfigurationError, HostError, PreflightError, UsageError
from deployer.host.daemon.kind import EngineKind
from deployer.jobs import Job
from deployer.paths import Deployment
from deployer.settings.build import build
from deployer.settings.load import Flags, load
from deployer.settings.model import Settings
from deployer.settings.schedule import RunnerChoice
from deployer.workflows.schedule import env_file, install, installed, launcher
from deployer.workflows.schedule.installed import Installed
from deployer.workflows.schedule.systemd import Systemd
from tests.support.fake_engine import FACTS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def settings(**schedule: object) -> Settings:
    problems: list[str] = []
    found = build(Settings, {"schedule": schedule}, problems)
    assert problems == []
    return found


def test_systemd_is_taken_where_it_runs_and_the_container_elsewhere(tmp_path: Path) -> None:
    assert launcher.runner_of(settings(gc="nightly"), tmp_path) is RunnerChoice.SYSTEMD
    assert launcher.runner_of(settings(gc="nightly"), tmp_path / "none") is RunnerChoice.SERVICE
    assert launcher.runner_of(settings(gc="nightly", runner="none"), tmp_path) is RunnerChoice.NONE
    assert launcher.runner_of(settings(), tmp_path) is RunnerChoice.NONE


@pytest.mark.parametrize("kind", [EngineKind.DESKTOP, EngineKind.ROOTLESS])
def test_a_container_without_the_machines_files_is_refused_with_a_way_out(tmp_path: Path, kind: EngineKind) -> None:
    deployment, facts = Deployment("registry", tmp_path), replace(FACTS, kind=kind)
    with pytest.raises(PreflightError) as caught:
        install.plan(settings(gc="nightly", runner="service"), deployment, {}, facts, NOW)
    assert "deployer run-scheduled" in caught.value.advice[0]
    plan = install.plan(settings(gc="nightly", runner="none"), deployment, {}, facts, NOW)
    assert plan.times == {Job.GC: "daily 03:30"}


def test_a_target_that_no_backup_can_go_to_is_refused_before_the_first_night(tmp_path: Path) -> None:
    wanted = settings(backup={"when": "nightly", "to": "rclone:x:y"}, runner="none")
    with pytest.raises(UsageError):
        install.plan(wanted, Deployment("registry", tmp_path), {}, FACTS, NOW)


@pytest.mark.parametrize("content", [None, "no variable\n"])
def test_a_file_of_variables_with_a_mistake_is_told_before_the_first_night(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "backup.env"
    if content is not None:
        file.write_text(content)
    wanted = settings(backup={"when": "nightly", "to": "/b", "env_file": str(file)}, runner="none")
    with pytest.raises(HostError, match=r"backup\.env"):
        install.plan(wanted, Deployment("registry", tmp_path), {}, FACTS, NOW)


def test_a_target_of_another_server_beside_the_settings_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "deployer.yaml").write_text("schedule: {backup: {when: nightly, to: 'ann@nas:/backups'}, runner: none}")
    found = load(Flags(), {"HOME": str(tmp_path)}, tmp_path).settings
    with pytest.raises(UsageError, match="ann@nas:/backups"):
        install.plan(found, Deployment("registry", tmp_path), {}, FACTS, NOW)


def test_a_schedule_is_remembered_once_and_forgotten_with_it(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path)
    wanted = settings(gc="nightly", runner="none")
    plan = install.plan(wanted, deployment, {}, FACTS, NOW)
    assert not plan.is_empty
    install.prepare(deployment, plan)
    install.apply(deployment, {}, plan)
    assert installed.read(deployment) == plan.after
    assert install.plan(wanted, deployment, {}, FACTS, NOW.replace(year=2027)).is_empty
    gone = install.plan(Settings(), deployment, {}, FACTS, NOW)
    assert not gone.is_empty
    install.prepare(deployment, gone)
    install.apply(deployment, {}, gone)
    assert not deployment.schedule_file.exists()
    assert install.plan(Settings(), deployment, {}, FACTS, NOW).is_empty


@pytest.mark.parametrize("record", [None, b"", b"{", b'{"runner": "systemd"}', b'{"runner": "service", "jobs": {}}'])
def test_timers_are_removed_whatever_is_recorded_of_them(
    tmp_path: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch, record: bytes | None
) -> None:
    monkeypatch.setattr(Systemd, "of", lambda _environment: systemd)
    deployment, wanted = Deployment("team", tmp_path / "team"), settings(gc="nightly", runner="systemd")
    plan = install.plan(wanted, deployment, {}, FACTS, NOW)
    install.prepare(deployment, plan)
    install.apply(deployment, {}, plan)
    deployment.schedule_file.unlink()
    if record is not None:
        deployment.schedule_file.write_bytes(record)
    names = {"deployer-team-gc.timer", "deployer-team-gc.service"}
    # By `up` without a schedule, or with another way to run it, and by `down`.
    for one in (Settings(), settings(gc="nightly", runner="none")):
        assert {unit.name for unit in install.plan(one, deployment, {}, FACTS, NOW).units} == names
    units = install.removal(deployment, {})
    assert {unit.name for unit in units} == names
    install.remove(deployment, {}, units)
    assert list(systemd.folder.iterdir()) == []
    assert not deployment.schedule_file.exists()


def test_who_has_no_home_has_no_timers_unless_they_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_environment: object) -> Systemd:
        raise ConfigurationError("There is no home directory.")

    monkeypatch.setattr(Systemd, "of", refuse)
    deployment = Deployment("team", tmp_path / "team")
    assert install.removal(deployment, {}) == ()
    assert install.plan(Settings(), deployment, {}, FACTS, NOW).is_empty
    installed.keep(deployment, Installed(RunnerChoice.SYSTEMD))
    with pytest.raises(ConfigurationError):
        install.removal(deployment, {})


@pytest.mark.parametrize(
    ("target", "said"),
    [("s3://bucket", "names no server"), ("s3:https://minio/bucket", "AWS_SECRET_ACCESS_KEY is not")],
)
def test_a_target_that_restic_does_not_understand_is_told_by_up(tmp_path: Path, target: str, said: str) -> None:
    keys = tmp_path / "keys"
    keys.write_text("AWS_ACCESS_KEY_ID=id\n")
    wanted = settings(backup={"when": "nightly", "to": target, "env_file": str(keys)})
    with pytest.raises(UsageError, match=said) as caught:
        install.plan(wanted, Deployment("team", tmp_path), {"AWS_SECRET_ACCESS_KEY": "not of the run"}, FACTS, NOW)
    assert str(caught.value).startswith("schedule.backup in deployer.yaml: ")


def test_a_run_has_the_settings_and_the_places_of_up_and_no_password(tmp_path: Path) -> None:
    environment = {
        "HOME": "/home/me", "XDG_DATA_HOME": "/data", "DOCKER_HOST": "unix:///run/d.sock", "HTTPS_PROXY": "http://p",
        "DEPLOYER_TLS": "internal", "DEPLOYER_NAME": "other", "DEPLOYER_CONFIG": "x", "DEPLOYER_EXTRA": "y",
        "DEPLOYER_BACKUP_PASSWORD": "secret", "SSH_AUTH_SOCK": "/tmp/agent", "TERM": "xterm", "COLUMNS": "80",
    }  # fmt: skip
    found = launcher.inputs_of(settings(gc="nightly"), Deployment("team", tmp_path), environment, tmp_path / "d.yaml")
    assert found is not None
    assert found.environment.keys() == {
        "HOME", "PATH", "XDG_DATA_HOME", "DOCKER_HOST", "HTTPS_PROXY", "DEPLOYER_TLS",
    }  # fmt: skip
    assert found.flags[-2:] == ("--config", str(tmp_path / "d.yaml"))
    assert "secret" not in repr(found)


def test_nothing_is_rendered_for_no_schedule(tmp_path: Path) -> None:
    assert launcher.inputs_of(Settings(), Deployment("team", tmp_path), {}, None) is None


def test_a_file_of_variables_is_read_as_compose_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# keys\n\nAWS_ACCESS_KEY_ID=a=b\nexport AWS_SECRET_ACCESS_KEY='s p'\nEMPTY=\n")
    assert env_file.read(file) == {"AWS_ACCESS_KEY_ID": "a=b", "AWS_SECRET_ACCESS_KEY": "s p", "EMPTY": ""}


@pytest.mark.parametrize("content", [b"A=1\nsecret words\n", b"\xff=1\n"])
def test_a_file_that_is_none_is_refused_without_quoting_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)
    with pytest.raises(HostError) as caught:
        env_file.read(file)
    assert "secret" not in str(caught.value)
    with pytest.raises(HostError):
        env_file.read(tmp_path / "missing")


def test_timers_come_with_the_schedule_and_go_with_it(
    tmp_path: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Systemd, "of", lambda _environment: systemd)
    deployment = Deployment("registry", tmp_path / "registry")

    def up(wanted: Settings) -> install.SchedulePlan:
        plan = install.plan(wanted, deployment, {}, FACTS, NOW)
        install.prepare(deployment, plan)
        install.apply(deployment, {}, plan)
        return plan

    timer = systemd.folder / "deployer-registry-gc.timer"
    assert {one.name for one in up(settings(gc="nightly", runner="systemd")).units} == {
        timer.name,
        "deployer-registry-gc.service",
    }
    assert timer.exists()
    assert up(settings(gc="nightly", runner="systemd")).is_empty
    # From the timers to the container.
    up(settings(gc="nightly", runner="service"))
    assert not timer.exists()
    up(settings(gc="nightly", runner="systemd"))
    assert [one.name for one in install.removal(deployment, {})] == [timer.name, "deployer-registry-gc.service"]
    install.remove(deployment, {}, install.removal(deployment, {}))
    assert not timer.exists()
    assert not deployment.schedule_file.exists()
    up(settings(gc="nightly", runner="systemd"))
    up(Settings())
    assert (timer.exists(), deployment.schedule_file.exists()) == (False, False)
