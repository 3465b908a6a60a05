"""When `up` plans again under the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.checks import readiness
from deployer.workflows.deployment import up
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.deployment.up_plan import UpPlan
from tests.support.fake_engine import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `up` with plans that change nothing; returns how many there were."""
    monkeypatch.setattr(readiness, "wait", lambda *_: None)

    def run(*warnings: str, meanwhile: Callable[[Deployment], None] = lambda _: None) -> int:
        deployment = Deployment("registry", tmp_path / "registry")
        plans: list[UpPlan] = []

        def plan_up(stack: Stack, *, rebuild: bool) -> UpPlan:
            if not plans:
                meanwhile(deployment)
            plans.append(UpPlan((), (), (), warnings))
            return plans[-1]

        monkeypatch.setattr(up, "plan_up", plan_up)
        prompts = up.UserPrompts(report=lambda _: None, confirm_install=lambda _: None, confirm_loss=lambda _: None)
        up.up(Stack(Settings(), deployment, FakeEngine()), rebuild=False, timeout=1, prompts=prompts, quiet=True)
        return len(plans)

    return run


def test_a_first_up_that_asks_nothing_plans_once(planned: Callable[..., int]) -> None:
    assert planned() == 1


def test_after_a_question_it_plans_again(planned: Callable[..., int]) -> None:
    assert planned("The images stay where they are.") == 2


def test_where_another_command_came_between_it_plans_again(planned: Callable[..., int]) -> None:
    def other(deployment: Deployment) -> None:
        deployment.directory.mkdir()
        deployment.compose_file.write_text("services: {}")

    assert planned(meanwhile=other) == 2


def test_where_a_deployment_is_there_the_one_plan_is_made_under_the_lock(planned: Callable[..., int]) -> None:
    assert planned() == 1
    assert planned() == 1
