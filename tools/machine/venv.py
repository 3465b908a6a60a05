"""Making virtual environments, and installing deployer into one."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.programs import quietly
from tools.machine.words import last_lines, say

if TYPE_CHECKING:
    from pathlib import Path

    from tools.machine.packages import Packages


def create_environment(packages: Packages, directory: Path) -> None:
    """Create a virtual environment with pip in it."""
    ensure_ensurepip(packages)
    status, output = quietly(sys.executable, "-m", "venv", str(directory))
    if status:
        raise RefusalError(f"No virtual environment could be created:\n{last_lines(output)}")


def ensure_ensurepip(packages: Packages) -> None:
    """Make `python3 -m venv` work, which Debian splits off into a package."""
    if importlib.util.find_spec("ensurepip"):
        return
    host = probe_host()
    if host.installs:
        say("python3 cannot create virtual environments here.")
        packages.install("python3-venv")
        importlib.invalidate_caches()
    if not importlib.util.find_spec("ensurepip"):
        how = "`sudo apt-get install python3-venv`" if host.apt else "your system's package manager"
        raise RefusalError(
            f"{sys.executable} cannot create virtual environments: install its venv module with {how}, then "
            "run this again."
        )


def install_project(python: Path, repository: Path, extra: str, *, constrained: bool) -> None:
    """Install deployer in place, with an extra; pip's own settings say where packages come from."""
    target = f"{repository}[{extra}]" if extra else str(repository)
    constraints = ("-c", str(repository / "constraints.txt")) if constrained else ()
    say(f"Installing deployer{' and the tools for its development' if extra else ''} with pip.")
    status, output = quietly(
        *(str(python), "-m", "pip", "install", "--disable-pip-version-check"),
        *(*constraints, "-e", target),
        variables={"PIP_USER": "0"},
    )
    if status:
        raise RefusalError(f"pip could not install deployer:\n{last_lines(output)}")
