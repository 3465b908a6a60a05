"""What runs in the end, however a change of the services fails, and what is said of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import DeployerError, NotReady, UpgradeFailed
from deployer.paths import Deployment
from deployer.record import PinnedImage, Release
from deployer.settings.model import Settings
from deployer.workflows.checks import readiness
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.upgrade import health, kept, switch
from deployer.workflows.upgrade.kept import Kept
from deployer.workflows.upgrade.switch import Change, SwitchPolicy
from tests.support.fake_engine import FakeContainers, FakeEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deployer.workflows.upkeep.maintenance import Upkeep

UNDO = Kept(Release((PinnedImage("registry", "registry:3", "old"),)), ())


class Services:
    """What happens to services, in order; each step fails with the error that it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.steps: list[str] = []
        self.failures: dict[str, BaseException] = {}
        self.runs_old = True
        deployment = Deployment("registry", folder / "registry")
        deployment.directory.mkdir()
        kept.write(deployment.undo_folder, UNDO)
        self.stack = Stack(Settings(), deployment, FakeEngine(containers=FakeContainers()))
        monkeypatch.setattr(readiness, "wait", lambda *_: self.step("wait"))
        monkeypatch.setattr(health, "check", lambda *_: self.step("health"))
        monkeypatch.setattr(switch, "_go_back", self._go_back)
        monkeypatch.setattr(switch, "_runs", lambda *_: self.runs_old)
        monkeypatch.setattr(switch, "_held", self._held)
        monkeypatch.setattr(switch, "to_kept", lambda *_: Change(frozenset({"registry"}), lambda: None))

    def step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.failures:
            raise self.failures[name]

    def run(self) -> switch.Switched:
        policy = SwitchPolicy(lambda _: None, 1, quiet=True)
        change = Change(frozenset({"registry"}), self._apply)
        return switch.switch(self.stack, cast("Upkeep", None), change, UNDO, policy)

    @property
    def is_pending(self) -> bool:
        return self.stack.deployment.upgrade_pending_file.exists()

    def _apply(self) -> None:
        self.runs_old = False
        self.step("apply")

    def _go_back(self, *_: object) -> None:
        self.step("back")
        self.runs_old = True

    @contextmanager
    def _held(self, *_: object) -> Iterator[None]:
        self.steps.append("hold")
        try:
            yield
        finally:
            self.steps.append("release")


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Services:
    return Services(monkeypatch, tmp_path)


def test_a_working_change_stays_and_the_caller_commits_it(services: Services) -> None:
    services.run()
    assert services.steps == ["hold", "apply", "wait", "release", "health"]
    assert services.is_pending


@pytest.mark.parametrize("name", ["apply", "wait"])
def test_what_does_not_become_ready_is_put_back_before_waiting_requests_continue(services: Services, name: str) -> None:
    services.failures[name] = NotReady("It does not respond.", ("deployer logs registry",), "lines")
    with pytest.raises(UpgradeFailed, match=r"the previous images are running again. It does not respond") as raised:
        services.run()
    assert services.steps[-2:] == ["back", "release"]
    assert services.steps.count("back") == 1
    assert (raised.value.advice, raised.value.original) == (("deployer logs registry",), "lines")
    assert not services.is_pending
    assert not services.stack.deployment.undo_folder.exists()


def test_what_fails_its_check_is_put_back_with_requests_held_again(services: Services) -> None:
    services.failures["health"] = UpgradeFailed(
        "The registry responded to the test pull with other content than was pushed."
    )
    with pytest.raises(UpgradeFailed, match="other content"):
        services.run()
    assert services.steps == ["hold", "apply", "wait", "release", "health", "hold", "back", "release"]


def test_an_interruption_rolls_back_and_is_raised(services: Services) -> None:
    services.failures["wait"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt, match="The previous images are running again"):
        services.run()
    assert "back" in services.steps
    assert not services.is_pending


def test_a_bug_rolls_back_too(services: Services) -> None:
    services.failures["apply"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        services.run()
    assert "back" in services.steps


def test_a_failed_rollback_is_tried_again_and_stays_pending(services: Services) -> None:
    services.failures["wait"] = NotReady("The new one does not respond.")
    services.failures["back"] = DeployerError("The old one does not respond either.")
    with pytest.raises(UpgradeFailed, match="previous images do not work either") as raised:
        services.run()
    assert services.steps.count("back") == 2
    assert "deployer upgrade --rollback" in raised.value.advice[0]
    assert services.is_pending
    assert kept.read(services.stack.deployment.undo_folder) == UNDO
