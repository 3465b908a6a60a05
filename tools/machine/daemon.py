"""The Docker daemon: starting and stopping it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools.machine.errors import RefusalError
from tools.machine.facts import Engine, probe_engine
from tools.machine.paths import DAEMON_LOG, RUN_DIRECTORY
from tools.machine.pidfiles import process_name, recorded_process, remove_stale_pid_files
from tools.machine.programs import quietly
from tools.machine.signals import holding_signals
from tools.machine.words import last_lines, say

if TYPE_CHECKING:
    from collections.abc import Callable

# The names of a first process that starts and supervises services.
SERVICE_INITS = ("init", "openrc-init", "runit")
START_SECONDS = 60
STOP_SECONDS = 60


def daemon_pid() -> int | None:
    """Return the process of this machine's Docker daemon."""
    return recorded_process(RUN_DIRECTORY / "docker.pid", "dockerd")


def wait_for_engine(given_up: Callable[[], bool] = lambda: False) -> bool:
    """Wait until the engine answers; stop early once `given_up` says that it never will."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lost = given_up()
        if probe_engine() is Engine.ANSWERS:
            return True
        if lost:
            return False
        time.sleep(0.2)
    return False


def runs_services() -> bool:
    """Tell whether an init system supervises services; in most containers, the first process does not."""
    return process_name(1) in SERVICE_INITS and Path("/etc/init.d/docker").exists()


def is_supervised() -> bool:
    """Tell whether this machine, not anyone who starts it, looks after the daemon."""
    return Path("/run/systemd/system").exists() or runs_services()


def start_daemon() -> int | None:
    """Start the daemon in this machine's way and wait for it; return its process if we started it by hand."""
    if Path("/run/systemd/system").exists():
        say("Starting the Docker daemon with systemctl.")
        status, output = quietly("systemctl", "start", "docker")
        if status or not wait_for_engine():
            raise RefusalError(
                f"The Docker daemon did not start; `journalctl -u docker` has more:\n{last_lines(output)}"
            )
        return None
    if runs_services():
        say("Starting the Docker daemon with service.")
        if quietly("service", "docker", "start")[0] == 0 and wait_for_engine():
            return None
    return start_by_hand(DAEMON_LOG)


def start_by_hand(log: Path) -> int | None:
    """Start dockerd in its own session, and return its process, unless another one was faster.

    Its words go to a log, whose end we show where it fails.
    """
    say(f"Starting the Docker daemon by hand; its log is {log}.")
    remove_stale_pid_files(RUN_DIRECTORY)
    log.touch()
    before = log.stat().st_size
    with contextlib.ExitStack() as rescue:
        with log.open("ab") as output, holding_signals():
            daemon = subprocess.Popen(
                ["dockerd"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True
            )
            rescue.callback(stop_daemon, daemon.pid)
        if wait_for_engine(lambda: daemon.poll() is not None and daemon_pid() is None):
            rescue.pop_all()
            return daemon.pid if daemon.poll() is None else None
    words = log.read_bytes()[before:].decode(errors="replace")
    raise RefusalError(f"The Docker daemon did not start; the end of {log}:\n{last_lines(words)}")


def stop_daemon(pid: int) -> None:
    """Ask a daemon to stop, and wait until it has."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while process_name(pid) is not None:
        if time.monotonic() > deadline:
            raise RefusalError(f"The Docker daemon, process {pid}, did not stop within {STOP_SECONDS} s.")
        time.sleep(0.05)
    # Our own child would stay a zombie where the first process does not care for orphans.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
