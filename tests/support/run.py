"""One run of the tests, by one process or by several: the names of what it makes, and what they share."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# pytest-xdist gives these to its workers; the process that has none is the run's own.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw")

OF_ANY_WORKER = f"deployer-test-{RUN}-"
"""How the names of all begin that this run makes: containers, volumes, networks, folders, network namespaces."""
OWN = f"{OF_ANY_WORKER}{WORKER}"
"""The name of what this worker makes, to be continued with a hyphen."""
LABEL = f"deployer-test={RUN}"
"""What is on containers and images that have other names."""

PATIENCE_SECONDS = 300
"""How long is waited for what must come. However busy the machine is, only what hangs comes to it."""

# Below the ports that Linux gives to connections (32768 and up), which come and go.
_PORTS = range(20_000, 32_000)


@contextmanager
def alone(name: str) -> Iterator[Path]:
    """A file that only one process of this user has at a time."""
    file = Path(tempfile.gettempdir()) / f"deployer-tests-{os.getuid()}-{name}"
    with file.open("a") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield file


def free_port() -> int:
    """A TCP port of the loopback interface that nothing holds, and that no other test is given for a long time."""
    with alone("port") as file:
        last = file.read_text()
        port = int(last) if last.isdigit() else _PORTS.start
        for _ in _PORTS:
            port = port + 1 if port + 1 in _PORTS else _PORTS.start
            if _is_free(port):
                file.write_text(str(port))
                with ports_file().open("a") as given:
                    given.write(f"{port}\n")
                return port
    raise AssertionError("no port is free")


def ports_file() -> Path:
    """Where the ports are written down that this run was given."""
    return Path(tempfile.gettempdir()) / f"{OF_ANY_WORKER}ports"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As a server does: connections that have ended are not in its way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
