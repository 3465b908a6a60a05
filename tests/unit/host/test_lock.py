"""One command at a time on a deployment."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.host.lock import exclusive

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys, signal, pathlib
from deployer.host.lock import exclusive
with exclusive(pathlib.Path(sys.argv[1]), "up"):
    print("held", flush=True)
    signal.pause()
"""


def test_the_second_is_told_who_is_running_until_that_one_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "deployment" / ".lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(HostError, match=rf"`deployer up` \(process {holder.pid}\) is already running"),
            exclusive(lock, "down"),
        ):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with exclusive(lock, "down"):
        assert "deployer down" in lock.read_text()
    assert lock.read_text() == ""


def test_a_folder_that_may_not_be_written_is_told_with_another(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot be written: ") as caught, exclusive(tmp_path / "file" / ".lock", "up"):
        pass
    assert caught.value.advice[-1].endswith("export XDG_DATA_HOME=/path/to/directory")


def test_it_holds_although_the_file_was_replaced(tmp_path: Path) -> None:
    """Such as by a restore, or by someone who takes it for a leftover."""
    lock = tmp_path / "deployment" / ".lock"
    for is_new in (False, True):
        with exclusive(lock, "up"):
            lock.unlink()
            if is_new:
                lock.touch()
            with pytest.raises(HostError, match="Another command is already running"), exclusive(lock, "down"):
                pass
        with exclusive(lock, "down"):
            assert "deployer down" in lock.read_text()


def test_who_waited_for_a_file_that_is_gone_takes_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `down --volumes` removes it, while another command has opened it."""
    lock = tmp_path / "deployment" / ".lock"
    really = fcntl.flock
    removed: list[bool] = []

    def lock_late(file: int, operation: int) -> None:
        if not removed:
            removed.append(True)
            lock.unlink()
        really(file, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with exclusive(lock, "up"):
        assert "deployer up" in lock.read_text()


def test_a_full_disk_costs_the_name_alone(tmp_path: Path) -> None:
    lock = tmp_path / "deployment" / ".lock"
    lock.parent.mkdir()
    lock.touch()
    # No file may get larger: every write fails, as on a full disk.
    full = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n" + HOLDER
    with subprocess.Popen([sys.executable, "-c", full, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(HostError, match="Another command is already running"), exclusive(lock, "down"):
            pass
        holder.kill()
