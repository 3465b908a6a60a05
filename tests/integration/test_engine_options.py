"""A daemon with the options that administrators set: the whole life of a deployment on it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.archive import archive
from tests.support.cut_off import wait_until
from tests.support.dockerd import temporary_dockerd
from tests.support.run import OWN, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dockerd import Dockerd

IMAGES = ("deployer-registry:debian", "deployer-frontend:2.11.7")
# All at once: none is to change anything that our services need.
OPTIONS: dict[str, Any] = {
    "userns-remap": "daemon",
    "log-driver": "none",
    "no-new-privileges": True,
    "live-restore": True,
    "init": True,
    "cgroup-parent": "/deployer-test",
    "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 1024, "Soft": 1024}},
    # One network, and no second one.
    "default-address-pools": [{"base": "10.199.0.0/24", "size": 24}],
}
# Users to remap to, without a line in the machine's own files; and a loopback interface.
_ENTER = 'mount --bind "$0" /etc/subuid && mount --bind "$0" /etc/subgid && ip link set lo up && exec "$@"'


@pytest.fixture(scope="module")
def daemon(engine: None) -> Iterator[Dockerd]:
    with temporary_dockerd("options") as made:
        users = made.folder / "subid"
        users.write_text("daemon:200000:65536\n")
        made.enter = ("unshare", "--net", "--mount", "--", "sh", "-c", _ENTER, str(users))
        made.file.write_text(json.dumps(OPTIONS))
        made.start()
        with subprocess.Popen(["docker", "save", *IMAGES], stdout=subprocess.PIPE) as saved:
            loaded = subprocess.run(["docker", "load"], stdin=saved.stdout, env=made.environment, check=False)
        assert loaded.returncode == 0
        yield made


def inside(daemon: Dockerd, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run a program in the daemon's network."""
    command = ["nsenter", f"--net=/proc/{daemon.pid}/ns/net", *words]
    done = subprocess.run(
        command, env=daemon.environment, cwd=daemon.folder, input=stdin, capture_output=True, check=False
    )
    return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(), done.stderr.decode())


def deployer(daemon: Dockerd, *words: str, stdin: bytes = b"") -> str:
    done = inside(daemon, *_command(*words), stdin=stdin)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "deployer", *words]


def test_a_whole_life(daemon: Dockerd, tmp_path: Path) -> None:
    data = daemon.folder / "images"
    # Its name is not that of a deployment on the engine of this machine.
    (daemon.folder / "deployer.yaml").write_text(f"name: {OWN}-options\nregistry: {{data: {data}}}\n")
    assert inside(daemon, "docker", "import", "-", "hello:1", stdin=archive(1000)).returncode == 0
    for command in (("up", "--yes"), ("push", "hello:1"), ("pull", "hello:1"), ("up",), ("delete", "hello:1", "--yes")):
        deployer(daemon, *command)
    # What a remapped user could neither read nor write: the secrets before, the images now.
    freed = json.loads(deployer(daemon, "gc", "--yes", "--json"))
    assert freed
    assert json.loads(deployer(daemon, "status", "--json"))["ready"] is True
    assert "registry" in deployer(daemon, "logs", "--tail", "5")
    deployer(daemon, "user", "add", "anna", "--password-stdin", stdin=b"correct horse battery staple\n")
    _expect_refused_by_another_engine(daemon)
    deployer(daemon, "down", "--volumes", "--yes")


def _expect_refused_by_another_engine(daemon: Dockerd) -> None:
    """None of it is on the engine of this machine, where it would be said not to run, or lose its files."""
    other = {name: value for name, value in daemon.environment.items() if name != "DOCKER_HOST"}
    for words in (("status",), ("gc",), ("logs",), ("user", "list"), ("down", "--volumes", "--yes")):
        done = subprocess.run(_command(*words), env=other, cwd=daemon.folder, capture_output=True, check=False)
        said = done.stderr.decode()
        assert done.returncode == 1, words
        assert f"was started on another Docker engine, at {daemon.environment['DOCKER_HOST']}" in said, words
    asked = subprocess.run(
        _command("up", "--port", str(free_port())), env=other, cwd=daemon.folder, capture_output=True, check=False
    )
    assert asked.returncode == 1
    assert "If it still runs there, stop it there first. Continue?" in asked.stderr.decode()


def test_a_second_network_for_which_no_addresses_are_left_is_told(daemon: Dockerd) -> None:
    assert inside(daemon, "docker", "network", "create", "taken").returncode == 0
    try:
        done = inside(daemon, *_command("up", "--yes"))
        deployer(daemon, "down", "--volumes", "--yes")
    finally:
        inside(daemon, "docker", "network", "rm", "taken")
    assert done.returncode == 1
    assert "could not do that" not in done.stderr
    assert "address pool" in done.stderr


def test_an_engine_that_publishes_no_ports_is_named(daemon: Dockerd) -> None:
    daemon.stop()
    # The flag of the tests' engines is iptables=false.
    daemon.file.write_text(json.dumps({**OPTIONS, "live-restore": False, "userland-proxy": False}))
    daemon.start()
    try:
        # How long the frontend takes until it is well is the machine's matter; its port never answers.
        begun = inside(daemon, *_command("up", "--yes", "--timeout", "1"))
        assert begun.returncode == 1
        healthy = ("docker", "ps", "--quiet", "--filter", "name=frontend", "--filter", "health=healthy")
        assert wait_until(lambda: inside(daemon, *healthy).stdout)
        done = inside(daemon, *_command("up", "--yes", "--timeout", "1"))
        doctor = inside(daemon, *_command("doctor"))
        deployer(daemon, "down", "--volumes", "--yes")
    finally:
        daemon.stop()
        daemon.file.write_text(json.dumps(OPTIONS))
        daemon.start()
    assert done.returncode == 1
    for told in (done.stderr, doctor.stdout):
        assert "the engine may not be publishing ports" in told
        assert "userland-proxy" in told
    assert "deployer logs" not in done.stderr
