"""What `logs` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.errors import NotFound, UsageError
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.diagnosis.logs import follow_logs
from tests.support.fake_engine import FakeContainers, FakeEngine

if TYPE_CHECKING:
    from pathlib import Path


def ask(folder: Path, since: str) -> None:
    stack = Stack(Settings(), Deployment("registry", folder), FakeEngine(containers=FakeContainers()))
    follow_logs(stack, (), follow=False, tail="", since=since)


def test_a_deployment_that_is_down_is_not_called_unknown(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No deployment named 'registry' on this machine"):
        ask(tmp_path, "")
    Deployment("registry", tmp_path).users_file.touch()
    with pytest.raises(NotFound, match="The registry is not running") as raised:
        ask(tmp_path, "")
    assert raised.value.advice == ("deployer up",)


@pytest.mark.parametrize(
    "since",
    ["2026-13-45", "2026-02-30", "2026-01-31T25", "2026-01-31T12:60", "2026-01-31T12:00:00+99:99", "0000-01-01"],
)
def test_a_moment_that_is_on_no_calendar_is_refused(tmp_path: Path, since: str) -> None:
    with pytest.raises(UsageError, match="--since must be"):
        ask(tmp_path, since)


@pytest.mark.parametrize(
    "since", ["2024-02-29", "2026-01-31T23:59:59.9Z", "2026-01-31T12+09:30", "1700000000", "1h30m"]
)
def test_one_that_is_passes(tmp_path: Path, since: str) -> None:
    # Nothing is deployed: the moment was taken.
    with pytest.raises(NotFound):
        ask(tmp_path, since)
