"""Shell scripts run by real shells, with programs of the test's own in the place of others."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.support.run import PATIENCE_SECONDS

# What the official image of restic has is BusyBox; the image that is built here has Debian's programs.
SHELLS = ["sh", *(["busybox"] if shutil.which("busybox") else [])]
_APPLETS = (
    *("sh", "awk", "cat", "df", "find", "grep", "gzip", "ls", "mkdir", "mktemp", "mv", "nproc", "rm"),
    *("sha256sum", "sha512sum", "stat", "tar", "tr", "xargs"),
)


def run(
    script: str, *arguments: object, shell: str = "sh", path: Path | None = None, stdin: str | bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Run a script by a shell of `SHELLS`, with its own programs; those in the folder `path` are found first."""
    folders = [*([str(path)] if path else []), *([_busybox()] if shell == "busybox" else []), os.environ["PATH"]]
    done = subprocess.run(
        [shutil.which("sh", path=folders[-2] if shell == "busybox" else None) or "sh", "-c", script, "sh",
         *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env={**os.environ, "PATH": os.pathsep.join(folders), "LC_ALL": "C"},
        capture_output=True, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def program(folder: Path, name: str, text: str) -> None:
    """Write a program of this name."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@cache
def _busybox() -> str:
    """A folder with BusyBox's programs by their names."""
    import atexit

    folder = mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in _APPLETS:
        Path(folder, name).symlink_to(shutil.which("busybox") or "busybox")
    return folder
