"""deployer's commands without the start of Python: each its own process, forked from one that has the program.

Half of what a short command takes is the loading of modules. What starts the program itself is tested by the
commands that `DeployedStack.command` gives to Popen.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT = Path(__file__).parents[2]
_PROGRAM = _ROOT / "deployer" / "__main__.py"
# What a command would import when it comes to it, it has.
_LOADED = (
    "__main__", __name__, "tests.support.program", *(
        ".".join(file.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in sorted(_PROGRAM.parent.rglob("*.py"))
    ),
    "python_on_whales", "httpx", "httpcore", "anyio", "h11", "encodings.idna", "jinja2", "yaml", "rich.progress",
)  # fmt: skip
_FORKED = multiprocessing.get_context("forkserver")
# What Python reads when it starts, but for whether it writes bytecode.
_OF_PYTHON = ("PYTHON", "LC_", "LANG")
_NO_MATTER = "PYTHONDONTWRITEBYTECODE"


def run_warm(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: str, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run one command in a folder, without a terminal, as `python -m deployer` does."""
    if any(os.environ.get(key) != environment.get(key) for key in {*os.environ, *environment} if _is_of_python(key)):
        command = [sys.executable, "-m", "deployer", *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, input=stdin, cwd=folder, env=environment,
            timeout=seconds,
        )  # fmt: skip
    process = Warm(arguments, folder=folder, environment=environment, stdin=stdin)
    try:
        printed, said = process.communicate(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(["deployer", *arguments], process.returncode, printed, said)


class Warm:
    """A command running in a folder, without a terminal, with what `subprocess.Popen` has for signals and the end."""

    def __init__(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: str = ""
    ) -> None:
        self._arguments = tuple(arguments)
        self._scratch = tempfile.TemporaryDirectory()
        given, self._printed, self._said = (Path(self._scratch.name) / name for name in ("stdin", "stdout", "stderr"))
        given.write_text(stdin)
        _FORKED.set_forkserver_preload(list(_LOADED))
        streams = (given, self._printed, self._said)
        self._process = _FORKED.Process(target=_become, args=(self._arguments, str(folder), dict(environment), streams))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int:
        """The exit code of a command that has ended; of one that a signal has ended, its number below zero."""
        assert self._process.exitcode is not None
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for the end; what was printed on standard output and on standard error. Raises TimeoutExpired."""
        printed, said = self.printed(timeout)
        return printed.decode(), said.decode()

    def printed(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """The same, byte for byte."""
        self._process.join(timeout)
        if self.poll() is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(["deployer", *self._arguments], timeout)
        # A process that was killed at its very beginning has made no files.
        printed, said = (file.read_bytes() if file.exists() else b"" for file in (self._printed, self._said))
        self._scratch.cleanup()
        return printed, said


def _is_of_python(key: str) -> bool:
    return key.startswith(_OF_PYTHON) and key != _NO_MATTER


def _become(
    arguments: tuple[str, ...], folder: str, environment: dict[str, str], streams: tuple[Path, Path, Path]
) -> None:
    """Be the command, in the forked process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, (path, mode) in enumerate(zip(streams, ("r", "w", "w"), strict=True)):
        with path.open(mode) as opened:
            os.dup2(opened.fileno(), number)
    sys.stdin, sys.stdout = os.fdopen(0, "r", closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, buffering=1, errors="backslashreplace")
    sys.argv = [str(_PROGRAM), *arguments]
    from deployer.__main__ import main

    try:
        main()
    finally:
        # A process that multiprocessing forked ends without them.
        atexit._run_exitfuncs()
