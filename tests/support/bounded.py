"""Programs that tests run, with an end: what hangs is told with what it printed and what the engine was doing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PID_FILE = Path("/var/run/docker.pid")
_STACKS_FOLDER = Path("/var/run/docker")
_STACKS = "goroutine-stacks-*.log"
# The engine's parts in which a push, a pull or a removal can hang.
_PARTS = ("/distribution", "/layer", "/image", "archive", "/builder")


def run_bounded(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end. Raises AssertionError if that does not come."""
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        printed, said = process.communicate(stdin or b"", timeout=seconds)
    except subprocess.TimeoutExpired:
        stacks = engine_stacks()
        process.kill()
        printed, said = process.communicate()
        raise AssertionError(
            f"{' '.join(command)}: no end in {seconds} s. It printed:\n{(printed + said).decode(errors='replace')}\n"
            f"The engine:\n{stacks}"
        ) from None
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(list(command), process.returncode, printed, said)


def engine_stacks() -> str:
    """What the engine is doing with images, as stacks of Go; "" if there is no such engine here."""
    try:
        before = set(_STACKS_FOLDER.glob(_STACKS))
        os.kill(int(_PID_FILE.read_text()), signal.SIGUSR1)
        for _ in range(50):
            time.sleep(0.1)
            for file in set(_STACKS_FOLDER.glob(_STACKS)) - before:
                # It is written at once, but not by renaming.
                time.sleep(1)
                found = file.read_text()
                file.unlink()
                return "\n\n".join(one for one in found.split("\n\n") if any(part in one for part in _PARTS))
    except (OSError, ValueError) as error:
        return str(error)
    return ""
