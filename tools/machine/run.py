"""Running a command with an engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.machine.daemon import daemon_pid, is_supervised, stop_daemon
from tools.machine.engine import ensure_engine
from tools.machine.errors import RefusalError
from tools.machine.signals import SIGNALS, holding_signals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


class Child:
    """The signals of `run`: before COMMAND runs they end us, while it runs they are COMMAND's."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        for number in SIGNALS:
            signal.signal(number, self._handle)

    @property
    def started(self) -> bool:
        """Whether COMMAND was started."""
        return self._process is not None

    def run(self, command: Sequence[str]) -> int:
        """Run COMMAND and return its exit code, as a shell would give it."""
        try:
            with holding_signals():
                self._process = subprocess.Popen(command)
        except OSError as failure:
            raise RefusalError(f"{command[0]}: {failure.strerror}.") from failure
        status = self._process.wait()
        return 128 - status if status < 0 else status

    @staticmethod
    def ignore_signals() -> None:
        """Let nothing interrupt what follows."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        """End ourselves, or pass the signal on, unless the terminal has given it to COMMAND already."""
        if self._process is None:
            sys.exit(128 + number)
        if number != signal.SIGINT or not in_foreground():
            self._process.send_signal(number)


def in_foreground() -> bool:
    """Tell whether the terminal, on Ctrl-C, signals our whole group of processes."""
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def run_with_engine(command: Sequence[str]) -> int:
    """Run COMMAND with an engine; a daemon that we started by hand for it ends with it."""
    child = Child()
    running, daemon = daemon_pid(), None
    try:
        daemon = ensure_engine()
        return child.run(command)
    finally:
        child.ignore_signals()
        if daemon:
            stop_daemon(daemon)
        elif not child.started:
            stop_installed_daemon(running)


def stop_installed_daemon(running: int | None) -> None:
    """Stop the daemon that came up with its package, where something went wrong before COMMAND."""
    daemon = daemon_pid()
    if daemon and daemon != running and not is_supervised():
        stop_daemon(daemon)
