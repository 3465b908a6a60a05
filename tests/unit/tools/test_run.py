"""Running a command with an engine: its code and its signals."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.machine.paths import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess


def fake_docker(directory: Path) -> str:
    """Put a client on the path whose engine always answers."""
    client = directory / "docker"
    client.write_text("#!/bin/sh\necho 2.40.3\n")
    client.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)])
def test_run_gives_the_commands_own_code(
    run: Callable[..., CompletedProcess[str]], tmp_path: Path, script: str, code: int
) -> None:
    done = run("run", "--", "sh", "-c", f"echo words; {script}", PATH=fake_docker(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (code, "words\n", "")


def test_run_passes_signals_on(tmp_path: Path) -> None:
    script = "trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(
        [sys.executable, "-m", "tools.machine", "run", "--", "sh", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PATH": fake_docker(tmp_path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.read() == "told\n"
    assert process.returncode == 5


def test_a_missing_command_is_a_sentence(run: Callable[..., CompletedProcess[str]], tmp_path: Path) -> None:
    done = run("run", "--", "no-such-command", PATH=fake_docker(tmp_path))
    assert (done.returncode, done.stderr) == (1, "no-such-command: No such file or directory.\n")
