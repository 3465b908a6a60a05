"""The stamp: what the virtual environment holds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

UNFINISHED = "unfinished"
OUTDATED = "outdated"


def fingerprint(repository: Path, extra: str) -> str:
    """Return a hash of all that decides what the virtual environment holds, and of where it is."""
    state = hashlib.sha256(f"{repository}\n{extra}\n".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        state.update((repository / name).read_bytes())
    return state.hexdigest()


def stamp_file(repository: Path) -> Path:
    """Return the file that says what the virtual environment holds; it is written last."""
    return repository / ".venv/deployer-stamp"


def read_stamp(repository: Path) -> str:
    """Return what the stamp says; nothing if there is none."""
    try:
        return stamp_file(repository).read_text()
    except OSError:
        return ""


def write_stamp(repository: Path, words: str) -> None:
    """Replace the stamp in one move."""
    file = stamp_file(repository)
    unready = file.with_name(f"{file.name}.unready")
    unready.write_text(words)
    unready.replace(file)
