"""Connections through a SOCKS 5 proxy (RFC 1928), with a user name and a password if it has them (RFC 1929).

The proxy looks names up, as with Go's client. httpx's own way needs one more package and waits
without end for a proxy that says nothing.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from deployer.registry.connection.proxy import Proxy

_VERSION = 5
_NO_LOGIN, _LOGIN = 0, 2
_CONNECT = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_REASONS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "no response in time",
    7: "command not supported",
    8: "address type not supported",
}


class SocksBackend(httpcore.NetworkBackend):
    """Opens every connection through one proxy. Raises httpcore's errors, ProxyError with the proxy's reason."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._direct = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the host; `timeout`, in seconds, is for each step of the way."""
        stream = self._direct.connect_tcp(self._proxy.host, self._proxy.port, timeout, local_address, socket_options)
        try:
            self._log_in(stream, timeout)
            stream.write(bytes([_VERSION, _CONNECT, 0]) + _target(host) + port.to_bytes(2), timeout)
            _, code, _, kind = self._answer(stream, 4, timeout)
            if code:
                raise httpcore.ProxyError(_REASONS.get(code, f"SOCKS reply {code}"))
            length = {_IPV4: 4, _IPV6: 16}.get(kind) or _read(stream, 1, timeout)[0]
            _read(stream, length + 2, timeout)
        except httpcore.TimeoutException as error:
            stream.close()
            raise httpcore.ConnectTimeout(str(error)) from error
        except httpcore.NetworkError as error:
            stream.close()
            raise httpcore.ProxyError("it closed the connection") from error
        except httpcore.ProxyError:
            stream.close()
            raise
        return stream

    def _log_in(self, stream: httpcore.NetworkStream, timeout: float | None) -> None:
        credentials = self._proxy.credentials
        methods = [_NO_LOGIN, _LOGIN] if credentials else [_NO_LOGIN]
        stream.write(bytes([_VERSION, len(methods), *methods]), timeout)
        _, method = self._answer(stream, 2, timeout)
        if method not in methods:
            raise httpcore.ProxyError("it requires a login" if not credentials else "it does not accept passwords")
        if method == _LOGIN and credentials:
            name, password = (text.encode()[:255] for text in credentials)
            stream.write(bytes([1, len(name)]) + name + bytes([len(password)]) + password, timeout)
            if _read(stream, 2, timeout)[1]:
                raise httpcore.ProxyError(f"it rejected the user name and the password in {self._proxy.variable}")

    def _answer(self, stream: httpcore.NetworkStream, length: int, timeout: float | None) -> bytes:
        found = _read(stream, length, timeout)
        if found[0] != _VERSION:
            raise httpcore.ProxyError("it is not a SOCKS 5 proxy")
        return found


def socks_transport(proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits) -> httpx.HTTPTransport:
    """httpx's own transport, whose connections go through the proxy."""
    made = httpx.HTTPTransport(verify=verify, limits=limits, trust_env=False)
    # httpx has no public place for it.
    made._pool._network_backend = SocksBackend(proxy)  # noqa: SLF001
    return made


def _target(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode()[:255]
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


def _read(stream: httpcore.NetworkStream, length: int, timeout: float | None) -> bytes:
    found = b""
    while len(found) < length:
        piece = stream.read(length - len(found), timeout)
        if not piece:
            raise httpcore.ProxyError("it closed the connection")
        found += piece
    return found
