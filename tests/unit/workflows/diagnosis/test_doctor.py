"""doctor's own rules: which families are checked, and that it never advises itself."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from deployer.cli.output import Output
from deployer.cli.selection import Selection
from deployer.cli.views.diagnosis import DoctorReport
from deployer.errors import DeployerError, EngineUnavailable
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.diagnosis import clock_findings, doctor, reachability_findings, trust_findings
from deployer.workflows.diagnosis.examined import Family
from deployer.workflows.finding import Finding, FindingState
from tests.support.fake_engine import FakeContainers, FakeEngine, FakeSystem, service_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deployer.workflows.diagnosis.examined import Examined


class Silent(FakeSystem):
    def version(self) -> str:
        raise EngineUnavailable("No Docker engine answers.", ("deployer doctor", "docker info"))


def fine(_examined: Examined) -> Iterator[Finding]:
    yield Finding(FindingState.OK, "This is well.")


def failing(_examined: Examined) -> Iterator[Finding]:
    yield Finding(FindingState.OK, "The first step is well.")
    raise DeployerError("The second is not.", ("deployer doctor   (on this machine)", "deployer up"), "its words")


def examine(engine: FakeEngine, folder: Path) -> list[Finding]:
    environment = {"HOME": str(folder)}
    stack = Stack(Settings(), Deployment.of("registry", environment), engine)
    return list(doctor.examine(stack, environment, named=False))


def test_a_family_that_fails_does_not_silence_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_FAMILIES", (Family(failing), Family(fine)))
    told = examine(FakeEngine(), tmp_path)[1:]
    assert [(one.state, one.sentence) for one in told] == [
        ("ok", "The first step is well."),
        ("wrong", "The second is not."),
        ("ok", "This is well."),
    ]
    assert (told[1].advice, told[1].original) == (("deployer up",), "its words")


def test_what_is_wrong_for_all_who_ask_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def expired(minute: int) -> Family:
        def look(_examined: Examined) -> Iterator[Finding]:
            raise DeployerError(f"The certificate expired on 2026-12-01 00:00 UTC; the clock says 10:{minute} UTC.")

        return Family(look)

    monkeypatch.setattr(doctor, "_FAMILIES", (expired(10), Family(fine), expired(11), Family(fine)))
    assert [one.state for one in examine(FakeEngine(), tmp_path)[1:]] == ["wrong", "ok", "ok"]


def test_a_finding_is_told_before_the_next_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def late(_examined: Examined) -> Iterator[Finding]:
        looked.append("late")
        yield Finding(FindingState.OK, "It answers at last.")

    monkeypatch.setattr(doctor, "_FAMILIES", (Family(fine), Family(late)))
    environment = {"HOME": str(tmp_path)}
    stack = Stack(Settings(), Deployment.of("registry", environment), FakeEngine())
    out = io.StringIO()
    for finding in doctor.examine(stack, environment, named=False):
        DoctorReport((finding,), Selection()).print(Output(out, out))
        if finding.sentence == "This is well.":
            assert not looked
    assert looked == ["late"]


@pytest.mark.parametrize("service", ["registry", "frontend"])
def test_what_is_paused_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    """It takes a connection and never answers."""
    families = (Family(fine), Family(failing, needs_registry=True), Family(failing, needs_registry=True))
    monkeypatch.setattr(doctor, "_FAMILIES", families)
    others = {"registry", "frontend"} - {service}
    found = [service_container(service, "paused"), *(service_container(one, "running") for one in others)]
    told = examine(FakeEngine(containers=FakeContainers(found=found)), tmp_path)[1:]
    assert [(one.state, one.sentence) for one in told] == [
        ("ok", "This is well."),
        ("note", f"The registry was not contacted, because the service {service} is paused."),
    ]
    assert told[1].advice == (f"docker unpause registry-{service}-1",)
    away = Stack(
        Settings(host="registry.example"),
        Deployment("registry", tmp_path),
        FakeEngine(containers=FakeContainers(found=found)),
    )
    told = list(doctor.examine(away, {"HOME": str(tmp_path)}, named=False))[1:]
    assert [one.state for one in told] == ["ok", "ok", "wrong", "ok"], "another registry is meant"


def test_without_an_engine_what_needs_none_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_FAMILIES", (Family(failing, needs_engine=True), Family(fine)))
    engine, other = examine(FakeEngine(system=Silent()), tmp_path)
    assert (engine.state, engine.advice) == ("wrong", ("docker info",))
    assert other.sentence == "This is well."


def test_all_that_ask_the_registry_wait_for_none_that_is_paused() -> None:
    asking = {family.examine for family in doctor._FAMILIES if family.needs_registry}
    assert asking == {reachability_findings.examine, trust_findings.look, clock_findings.registry}
