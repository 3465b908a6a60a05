"""TLS on 127.0.0.1 before a plain server; who asks it in plain HTTP gets what web servers say to that."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.accepting import accepting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HANDSHAKE = b"\x16"
_SENTENCE = b"Client sent an HTTP request to an HTTPS server.\n"


@dataclass
class TlsServer:
    """`plain` holds the requests that came in plain HTTP, `shown` the names in the certificates that clients showed."""

    port: int = 0
    plain: list[bytes] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


def redirecting(server: TlsServer) -> bytes:
    """What Caddy answers where it redirects on one port."""
    location = f"Location: https://{server.address}/v2/\r\n".encode()
    return b"HTTP/1.1 308 Permanent Redirect\r\n" + location + b"Content-Length: 0\r\nConnection: close\r\n\r\n"


def refusing(server: TlsServer) -> bytes:
    """What servers written in Go answer."""
    return b"HTTP/1.0 400 Bad Request\r\n\r\n" + _SENTENCE


@contextmanager
def tls_server(
    certificate: Path,
    key: Path,
    backend: int,
    *,
    plain: Callable[[TlsServer], bytes] = redirecting,
    clients: Path | None = None,
) -> Iterator[TlsServer]:
    """Carry what comes in TLS to the backend's port. With `clients`, their certificates must be by that CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cafile=clients)
    server = TlsServer()

    def answer(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) != _HANDSHAKE:
            server.plain.append(connection.recv(65536))
            connection.sendall(plain(server))
            return
        with context.wrap_socket(connection, server_side=True) as secure:
            subject = (secure.getpeercert() or {}).get("subject", ())
            server.shown += [str(part[0][1]) for part in subject]
            carry(secure, backend)

    with accepting(answer) as server.port:
        yield server


def carry(outer: socket.socket, backend: int) -> None:
    """Carry bytes both ways between a connection and a port of this machine."""
    with socket.create_connection(("127.0.0.1", backend)) as inner:
        back = threading.Thread(target=_copy, args=(inner, outer), daemon=True)
        back.start()
        _copy(outer, inner)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    # Also after a reset, which is how a connection ends that is closed before all that came was read.
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
