"""Which proxy is between us and a registry, read as Go reads it (golang.org/x/net/http/httpproxy), and so Docker."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from deployer.address import host_port
from deployer.errors import ConfigurationError
from deployer.registry.connection.no_proxy import exempts
from deployer.registry.protocol.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]]+)(?::(?P<port>[0-9]*))?")
_HALF_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LAST_PORT = 65535


class ProxyProtocol(StrEnum):
    """How a proxy is spoken to."""

    HTTP = "http"
    HTTPS = "https"
    SOCKS5 = "socks5"

    @property
    def port(self) -> int:
        """The port if the variable gives none."""
        return {ProxyProtocol.HTTP: 80, ProxyProtocol.HTTPS: 443, ProxyProtocol.SOCKS5: 1080}[self]


# Go leaves the looking up of names to the proxy with both.
_SOCKS = {"socks5": ProxyProtocol.SOCKS5, "socks5h": ProxyProtocol.SOCKS5}


@dataclass(frozen=True)
class Proxy:
    """A proxy, the variable that names it, and the one that would exempt a host from it."""

    variable: str
    exempting: str
    protocol: ProxyProtocol
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """`host:port`, without the user name and the password."""
        return host_port(self.host, self.port)

    @property
    def url(self) -> str:
        """Its URL, without the user name and the password."""
        return f"{self.protocol}://{self.address}"

    @property
    def is_socks(self) -> bool:
        """Whether it hands every connection through, and knows nothing of HTTP."""
        return self.protocol is ProxyProtocol.SOCKS5

    @property
    def credentials(self) -> tuple[str, str] | None:
        """The user name and the password, if the variable has them."""
        return (self.username, self.password) if self.username or self.password else None

    def __str__(self) -> str:
        return f"proxy {self.address} ({self.variable})"


def proxy_for(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy that the environment names for this URL, None for the direct way.

    The variable in upper case goes before the one in lower case. This machine itself is reached
    directly. Raises ConfigurationError, without the variable's value, if that cannot be used.
    """
    scheme = urlsplit(url).scheme
    variable, value = _variable(f"{scheme}_proxy", environment)
    place = Place.of(url)
    if not value or place.is_loopback:
        return None
    exempting, entries = _variable("no_proxy", environment)
    if exempts(entries, place):
        return None
    if scheme == "http" and environment.get("REQUEST_METHOD"):
        # A web server gives its scripts a request's "Proxy" header as HTTP_PROXY (golang.org/s/cgihttpproxy).
        raise ConfigurationError(
            f"{variable} is ignored because REQUEST_METHOD is also set: a visitor of a web server may have set it.",
            (f"If you set {variable} yourself: unset REQUEST_METHOD", f"Without a proxy: unset {variable}"),
        )
    return _parse(value, variable, exempting)


def _variable(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable that counts, with its value: an empty one is as good as none."""
    found = next((known for known in (name.upper(), name.lower()) if environment.get(known)), name.upper())
    return found, environment.get(found, "")


def _parse(value: str, variable: str, exempting: str) -> Proxy:
    """Take a proxy's URL apart; without a scheme it is HTTP's."""
    scheme, found, rest = value.partition("://")
    if not found:
        scheme, rest = "http", value
    if re.search(r"[\s\x00-\x1f\x7f]", value) or not _SCHEME.fullmatch(scheme):
        raise _unusable(variable, "it contains a space or another character that is not allowed in a URL")
    userinfo, _, address = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    split = _HOST_AND_PORT.fullmatch(address)
    if split is None or _HALF_AN_ESCAPE.search(userinfo):
        raise _unusable(variable, "it has no host and port in the form HOST:PORT, or an unescaped character")
    protocol = _protocol(scheme.lower(), split["port"], variable)
    port = int(split["port"] or protocol.port)
    if not 0 < port <= _LAST_PORT:
        raise _unusable(variable, f"a port is a number from 1 to {_LAST_PORT}")
    username, _, password = userinfo.partition(":")
    host = split["host"].strip("[]")
    return Proxy(variable, exempting, protocol, host, port, unquote(username), unquote(password))


def _protocol(scheme: str, port: str | None, variable: str) -> ProxyProtocol:
    if scheme in _SOCKS:
        return _SOCKS[scheme]
    if scheme == "https":
        return ProxyProtocol.HTTPS
    # Go speaks HTTP to proxies of every other scheme, if they have a port.
    if scheme.startswith("socks") or (scheme != "http" and not port):
        raise _unusable(variable, "its scheme is not http, https or socks5")
    return ProxyProtocol.HTTP


def _unusable(variable: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The variable {variable} is not a usable proxy: {why}.",
        (
            f"The format is {variable}=http://HOST:PORT or {variable}=http://USER:PASSWORD@HOST:PORT",
            "In the user name and the password, write @ as %40, : as %3A, / as %2F, # as %23 and % as %25.",
            f"Without a proxy: unset {variable}",
        ),
    )
