"""HTTP or HTTPS to one registry: connections kept open, login, redirects, and every failure translated."""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urljoin, urlsplit

import httpx

from deployer import __version__
from deployer.errors import Denied, RegistryError, TooLarge
from deployer.printable import printable
from deployer.registry.connection.faults import fault
from deployer.registry.connection.proxy import proxy_for
from deployer.registry.connection.proxy_faults import proxy_fault
from deployer.registry.connection.request_route import RequestRoute, transport_for
from deployer.registry.connection.tls_context import TrustStore
from deployer.registry.connection.tls_faults import HandshakeFailure, presented, tls_cause, tls_fault
from deployer.registry.login.sign_in import SignIn
from deployer.registry.protocol.answers import Answer, original_text, tells_tls
from deployer.registry.protocol.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from deployer.errors import DeployerError
    from deployer.registry.connection.proxy import Proxy
    from deployer.registry.login.credentials import Credentials

MEGABYTE = 1_000_000
ANSWER_LIMIT = 256 * MEGABYTE

_SAFE = frozenset({"GET", "HEAD"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_OK = 200


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds: for a connection, and for the next piece of an answer."""

    connect: float = 5.0
    read: float = 60.0


class Sink(Protocol):
    """Takes the content of an answer, piece by piece."""

    def begin(self) -> None:
        """The content begins; again where the connection broke and the request was repeated."""

    def write(self, piece: bytes, /) -> object:
        """The next piece."""


class _TlsSpoken(Exception):
    """The registry was asked in plain HTTP, and its port speaks TLS."""


class Transport:
    """Requests to one registry, from several threads at once.

    A registry that is asked in plain HTTP may say that its port speaks TLS: from there on it is asked
    in HTTPS and never in plain again. Where a certificate is installed for its address, it is so from
    the beginning. The login is looked up only when the registry asks for one, and is sent to no
    other host or port; in plain HTTP only to this machine itself, or where `plain` says that the
    registry has no TLS.
    """

    def __init__(  # noqa: PLR0913 - all but the URL by name
        self,
        url: str,
        environment: Mapping[str, str],
        *,
        connections: int,
        timeouts: Timeouts,
        plain: bool = False,
        trust: TrustStore | None = None,
        credentials: Credentials | None = None,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        self._trust = trust or TrustStore()
        place = Place.of(url)
        self.place = place.secured if self._trust.expects_tls else place
        self._environment = environment
        self._timeouts = timeouts
        self._connections = connections
        self._inner = inner
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, Proxy | None], httpx.Client] = {}
        self._proxies: dict[tuple[str, str, int | None], Proxy | None] = {}
        self._remarks: tuple[str, ...] = ()
        self._sign_in = SignIn(place.address, environment, credentials, plain=plain or place.is_loopback)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def signs_in(self) -> bool:
        """Whether the registry asked for a login so far."""
        return bool(self._sign_in.authorization)

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()

    def send(  # noqa: PLR0913 - all but the request line by name
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        limit: int = ANSWER_LIMIT,
        sink: Sink | None = None,
    ) -> Answer:
        """Send one request and read its answer, of at most `limit` bytes, to the end.

        `path` is absolute, or a whole URL that the registry gave. Any status is an answer, except a
        refused login. The content of one with status 200 goes to the `sink` instead, whatever its size.
        Raises DeployerError.
        """
        url = self._absolute(path)
        signed = self._sign_in.authorization
        reader = _Reader(limit, sink)
        answer = self._follow(method, url, headers or {}, content, reader)
        if answer.status == 401:
            if _origin(answer.url) != _origin(self.place.url):
                raise self._refused_elsewhere(answer)
            self._sign_in.look_up(answer, signed)
            answer = self._follow(method, url, headers or {}, content, reader)
            if answer.status == 401:
                raise self._sign_in.refused(answer)
        return answer

    def _absolute(self, path: str) -> str:
        try:
            url = urljoin(f"{self.place.url}/", path)
            _origin(url)
        except ValueError as error:
            raise RegistryError(
                f"{self.place.address} redirects to an invalid address.", original=printable(path)
            ) from error
        return url

    def _refused_elsewhere(self, answer: Answer) -> Denied:
        # Our login is for the requested registry only.
        there = Place.of(urljoin(answer.url, "/"))
        return Denied(
            f"{self.place.address} redirects to {printable(there.url)}, which requires a separate login.",
            ("If that is the registry that you want, use its host and port instead.",),
            original_text(answer),
        )

    def _follow(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, reader: _Reader
    ) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                answer = self._exchange(method, self._secured(url), headers, content, reader)
            except _TlsSpoken:
                self.place = self.place.secured
                answer = self._exchange(method, self._secured(url), headers, content, reader)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or method not in _SAFE or not target:
                return answer
            try:
                url = urljoin(answer.url, target)
                followed = _origin(url)[0] in {"http", "https"}
            except ValueError:
                followed = False
            if not followed:
                return answer
        raise RegistryError(f"{self.place.address} redirects endlessly.", original=original_text(answer))

    def _secured(self, url: str) -> str:
        """The URL in HTTPS, if it is the registry's own and the registry uses it."""
        if self.place.is_secure and self._is_here(url):
            return urlsplit(url)._replace(scheme="https").geturl()
        return url

    def _is_here(self, url: str) -> bool:
        return _origin(url)[1:] == _origin(self.place.url)[1:]

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, reader: _Reader
    ) -> Answer:
        # Read before the place: a login that is found after the place became HTTPS never goes out in plain.
        authorization = self._sign_in.authorization
        own = _origin(url) == _origin(self.place.url)
        sent = {**headers, "Authorization": authorization} if own and authorization else dict(headers)
        place = self.place if own else Place.of(urljoin(url, "/"))
        proxy = None if self._inner else self._proxy(url)
        client = self._client_for(url, proxy, own=own)
        # The attempts on new connections. Kept ones may all have been closed under us: each that fails leaves
        # the pool, and asking again is harmless for these methods.
        attempts = 2 if method in _SAFE else 1
        while True:
            route = RequestRoute.to(url, proxy)
            try:
                with client.stream(method, url, headers=sent, content=content, extensions=route.extensions) as response:
                    answer = Answer(
                        method=method,
                        url=url,
                        status=response.status_code,
                        reason=response.reason_phrase,
                        version=response.http_version,
                        headers=response.headers,
                        content=reader.read(response, place),
                        user=self._sign_in.user if own else "",
                        via=str(route.proxy or ""),
                    )
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                attempts -= not route.reuses
                if not attempts or method not in _SAFE:
                    raise self._failed(error, place, route, own=own) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._failed(error, place, route, own=own) from error
            else:
                route.check(answer, place, self._timeouts.connect)
                if self._is_here(url) and tells_tls(answer):
                    raise _TlsSpoken
                return answer

    def _failed(self, error: Exception, place: Place, route: RequestRoute, *, own: bool) -> DeployerError:
        slow_start = isinstance(error, httpx.ConnectTimeout)
        seconds = self._timeouts.connect if slow_start else self._timeouts.read
        if route.proxy and route.fails_at_proxy(error):
            return proxy_fault(error, route.proxy, place, seconds=seconds)
        cause = tls_cause(error)
        if cause is None:
            return fault(error, place, seconds=seconds)
        shown, missing = (None, "") if route.proxy else presented(place, self._timeouts.connect)
        trust = self._trust if own else TrustStore()
        case = HandshakeFailure(trust, shown, datetime.now(UTC), self._remarks, missing)
        return tls_fault(cause, place, case, str(error))

    def _proxy(self, url: str) -> Proxy | None:
        with self._lock:
            origin = _origin(url)
            if origin not in self._proxies:
                self._proxies[origin] = proxy_for(url, self._environment)
            return self._proxies[origin]

    def _client_for(self, url: str, proxy: Proxy | None, *, own: bool) -> httpx.Client:
        """The client for the registry's own URLs of one scheme, or for every other place, through this proxy."""
        kind = (urlsplit(url).scheme if own else "", proxy)
        with self._lock:
            if kind not in self._clients:
                self._clients[kind] = self._client(url, proxy, own=own)
            return self._clients[kind]

    def _client(self, url: str, proxy: Proxy | None, *, own: bool) -> httpx.Client:
        # Loading the system's certificates takes longer than a whole listing; plain HTTP needs none.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not own or not url.startswith("http:"):
            verify, self._remarks = self._trust.context(show_own=own)
        limits = httpx.Limits(max_connections=self._connections, max_keepalive_connections=self._connections)
        return httpx.Client(
            headers={"User-Agent": f"deployer/{__version__}"},
            timeout=httpx.Timeout(self._timeouts.read, connect=self._timeouts.connect, pool=None),
            limits=limits,
            verify=verify,
            trust_env=False,
            transport=transport_for(proxy, verify, limits) if proxy else self._inner,
        )


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


@dataclass(frozen=True)
class _Reader:
    """Reads answers: of at most `limit` bytes, or into a `sink`."""

    limit: int
    sink: Sink | None

    def read(self, response: httpx.Response, place: Place) -> bytes:
        """The content; nothing of what the sink got."""
        if self.sink and response.status_code == _OK:
            self.sink.begin()
            for piece in response.iter_bytes():
                self.sink.write(piece)
            return b""
        pieces, size = [], 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > self.limit:
                raise TooLarge(
                    f"{place.address} sent more than {self.limit // MEGABYTE} MB, which is too large for a registry "
                    "response."
                )
            pieces.append(piece)
        return b"".join(pieces)
