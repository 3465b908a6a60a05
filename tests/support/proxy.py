"""A proxy that records what it is asked for, and takes every request to one port of this machine."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.accepting import accepting
from tests.support.tls_server import carry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SENTENCE = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_HANDSHAKE = b"\x16"
_SOCKS_VERSION = b"\x05"


@dataclass
class RecordingProxy:
    """`asked` holds "METHOD TARGET" of each request, `logins` what stood in Proxy-Authorization.

    `login` is `user:password`, without which it refuses; `status` refuses all. With `context` it
    speaks TLS, and answers plain HTTP as servers written in Go do, or by closing with `closes`.
    `socks` is the reply code of SOCKS 5 (RFC 1928, 6).
    """

    backend: int
    login: str = ""
    status: int = 0
    context: ssl.SSLContext | None = None
    closes: bool = False
    socks: int = 0
    port: int = 0
    asked: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def answer(self, connection: socket.socket) -> None:
        first = connection.recv(1, socket.MSG_PEEK)
        if first == _SOCKS_VERSION:
            self._speak_socks(connection)
        elif self.context is None and first == _HANDSHAKE:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif self.context is None:
            self._serve(connection)
        elif first == _HANDSHAKE:
            with self.context.wrap_socket(connection, server_side=True) as secure:
                self._serve(secure)
        elif not self.closes:
            _head(connection)
            connection.sendall(_SENTENCE)

    def _serve(self, connection: socket.socket) -> None:
        head = _head(connection)
        method, target, _ = head.split(b" ", 2)
        self.asked.append(f"{method.decode()} {target.decode()}")
        found = re.search(rb"(?im)^proxy-authorization: basic (\S+)", head)
        self.logins.append(base64.b64decode(found[1]).decode() if found else "")
        status = 407 if self.login and self.logins[-1] != self.login else self.status
        if status:
            connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n" % status)
        elif method == b"CONNECT":
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            carry(connection, self.backend)
        else:
            self._forward(connection, head)

    def _forward(self, connection: socket.socket, head: bytes) -> None:
        path = re.sub(rb"^(\S+) http://[^/ ]*", rb"\1 ", head, count=1)
        kept = re.sub(rb"(?im)^(proxy-authorization|connection):[^\n]*\n", b"", path)
        with socket.create_connection(("127.0.0.1", self.backend)) as inner:
            inner.sendall(kept[:-2] + b"Connection: close\r\n\r\n")
            while piece := inner.recv(65536):
                connection.sendall(piece)

    def _speak_socks(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        _, count = stream.read(2)
        methods = stream.read(count)
        wanted = 2 if self.login else 0
        if wanted not in methods:
            connection.sendall(b"\x05\xff")
            return
        connection.sendall(bytes([5, wanted]))
        if self.login:
            stream.read(1)
            name, password = (stream.read(stream.read(1)[0]).decode() for _ in range(2))
            self.logins.append(f"{name}:{password}")
            right = self.logins[-1] == self.login
            connection.sendall(bytes([1, 0 if right else 1]))
            if not right:
                return
        _, _, _, kind = stream.read(4)
        host = stream.read({1: 4, 4: 16}.get(kind) or stream.read(1)[0])
        name = host.decode() if kind == 3 else socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, host)
        self.asked.append(f"SOCKS {name}:{int.from_bytes(stream.read(2), 'big')}")
        connection.sendall(bytes([5, self.socks, 0, 1, 0, 0, 0, 0, 0, 0]))
        if not self.socks:
            carry(connection, self.backend)


def _head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ConnectionError
        head += piece
    return head


@contextmanager
def proxy_to(
    backend: int,
    *,
    login: str = "",
    status: int = 0,
    tls: tuple[Path, Path] | None = None,
    closes: bool = False,
    socks: int = 0,
    listener: socket.socket | None = None,
) -> Iterator[RecordingProxy]:
    """Run a proxy on 127.0.0.1, or on this listener."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
    if context and tls:
        context.load_cert_chain(*tls)
    made = RecordingProxy(backend, login, status, context, closes, socks)
    with accepting(made.answer, listener=listener) as made.port:
        yield made
