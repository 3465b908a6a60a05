"""When `up` plans again under the lock, and what it leaves where it does not come to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.engine.compose import Compose
from deployer.errors import EngineError
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.checks import disk_room, readiness
from deployer.workflows.deployment import files, provision, up
from deployer.workflows.deployment.service_change import Action, ServiceChange
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.deployment.up_plan import UpPlan
from tests.support.fake_engine import FakeContainers, FakeEngine, NoClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployer.engine.values import Project


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs `up` with plans that change nothing; returns how many there were."""
    monkeypatch.setattr(readiness, "wait", lambda *_: None)
    monkeypatch.setattr(disk_room, "look_through", lambda *_: None)

    def run(*warnings: str, meanwhile: Callable[[Deployment], None] = lambda _: None) -> int:
        deployment = Deployment("registry", tmp_path / "registry")
        plans: list[UpPlan] = []

        def plan_up(stack: Stack, *, rebuild: bool) -> UpPlan:
            if not plans:
                meanwhile(deployment)
            plans.append(UpPlan((), (), (), warnings))
            return plans[-1]

        monkeypatch.setattr(up, "plan_up", plan_up)
        prompts = up.UserPrompts(lambda _: None, lambda _: None, lambda _: None, lambda *_: None)
        engine = FakeEngine(containers=FakeContainers())
        up.up(Stack(Settings(), deployment, engine), rebuild=False, timeout=1, prompts=prompts, quiet=True)
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


class Ending(Compose):
    """Compose that does not come to its end."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(NoClient())
        self.error = error

    def up(self, project: Project, *, first: object = (), recreate: object = (), quiet: bool) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "content"), [(EngineError("A hook ended."), "up\nfailed"), (KeyboardInterrupt(), "up")]
)
def test_what_failed_is_told_from_what_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, content: str
) -> None:
    """The marks that it leaves are read by the next command."""
    plan = UpPlan((), (ServiceChange("db", Action.CREATE), ServiceChange("registry", Action.KEEP)), ())
    monkeypatch.setattr(up, "plan_up", lambda *_, **__: plan)
    monkeypatch.setattr(provision, "fetch", lambda *_: None)
    monkeypatch.setattr(up, "render_deployment", lambda *_: ())
    monkeypatch.setattr(up, "needs_reload", lambda *_: True)
    deployment = Deployment("registry", tmp_path / "registry")
    prompts = up.UserPrompts(lambda _: None, lambda _: None, lambda _: None, lambda *_: None)
    stack = Stack(Settings(), deployment, FakeEngine(compose=Ending(error)))
    with pytest.raises(type(error)):
        up.up(stack, rebuild=False, timeout=1, prompts=prompts, quiet=True)
    assert deployment.apply_pending_file.read_text() == content
    assert files.starting(deployment) == {"db"}
