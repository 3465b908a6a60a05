"""The TypeScript compiler, which checks the types in the comments of the web page's modules."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.node import ensure_node
from tools.machine.packages import Packages
from tools.machine.programs import ask, quietly
from tools.machine.versions import TYPESCRIPT
from tools.machine.words import last_lines, say

if TYPE_CHECKING:
    from pathlib import Path


def ensure_typescript(repository: Path) -> None:
    """Install the compiler into .build/node; npm's own settings say where packages come from."""
    directory = repository / ".build/node"
    compiler = directory / "node_modules/.bin/tsc"
    ensure_node()
    if is_installed(compiler):
        return
    ensure_npm()
    say(f"Installing typescript {TYPESCRIPT} with npm.")
    directory.mkdir(parents=True, exist_ok=True)
    status, output = quietly(
        *("npm", "install", "--prefix", str(directory), "--no-save", "--no-package-lock", "--no-audit", "--no-fund"),
        f"typescript@{TYPESCRIPT}",
    )
    if status or not is_installed(compiler):
        raise RefusalError(f"npm could not install typescript {TYPESCRIPT}:\n{last_lines(output)}")


def is_installed(compiler: Path) -> bool:
    """Tell whether the compiler runs, in the version that is wanted."""
    return ask(str(compiler), "--version")[:2] == (0, f"Version {TYPESCRIPT}\n")


def ensure_npm() -> None:
    """Make npm available; Debian's nodejs comes without it."""
    if shutil.which("npm"):
        return
    if not probe_host().installs:
        raise RefusalError("The check of the page's types needs npm: install it, then run this again.")
    say("The check of the page's types needs npm.")
    Packages().install("npm")
