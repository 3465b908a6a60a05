"""Having the engine started with the machine, by whatever starts programs there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.host.daemon.kind import EngineKind
from deployer.host.programs import Finished
from deployer.workflows.autostart.engine_start import Machine, StartPlan, apply, plan, starts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SYSTEM, ROOTLESS, DESKTOP = EngineKind.SYSTEM, EngineKind.ROOTLESS, EngineKind.DESKTOP


@dataclass
class Programs:
    """Programs that answer with what the init knows of the engine, and remember what they were told."""

    state: str = "disabled"
    runlevels: str = "          docker | boot\n"
    fails: str = ""
    told: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str]) -> Finished:
        words = [word for word in command if "=" not in word and word != "env"]
        if "is-enabled" in words:
            return Finished(0 if self.state == "enabled" else 1, f"{self.state}\n")
        if words == ["rc-update", "show"]:
            return Finished(0, self.runlevels)
        self.told.append(" ".join(words))
        return Finished(1, "Access denied\n") if self.fails and self.fails in words else Finished(0, "")


def machine(tmp_path: Path, programs: Programs, **values: object) -> Machine:
    usual = Machine(
        has_systemd=True, has_openrc=False, is_wsl=False, user="ann", is_root=True, run=programs, lingering=tmp_path
    )
    return replace(usual, **values)  # type: ignore[arg-type]


def done(where: Machine, kind: EngineKind = SYSTEM, *, remove: bool = False) -> StartPlan:
    found = plan(where, kind, remove=remove)
    apply(where, found)
    return found


def test_systemd_enables_the_service_and_only_if_it_is_not_enabled(tmp_path: Path) -> None:
    programs = Programs()
    done(machine(tmp_path, programs))
    assert programs.told == ["systemctl enable docker.service"]
    assert done(machine(tmp_path, Programs("enabled"))).commands == ()
    programs = Programs("enabled")
    done(machine(tmp_path, programs), remove=True)
    assert programs.told == ["systemctl disable docker.service"]
    assert done(machine(tmp_path, Programs("disabled")), remove=True).commands == ()


def test_a_rootless_engine_also_runs_without_a_login(tmp_path: Path) -> None:
    programs = Programs()
    ann = machine(tmp_path, programs, is_root=False)
    done(ann, ROOTLESS)
    assert programs.told == ["systemctl --user enable docker.service", "loginctl enable-linger ann"]
    (tmp_path / "ann").touch()
    programs.state = "enabled"
    assert plan(ann, ROOTLESS, remove=False).commands == ()
    assert starts(ann, ROOTLESS) is True


def test_openrc_adds_the_service_to_a_runlevel(tmp_path: Path) -> None:
    programs = Programs(runlevels="   sshd | default\n")
    alpine = machine(tmp_path, programs, has_systemd=False, has_openrc=True)
    assert starts(alpine, SYSTEM) is False
    done(alpine)
    assert programs.told == ["rc-update add docker default"]
    there = machine(tmp_path, Programs(), has_systemd=False, has_openrc=True)
    assert (starts(there, SYSTEM), plan(there, SYSTEM, remove=False).commands) == (True, ())
    assert plan(there, SYSTEM, remove=True).commands == (("rc-update", "del", "docker", "default"),)


def test_who_is_not_root_gets_the_command_for_root(tmp_path: Path) -> None:
    programs = Programs()
    with pytest.raises(HostError) as caught:
        done(machine(tmp_path, programs, is_root=False))
    assert caught.value.advice == ("sudo systemctl enable docker.service",)
    assert programs.told == []


@pytest.mark.parametrize(
    ("values", "kind", "advice"),
    [
        ({"has_systemd": False}, SYSTEM, "@reboot"),
        ({"has_systemd": False, "is_wsl": True}, SYSTEM, "/etc/wsl.conf"),
        ({"has_systemd": False, "has_openrc": True}, ROOTLESS, "start dockerd"),
        ({}, DESKTOP, "In its settings"),
    ],
)
def test_where_it_cannot_be_done_it_says_what_to_do(
    tmp_path: Path, values: dict[str, object], kind: EngineKind, advice: str
) -> None:
    where = machine(tmp_path, Programs(), **values)
    assert starts(where, kind) is None
    with pytest.raises(HostError) as caught:
        plan(where, kind, remove=False)
    assert any(advice in line for line in caught.value.advice)


def test_without_an_init_the_advice_is_for_what_was_asked_and_for_who_asked(tmp_path: Path) -> None:
    def advice(*, kind: EngineKind = SYSTEM, remove: bool = False, is_root: bool = True) -> str:
        with pytest.raises(HostError) as caught:
            plan(machine(tmp_path, Programs(), has_systemd=False, is_root=is_root), kind, remove=remove)
        return " ".join(caught.value.advice)

    assert "| crontab -" in advice()
    # A crontab of your own starts nothing as root.
    assert "(sudo crontab -l; echo '@reboot dockerd') | sudo crontab -" in advice(is_root=False)
    assert "crontab -" not in advice(kind=ROOTLESS, is_root=False)
    assert "start dockerd:" not in advice(remove=True)


@pytest.mark.parametrize("state", ["not-found", "", "Failed to get unit file state for docker.service"])
def test_an_engine_without_a_unit_is_not_judged(tmp_path: Path, state: str) -> None:
    where = machine(tmp_path, Programs(state))
    assert starts(where, SYSTEM) is None
    with pytest.raises(HostError):
        plan(where, SYSTEM, remove=False)


def test_a_command_that_fails_is_said_with_its_words(tmp_path: Path) -> None:
    ann = machine(tmp_path, Programs(fails="enable-linger"), is_root=False)
    with pytest.raises(HostError) as caught:
        done(ann, ROOTLESS)
    assert (caught.value.original, caught.value.advice) == ("Access denied", ("sudo loginctl enable-linger ann",))
