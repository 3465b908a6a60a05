"""The route of one request: directly to the registry, or through a proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from deployer.registry.connection.proxy import ProxyProtocol
from deployer.registry.connection.proxy_faults import needs_tls, proxy_speaks_tls, refusal_by_proxy, refused_by_proxy
from deployer.registry.connection.tls_context import TrustStore
from deployer.registry.protocol.answers import original_text, tells_tls

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from deployer.registry.connection.proxy import Proxy
    from deployer.registry.protocol.answers import Answer
    from deployer.registry.protocol.place import Place

_SENDS = "http11.send_request_headers.started"
_OF_THE_NETWORK = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)


@dataclass
class RequestRoute:
    """How far a request came. `at_proxy`: what fails now fails at the proxy, or before it.

    `reuses`: the request goes over a connection that was kept from an earlier one.
    """

    proxy: Proxy | None
    tunnels: bool
    at_proxy: bool
    reuses: bool = False
    _connected: bool = False

    @classmethod
    def to(cls, url: str, proxy: Proxy | None) -> RequestRoute:
        """The route to a URL. An HTTP proxy asks for plain HTTP itself, and hands all else through."""
        tunnels = proxy is not None and (proxy.is_socks or url.startswith("https:"))
        return cls(proxy, tunnels, at_proxy=proxy is not None and not tunnels)

    @property
    def extensions(self) -> dict[str, Any]:
        """What makes httpx report its progress."""
        return {"trace": self._note}

    def check(self, answer: Answer, place: Place, seconds: float) -> None:
        """Raise RegistryUnreachable for an answer that is the proxy's own."""
        if self.proxy is None or self.tunnels:
            return
        if refused_by_proxy(answer):
            raise refusal_by_proxy(answer.status, self.proxy, place, original_text(answer))
        if answer.status == httpx.codes.BAD_REQUEST and tells_tls(answer) and proxy_speaks_tls(self.proxy, seconds):
            raise needs_tls(self.proxy, original_text(answer))

    def fails_at_proxy(self, error: Exception) -> bool:
        """Whether an error of httpx's is the proxy's, or of the route to it."""
        return self.proxy is not None and self.at_proxy and isinstance(error, _OF_THE_NETWORK)

    def _note(self, event: str, _info: Mapping[str, Any]) -> None:
        # The names are httpcore's: "connection" is ours to the proxy, "proxy" the tunnel through it.
        if event == "connection.connect_tcp.started":
            self.at_proxy = self.proxy is not None
            self._connected = True
        elif event == _SENDS:
            self.reuses = not self._connected
        elif event == self._passed:
            self.at_proxy = False

    @property
    def _passed(self) -> str:
        """The event from which on it is the registry that answers."""
        if self.proxy and self.proxy.is_socks:
            return "connection.connect_tcp.complete"
        return "proxy.start_tls.started" if self.tunnels else "http11.receive_response_headers.complete"


def transport_for(proxy: Proxy, verify: ssl.SSLContext, limits: httpx.Limits) -> httpx.BaseTransport:
    """What takes requests through the proxy. Its own certificate must be by a CA that the system trusts."""
    if proxy.is_socks:
        # Few need it, and it takes a moment to load.
        from deployer.registry.connection.socks import socks_transport

        return socks_transport(proxy, verify, limits)
    context = TrustStore().context()[0] if proxy.protocol is ProxyProtocol.HTTPS else None
    through = httpx.Proxy(proxy.url, auth=proxy.credentials, ssl_context=context)
    return httpx.HTTPTransport(verify=verify, limits=limits, trust_env=False, proxy=through)
