"""HTTP to one registry: connections kept open, sign-in, redirects, and every failure translated."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

from deployer import __version__
from deployer.errors import Denied, RegistryError
from deployer.registry.answers import Answer, original_text, printable
from deployer.registry.credentials import find_credentials
from deployer.registry.faults import fault
from deployer.registry.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

MEGABYTE = 1_000_000
ANSWER_LIMIT = 256 * MEGABYTE

_SAFE = frozenset({"GET", "HEAD"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds: for a connection, and for the next piece of an answer."""

    connect: float = 5.0
    read: float = 60.0


class Transport:
    """Requests to one registry, from several threads at once.

    The sign-in is looked up only when the registry asks for one, and is sent to no other host.
    """

    def __init__(
        self,
        url: str,
        environment: Mapping[str, str],
        *,
        connections: int,
        timeouts: Timeouts,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        self.place = Place.of(url)
        self._environment = environment
        self._timeouts = timeouts
        self._connections = connections
        self._inner = inner
        self._own = self._client(self.place.url)
        self._foreign: httpx.Client | None = None
        self._lock = threading.Lock()
        self._authorization = ""
        self._user = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._own.close()
        if self._foreign is not None:
            self._foreign.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        limit: int = ANSWER_LIMIT,
    ) -> Answer:
        """Send one request and read its answer, of at most `limit` bytes, to the end.

        `path` is absolute, or a whole URL that the registry gave. Any status is an answer, except a
        refused sign-in. Raises DeployerError.
        """
        url = urljoin(f"{self.place.url}/", path)
        signed = self._authorization
        answer = self._follow(method, url, headers or {}, content, limit)
        if answer.status == 401:
            self._sign_in(answer, signed)
            answer = self._follow(method, url, headers or {}, content, limit)
            if answer.status == 401:
                raise self._refused(answer)
        return answer

    def _client(self, url: str) -> httpx.Client:
        secure = url.startswith("https:")
        # Loading the system's certificates takes longer than a whole listing; plain HTTP needs none.
        verify: ssl.SSLContext | bool = (
            ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        return httpx.Client(
            headers={"User-Agent": f"deployer/{__version__}"},
            timeout=httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect, pool=None),
            limits=httpx.Limits(max_connections=self._connections, max_keepalive_connections=self._connections),
            verify=verify,
            trust_env=False,
            proxy=None if self._inner else proxy_for(url, self._environment),
            transport=self._inner,
        )

    def _follow(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limit: int) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._exchange(method, url, headers, content, limit)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or method not in _SAFE or not target:
                return answer
            try:
                url = urljoin(url, target)
                followed = _origin(url)[0] in {"http", "https"}
            except ValueError:
                followed = False
            if not followed:
                return answer
        raise RegistryError(
            f"{self.place.address} sends us from one address to the next without end.", original=original_text(answer)
        )

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, limit: int) -> Answer:
        own = _origin(url) == _origin(self.place.url)
        sent = dict(headers)
        if own and self._authorization:
            sent["Authorization"] = self._authorization
        place = self.place if own else Place.of(urljoin(url, "/"))
        client = self._own if own else self._other()
        # A kept connection may be closed under us just as we use it; asking again is harmless for these.
        attempts = 2 if method in _SAFE else 1
        while True:
            attempts -= 1
            try:
                with client.stream(method, url, headers=sent, content=content) as response:
                    return Answer(
                        method=method,
                        url=url,
                        status=response.status_code,
                        reason=response.reason_phrase,
                        version=response.http_version,
                        headers=response.headers,
                        content=_read(response, limit, place),
                    )
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                if not attempts:
                    raise fault(error, place, seconds=self._timeouts.read) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                slow_start = isinstance(error, httpx.ConnectTimeout)
                seconds = self._timeouts.connect if slow_start else self._timeouts.read
                raise fault(error, place, seconds=seconds) from error

    def _other(self) -> httpx.Client:
        with self._lock:
            if self._foreign is None:
                # To whatever place the registry names: its proxy cannot be known beforehand.
                self._foreign = self._client("https://")
            return self._foreign

    def _sign_in(self, answer: Answer, signed: str) -> None:
        """Find the saved sign-in after a 401; `signed` is what the refused request carried."""
        with self._lock:
            if self._authorization != signed:
                return
            if signed:
                raise self._refused(answer)
            challenge = " ".join(answer.headers.get_list("WWW-Authenticate"))
            if "bearer" in challenge.lower() and "basic" not in challenge.lower():
                raise Denied(
                    f"The registry at {self.place.address} signs in through a token server, which deployer does not.",
                    ("Use a registry with Basic sign-in, such as the one that `deployer up` starts.",),
                    printable(challenge),
                )
            found = find_credentials(self.place.address, self._environment)
            if found is None:
                raise Denied(
                    f"The registry at {self.place.address} wants a sign-in, and none is saved for it.",
                    (f"docker login {self.place.address}",),
                    original_text(answer),
                )
            if found.identity_token:
                raise Denied(
                    f"The sign-in saved for {self.place.address} is a token for a token server, not a password.",
                    (f"docker logout {self.place.address}", f"docker login {self.place.address}"),
                )
            self._user = found.username
            self._authorization = found.basic()

    def _refused(self, answer: Answer) -> Denied:
        return Denied(
            f"The registry at {self.place.address} does not take the sign-in saved for '{self._user}'.",
            (f"docker login {self.place.address}",),
            original_text(answer),
        )


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for this URL; none for this machine itself, as Docker does."""
    variable = f"{urlsplit(url).scheme}_proxy"
    proxy = environment.get(variable) or environment.get(variable.upper())
    if not proxy or Place.of(url).is_loopback:
        return None
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if any(_exempts(entry.strip(), Place.of(url)) for entry in exempt.split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _exempts(entry: str, place: Place) -> bool:
    """Whether one entry of NO_PROXY covers the host: `*`, a host, a domain, host:port, an address or CIDR."""
    if entry in {"*", place.host, place.address}:
        return True
    try:
        return ipaddress.ip_address(place.host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return bool(entry) and place.host.endswith("." + entry.lstrip("."))


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _read(response: httpx.Response, limit: int, place: Place) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > limit:
            raise RegistryError(f"{place.address} answers more than {limit // MEGABYTE} MB, which no registry would.")
        pieces.append(piece)
    return b"".join(pieces)
