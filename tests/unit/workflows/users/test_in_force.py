"""A change of the users: kept, taken over by a running frontend, and finished where it was interrupted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.errors import EngineError, PreflightError
from deployer.host.lock import exclusive
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.settings.values.account import Account
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.users import in_force
from tests.support.fake_engine import ENDPOINT, FakeContainers, FakeEngine, elsewhere, service_container

if TYPE_CHECKING:
    from deployer.engine.values import ServiceContainer

HASH = "$2b$12$" + "a" * 53
ANNA, BERT = Account("anna", HASH), Account("bert", HASH)


@dataclass
class Frontend(FakeContainers):
    """A frontend that runs, or does not; it keeps what it found when it was told to read."""

    folder: Path = Path()
    state: str = "running"
    refuses: bool = False
    read: list[str] = field(default_factory=list)

    def of_project(self, project: str, states: object = ()) -> tuple[ServiceContainer, ...]:
        return (service_container("frontend", self.state),)

    def execute(self, container: str, *command: str) -> str:
        assert command[:2] == ("caddy", "reload")
        if self.refuses:
            raise EngineError("no", original="adapting config: line 3")
        self.read.append((self.folder / "frontend/access/users").read_text())
        return ""


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment("registry", tmp_path)
    made.compose_file.write_text("services: {}")
    return made


def stack_of(
    deployment: Deployment, settings: Settings | None = None, frontend: Frontend | None = None, place: str = ENDPOINT
) -> Stack:
    frontend = replace(frontend or Frontend(), folder=deployment.directory)
    return Stack(settings or Settings(), deployment, FakeEngine(containers=frontend, system=elsewhere(place)))


def test_a_change_is_kept_read_and_leaves_no_mark(deployment: Deployment) -> None:
    stack = stack_of(deployment)
    assert in_force.keep(stack, (BERT, ANNA), "user add bert")
    assert deployment.users_file.read_text() == f"anna:{HASH}\nbert:{HASH}\n"
    assert deployment.users_file.stat().st_mode & 0o777 == 0o600
    assert (deployment.directory / "frontend/access/users").stat().st_mode & 0o777 == 0o600
    (read,) = stack.engine.containers.read  # type: ignore[attr-defined]
    assert read.startswith(f'"anna" "{HASH}"\n"bert" "{HASH}"\n')
    assert not deployment.reload_pending_file.exists()


def test_with_an_engine_elsewhere_nothing_is_kept_that_the_frontend_here_would_not_read(deployment: Deployment) -> None:
    with pytest.raises(PreflightError, match="on another machine"):
        in_force.keep(stack_of(deployment, place="ssh://there"), (ANNA,), "user add anna")
    assert not deployment.users_file.exists()
    assert not deployment.reload_pending_file.exists()


def test_a_change_leaves_the_rules_in_effect_alone(deployment: Deployment) -> None:
    grants = deployment.directory / "frontend/access/grants"
    grants.parent.mkdir(parents=True)
    grants.write_text("as `up` wrote them")
    in_force.keep(stack_of(deployment), (ANNA,), "user add anna")
    assert grants.read_text() == "as `up` wrote them"


def test_before_the_first_up_only_the_users_are_kept(tmp_path: Path) -> None:
    deployment = Deployment("registry", tmp_path / "registry")
    assert not in_force.keep(stack_of(deployment), (ANNA,), "user add anna")
    assert [path.name for path in deployment.directory.iterdir()] == ["users"]


def test_a_frontend_that_does_not_run_reads_when_it_starts(deployment: Deployment) -> None:
    assert not in_force.keep(stack_of(deployment, frontend=Frontend(state="exited")), (ANNA,), "user add anna")
    assert not deployment.reload_pending_file.exists()


def test_a_frontend_that_refuses_is_told_of_and_the_mark_stays(deployment: Deployment) -> None:
    stack = stack_of(deployment, frontend=Frontend(refuses=True))
    with pytest.raises(EngineError, match="it still uses the previous ones") as caught:
        in_force.keep(stack, (ANNA,), "user add anna")
    assert caught.value.original == "adapting config: line 3"
    assert deployment.reload_pending_file.exists()
    assert in_force.finish(stack).startswith("The change made by `deployer user add anna` is not in effect yet: ")
    stack.engine.containers.refuses = False  # type: ignore[attr-defined]
    assert in_force.finish(stack) == "The change made by `deployer user add anna`, which had failed, is now in effect."
    assert not deployment.reload_pending_file.exists()
    assert in_force.finish(stack) == ""


def test_a_change_that_was_interrupted_is_told_as_such(deployment: Deployment) -> None:
    deployment.reload_pending_file.write_text("user add anna")
    assert in_force.finish(stack_of(deployment, frontend=Frontend(refuses=True))).startswith(
        "`deployer user add anna` was interrupted, and its change may not be in effect yet: "
    )
    said = in_force.finish(stack_of(deployment))
    assert said.startswith("`deployer user add anna` was interrupted. Check whether it took effect, and repeat it")


@pytest.mark.parametrize(
    ("content", "word"), [("", "was interrupted"), ("up", "was interrupted"), ("up\nfailed", "failed")]
)
def test_what_up_had_begun_only_up_finishes(deployment: Deployment, content: str, word: str) -> None:
    stack = stack_of(deployment)
    deployment.apply_pending_file.write_text(content)
    deployment.reload_pending_file.write_text("user remove bert")
    assert in_force.finish(stack).startswith(f"`deployer up` {word}; the previous users")
    assert in_force.finish(stack, by_up=True) == "", "it does so itself"
    assert deployment.apply_pending_file.exists()
    assert deployment.reload_pending_file.exists()


def test_nothing_is_said_of_a_change_by_a_running_command(deployment: Deployment) -> None:
    deployment.apply_pending_file.touch()
    with exclusive(deployment.lock_file, "up"):
        assert in_force.finish(stack_of(deployment)) == ""


def test_a_paused_frontend_keeps_the_mark(deployment: Deployment) -> None:
    assert not in_force.keep(stack_of(deployment, frontend=Frontend(state="paused")), (ANNA,), "user remove bert")
    assert deployment.reload_pending_file.read_text() == "user remove bert"
