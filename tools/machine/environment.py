"""The virtual environment .venv."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tools.machine.errors import RefusalError
from tools.machine.packages import Packages
from tools.machine.programs import ask
from tools.machine.stamp import OUTDATED, UNFINISHED, fingerprint, read_stamp, stamp_file, write_stamp
from tools.machine.venv import create_environment, install_project
from tools.machine.versions import OLDEST_PYTHON
from tools.machine.words import say

if TYPE_CHECKING:
    from pathlib import Path


def ensure_environment(repository: Path, *, dev: bool) -> None:
    """Make the virtual environment hold deployer and what it needs."""
    if is_current(repository, dev=dev):
        return
    if is_repairable(repository):
        say("Bringing .venv up to date.")
    else:
        say("Creating the virtual environment .venv.")
        empty_environment(repository)
        create_environment(Packages(), repository / ".venv")
    write_stamp(repository, UNFINISHED)
    try:
        install_project(repository / ".venv/bin/python", repository, "dev" if dev else "", constrained=True)
    except RefusalError:
        write_stamp(repository, OUTDATED)
        raise
    write_stamp(repository, fingerprint(repository, "dev" if dev else ""))


def is_current(repository: Path, *, dev: bool) -> bool:
    """Tell whether the virtual environment holds what is wanted; with the tools for development serves both."""
    accepted = {fingerprint(repository, "dev")} | (set() if dev else {fingerprint(repository, "")})
    return read_stamp(repository) in accepted and (repository / ".venv/bin/python").exists()


def is_repairable(repository: Path) -> bool:
    """Tell whether pip can fix what is there; a killed installation is not to be trusted."""
    python = repository / ".venv/bin/python"
    works = f"import sys, pip; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    return read_stamp(repository) != UNFINISHED and ask(str(python), "-c", works)[0] == 0


def empty_environment(repository: Path) -> None:
    """Remove what is in the virtual environment, but first leave word that it is unfinished."""
    directory = repository / ".venv"
    directory.mkdir(exist_ok=True)
    write_stamp(repository, UNFINISHED)
    for item in directory.iterdir():
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        elif item != stamp_file(repository):
            item.unlink()
