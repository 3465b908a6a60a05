"""Commands that run by themselves on a real engine, without systemd: in the scheduler's container."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from deployer.host.lock import exclusive
from tests.support.cut_off import helpers, wait_until
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.stack import DeployedStack


@pytest.fixture(scope="module")
def scheduled(make_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """A deployment that collects garbage and makes backups by itself, at a time that is far away."""
    stack = make_stack()
    write(stack, "{gc: nightly, backup: {when: nightly, to: backups, keep: 7d}, runner: service}")
    stack.up()
    return stack


def write(stack: DeployedStack, schedule: str) -> None:
    stack.folder.mkdir(parents=True, exist_ok=True)
    (stack.folder / "deployer.yaml").write_text(f"schedule: {schedule}\n" if schedule else "")


def runs(stack: DeployedStack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.deployer("runs", "--json", check=True).stdout)
    return found


def status(stack: DeployedStack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stack.deployer("status", "--json").stdout)
    return found


def make_due(stack: DeployedStack, *jobs: str) -> None:
    """Let some commands be due, as if they had been scheduled the week before and had not run since."""
    file = stack.directory / "schedule.json"
    installed = json.loads(file.read_text())
    now = datetime.now(UTC)
    for job, one in installed["jobs"].items():
        one["since"] = (now - timedelta(days=7) if job in jobs else now).isoformat()
    file.write_text(json.dumps(installed))
    for record in (stack.directory / "runs").glob("*"):
        record.unlink()


def run_by_itself(stack: DeployedStack, *jobs: str) -> str:
    """Let the scheduler find that commands are due; its container."""
    container = stack.containers()["scheduler"]
    # Else it might find that by itself already, and be ended in the middle.
    docker("stop", container)
    make_due(stack, *jobs)
    docker("start", container)
    return container


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_is_due_runs_on_the_machine_and_leaves_a_record_and_a_log(scheduled: DeployedStack) -> None:
    container = run_by_itself(scheduled, "gc", "backup")
    assert wait_until(lambda: len([one for one in runs(scheduled) if one["ended"]]) == 2), docker("logs", container)
    found = {one["job"]: one for one in runs(scheduled)}
    assert {job: one["result"] for job, one in found.items()} == {"backup": "done", "gc": "done"}
    assert found["backup"]["ended"] <= found["gc"]["started"]
    assert found["backup"]["bytes"] > 0
    listed = scheduled.deployer("backup", "list", str(scheduled.folder / "backups"), "--json", check=True)
    assert len(json.loads(listed.stdout)["backups"]) == 1
    shown = scheduled.deployer("runs", found["backup"]["id"], check=True)
    assert "Backup 20" in shown.stdout
    password = (scheduled.directory / "backup-password").read_text().strip()
    assert not any(password.encode() in content for content in files_of(scheduled.directory / "runs").values())
    assert status(scheduled)["schedule"]["problems"] == []
    _expect_on_page(scheduled)


def _expect_on_page(scheduled: DeployedStack) -> None:
    """What ran, as the page is told it, without the paths of the machine."""
    with scheduled.client as client:
        assert client.get("/overview/session").json()["upkeep"] is True
        answer = client.get("/overview/upkeep")
    told = answer.json()["upkeep"]
    assert {one["job"]: one["result"] for one in told["runs"]} == {"backup": "done", "gc": "done"}
    assert {one["job"] for one in told["jobs"]} == {"backup", "gc"}
    assert told["backup"] is not None
    assert str(scheduled.folder) not in answer.text


def test_up_keeps_the_scheduler_and_nothing_else_is_mounted_by_it(scheduled: DeployedStack) -> None:
    before = scheduled.containers()["scheduler"]
    assert "Already running" in scheduled.deployer("up", check=True).stderr
    assert scheduled.containers()["scheduler"] == before
    [seen] = json.loads(docker("inspect", before))
    assert [mount["Type"] for mount in seen["Mounts"]] == ["bind"]
    assert status(scheduled)["ready"] is True


def test_a_run_waits_for_its_turn_and_is_recorded_however_it_ends(scheduled: DeployedStack) -> None:
    for end, sentence in (("stop", "stopped"), ("kill", "killed")):
        with exclusive(scheduled.directory / ".lock", "prune"):
            container = run_by_itself(scheduled, "gc")
            assert wait_until(lambda: any(one["result"] == "running" for one in runs(scheduled)))
            with scheduled.client as client:
                assert client.get("/overview/upkeep").json()["upkeep"]["alive"] is not None
            # Its own record is there before it has said that it waits.
            assert wait_until(lambda: "prune" in scheduled.deployer("runs", "--log").stdout)
            docker(end, container)
            [found] = runs(scheduled)
        assert found["result"] == "interrupted"
        assert sentence in found["message"]
        assert (found["ended"] is None) == (end == "kill")
        [problem] = status(scheduled)["schedule"]["problems"]
        assert "was interrupted" in problem
        assert scheduled.deployer("doctor").returncode == 1
        docker("start", container)
    assert scheduled.deployer("run-scheduled", "gc").returncode == 0
    assert status(scheduled)["schedule"]["problems"] == []
    assert helpers(scheduled) == []


def test_a_run_that_fails_is_said_with_its_log(scheduled: DeployedStack) -> None:
    backups = scheduled.folder / "backups"
    backups.rename(scheduled.folder / "elsewhere")
    try:
        failed = scheduled.deployer("run-scheduled", "backup")
    finally:
        (scheduled.folder / "elsewhere").rename(backups)
    assert failed.returncode == 1
    [problem] = status(scheduled)["schedule"]["problems"]
    assert "The backups at" in problem
    assert "Check that the disk is mounted" in scheduled.deployer("runs", "--log", check=True).stdout
    assert "failed" in scheduled.deployer("runs", "--job", "backup", check=True).stdout
    with scheduled.client as client:
        assert client.get("/overview/upkeep").json()["upkeep"]["runs"][0]["result"] == "failed"


def test_what_was_never_scheduled_is_refused_and_a_damaged_record_is_named(scheduled: DeployedStack) -> None:
    before = runs(scheduled)
    refused = scheduled.deployer("run-scheduled", "prune")
    assert (refused.returncode, "prune is not scheduled" in refused.stderr) == (2, True)
    assert runs(scheduled) == before
    record = scheduled.directory / "runs" / "20261201T000000Z-gc.json"
    record.write_text('{"job": "gc", "started": "2026-12-01T00:00:00"}')
    listed = scheduled.deployer("runs", check=True)
    assert f"The record {record} is damaged." in listed.stderr
    assert status(scheduled)["name"] == scheduled.name
    record.unlink()


def test_a_schedule_that_is_taken_out_of_the_file_is_removed(scheduled: DeployedStack) -> None:
    write(scheduled, "")
    assert status(scheduled)["schedule"]["problems"] != []
    plan = json.loads(scheduled.deployer("up", "--dry-run", "--json", check=True).stdout)
    assert {"service": "scheduler", "action": "remove", "reason": ""} in plan["services"]
    scheduled.deployer("up", check=True)
    assert "scheduler" not in scheduled.containers()
    assert not (scheduled.directory / "schedule" / "run.sh").exists()
    assert status(scheduled)["schedule"] == {"runner": "none", "jobs": [], "problems": []}
    # What ran is still known, and goes with the deployment.
    assert len(runs(scheduled)) > 1
    scheduled.deployer("down", "--volumes", "--yes", check=True)
    left = {path.name for path in scheduled.directory.rglob("*") if path.is_file()}
    # What is needed to restore.
    assert left <= {"backup-password", "backups.json"}
