"""What is said of the room on the disk with the images."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from deployer.errors import EngineError
from deployer.workflows.checks import disk_room
from deployer.workflows.checks.disk_room import DiskRoom
from deployer.workflows.finding import FindingState
from tests.support.fake_engine import FakeContainers, FakeEngine, service_container

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GB = 10**9
ROOM = DiskRoom(50 * GB, 40 * GB, 2 * GB, 1_000_000, 900_000, 10_000, refused=False)
FULL = replace(ROOM, free=1_200_000_000, refused=True)


def noted(room: DiskRoom) -> str:
    found = {name: value for name, value in asdict(room).items() if name != "days_left"}
    return json.dumps({"disk": found}) + "\n"


def test_a_report_is_read_with_the_growth() -> None:
    assert disk_room.read(noted(ROOM), NOW) == ROOM
    lines = [
        f"{int((NOW - timedelta(hours=hour)).timestamp())} {50 * GB // 1024} {(40 * GB + hour * GB) // 1024}\n"
        for hour in range(24 * 5)
    ]
    # In whole KiB, as the disk has it.
    room = replace(ROOM, bytes=50 * GB // 1024 * 1024)
    assert disk_room.read(noted(room) + "".join(lines), NOW) == replace(room, days_left=1)


@pytest.mark.parametrize("printed", ["", "\n", "1 2 3\n", "{}", '{"disk": null}', '{"disk": {"bytes": 1}}', "not JSON"])
def test_a_report_of_a_disk_that_tells_nothing(printed: str) -> None:
    assert disk_room.read(printed, NOW) is None


def test_a_frontend_that_has_no_guard_says_nothing() -> None:
    class Old(FakeContainers):
        def execute(self, container: str, *command: str) -> str:
            raise EngineError("sh: cannot open /etc/deployer/disk.sh")

    engine = FakeEngine()
    engine.containers = Old(found=[service_container("frontend", "running")])
    assert disk_room.look_through(engine, "registry", NOW) is None
    engine.containers = Old()
    assert disk_room.look_through(engine, "registry", NOW) is None


def test_refused_pushes_are_wrong_with_the_figures_and_what_helps() -> None:
    (found,) = disk_room.findings(FULL)
    assert found.state is FindingState.WRONG
    assert found.sentence == (
        "Pushes are refused: the registry's disk is nearly full (1.2 GB free of 50 GB; limit 2 GB)."
    )
    assert [line.partition("  ")[0] for line in found.advice[:2]] == [
        "deployer gc",
        "deployer prune --older-than 30d --dry-run",
    ]
    assert "registry.reserve in deployer.yaml" in found.advice[2]


def test_between_closing_and_opening_it_is_said_from_when_on() -> None:
    (found,) = disk_room.findings(replace(FULL, free=2_100_000_000))
    assert "(2.1 GB free of 50 GB; limit 2 GB, accepted again from 2.2 GB free)" in found.sentence


def test_missing_inodes_are_said_as_that() -> None:
    (found,) = disk_room.findings(replace(ROOM, free_inodes=900, refused=True))
    assert "(900 inodes free of 1000000; limit 10000)" in found.sentence
    assert not any("registry.reserve" in line for line in found.advice)


@pytest.mark.parametrize(
    ("room", "said"),
    [
        (replace(ROOM, free=4 * GB), ""),
        (replace(ROOM, free=4 * GB - 1), "below the limit, pushes will be refused."),
        (replace(ROOM, free=3 * GB, days_left=30), "the limit will be reached in about 30 days at the current rate."),
        (replace(ROOM, days_left=7), ""),
        (replace(ROOM, days_left=6), "the limit will be reached in about 6 days at the current rate."),
        (replace(ROOM, days_left=1), "the limit will be reached in about 1 day at the current rate."),
        (replace(ROOM, days_left=0), "the limit will be reached within a day at the current rate."),
        (replace(ROOM, free_inodes=15_000), "below the limit, pushes will be refused."),
        (replace(ROOM, free=0, limit=0, inodes_limit=0, days_left=0), ""),
        (None, ""),
    ],
)
def test_a_full_disk_is_announced(room: DiskRoom | None, said: str) -> None:
    found = disk_room.findings(room)
    assert [one.state for one in found] == ([FindingState.NOTE] if said else [])
    assert all(one.sentence.endswith(said) for one in found)
