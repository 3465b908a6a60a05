"""One command at a time on a deployment."""

from __future__ import annotations

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
import sys, time, pathlib
from deployer.host.lock import exclusive
with exclusive(pathlib.Path(sys.argv[1]), "up"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_told_who_is_at_work_until_that_one_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "deployment" / ".lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(HostError, match=rf"`deployer up` \(process {holder.pid}\) is at work"),
            exclusive(lock, "down"),
        ):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with exclusive(lock, "down"):
        assert "deployer down" in lock.read_text()
    assert lock.read_text() == ""


def test_a_full_disk_keeps_no_command_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with exclusive(tmp_path / ".lock", "gc"):
        assert (tmp_path / ".lock").read_text() == ""


def test_a_folder_that_may_not_be_written_is_told_with_another(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot be written: ") as caught, exclusive(tmp_path / "file" / ".lock", "up"):
        pass
    assert caught.value.advice[-1].endswith("export XDG_DATA_HOME=/path/to/folder")
