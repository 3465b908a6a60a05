"""Pid files, and the processes that they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def process_name(pid: int, processes: Path = Path("/proc")) -> str | None:
    """Return the name of a running process; a zombie no longer runs."""
    try:
        stat = (processes / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    return None if stat[stat.rindex(")") + 1 :].split()[0] == "Z" else name


def recorded_process(file: Path, name: str, name_of: Callable[[int], str | None] = process_name) -> int | None:
    """Return the process that a pid file names, if it runs and is what it should be."""
    try:
        pid = int(file.read_text())
    except (OSError, ValueError):
        return None
    return pid if name_of(pid) == name else None


def remove_stale_pid_files(directory: Path, name_of: Callable[[int], str | None] = process_name) -> list[Path]:
    """Remove the pid files that a power cut left behind, and return them.

    The daemon takes any process that has the recorded number for its predecessor, and would not start.
    """
    records = {"docker.pid": "dockerd", "docker/containerd/containerd.pid": "containerd"}
    stale = [
        directory / file
        for file, name in records.items()
        if (directory / file).exists() and recorded_process(directory / file, name, name_of) is None
    ]
    for file in stale:
        file.unlink(missing_ok=True)
    return stale
