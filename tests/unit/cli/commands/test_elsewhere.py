"""Commands about the users, rules and runs of this machine, with the address of a registry elsewhere."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from deployer.cli.main import main
from deployer.cli.output import Output
from deployer.cli.session import Session
from deployer.errors import NotFound
from deployer.paths import Deployment
from deployer.record import Record
from deployer.settings.values import account
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.users import in_force
from tests.support.fake_engine import service_container

if TYPE_CHECKING:
    from pathlib import Path

HASH = "$2b$10$" + "a" * 53
ELSEWHERE = ("--host", "192.0.2.9")
CHANGES = (
    ("user", "remove", "alice", "--yes"),
    ("user", "remove", "alice", "--dry-run"),
    ("user", "add", "carol", "--password-stdin"),
    ("user", "password", "alice", "--password-stdin"),
    ("user", "import", "x.htpasswd"),
)
READS = (("user", "list"), ("access", "explain", "alice", "pull", "app"), ("access", "diff"), ("runs",))


@dataclass
class Machine:
    """The command line on a machine without an engine."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch
    out: str = ""
    err: str = ""

    @property
    def deployment(self) -> Deployment:
        return Deployment.of("registry", {"XDG_DATA_HOME": str(self.folder / "data")})

    @property
    def users(self) -> bytes:
        return self.deployment.users_file.read_bytes()

    def deploy(self) -> None:
        """Let there be a deployment at localhost:5000 with two users."""
        self.deployment.directory.mkdir(parents=True)
        self.deployment.users_file.write_bytes(account.written(account.Account(one, HASH) for one in ("alice", "bob")))
        self.deployment.compose_file.touch()
        self.deployment.record_file.write_bytes(Record("localhost", 5000).content)

    def run(self, *words: str) -> int:
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"correct horse battery staple\n"), "utf-8"))
        code = main(list(words))
        self.out, self.err = self.capture.readouterr()
        return code


@pytest.fixture
def machine(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(in_force, "apply", lambda _stack: True)
    monkeypatch.setattr(Stack, "containers", lambda _self: ())
    (tmp_path / "x.htpasswd").write_text(f"carol:{HASH}\n")
    return Machine(tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize("words", [*CHANGES, *READS], ids=" ".join)
@pytest.mark.parametrize("named", [(), ("--name", "registry")], ids=["", "named"])
def test_the_deployment_of_this_machine_is_not_taken_for_a_registry_elsewhere(
    machine: Machine, words: tuple[str, ...], named: tuple[str, ...]
) -> None:
    machine.deploy()
    before = machine.users
    assert machine.run(*named, *ELSEWHERE, *words) == 1
    assert "The deployment 'registry' on this machine is at localhost:5000, not at 192.0.2.9:5000." in machine.err
    assert "To use 'registry', omit --host and --port." in machine.err
    assert (machine.out, machine.users) == ("", before)


@pytest.mark.parametrize("words", CHANGES, ids=" ".join)
def test_users_are_not_changed_with_a_file_that_has_another_registrys_address(
    machine: Machine, words: tuple[str, ...]
) -> None:
    machine.deploy()
    (machine.folder / "deployer.yaml").write_text("host: registry.example\ntls: internal\n")
    before = machine.users
    assert machine.run(*words) == 1
    assert "is at localhost:5000, but the settings say registry.example:5000." in machine.err
    assert machine.users == before


@pytest.mark.parametrize("words", [*CHANGES, *READS[:2], READS[3]], ids=" ".join)
def test_the_own_address_is_taken(machine: Machine, words: tuple[str, ...]) -> None:
    machine.deploy()
    assert machine.run("--host", "localhost", "--port", "5000", *words) == 0


@pytest.mark.parametrize("words", READS, ids=" ".join)
@pytest.mark.parametrize("told", ["flag", "variable"])
def test_a_client_states_nothing_about_a_registry_elsewhere(
    machine: Machine, words: tuple[str, ...], told: str
) -> None:
    if told == "variable":
        machine.patch.setenv("DEPLOYER_HOST", "192.0.2.9")
    assert machine.run(*(ELSEWHERE if told == "flag" else ()), *words) == 1
    assert "No deployment at 192.0.2.9:5000 on this machine; this command works only on the machine" in machine.err
    assert machine.out == ""


def test_a_deployment_whose_files_are_lost_is_known_by_its_containers(machine: Machine) -> None:
    """What the commands then say of the lost users is to be read."""
    session = Session(None, None, "192.0.2.9", None, dict(os.environ), machine.folder, Output(sys.stdout, sys.stderr))
    with pytest.raises(NotFound):
        session.refuse_elsewhere(before_up=True)
    machine.patch.setattr(Stack, "containers", lambda _self: (service_container("registry", "running"),))
    session.refuse_elsewhere(before_up=True)


@pytest.mark.parametrize("address", [(), ("--port", "5077"), ("--name", "new", *ELSEWHERE)], ids=" ".join)
def test_before_the_first_up_users_and_rules_are_shown(machine: Machine, address: tuple[str, ...]) -> None:
    assert machine.run(*address, "user", "list") == 0
    assert machine.run(*address, "access", "explain", "anonymous", "pull", "app") == 0


def test_a_file_says_before_the_first_up_where_the_registry_will_be(machine: Machine) -> None:
    (machine.folder / "deployer.yaml").write_text("host: registry.example\ntls: internal\n")
    assert machine.run("user", "add", "carol", "--password-stdin") == 0
    assert machine.run("user", "list") == 0
    assert machine.run("access", "explain", "carol", "pull", "app") == 0
