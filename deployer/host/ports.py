"""Addresses, and who listens on this machine's ports."""

from __future__ import annotations

import errno
import socket
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_free(address: str, port: int) -> bool:
    """Whether a TCP port can be bound on an address ("" means all of this machine's)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Docker's own proxy does: connections that linger after a restart do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            # Below 1024 only the engine, which runs as root, may bind: that is no sign of a neighbour.
            return error.errno == errno.EACCES
    return True


def free_near(port: int, addresses: Sequence[str]) -> int:
    """A TCP port that is free on these addresses: the next one after `port`, or else the first after 1023."""
    candidates = chain(range(port + 1, 65536), range(1024, port))
    return next(found for found in candidates if all(is_free(address, found) for address in addresses))


def unused(address: str) -> int:
    """A TCP port that nobody uses on this address, as the kernel chooses it: others look elsewhere for theirs."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def addresses(host: str) -> list[str]:
    """The IP addresses of a host name. Raises OSError if there are none."""
    return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})


def is_own_address(address: str) -> bool:
    """Whether an IP address belongs to this machine."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def listener(port: int) -> str:
    """The process that listens on a TCP port, as "name (process 123)"; "" if that cannot be seen."""
    import psutil

    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return ""
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            return _name(connection.pid)
    return ""


def _name(pid: int | None) -> str:
    import psutil

    if pid is None:
        return ""
    try:
        return f"{psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return f"process {pid}"
