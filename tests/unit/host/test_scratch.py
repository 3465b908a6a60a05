"""Temporary folders: what a killed command leaves goes with the next one, and nothing else does."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deployer.host import scratch

HOLD = """
import sys, tempfile, time
from pathlib import Path
tempfile.tempdir = sys.argv[1]
from deployer.host import scratch
with scratch.folder("test") as folder:
    (folder / "secret").write_text("x")
    (folder / "inside").mkdir()
    (folder / "inside" / "more").write_text("x")
    print(folder, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_MEMORY", tmp_path / "none")
    return tmp_path


def test_a_folder_is_its_owner_s_alone_and_goes_after_the_block(parent: Path) -> None:
    with scratch.folder("test") as folder:
        assert folder.parent == parent
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("x")
    assert list(parent.iterdir()) == []


def test_what_a_killed_command_left_goes_with_the_next_and_what_runs_stays(parent: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(parent)], stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        left = Path(held.stdout.readline().strip())
        try:
            with scratch.folder("test"):
                assert (left / "secret").exists(), "its command is running"
        finally:
            held.send_signal(signal.SIGKILL)
            held.wait()
    assert (left / "inside" / "more").exists()
    with scratch.folder("other"):
        assert not left.exists()


def test_an_interrupted_removal_is_continued(parent: Path) -> None:
    left = parent / "deployer-test-x"
    left.mkdir()
    (left / ".deployer-temporary").write_bytes(b"")
    with scratch.folder("test"):
        assert not left.exists()


def test_folders_and_files_of_others_stay(parent: Path) -> None:
    elsewhere = parent / "mine"
    elsewhere.mkdir()
    (elsewhere / ".deployer-temporary").write_bytes(b"")
    (parent / "deployer-source").mkdir()
    (parent / "deployer-source" / "work").write_text("mine")
    (parent / "deployer-file").write_text("mine")
    (parent / "deployer-link").symlink_to(elsewhere)
    linked = parent / "deployer-linked"
    linked.mkdir()
    (linked / ".deployer-temporary").symlink_to(elsewhere / ".deployer-temporary")
    before = sorted(parent.rglob("*"))
    with scratch.folder("test"):
        pass
    assert sorted(parent.rglob("*")) == before


def test_what_is_left_in_memory_goes_too(parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(scratch, "_MEMORY", memory)
    (memory / "deployer-docker-x").mkdir()
    (memory / "deployer-docker-x" / ".deployer-temporary").write_bytes(b"")
    with scratch.folder("test") as folder:
        assert folder.parent == parent
        assert list(memory.iterdir()) == []


def test_where_no_folder_can_be_made_that_is_an_error(parent: Path) -> None:
    (parent / "file").write_text("x")
    with pytest.raises(OSError, match="Not a directory"):
        scratch.make("test", parent / "file")
    assert [path.name for path in parent.iterdir()] == ["file"]
