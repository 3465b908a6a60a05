"""Which pid files are stale, and what a process is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.machine import pidfiles

if TYPE_CHECKING:
    from pathlib import Path


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
    removed = pidfiles.remove_stale_pid_files(tmp_path, names.get)
    assert removed == ([] if stays else [daemon])
    assert daemon.exists() == stays
    assert containerd.exists()


def test_a_stale_containerd_goes_too(tmp_path: Path) -> None:
    files = leave_pid_files(tmp_path, "1", "1")
    assert pidfiles.remove_stale_pid_files(tmp_path, lambda _: "init") == list(files)


def test_no_pid_files_no_matter(tmp_path: Path) -> None:
    assert pidfiles.remove_stale_pid_files(tmp_path, lambda _: None) == []


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
    assert pidfiles.process_name(7, tmp_path) == name
