"""What is said if there is no registry whose storage could be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import NotFound
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.upkeep.maintenance import reading
from tests.support.fake_engine import FakeContainers, FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.engine.values import ServiceContainer


class NoContainers(FakeContainers):
    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        return ()


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "No deployment named 'registry' on this machine."),
        ("compose.yaml", "The registry is not running."),
        ("users", "The registry is not running."),
    ],
)
def test_a_deployment_that_was_taken_down_is_not_said_to_be_missing(
    tmp_path: Path, written: str, sentence: str
) -> None:
    deployment = Deployment("registry", tmp_path)
    if written:
        (tmp_path / written).write_text("")
    with pytest.raises(NotFound) as caught:
        reading(Stack(Settings(), deployment, cast("Engine", FakeEngine(containers=NoContainers()))))
    assert caught.value.message == sentence
    assert caught.value.advice[-1] == "deployer up"
