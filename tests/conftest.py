"""The engine and the deployments that tests of several rooms use."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import hypothesis
import pytest

import tests.support.program  # noqa: F401  (for the commands that run in the tests' own process)
from deployer.workflows.deployment.provision import BUILT_FRONTEND, BUILT_REGISTRY
from tests.support.order import put_in_order
from tests.support.run import OWN, RUN, alone, free_port
from tests.support.stack import DeployedStack
from tests.support.sweeping import note_images, own_images, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

# A busy machine is slow, and no fault of what is tested.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background job ignores it, and so would all commands that tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not is_worker(config):
        config.option.testrunuid = RUN
        # As an interruption by keyboard does it, with what the run made removed at its end.
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    put_in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    from tests.support.scheduling import Groups

    return Groups(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove all that the run made, once: by now no worker lives."""
    if not is_worker(session.config):
        sweep()


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A Docker engine that answers and has deployer's images, which one worker builds; the run's end removes them."""
    if subprocess.run(["docker", "info"], check=False, capture_output=True).returncode != 0:
        pytest.fail("No Docker engine answers. `make test` starts one; `make test-fast` needs none.", pytrace=False)
    note_images()
    with alone("build"):
        if not {BUILT_REGISTRY, BUILT_FRONTEND} <= set(own_images()):
            first = DeployedStack(tmp_path_factory.mktemp("build"), f"{OWN}-build", free_port())
            first.up()
            first.remove()


@dataclass
class Deployments:
    """Makes deployments, not yet up, and removes them."""

    folders: pytest.TempPathFactory
    lasting: bool = False
    made: list[DeployedStack] = field(default_factory=list)
    _numbers: ClassVar[Iterator[int]] = count()

    def __call__(self, **settings: str) -> DeployedStack:
        name = f"{OWN}-{next(self._numbers):03}"
        self.made.append(DeployedStack(self.folders.mktemp("stack"), name, free_port(), settings, self.lasting))
        return self.made[-1]

    def remove(self) -> None:
        for stack in self.made:
            stack.remove()


@pytest.fixture(scope="session")
def make_lasting_stack(
    engine: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., DeployedStack]]:
    """Makes deployments for all tests of a worker."""
    deployments = Deployments(tmp_path_factory, lasting=True)
    yield deployments
    deployments.remove()


@pytest.fixture(scope="module")
def make_stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., DeployedStack]]:
    """Makes deployments, which are removed after the module's last test, however its tests end."""
    deployments = Deployments(tmp_path_factory)
    yield deployments
    deployments.remove()


@pytest.fixture(scope="session")
def stack(make_lasting_stack: Callable[..., DeployedStack]) -> DeployedStack:
    """One deployment for all tests that bring their own repositories."""
    shared = make_lasting_stack()
    shared.up()
    return shared


@pytest.fixture(scope="session")
def page_stack(stack: DeployedStack) -> DeployedStack:
    """The deployment whose page the browser opens."""
    return stack


@pytest.fixture
def fresh_stack(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedStack]:
    """An empty deployment of the test's own, not yet up."""
    deployments = Deployments(tmp_path_factory)
    yield deployments()
    deployments.remove()
