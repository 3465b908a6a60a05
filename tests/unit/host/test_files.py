"""Writing a file in one step."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.host.files import PUBLIC, read_if_there, refusal, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_and_its_folder_are_made_with_the_mode(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    write_atomically(target, b"x", 0o600)
    assert target.read_bytes() == b"x"
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_failure_half_way_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a"
    target.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HostError, match="cannot be written: No space left on device"):
        write_atomically(target, b"new", 0o644)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_interruption_half_way_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a"
    target.write_text("old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, b"new", 0o644)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="cannot be written"):
        write_atomically(tmp_path / "file" / "below", b"", 0o644)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "df -h {}   (its disk is full"),
        (errno.EDQUOT, "df -h {}   (this user's quota"),
        (errno.EROFS, "findmnt --target {}   (its disk is mounted read-only)"),
        (errno.EACCES, "ls -ld {}   (shows who can write there)"),
        (errno.EPERM, "ls -ld {}   (shows who can write there)"),
    ],
)
def test_what_cannot_be_written_is_told_with_a_command_for_the_folder_that_is_there(
    tmp_path: Path, number: int, advice: str
) -> None:
    error = refusal(tmp_path / "missing" / "a", OSError(number, os.strerror(number)))
    assert error.advice[0].startswith(advice.format(tmp_path))
    assert refusal(tmp_path / "a", OSError(errno.EIO, "Input/output error")).advice == ()


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    assert read_if_there(tmp_path / "missing") is None
    with pytest.raises(HostError, match="cannot be read: Is a directory"):
        read_if_there(tmp_path)


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "stdout").symlink_to("pipe")
    for name in ("pipe", "stdout"):
        with pytest.raises(HostError, match="is not a regular file"):
            write_atomically(tmp_path / name, b"x", PUBLIC)
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "stdout").is_symlink()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["pipe", "stdout"]
