"""What the unit tests of all rooms share."""

from __future__ import annotations

import pytest

from deployer.registry.connection.transport import Timeouts
from deployer.tls.probe import Peer
from tests.support.run import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the servers of the tests as long as a busy machine takes, where a test says nothing else."""
    monkeypatch.setattr(Timeouts.__init__, "__defaults__", (PATIENCE_SECONDS, PATIENCE_SECONDS))
    defaults = Peer.__init__.__defaults__ or ()
    monkeypatch.setattr(Peer.__init__, "__defaults__", (PATIENCE_SECONDS, *defaults[1:]))


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no unit test find the engine of this machine, which may run a deployment."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/engine/for/unit/tests.sock")
