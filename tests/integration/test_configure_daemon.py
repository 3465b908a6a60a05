"""configure-daemon against its own dockerd; the machine's other engines are left alone."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from deployer.host.daemon import value_types
from tests.support.cut_off import wait_until
from tests.support.dockerd import Dockerd, temporary_dockerd
from tests.support.written import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESS = "192.168.100.2:5000"
DEPLOYER = (sys.executable, "-m", "deployer", "configure-daemon")
NOBODY = 65534

# Tests may run on a Python that only root may read: a dry run as root imports all that is needed.
AS_NOBODY = f"""
import os, sys
from deployer.cli.main import main
sys.argv[0] = "/opt/bin/deployer"
assert main([*sys.argv[1:], "--dry-run"]) == 0
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
sys.exit(main(sys.argv[1:]))
"""

# The process kills itself just before it changes the folder for the so-manieth time (audit events, PEP 578).
KILLED_AT_STEP = """
import os, signal, sys
from deployer.cli.main import main
left, folder = int(sys.argv[1]), sys.argv[2]
def step(event, arguments):
    global left
    changes = event in {"os.rename", "os.remove", "os.link", "os.chmod", "os.chown", "tempfile.mkstemp"}
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if folder in str(arguments) and (changes or writes):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(step)
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture
def dockerd(tmp_path: Path) -> Iterator[Dockerd]:
    with temporary_dockerd(tmp_path.name[-20:]) as made:
        yield made


def configure(dockerd: Dockerd, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return dockerd.deployer("configure-daemon", "--host", "192.168.100.2", "--insecure", *words, **options)


def _expect(done: subprocess.CompletedProcess[str], code: int) -> None:
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"


def test_the_daemon_trusts_after_a_reload_and_no_longer_after_remove(dockerd: Dockerd) -> None:
    dockerd.file.write_text('{\n\t"debug": true,\n\t"labels": ["a=b", "c=d"]\n}\n')
    dockerd.file.chmod(0o640)
    dockerd.start()

    done = configure(dockerd)
    _expect(done, 0)
    assert dockerd.file.read_text() == (
        f'{{\n\t"debug": true,\n\t"labels": ["a=b", "c=d"],\n\t"insecure-registries": ["{ADDRESS}"]\n}}\n'
    )
    assert dockerd.file.stat().st_mode & 0o777 == 0o640
    assert f"Docker accepts {ADDRESS} without TLS." in done.stdout
    assert dockerd.trusted() == {ADDRESS}
    [backup] = dockerd.folder.glob("daemon.json.backup-*")
    assert backup.read_text() == '{\n\t"debug": true,\n\t"labels": ["a=b", "c=d"]\n}\n'
    assert backup.stat().st_mode & 0o777 == 0o640

    before = written(dockerd.file)
    again = configure(dockerd, "--json")
    _expect(again, 0)
    assert {key: json.loads(again.stdout)[key] for key in ("changed", "trusted", "reloaded", "backup")} == {
        "changed": False,
        "trusted": True,
        "reloaded": None,
        "backup": None,
    }
    assert written(dockerd.file) == before

    removed = configure(dockerd, "--remove")
    _expect(removed, 0)
    assert json.loads(dockerd.file.read_text())["insecure-registries"] == []
    assert f"Docker no longer accepts {ADDRESS} without TLS." in removed.stdout
    assert dockerd.trusted() == set()
    assert "does not list" in configure(dockerd, "--remove").stdout
    assert dockerd.survived()


def test_beside_mirrors_and_other_registries(dockerd: Dockerd) -> None:
    dockerd.file.write_text('{"registry-mirrors": ["https://mirror.example"], "insecure-registries": ["a.example:1"]}')
    dockerd.start()
    _expect(configure(dockerd, "--file", "daemon.json"), 0)
    assert dockerd.trusted() == {ADDRESS, "a.example:1"}
    assert dockerd.info()["Mirrors"] == ["https://mirror.example/"]
    _expect(configure(dockerd, "--remove", "--file", "daemon.json"), 0)
    assert dockerd.trusted() == {"a.example:1"}
    assert dockerd.survived()


def test_a_file_changed_by_hand_is_read_by_the_daemon(dockerd: Dockerd) -> None:
    dockerd.start()
    dockerd.file.write_text(f'{{"insecure-registries": ["{ADDRESS}"]}}')
    assert dockerd.trusted() == set()
    done = configure(dockerd)
    _expect(done, 0)
    assert "already lists 192.168.100.2:5000." in done.stdout
    assert dockerd.trusted() == {ADDRESS}


def test_a_network_covers_it(dockerd: Dockerd) -> None:
    dockerd.file.write_text('{"insecure-registries": ["192.168.0.0/16"]}')
    dockerd.start()
    done = configure(dockerd)
    _expect(done, 0)
    assert f"lists 192.168.0.0/16, which covers {ADDRESS}" in done.stdout
    assert dockerd.trusted() == set()


def test_a_dry_run_touches_neither_file_nor_daemon(dockerd: Dockerd) -> None:
    dockerd.start()
    done = configure(dockerd, "--dry-run")
    _expect(done, 0)
    assert f'+{{"insecure-registries": ["{ADDRESS}"]}}' in done.stdout
    assert dockerd.file.read_text() == "{}\n"
    assert dockerd.trusted() == set()


def test_a_linked_file_is_edited_where_it_is(dockerd: Dockerd) -> None:
    kept = dockerd.folder / "kept.json"
    dockerd.file.rename(kept)
    dockerd.file.symlink_to("kept.json")
    dockerd.start()
    _expect(configure(dockerd), 0)
    assert dockerd.file.is_symlink()
    assert ADDRESS in kept.read_text()
    assert dockerd.trusted() == {ADDRESS}


def test_another_file_is_written_and_the_daemon_not_touched(dockerd: Dockerd) -> None:
    dockerd.start()
    done = configure(dockerd, "--file", "folder/other.json")
    _expect(done, 0)
    assert ADDRESS in (dockerd.folder / "folder" / "other.json").read_text()
    assert str(dockerd.file) in done.stderr
    assert dockerd.file.read_text() == "{}\n"
    assert dockerd.trusted() == set()


def test_without_an_engine_the_daemon_reads_it_when_it_starts(dockerd: Dockerd) -> None:
    dockerd.file.unlink()
    done = configure(dockerd, "--file", "daemon.json")
    _expect(done, 0)
    assert "Docker reads the file when it starts." in done.stderr
    dockerd.start()
    assert dockerd.trusted() == {ADDRESS}


def test_a_flag_on_the_daemons_command_line_is_not_contradicted(dockerd: Dockerd) -> None:
    dockerd.arguments = ("--insecure-registry", "a.example:1")
    dockerd.start()
    done = configure(dockerd)
    _expect(done, 1)
    assert "started with --insecure-registry a.example:1" in done.stderr
    assert f"Add it where dockerd is started: --insecure-registry {ADDRESS}" in done.stderr
    assert dockerd.file.read_text() == "{}\n"
    dockerd.stop()
    dockerd.arguments = ("--insecure-registry", ADDRESS)
    dockerd.start()
    done = configure(dockerd)
    _expect(done, 0)
    assert f"started with --insecure-registry {ADDRESS}" in done.stdout
    assert dockerd.file.read_text() == "{}\n"


@pytest.mark.parametrize("content", ['{"a": 1,}', "{} // mine", "[]", '{"insecure-registries": "a:1"}'])
def test_a_file_that_is_no_daemon_json_stays(dockerd: Dockerd, content: str) -> None:
    dockerd.file.write_text(content)
    done = configure(dockerd, "--file", "daemon.json")
    _expect(done, 1)
    assert f"{dockerd.file}:1:" in done.stderr
    assert dockerd.file.read_text() == content
    assert [entry.name for entry in dockerd.folder.iterdir()] == ["daemon.json"]


def test_an_option_that_docker_does_not_know_never_stops_it(dockerd: Dockerd) -> None:
    dockerd.start()
    dockerd.file.write_text('{"no-such-option": true}')
    done = configure(dockerd)
    _expect(done, 1)
    # Since 23.0 dockerd itself checks the file.
    assert f'{dockerd.file}:1:2: "no-such-option" is not a known key' in done.stderr or "dockerd rejects" in done.stderr
    assert dockerd.file.read_text() == '{"no-such-option": true}'
    assert dockerd.survived()
    assert dockerd.trusted() == set()


@pytest.mark.parametrize("entry", ["172.17.0.1:22002/", "", " 172.17.0.1:22002", "a_b:1", "a:70000", "10.0.0.0/33"])
def test_an_entry_that_docker_does_not_start_with_is_named(dockerd: Dockerd, entry: str) -> None:
    dockerd.start()
    content = f'{{"insecure-registries": ["{entry}"]}}'
    dockerd.file.write_text(content)
    done = configure(dockerd)
    _expect(done, 1)
    assert f'{dockerd.file}:1:26: "insecure-registries" lists "{entry}", which ' in done.stderr
    assert "restart" not in done.stderr
    assert dockerd.file.read_text() == content
    # Its log shows that it does reject the file.
    assert dockerd.process is not None
    dockerd.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: "insecure registry" in (dockerd.folder / "log").read_text())


# A value that fits each kind, and one that does not.
VALUES: dict[str, tuple[object, object]] = {
    value_types._TEXT: ("x", 1),
    value_types._SIZE: ("64M", 64),
    value_types._SWITCH: (True, "true"),
    value_types._NUMBER: (3, 1.5),
    value_types._TEXTS: (["x"], "x"),
    value_types._TEXT_VALUES: ({"a": "b"}, {"a": 3}),
    value_types._SWITCH_VALUES: ({"a": True}, {"a": "true"}),
    value_types._OBJECT_VALUES: ({}, {"a": "x"}),
    value_types._OBJECTS: ([{}], ["x"]),
    value_types._OBJECT: ({}, []),
}


def test_values_of_another_type_are_those_that_dockerd_does_not_start_with(tmp_path: Path) -> None:
    """A dockerd without root reads its file, and ends."""
    file = tmp_path / "daemon.json"

    def said(content: dict[str, object]) -> str:
        file.write_text(json.dumps(content))
        # Opened here: the directory is root's alone.
        with file.open("rb") as opened:
            command = ["dockerd", "--config-file", "/dev/stdin"]
            done = subprocess.run(command, stdin=opened, user=65534, extra_groups=[], capture_output=True, check=False)
        return done.stderr.decode()

    right = {key: VALUES[kind][0] for kind, keys in value_types._KEYS.items() for key in keys}
    right |= dict.fromkeys(("ip", "host-gateway-ip", "default-gateway", "default-gateway-v6"), "10.0.0.1")
    unknown = re.findall(r"[a-z0-9-]+", said(right).partition("don't match any configuration option:")[2])
    # Members of an object that it has no key for are named in its place.
    known = {key: value for key, value in right.items() if key not in unknown and value != {}}
    known |= {key: {} for key in ("builder", "runtimes")}
    assert len(known) > 40
    refused = "unmarshal|invalid size"
    assert not re.search(f"{refused}|invalid IP", said(known))
    for kind, keys in value_types._KEYS.items():
        # Of an older one than those that have the kind, nothing is to be said.
        if not known.keys() & {*keys}:
            continue
        key = next(key for key in reversed(keys) if key in known)
        wrong = VALUES[kind][1]
        assert value_types.complaint(key, wrong)
        assert re.search(refused, said({key: wrong})), (key, wrong)


def test_a_value_of_another_type_is_told_before_anything_is_written(dockerd: Dockerd) -> None:
    content = '{\n  "log-opts": {"max-file": 3}\n}\n'
    dockerd.file.write_text(content)
    for options in ((), ("--dry-run",)):
        done = configure(dockerd, "--file", "daemon.json", *options)
        _expect(done, 1)
        assert f'{dockerd.file}:2:15: "log-opts" is an object with "max-file": 3, where' in done.stderr
    assert dockerd.file.read_text() == content


def test_a_file_that_docker_rejects_on_the_reload_gets_no_advice_to_restart(dockerd: Dockerd) -> None:
    dockerd.start()
    dockerd.file.write_text('{"labels": ["no value"]}')
    done = configure(dockerd)
    _expect(done, 1)
    assert "dockerd rejects" in done.stderr or (
        "The file is not validated: this dockerd cannot check it" in done.stderr
        and "it probably rejected the file when it reloaded it" in done.stderr
        and "Do not restart Docker until the cause is found" in done.stderr
    )
    assert "sudo kill" not in done.stderr
    assert dockerd.survived()


@pytest.mark.parametrize(("mode", "deed"), [(0o600, "read"), (0o644, "changed")])
def test_without_permission_the_sudo_command_is_told(dockerd: Dockerd, mode: int, deed: str) -> None:
    dockerd.file.chmod(mode)
    dockerd.start()
    dockerd.socket.chmod(0o666)
    command = [
        sys.executable,
        "-c",
        AS_NOBODY,
        "configure-daemon",
        "--host",
        "192.168.100.2",
        "--port",
        "5001",
        "--insecure",
    ]
    done = subprocess.run(
        command, env=dockerd.environment, cwd=dockerd.folder, capture_output=True, text=True, check=False
    )
    _expect(done, 1)
    assert f"{dockerd.file} cannot be {deed}: Permission denied." in done.stderr
    assert (
        f"→ sudo DOCKER_HOST=unix://{dockerd.socket} /opt/bin/deployer"
        " configure-daemon --host 192.168.100.2 --port 5001 --insecure\n"
    ) in done.stderr
    assert dockerd.file.read_text() == "{}\n"


def test_killed_at_any_step_the_file_is_the_old_or_the_new(dockerd: Dockerd) -> None:
    old = dockerd.file.read_bytes()
    seen = set()
    for step in range(1, 200):
        words = [str(step), str(dockerd.folder), "configure-daemon", "--host", "192.168.100.2", "--insecure"]
        done = subprocess.run(
            [sys.executable, "-c", KILLED_AT_STEP, *words, "--file", str(dockerd.file)],
            env=dockerd.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        seen.add(dockerd.file.read_bytes())
        dockerd.file.write_bytes(old)
        if done.returncode != -signal.SIGKILL:
            break
    _expect(done, 0)
    # Backed up, written beside, put in place: each was a step.
    assert step > 4
    assert seen == {old, f'{{"insecure-registries": ["{ADDRESS}"]}}\n'.encode()}
