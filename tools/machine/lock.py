"""constraints.txt: the versions that the tests run with."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tools.machine.errors import RefusalError
from tools.machine.packages import Packages
from tools.machine.programs import ask
from tools.machine.venv import create_environment, install_project
from tools.machine.words import last_lines, say

LOCK_HEADER = """\
# Every package of the development environment, at the version that the tests run with.
# Made by `make lock`, out of a fresh virtual environment; change pyproject.toml, not this file.
"""


def write_lock(repository: Path) -> None:
    """Write constraints.txt out of a fresh virtual environment: names and versions, never addresses."""
    with tempfile.TemporaryDirectory() as scratch:
        python = Path(scratch) / "venv/bin/python"
        create_environment(Packages(), Path(scratch) / "venv")
        install_project(python, repository, "dev", constrained=False)
        status, output, error = ask(
            *(str(python), "-m", "pip", "freeze", "--disable-pip-version-check", "--exclude-editable")
        )
    if status:
        raise RefusalError(f"pip could not list what it installed:\n{last_lines(error)}")
    (repository / "constraints.txt").write_text(LOCK_HEADER + pins(output))
    say("Written: constraints.txt.")


def pins(frozen: str) -> str:
    """Return the lines of `pip freeze`; refuse those that hold more than a name and a version."""
    for line in frozen.splitlines():
        if not re.fullmatch(r"[\w.-]+==[\w.!+-]+", line):
            raise RefusalError(f"Not a name and a version: {line}")
    return frozen
