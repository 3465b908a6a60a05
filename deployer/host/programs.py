"""Programs of this machine: running them, and installing what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Finished:
    """A program that has run: its exit code and what it printed on both streams."""

    code: int
    output: str


def attempt(command: Sequence[str]) -> Finished:
    """Run a program to its end; one that is missing or hangs counts as failed."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finished(127, str(error))
    return Finished(done.returncode, done.stdout)


def run(command: Sequence[str], purpose: str, *, output: Path | None = None) -> str:
    """Run a program and return what it printed; with `output`, its standard output goes to that file.

    Raises HostError that names the purpose, with the program's last words underneath.
    """
    try:
        with nullcontext(subprocess.PIPE) if output is None else output.open("wb") as stdout:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
            )
    except OSError as error:
        raise HostError(f"{purpose} failed: {command[0]} cannot be run: {error.strerror}.") from error
    if done.returncode != 0:
        words = f"{done.stdout or ''}{done.stderr}".strip().splitlines()
        raise HostError(f"{purpose} failed.", original="\n".join(words[-15:]))
    return done.stdout or ""


def need(program: str, package: str, *, purpose: str, allow: Callable[[str], None]) -> None:
    """Make sure that a program is there, installing its Debian package once `allow` agrees.

    `allow` is asked a question and raises where the answer is no. Raises HostError if the
    package cannot be installed here.
    """
    if shutil.which(program):
        return
    command = f"apt-get install {package}"
    if not shutil.which("apt-get"):
        raise HostError(f"{purpose} needs {program} (available on Debian and Ubuntu), which is not installed.")
    if os.geteuid() != 0:
        raise HostError(f"{purpose} needs {program}, which is not installed.", (f"sudo {command}",))
    allow(f"{purpose} needs {program}. Install Debian's package {package}?")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    run([*environment, "apt-get", "update", "--quiet"], "Reading Debian's package lists")
    run(
        [
            *environment,
            "apt-get",
            "install",
            "--yes",
            "--no-install-recommends",
            "-o",
            "DPkg::Lock::Timeout=300",
            package,
        ],
        f"Installing {package}",
    )
