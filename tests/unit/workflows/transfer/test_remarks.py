from __future__ import annotations

import pytest

from deployer.settings.model import Settings
from deployer.workflows.transfer.remarks import Transfer, remarks
from tests.support.fake_engine import FakeEngine, elsewhere


def said(
    transfer: Transfer, variables: dict[str, str], settings: Settings | None = None, place: str = "ssh://there"
) -> tuple[str, ...]:
    engine = FakeEngine(system=elsewhere(place))
    return remarks(transfer, settings or Settings(), engine, {"HOME": "/nowhere", **variables})


def test_nothing_is_said_where_nothing_is_set() -> None:
    assert said(Transfer.PUSH, {}) == said(Transfer.PULL, {}) == ()


def test_the_platform_is_told_of_a_pull_and_not_of_a_push_which_ignores_it() -> None:
    variables = {"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}
    assert "linux/arm64" in said(Transfer.PULL, variables)[0]
    assert said(Transfer.PUSH, variables) == ()


def test_a_platform_that_was_asked_for_counts_more() -> None:
    variables = {"HOME": "/nowhere", "DOCKER_DEFAULT_PLATFORM": "linux/arm64"}
    assert remarks(Transfer.PULL, Settings(), FakeEngine(), variables, "linux/amd64") == ()


@pytest.mark.parametrize("transfer", Transfer)
@pytest.mark.parametrize("value", ["1", "true", "yes", "whatever"])
def test_content_trust_is_told_with_the_server_that_it_asks(transfer: Transfer, value: str) -> None:
    assert "https://localhost:5000" in said(transfer, {"DOCKER_CONTENT_TRUST": value})[0]
    other = {"DOCKER_CONTENT_TRUST": value, "DOCKER_CONTENT_TRUST_SERVER": "https://notary"}
    assert "https://notary" in said(transfer, other)[0]


@pytest.mark.parametrize("value", ["", "0", "false", "F"])
def test_content_trust_that_is_off_is_not_told(value: str) -> None:
    assert said(Transfer.PULL, {"DOCKER_CONTENT_TRUST": value}) == ()


@pytest.mark.parametrize("variables", [{"DOCKER_HOST": "ssh://there"}, {"DOCKER_CONTEXT": "there"}])
def test_an_engine_elsewhere_is_told_where_this_machines_own_address_is_meant(variables: dict[str, str]) -> None:
    assert "another machine (ssh://there)" in said(Transfer.PUSH, variables)[0]
    assert said(Transfer.PUSH, variables, Settings(host="registry.example")) == ()


def test_a_context_of_this_machine_is_not_told() -> None:
    here = "unix:///run/user/1000/docker.sock"
    assert said(Transfer.PULL, {"DOCKER_CONTEXT": "rootless"}, place=here) == ()
