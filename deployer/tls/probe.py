"""What a registry's address speaks, and whether a connection to it can be verified."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from deployer.address import host_port
from deployer.layout import CA_PATH
from deployer.tls import certificate
from deployer.tls.go_rules import apply_go_rules
from deployer.tls.unverified import unverified
from deployer.tls.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 5.0
_LIMIT = 65_536

# What a proxy answers by itself if it cannot connect, or is not allowed to.
_BY_PROXY = frozenset({b"403", b"407", b"502", b"503", b"504"})


class Speaks(StrEnum):
    """What answers at an address; BROKEN is TLS without common parameters."""

    NOTHING = "nothing"
    HTTP = "http"
    TLS = "tls"
    BROKEN = "broken"


@dataclass(frozen=True)
class ProbeResult:
    """What came back: `certificate` is the server's own, in DER; `words` say why there is nothing better.

    `sent` is all that the server sends, its own first.
    """

    speaks: Speaks
    words: str = ""
    certificate: bytes = b""
    sent: tuple[bytes, ...] = ()

    @property
    def missing_issuer(self) -> str:
        """Who issued the server's certificate, if the server sends nothing from them; otherwise ""."""
        from cryptography import x509

        try:
            chain = [x509.load_der_x509_certificate(one) for one in self.sent]
        except ValueError:
            return ""
        return certificate.missing_issuer(chain) if chain else ""


@dataclass(frozen=True)
class HttpAnswer:
    """An answer: the status of HTTP, 0 if there was none, and what came with it."""

    status: int
    content: bytes = b""


class ProxyFault(OSError):
    """A proxy on the way that does not let a connection through, with its own words or the system's."""

    def __init__(self, proxy: str, words: str) -> None:
        super().__init__(f"{proxy}: {words}")
        self.proxy, self.words = proxy, words


@dataclass(frozen=True)
class Opened:
    """A connection, and how plain HTTP is asked on it: what is before the path, and headers to add.

    `proxy` is the proxy that it goes through, "" for none.
    """

    connection: socket.socket
    prefix: str = ""
    headers: str = ""
    proxy: str = ""


class Route(Protocol):
    """The route to a host, direct or through a proxy."""

    def open(self, host: str, port: int, seconds: float, *, secure: bool) -> Opened:
        """A connection for TLS, or for plain HTTP. Raises OSError, ProxyFault if a proxy is at fault."""


class DirectRoute:
    """The route without a proxy."""

    def open(self, host: str, port: int, seconds: float, *, secure: bool) -> Opened:  # noqa: ARG002 - as a Route
        """A connection to the host itself. Raises OSError."""
        return Opened(socket.create_connection((host, port), timeout=seconds))


@dataclass(frozen=True)
class Peer:
    """A registry at its address; nothing is sent before it is asked. `route` is how the engine gets there."""

    host: str
    port: int
    seconds: float = _SECONDS
    route: Route = field(default_factory=DirectRoute)

    def ask(self) -> ProbeResult:
        """Find out what it speaks. What it presents is not verified. Raises ProxyFault."""
        try:
            return self.present()
        except ProxyFault as fault:
            return self._ask_plainly_or(fault)
        except ssl.SSLError as error:
            reason = error.reason or ""
            if "ALERT" in reason or reason in {"UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"}:
                return ProbeResult(Speaks.BROKEN, str(error))
            return self._ask_plainly(str(error))
        except ConnectionError as error:
            return self._ask_plainly(str(error))
        except OSError as error:
            return ProbeResult(Speaks.NOTHING, str(error))

    def present(self) -> ProbeResult:
        """The certificates that it sends, not verified. Raises OSError if it does not speak TLS."""
        with self._connect() as raw, unverified().wrap_socket(raw, server_hostname=self.host) as secured:
            own = secured.getpeercert(binary_form=True) or b""
            return ProbeResult(Speaks.TLS, certificate=own, sent=_sent(secured))

    def verify(self, context: ssl.SSLContext) -> Verdict:
        """Make a connection that this context has to accept: chain, dates, and the host's name or address.

        Raises OSError if it does not answer.
        """
        try:
            with self._connect() as raw, context.wrap_socket(raw, server_hostname=self.host):
                return Verdict()
        except ssl.SSLError as error:
            return Verdict.of(error)

    def fetch(self) -> HttpAnswer:
        """Ask for the certificate of its own CA, over a connection that is not verified yet."""
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=self.seconds)
        try:
            connection.sock = unverified().wrap_socket(self._connect(), server_hostname=self.host)
            connection.request("GET", CA_PATH)
            answer = connection.getresponse()
            return HttpAnswer(answer.status, answer.read(_LIMIT))
        except (OSError, http.client.HTTPException):
            return HttpAnswer(0)
        finally:
            connection.close()

    def _connect(self) -> socket.socket:
        return self.route.open(self.host, self.port, self.seconds, secure=True).connection

    def _ask_plainly_or(self, fault: ProxyFault) -> ProbeResult:
        """The protocol if the proxy blocks TLS but maybe not plain HTTP."""
        try:
            probe_result = self._ask_plainly(fault.words)
        except ProxyFault:
            probe_result = ProbeResult(Speaks.NOTHING)
        if probe_result.speaks is not Speaks.HTTP:
            raise fault
        return probe_result

    def _ask_plainly(self, words: str) -> ProbeResult:
        try:
            opened = self.route.open(self.host, self.port, self.seconds, secure=False)
            with opened.connection as connection:
                head = f"Host: {host_port(self.host, self.port)}\r\nConnection: close\r\n{opened.headers}"
                connection.sendall(f"GET {opened.prefix}/v2/ HTTP/1.1\r\n{head}\r\n".encode())
                begin = b"".join(_pieces(connection, len(b"HTTP/1.1 200")))
        except ProxyFault:
            raise
        except OSError as error:
            return ProbeResult(Speaks.NOTHING, str(error) or words)
        if opened.prefix and begin[9:] in _BY_PROXY:
            raise ProxyFault(opened.proxy, f"it responded {begin[9:].decode()}")
        return ProbeResult(Speaks.HTTP) if begin.startswith(b"HTTP/") else ProbeResult(Speaks.NOTHING, words)


def trusting(ca: bytes) -> ssl.SSLContext:
    """A context in which this CA alone, in PEM, or these, are trusted. Raises ssl.SSLError where it is none."""
    context = strict()
    context.load_verify_locations(cadata=ca.decode("ascii"))
    return context


def strict() -> ssl.SSLContext:
    """A context that verifies as Go's clients do, and trusts no CA yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    apply_go_rules(context)
    return context


def _sent(connection: ssl.SSLSocket) -> tuple[bytes, ...]:
    """The certificates that the server sends, in DER; none if this Python does not tell."""
    if hasattr(connection, "get_unverified_chain"):
        return tuple(connection.get_unverified_chain())
    try:
        # Before Python 3.13 only the object behind it has the method.
        chain = connection._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
        return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain or ())
    except (AttributeError, TypeError, ValueError):
        return ()


def _pieces(connection: socket.socket, wanted: int) -> Iterator[bytes]:
    while wanted > 0 and (piece := connection.recv(wanted)):
        wanted -= len(piece)
        yield piece
