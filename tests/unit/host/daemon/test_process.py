from __future__ import annotations

import os
import signal
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.host import programs
from deployer.host.daemon import process as daemon_reload
from deployer.host.daemon.kind import EngineKind
from deployer.host.daemon.process import DEFAULT_ENDPOINT, Daemon, Machine
from deployer.host.programs import Finished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass
class Fake:
    """A machine of files: processes, a pid file, and programs whose answers are written down."""

    root: Path
    owner: int | None = None
    answers: dict[str, Finished] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    signals: list[tuple[int, int]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def process(
        self, pid: int, *arguments: str, name: str = "dockerd", cgroup: str = "0::/", variables: Mapping[str, str] = {}
    ) -> None:
        folder = self.root / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "cmdline").write_text("".join(f"{word}\0" for word in (name, *arguments)))
        (folder / "environ").write_text("".join(f"{key}={value}\0" for key, value in variables.items()))
        (folder / "cgroup").write_text(f"{cgroup}\n")
        (folder / "cwd").symlink_to("/srv")

    def pid_file(self, pid: int) -> None:
        (self.root / "docker.pid").write_text(str(pid))

    def run(self, command: Sequence[str]) -> Finished:
        line = " ".join(command)
        self.ran.append(line)
        return next((answer for start, answer in self.answers.items() if line.startswith(start)), Finished(127, ""))

    @property
    def machine(self) -> Machine:
        return Machine(
            environment=self.environment,
            platform="linux",
            processes=self.root / "proc",
            pid_file=self.root / "docker.pid",
            owner=lambda path: self.owner,
            run=self.run,
            signal=lambda pid, number: self.signals.append((pid, number)),
            program_folders=(str(self.root / "sbin"),),
        )

    def find(self, endpoint: str = DEFAULT_ENDPOINT) -> Daemon | None:
        return daemon_reload.find(self.machine, endpoint)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    (tmp_path / "proc").mkdir()
    return Fake(tmp_path)


def _pid(daemon: Daemon | None) -> int | None:
    return daemon.pid if daemon else None


def test_the_process_that_listens_on_the_socket_is_the_daemon(fake: Fake) -> None:
    fake.process(7)
    fake.process(8)
    fake.pid_file(7)
    fake.owner = 8
    assert _pid(fake.find()) == 8


def test_where_systemd_holds_the_socket_the_pid_file_tells(fake: Fake) -> None:
    fake.process(1, name="systemd")
    fake.process(7, "-H", "fd://")
    fake.pid_file(7)
    fake.owner = 1
    assert _pid(fake.find()) == 7


def test_a_pid_file_whose_process_is_another_program_by_now_counts_for_nothing(fake: Fake) -> None:
    fake.process(7, name="sshd")
    fake.pid_file(7)
    assert fake.find() is None


def test_a_daemon_that_has_ended_but_still_has_its_number_is_none(fake: Fake) -> None:
    fake.process(7)
    (fake.root / "proc" / "7" / "cmdline").write_text("")
    fake.pid_file(7)
    assert fake.find() is None
    with pytest.raises(HostError, match="has ended"):
        daemon_reload.reload(fake.machine, _daemon())


def test_the_pid_file_of_the_system_says_nothing_of_another_socket(fake: Fake) -> None:
    fake.process(7)
    fake.pid_file(7)
    assert fake.find("unix:///srv/other.sock") is None


@pytest.mark.parametrize("option", [("-H", "unix:///srv/other.sock"), ("--host=unix:///srv/other.sock",)])
def test_a_daemon_is_known_by_where_it_was_told_to_listen(fake: Fake, option: tuple[str, ...]) -> None:
    fake.process(7)
    fake.process(8, *option)
    assert _pid(fake.find("unix:///srv/other.sock")) == 8


def test_two_that_were_told_the_same_are_not_guessed_between(fake: Fake) -> None:
    fake.process(7, "-H", "tcp://127.0.0.1:2375")
    assert _pid(fake.find("tcp://127.0.0.1:2375")) == 7
    fake.process(8, "-H", "tcp://127.0.0.1:2375")
    assert fake.find("tcp://127.0.0.1:2375") is None


def test_a_rootless_daemon_has_its_pid_file_beside_its_socket(fake: Fake) -> None:
    fake.environment["XDG_RUNTIME_DIR"] = str(fake.root)
    fake.process(9, variables={"HOME": "/home/you"})
    fake.pid_file(9)
    found = fake.find(f"unix://{fake.root}/docker.sock")
    assert found is not None
    assert found.pid == 9
    assert found.environment == {"HOME": "/home/you"}


def test_what_the_command_line_says(fake: Fake) -> None:
    fake.process(7, "--config-file=d.json", "--insecure-registry", "a:1", "--insecure-registry=b:2", "-H", "fd://")
    fake.owner = 7
    found = fake.find()
    assert found is not None
    assert found.config_file == Path("/srv/d.json")
    assert found.insecure_registries == ("a:1", "b:2")
    assert found.listens_on == ("fd://",)
    assert replace(found, arguments=("dockerd", "--config-file", "/x.json")).config_file == Path("/x.json")
    assert replace(found, arguments=("dockerd",)).config_file is None


@pytest.mark.parametrize(
    ("cgroup", "main", "expected"),
    [
        ("0::/system.slice/docker.service", "7", "docker.service"),
        ("1:name=systemd:/system.slice/snap.docker.dockerd.service", "7", "snap.docker.dockerd.service"),
        # Started by hand in a shell of the ssh service: reloading that would be another service's reload.
        ("0::/system.slice/ssh.service", "90", ""),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service", "7", ""),
        ("0::/user.slice/user-0.slice/session-3.scope", "7", ""),
    ],
)
def test_a_systemd_service_is_believed_when_systemd_agrees(fake: Fake, cgroup: str, main: str, expected: str) -> None:
    fake.process(7, cgroup=cgroup)
    fake.owner = 7
    fake.answers["systemctl show"] = Finished(0, f"{main}\n")
    found = fake.find()
    assert found is not None
    assert found.unit == expected


def _daemon(**changes: object) -> Daemon:
    plain = Daemon(7, ("dockerd", "-H", "unix:///a b"), Path("/"), {}, None, "")
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_service_is_reloaded_by_systemd(fake: Fake) -> None:
    fake.answers["systemctl reload docker.service"] = Finished(0, "")
    assert daemon_reload.reload(fake.machine, _daemon(unit="docker.service")) == "systemctl reload docker.service"
    assert fake.signals == []


def test_a_service_that_knows_no_reload_is_signalled(fake: Fake) -> None:
    fake.process(7)
    assert daemon_reload.reload(fake.machine, _daemon(unit="snap.docker.dockerd.service")) == "kill -HUP 7"
    assert fake.signals == [(7, signal.SIGHUP)]


def test_a_number_that_is_another_process_by_now_is_not_signalled(fake: Fake) -> None:
    fake.process(7, name="postgres")
    with pytest.raises(HostError, match="has ended"):
        daemon_reload.reload(fake.machine, _daemon())
    assert fake.signals == []


@pytest.mark.parametrize(
    ("unit", "command"), [("", "sudo kill -HUP 7"), ("docker.service", "sudo systemctl reload docker.service")]
)
def test_where_it_may_not_be_signalled_the_command_is_told(fake: Fake, unit: str, command: str) -> None:
    fake.process(7)

    def forbid(pid: int, number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    with pytest.raises(HostError, match="Operation not permitted") as caught:
        daemon_reload.reload(replace(fake.machine, signal=forbid), _daemon(unit=unit))
    assert caught.value.advice == (command,)


@pytest.fixture
def dockerd(fake: Fake) -> str:
    program = fake.root / "sbin" / "dockerd"
    program.parent.mkdir()
    program.touch(mode=0o755)
    return str(program)


def test_a_daemon_without_validate_is_not_asked(fake: Fake, dockerd: str) -> None:
    fake.answers[f"{dockerd} --help"] = Finished(0, "      --userns-remap string\n")
    assert daemon_reload.validate(fake.machine, None, b"{}") is False
    assert fake.ran == [f"{dockerd} --help"]


def test_where_there_is_no_dockerd_nothing_is_validated(fake: Fake) -> None:
    assert daemon_reload.validate(fake.machine, None, b"{}") is False
    assert fake.ran == []


def test_dockerd_checks_the_new_content(fake: Fake, dockerd: str) -> None:
    seen = []

    def run(command: Sequence[str]) -> Finished:
        if "--help" in command:
            return Finished(0, "--validate")
        seen.append((command[:3], Path(command[3]).read_bytes()))
        return Finished(0, "configuration OK")

    assert daemon_reload.validate(replace(fake.machine, run=run), None, b'{"a": 1}') is True
    assert seen == [([dockerd, "--validate", "--config-file"], b'{"a": 1}')]


def test_what_dockerd_refuses_is_told_in_its_words(fake: Fake, dockerd: str) -> None:
    fake.answers[f"{dockerd} --help"] = Finished(0, "--validate")
    fake.answers[f"{dockerd} --validate"] = Finished(1, "the following directives don't match any option: wrong\n")
    with pytest.raises(HostError, match="rejects") as caught:
        daemon_reload.validate(fake.machine, None, b'{"wrong": 1}')
    assert "don't match any option: wrong" in caught.value.original


def test_the_program_that_runs_is_the_one_that_is_asked(fake: Fake, dockerd: str) -> None:
    running = Path("/opt/docker/dockerd")
    daemon_reload.validate(fake.machine, _daemon(program=running), b"{}")
    assert fake.ran == ["/opt/docker/dockerd --help"]


@pytest.mark.parametrize(
    ("endpoint", "elsewhere"),
    [
        (DEFAULT_ENDPOINT, False),
        ("npipe:////./pipe/docker_engine", False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://localhost:2375", False),
        ("tcp://build.example:2376", True),
        ("ssh://me@build.example", True),
    ],
)
def test_engines_of_other_machines(endpoint: str, elsewhere: bool) -> None:
    assert daemon_reload.is_elsewhere(endpoint) is elsewhere


@pytest.mark.parametrize(
    ("daemon", "kind", "expected"),
    [
        (_daemon(unit="docker.service"), EngineKind.SYSTEM, "sudo systemctl restart docker.service"),
        (None, EngineKind.SYSTEM, "sudo systemctl restart docker"),
        (_daemon(), EngineKind.ROOTLESS, "systemctl --user restart docker"),
        (None, EngineKind.DESKTOP, "docker desktop restart   (or restart Docker Desktop from its menu)"),
        (_daemon(), EngineKind.SYSTEM, "sudo kill 7, and then start it again: sudo dockerd -H 'unix:///a b'"),
    ],
)
def test_how_each_kind_is_restarted(daemon: Daemon | None, kind: EngineKind, expected: str) -> None:
    assert daemon_reload.restart_command(daemon, kind) == expected


def test_the_owner_of_a_real_socket_is_this_process(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        assert daemon_reload.socket_owner(path) == os.getpid()
    assert daemon_reload.socket_owner(path) is None
    assert daemon_reload.socket_owner(str(tmp_path / "missing")) is None


def test_a_program_that_is_missing_counts_as_failed() -> None:
    assert programs.attempt(["/nowhere/program"]).code == 127
    assert programs.attempt(["sh", "-c", "echo out; echo err >&2; exit 3"]) == Finished(3, "out\nerr\n")
