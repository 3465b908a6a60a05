"""deployer's commands without the start of Python: each a process of its own, forked from one that has the program.

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

_PROGRAM = Path(__file__).parents[2] / "deployer" / "__main__.py"
_LOADED = (
    "__main__", __name__, "deployer.cli.main", "deployer.workflows.upkeep.survey.garbage",
    "deployer.workflows.deployment.stack", "deployer.workflows.diagnosis.status",
    "deployer.workflows.upkeep.maintenance", "python_on_whales", "httpx", "jinja2", "yaml", "rich.progress",
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
    _FORKED.set_forkserver_preload(list(_LOADED))
    with tempfile.TemporaryDirectory() as scratch:
        given, printed, said = (Path(scratch) / name for name in ("stdin", "stdout", "stderr"))
        given.write_text(stdin)
        process = _FORKED.Process(
            target=_become, args=(tuple(arguments), str(folder), dict(environment), (given, printed, said))
        )
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["deployer", *arguments], seconds, printed.read_text(), said.read_text())
        code = process.exitcode
        process.close()
        return subprocess.CompletedProcess(["deployer", *arguments], code, printed.read_text(), said.read_text())


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
