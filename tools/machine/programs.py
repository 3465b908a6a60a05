"""Running other programs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from tools.machine.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.machine.versions import Version

PROBE_SECONDS = 20


def ask(*command: str) -> tuple[int, str, str]:
    """Run a command that only reports; return its exit code and what it printed on either stream."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        return 127, "", str(failure)
    return done.returncode, done.stdout, done.stderr


def quietly(*command: str, variables: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command that changes something; return its exit code and all that it printed.

    The output goes through a file: a daemon started on the way would keep a pipe open forever.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(variables or {})},
            check=False,
        )
        output.seek(0)
        return done.returncode, output.read()


def version_from(*command: str) -> Version:
    """Return the version that a command prints; nothing if it is missing or fails."""
    status, output, _ = ask(*command)
    return version_of(output) if status == 0 else ()
