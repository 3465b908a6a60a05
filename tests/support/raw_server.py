"""A server that sends exactly these bytes, for answers that no web server's library would give."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.accepting import accepting
from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class RawServer:
    """`requests` holds what was received on each connection."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"


@contextmanager
def sending(answer: bytes, *, reset: bool = False, silent: bool = False) -> Iterator[RawServer]:
    """Answer every connection with these bytes and close it: with `reset` rudely; with `silent` never."""
    server = RawServer()
    over = threading.Event()

    def speak(connection: socket.socket) -> None:
        server.requests.append(connection.recv(65536))
        if silent:
            over.wait(PATIENCE_SECONDS)
        connection.sendall(answer)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with accepting(speak, one_by_one=True) as server.port:
        try:
            yield server
        finally:
            over.set()
