"""Connections through a proxy for what is no request of httpx's: the look at what a registry speaks.

As Go's client makes them (net/http, transport.go): CONNECT for TLS, the whole URL for plain HTTP.
"""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.address import host_port
from deployer.registry.connection.proxy import ProxyProtocol, proxy_for
from deployer.registry.connection.tls_context import TrustStore
from deployer.tls.probe import DirectRoute, Opened, ProxyFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.registry.connection.proxy import Proxy

_LIMIT = 65_536
_PIECE = 16_384


@dataclass(frozen=True)
class ProxyRoute:
    """The route to a host through the proxies that these variables name; direct if they name none for it."""

    variables: Mapping[str, str]

    def open(self, host: str, port: int, seconds: float, *, secure: bool) -> Opened:
        """A connection for TLS, or for plain HTTP. Raises ProxyFault, and OSError on the direct route."""
        place = host_port(host, port)
        proxy = proxy_for(f"{'https' if secure else 'http'}://{place}", self.variables)
        if proxy is None:
            return DirectRoute().open(host, port, seconds, secure=secure)
        try:
            return _opened(proxy, (host, port), place, seconds, secure=secure)
        except ProxyFault:
            raise
        except OSError as error:
            raise ProxyFault(str(proxy), str(error)) from error


def _opened(proxy: Proxy, target: tuple[str, int], place: str, seconds: float, *, secure: bool) -> Opened:
    if proxy.is_socks:
        return Opened(_through_socks(proxy, target, seconds), proxy=str(proxy))
    connection = socket.create_connection((proxy.host, proxy.port), timeout=seconds)
    try:
        if proxy.protocol is ProxyProtocol.HTTPS:
            connection = TrustStore().context()[0].wrap_socket(connection, server_hostname=proxy.host)
        if not secure:
            return Opened(connection, f"http://{place}", _login(proxy), str(proxy))
        head = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{_login(proxy)}\r\n"
        connection.sendall(head.encode())
        _require_success(connection, proxy)
    except BaseException:
        connection.close()
        raise
    # TLS within TLS takes a plain socket.
    return Opened(_carried(connection) if proxy.protocol is ProxyProtocol.HTTPS else connection, proxy=str(proxy))


def _login(proxy: Proxy) -> str:
    if proxy.credentials is None:
        return ""
    return f"Proxy-Authorization: Basic {base64.b64encode(':'.join(proxy.credentials).encode()).decode()}\r\n"


def _require_success(connection: socket.socket, proxy: Proxy) -> None:
    head = b""
    # By single bytes: what comes behind the head is the registry's.
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece or len(head) > _LIMIT:
            raise ProxyFault(str(proxy), "it closed the connection" if not piece else "it does not respond in HTTP")
        head += piece
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if not words[0].startswith("HTTP/") or words[1:2] != ["200"]:
        raise ProxyFault(str(proxy), f"it responded {' '.join(words[1:]) or 'with something other than HTTP'}")


def _through_socks(proxy: Proxy, target: tuple[str, int], seconds: float) -> socket.socket:
    # Few need it, and it takes a moment to load.
    import httpcore

    from deployer.registry.connection.socks import SocksBackend

    try:
        stream = SocksBackend(proxy).connect_tcp(*target, timeout=seconds)
    except (httpcore.ProxyError, httpcore.NetworkError, httpcore.TimeoutException) as error:
        raise ProxyFault(str(proxy), str(error) or "no response in time") from error
    found: socket.socket = stream.get_extra_info("socket")
    return found


def _carried(outer: socket.socket) -> socket.socket:
    """A plain socket whose bytes go through another one, until either ends."""
    ours, theirs = socket.socketpair()
    ours.settimeout(outer.gettimeout())

    def carry() -> None:
        back = threading.Thread(target=_carry, args=(outer, theirs), daemon=True)
        back.start()
        with outer, theirs:
            _carry(theirs, outer)
            back.join()

    threading.Thread(target=carry, daemon=True).start()
    return ours


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
