"""Commands on a terminal, which ask before they change anything."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.stack import DeployedStack


def asked(stack: DeployedStack, *arguments: str, meanwhile: Callable[[], object], answer: str = "y") -> str:
    """Run a command, do something while its question is, answer it; return all that it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        stack.command(*arguments), cwd=stack.folder, env=stack.environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        try:
            shown = _read(ours, until=b"[y/N]")
            assert b"[y/N]" in shown, shown.decode()
            meanwhile()
            os.write(ours, f"{answer}\n".encode())
            shown += _read(ours)
        finally:
            os.close(ours)
        assert process.wait(PATIENCE_SECONDS) == 0, shown.decode()
    return shown.decode()


def _read(terminal: int, until: bytes | None = None) -> bytes:
    shown = b""
    while until is None or until not in shown:
        try:
            more = os.read(terminal, 65_536)
        except OSError:  # Linux's way of saying that no one writes any more.
            break
        if not more:
            break
        shown += more
    return shown
