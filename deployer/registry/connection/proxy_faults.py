"""What goes wrong between us and a proxy, each fault in its sentence; none has the proxy's password in it.

All are RegistryUnreachable: nothing can be concluded about the registry itself.
"""

from __future__ import annotations

import re
import socket
import ssl
from typing import TYPE_CHECKING

import httpx

from deployer.errors import RegistryUnreachable
from deployer.registry.connection.faults import causes

if TYPE_CHECKING:
    from deployer.registry.connection.proxy import Proxy
    from deployer.registry.protocol.answers import Answer
    from deployer.registry.protocol.place import Place

PROXY_LOGIN = 407
_FORBIDDEN = 403
_BAD_REQUEST = 400
# What proxies answer that cannot connect, look up a name or wait no longer.
_NO_WAY = frozenset({500, 502, 503, 504})


def proxy_fault(error: Exception, proxy: Proxy, place: Place, *, seconds: float) -> RegistryUnreachable:
    """The sentence for a request that came no further than the proxy; `seconds` is how long we waited."""
    original = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return _fault(f"The {proxy} did not respond within {seconds:g} seconds.", proxy, place, original)
    if isinstance(error, httpx.TimeoutException):
        message = (
            f"The {proxy} accepted the request for {place.address} but did not respond within {seconds:g} seconds."
        )
        return _fault(message, proxy, place, original)
    if isinstance(error, httpx.ConnectError):
        return _connecting(error, proxy, place, original)
    if isinstance(error, httpx.ProxyError):
        return _refusing(proxy, place, original, seconds)
    if proxy_speaks_tls(proxy, seconds):
        return needs_tls(proxy, original)
    what = "closed the connection without responding" if "disconnect" in original else "does not respond like a proxy"
    return _fault(f"The {proxy} {what}.", proxy, place, original)


def _refusing(proxy: Proxy, place: Place, original: str, seconds: float) -> RegistryUnreachable:
    status = re.match(r"\d{3}\b", original)
    if not status:
        return _fault(f"The {proxy} could not connect to {place.address}: {original}.", proxy, place, original)
    if int(status[0]) == _BAD_REQUEST and proxy_speaks_tls(proxy, seconds):
        return needs_tls(proxy, original)
    return refusal_by_proxy(int(status[0]), proxy, place, original)


def refused_by_proxy(answer: Answer) -> bool:
    """Whether an answer that came through a proxy in plain HTTP is the proxy's own, and says that it did not ask."""
    return answer.status == PROXY_LOGIN or (answer.status in _NO_WAY | {_FORBIDDEN} and not answer.is_from_registry)


def refusal_by_proxy(status: int, proxy: Proxy, place: Place, original: str) -> RegistryUnreachable:
    """The sentence for a status from the proxy, or from a server behind it that is not the registry."""
    if status == PROXY_LOGIN:
        form = f"{proxy.variable}={proxy.protocol}://USER:PASSWORD@{proxy.address}"
        if proxy.credentials:
            message = f"The {proxy} rejected the user name and the password in {proxy.variable}."
            return RegistryUnreachable(message, (f"Correct them: {form}",), original)
        return RegistryUnreachable(f"The {proxy} requires a user name and a password.", (form,), original)
    if status == _FORBIDDEN:
        message = f"The {proxy} does not allow connections to {place.address} (HTTP {status})."
        asks = f"Ask the proxy's administrator to allow port {place.port}; many allow only 443."
        return _fault(message, proxy, place, original, asks)
    if status in _NO_WAY:
        message = f"The {proxy} could not reach {place.address} (HTTP {status})."
        return _fault(
            message, proxy, place, original, f"Check that {place.host} is correct and that the registry is running."
        )
    return _fault(f"The {proxy} refused to connect to {place.address} (HTTP {status}).", proxy, place, original)


def needs_tls(proxy: Proxy, original: str) -> RegistryUnreachable:
    """The sentence for a proxy that uses TLS although the variable says plain HTTP."""
    return RegistryUnreachable(
        f"The {proxy} uses TLS, but deployer connected with plain HTTP.",
        (f"Use https:// in the variable: {proxy.variable}=https://{proxy.address}",),
        original,
    )


def proxy_speaks_tls(proxy: Proxy, seconds: float) -> bool:
    """Ask the proxy for a TLS handshake, only to say what is wrong with it; nothing is sent."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((proxy.host, proxy.port), timeout=seconds) as connection,
            context.wrap_socket(connection, server_hostname=proxy.host),
        ):
            return True
    except OSError:
        return False


def _connecting(error: Exception, proxy: Proxy, place: Place, original: str) -> RegistryUnreachable:
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return RegistryUnreachable(
                f"The certificate of the {proxy} is not trusted: {cause.verify_message}.",
                ("Add the proxy's CA to this machine's trust store (Debian: update-ca-certificates).",),
                original,
            )
        if isinstance(cause, ssl.SSLError):
            plain = f"Use http:// in the variable: {proxy.variable}=http://{proxy.address}"
            return RegistryUnreachable(
                f"The {proxy} does not use TLS, but deployer connected with TLS.", (plain,), original
            )
        if isinstance(cause, socket.gaierror):
            message = f"The host name of the {proxy} does not resolve."
            return _fault(message, proxy, place, original)
    return _fault(f"Nothing responds at the {proxy}.", proxy, place, original)


def _fault(message: str, proxy: Proxy, place: Place, original: str, *advice: str) -> RegistryUnreachable:
    ways = advice or (f"Correct {proxy.variable}, or start the proxy.",)
    return RegistryUnreachable(message, (*ways, around(proxy, place)), original)


def around(proxy: Proxy, place: Place) -> str:
    """How to reach a place without the proxy."""
    name = proxy.exempting
    return f'If {place.host} can be reached without a proxy: export {name}="${name},{place.host}"'
