"""`doctor` says if the engine of a registry on this machine would not start after a reboot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from deployer.engine.system import EngineInfo
from deployer.engine.values import InsecureRegistries
from deployer.host.programs import Finished
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.workflows.autostart.engine_start import Machine
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.diagnosis import engine_findings
from deployer.workflows.diagnosis.examined import Examined
from deployer.workflows.finding import FindingState
from tests.support.fake_engine import FACTS, FakeContainers, FakeEngine, service_container

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.engine.report import EngineReport

SERVICES = (service_container("registry", "running"),)


def examined(tmp_path: Path, *, deployed: bool = True, endpoint: str = FACTS.endpoint) -> Examined:
    engine = FakeEngine(containers=FakeContainers(found=SERVICES if deployed else ()))
    found = Examined(Stack(Settings(), Deployment("registry", tmp_path), engine), {}, named=True)
    info = EngineInfo(replace(FACTS, endpoint=endpoint), cast("EngineReport", None), InsecureRegistries((), ()))
    vars(found)["engine_info"] = info
    return found


def machine(state: str) -> Machine:
    return Machine(
        has_systemd=True, has_openrc=False, is_wsl=False, user="ann", is_root=True, run=lambda _: Finished(1, state)
    )


@pytest.mark.parametrize(("state", "wrong"), [("disabled", True), ("masked", True), ("enabled", False), ("", False)])
def test_an_engine_that_does_not_start_is_wrong(tmp_path: Path, state: str, wrong: bool) -> None:
    found = list(engine_findings.start(examined(tmp_path), machine(state)))
    assert [one.state for one in found] == ([FindingState.WRONG] if wrong else [])
    assert all(one.advice == ("deployer autostart",) for one in found)


def test_nothing_is_said_of_a_machine_without_a_registry_or_of_an_engine_elsewhere(tmp_path: Path) -> None:
    assert list(engine_findings.start(examined(tmp_path, deployed=False), machine("disabled"))) == []
    assert list(engine_findings.start(examined(tmp_path, endpoint="tcp://10.0.0.1:2376"), machine("disabled"))) == []
