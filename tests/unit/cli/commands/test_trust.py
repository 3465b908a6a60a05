from __future__ import annotations

import io
import json
import os
import shlex
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from deployer.cli.main import main
from deployer.cli.output import Output
from deployer.cli.presentation import Presentation
from deployer.cli.session import Session
from deployer.cli.views import trust as views
from deployer.cli.views.insecure import show_entry_outcome, show_entry_plan
from deployer.host.daemon import file as daemon_file
from deployer.host.daemon import process
from deployer.host.daemon.kind import EngineKind
from deployer.tls.probe import Peer
from deployer.workflows.trust import client, insecure
from deployer.workflows.trust.client import ClientMachine
from deployer.workflows.trust.configure import TrustOptions
from deployer.workflows.trust.engine_view import EngineView
from deployer.workflows.trust.insecure import DaemonOutcome, DaemonPlan, DaemonRequest
from tests.support.certificates import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESS = "192.168.100.2:5000"


@dataclass
class Shell:
    """The command line in its own folder, without an engine and without any dockerd."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    said: tuple[str, ...] = ("--insecure",)
    out: str = ""
    err: str = ""
    code: int = 0

    @property
    def file(self) -> Path:
        return self.folder / "daemon.json"

    def run(self, *words: str) -> int:
        self.code = main(["configure-daemon", "--host", "192.168.100.2", *self.said, *words])
        self.out, self.err = self.capture.readouterr()
        return self.code

    def json(self, *words: str) -> dict[str, Any]:
        self.run("--file", "daemon.json", "--json", *words)
        return dict(json.loads(self.out))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    monkeypatch.setattr(client, "view_of", lambda engine: EngineView(None, _unasked, "No Docker engine answers."))
    monkeypatch.setattr(process, "validate", lambda machine, daemon, content: False)
    return Shell(tmp_path, capsys)


def _unasked() -> Any:
    raise AssertionError("the engine was asked though none answers")


def test_without_an_engine_the_file_is_written(shell: Shell) -> None:
    assert shell.run("--file", "daemon.json") == 0
    assert json.loads(shell.file.read_text()) == {"insecure-registries": [ADDRESS]}
    assert f'+  "insecure-registries": ["{ADDRESS}"]' in shell.out
    assert f"Created {shell.file}." in shell.out
    assert "No Docker engine answers. Docker reads the file when it starts." in shell.err


@pytest.fixture
def plain(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """The command line, with a registry that answers in plain HTTP and was not said to."""
    shell.said = ()
    with serving(shell.folder, None) as server:
        monkeypatch.setattr(ClientMachine, "registry", lambda self, settings: Peer("127.0.0.1", server.port))
        yield shell


def test_what_answers_in_plain_http_is_agreed_to(plain: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plain.run("--file", "daemon.json") == 1
    assert f"{ADDRESS} uses plain HTTP: nothing is encrypted" in plain.err
    assert f"Allow Docker to use {ADDRESS} without TLS? Cannot prompt: there is no terminal" in plain.err
    assert f'+  "insecure-registries": ["{ADDRESS}"]' in plain.out
    assert not plain.file.exists()
    asked: list[str] = []
    monkeypatch.setattr(Output, "confirm", lambda self, question, **_: asked.append(question))
    assert plain.run("--file", "daemon.json") == 0
    assert ADDRESS in plain.file.read_text()
    # What is listed already was agreed to.
    assert plain.run("--file", "daemon.json") == 0
    assert asked == [f"Allow Docker to use {ADDRESS} without TLS?"]
    assert "Warning" not in plain.err


def test_yes_agrees_to_plain_http(plain: Shell) -> None:
    assert plain.run("--file", "daemon.json", "--yes") == 0
    assert "nothing is encrypted" in plain.err
    assert ADDRESS in plain.file.read_text()


def test_a_dry_run_warns_of_plain_http_and_asks_nothing(plain: Shell) -> None:
    assert plain.json("--dry-run")["changed"] is False
    assert plain.code == 0
    assert "nothing is encrypted" in plain.err
    assert not plain.file.exists()


@pytest.mark.parametrize("said", [("--insecure",), ("--config", "off.yaml"), ("--host", "localhost")])
def test_plain_http_that_was_said_or_does_not_leave_the_machine_is_not_asked_about(
    plain: Shell, monkeypatch: pytest.MonkeyPatch, said: tuple[str, ...]
) -> None:
    monkeypatch.setattr(insecure, "needs_no_entry", lambda address, engine: False)
    (plain.folder / "off.yaml").write_text("tls: off\n")
    assert plain.run("--file", "daemon.json", *said) == 0
    assert "nothing is encrypted" not in plain.err
    assert ":5000" in plain.file.read_text()


def test_who_may_not_write_the_file_is_told_before_being_asked(plain: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert plain.run("--file", "daemon.json") == 1
    assert f"{plain.file} cannot be changed: Permission denied." in plain.err
    assert "→ sudo" in plain.err
    assert "terminal" not in plain.err


def test_a_file_whose_folder_could_not_even_be_made_is_refused(shell: Shell) -> None:
    assert shell.run("--file", "none/d/x.json") == 2
    assert f"No such directory: {shell.folder / 'none'}" in shell.err
    assert not (shell.folder / "none").exists()
    assert shell.run("--file", "new/daemon.json") == 0
    assert (shell.folder / "new" / "daemon.json").exists()


def test_the_second_run_changes_nothing(shell: Shell) -> None:
    shell.run("--file", "daemon.json")
    before = shell.file.stat()
    assert shell.run("--file", "daemon.json") == 0
    assert f"{shell.file} already lists {ADDRESS}." in shell.out
    after = shell.file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [entry.name for entry in shell.folder.iterdir()] == ["daemon.json"]


def test_a_dry_run_shows_the_diff_and_writes_nothing(shell: Shell) -> None:
    shell.file.write_text('{"debug": true}\n')
    assert shell.run("--file", "daemon.json", "--dry-run") == 0
    assert shell.out.splitlines() == [
        f"--- {shell.file}",
        f"+++ {shell.file}",
        "@@ -1 +1 @@",
        '-{"debug": true}',
        f'+{{"debug": true, "insecure-registries": ["{ADDRESS}"]}}',
    ]
    assert shell.file.read_text() == '{"debug": true}\n'
    assert [entry.name for entry in shell.folder.iterdir()] == ["daemon.json"]


def test_json(shell: Shell) -> None:
    shell.file.write_text("{}")
    result = shell.json()
    backup = next(shell.folder.glob("daemon.json.backup-*"))
    assert result.pop("diff").startswith("--- ")
    assert result == {
        "address": ADDRESS,
        "needed": True,
        "action": "add",
        "way": "insecure",
        "file": str(shell.file),
        "dry_run": False,
        "changed": True,
        "backup": str(backup),
        "validated": False,
        "reloaded": None,
        "trusted": None,
        "effective": None,
        "problem": "No Docker engine answers.",
        "advice": [],
        "loopback_lost": False,
    }
    assert shell.json("--dry-run", "--remove")["changed"] is False


def test_removing(shell: Shell) -> None:
    shell.run("--file", "daemon.json")
    assert shell.run("--file", "daemon.json", "--remove") == 0
    assert shell.file.read_text() == '{\n  "insecure-registries": []\n}\n'
    assert shell.run("--file", "daemon.json", "--remove") == 0
    assert f"{shell.file} does not list {ADDRESS}." in shell.out


@pytest.mark.parametrize("remove", [[], ["--remove"]])
def test_a_local_registry_needs_no_entry(shell: Shell, remove: list[str]) -> None:
    assert shell.run("--host", "localhost", "--file", "daemon.json", *remove) == 0
    assert "localhost:5000 is on this machine" in shell.out
    assert shell.json("--host", "127.0.0.1")["needed"] is False
    assert not shell.file.exists()


def test_a_network_that_covers_it_is_named(shell: Shell) -> None:
    shell.file.write_text('{"insecure-registries": ["192.168.0.0/16"]}')
    assert shell.run("--file", "daemon.json") == 0
    assert f"lists 192.168.0.0/16, which covers {ADDRESS}." in shell.out


def test_a_broken_file_is_refused(shell: Shell) -> None:
    shell.file.write_text('{"debug": true,}')
    assert shell.run("--file", "daemon.json") == 1
    assert f"{shell.file}:1:15: there is a comma after the last entry" in shell.err
    assert shell.file.read_text() == '{"debug": true,}'


def test_without_permission_the_sudo_command_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: object, now: object) -> None:
        raise daemon_file.NoPermission("It cannot be changed: Permission denied.")

    monkeypatch.setattr(daemon_file, "back_up", refuse)
    monkeypatch.setattr(sys, "argv", ["bin/deployer"])
    (shell.folder / "deployer.yaml").write_text("port: 5001\n")
    assert shell.run("--file", "a b.json", "--remove", "--json") == 0
    assert shell.run("--file", "a b.json", "--name", "mine") == 1
    line = next(line for line in shell.err.splitlines() if "sudo" in line)
    assert shlex.split(line.removeprefix("  → ")) == [
        "sudo",
        f"DOCKER_HOST=unix://{shell.folder}/docker.sock",
        f"{shell.folder}/bin/deployer",
        *("configure-daemon", "--host", "192.168.100.2", "--port", "5001", "--name", "mine"),
        *("--config", f"{shell.folder}/deployer.yaml", "--file", f"{shell.folder}/a b.json", "--insecure"),
    ]


def test_as_a_module_the_sudo_command_names_python(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/x/deployer/__main__.py"])
    session = Session(
        *(None, None, None, None, {}, shell.folder, Output(io.StringIO(), io.StringIO())),
        presentation=Presentation(as_json=True, dry_run=True),
    )
    command = views.sudo_command(session, TrustOptions(remove=True))
    assert command == (
        f"sudo {sys.executable} -m deployer configure-daemon --host localhost --port 5000 --remove --dry-run --json"
    )


def test_that_the_file_is_not_validated_is_said_before(tmp_path: Path) -> None:
    screen = Screen()
    show_entry_plan(screen.output, _plan(tmp_path, unvalidated="it is so"))
    assert screen.err.getvalue().endswith("\nThe file is not validated: it is so.\n")


@dataclass(frozen=True)
class Desktop:
    """Docker Desktop's engine, which accepts local registries alone."""

    version: str = "28.5.2"
    kind: EngineKind = EngineKind.DESKTOP
    endpoint: str = "unix:///home/me/.docker/desktop/docker.sock"
    hosts: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ("127.0.0.0/8",)


def test_what_is_not_in_effect_yet_ends_with_1(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "view_of", lambda engine: EngineView(Desktop(), Desktop))
    monkeypatch.delenv("WSL_DISTRO_NAME", raising=False)
    assert shell.run() == 1
    assert ADDRESS in (shell.folder / ".docker" / "daemon.json").read_text()
    assert "a restart is needed, because Docker Desktop reads the file only when it starts." in shell.err
    assert "  → docker desktop restart" in shell.err
    assert shell.run("--json") == 1
    assert json.loads(shell.out)["effective"] is False
    assert shell.run("--dry-run") == 0


@dataclass
class Screen:
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    @property
    def output(self) -> Output:
        return Output(self.out, self.err)


def _plan(path: Path, **changes: Any) -> DaemonPlan:
    plan = DaemonPlan(
        request=DaemonRequest(ADDRESS, "{}"),
        file=daemon_file.DaemonFile(path, path, b"{}"),
        text="{}",
        diff="-a\n+b\n",
        present="",
        step=insecure.NextStep.RELOAD,
        reason="",
        daemon=None,
        restart="sudo systemctl restart docker",
        log="sudo journalctl --unit docker --lines 20",
        unvalidated="",
        loopback_trusted=True,
    )
    return replace(plan, **changes)


def test_what_is_not_in_effect_is_a_warning_with_its_command(tmp_path: Path) -> None:
    screen = Screen()
    plan = _plan(tmp_path)
    problem = "a restart is needed, because it is so"
    show_entry_outcome(screen.output, DaemonOutcome(plan, effective=False, problem=problem, advice=(plan.restart,)))
    assert screen.err.getvalue() == (
        f"Warning: Docker does not accept {ADDRESS}: a restart is needed, because it is so.\n"
        "  → sudo systemctl restart docker\n"
    )


def test_losing_local_registries_is_a_warning(tmp_path: Path) -> None:
    screen = Screen()
    show_entry_outcome(screen.output, DaemonOutcome(_plan(tmp_path), effective=True, accepted=True, loopback_lost=True))
    assert f"Docker accepts {ADDRESS} without TLS." in screen.out.getvalue()
    assert "deployer configure-daemon --host localhost" in screen.err.getvalue()


def test_a_network_that_keeps_accepting_is_told_after_removing(tmp_path: Path) -> None:
    screen = Screen()
    plan = _plan(tmp_path, request=DaemonRequest(ADDRESS, "{}", remove=True))
    show_entry_outcome(screen.output, DaemonOutcome(plan, effective=True, accepted=True))
    assert "still accepts" in screen.out.getvalue()


@pytest.mark.parametrize(
    ("step", "reason", "words"),
    [
        ("reload", "", "Docker then reloads the file without a restart; running containers are not affected."),
        ("restart", "it is so", "The change takes effect after a restart, because it is so."),
        ("start", "Silence.", "Silence. Docker reads the file when it starts."),
        ("none", "it is so", "Docker is not reloaded: it is so."),
    ],
)
def test_what_follows_is_said_before(tmp_path: Path, step: str, reason: str, words: str) -> None:
    screen = Screen()
    show_entry_plan(screen.output, _plan(tmp_path, step=insecure.NextStep(step), reason=reason))
    assert screen.out.getvalue() == "-a\n+b\n"
    assert screen.err.getvalue() == f"{words}\n"
