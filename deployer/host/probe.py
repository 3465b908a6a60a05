"""What a registry's address speaks, and whether a connection to it can be verified."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deployer.host.unverified import unverified

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTHORITY_PATH = "/.well-known/deployer/ca.crt"

_SECONDS = 5.0
_LIMIT = 65_536

# openssl, x509_vfy.h: X509_V_ERR_*.
_UNKNOWN = frozenset({2, 18, 19, 20, 21})
_OTHER_NAME = frozenset({62, 64})
_EXPIRED = 10
_NOT_YET_VALID = 9
_WRONG_SIGNATURE = 7


@dataclass(frozen=True)
class Heard:
    """What came back: `certificate` is the server's own, in DER; `words` say why there is nothing better."""

    speaks: Literal["nothing", "http", "tls", "broken"]
    words: str = ""
    certificate: bytes = b""


@dataclass(frozen=True)
class Verdict:
    """Whether a connection was verified; where not, `code` is OpenSSL's, -1 where the handshake failed otherwise."""

    code: int = 0
    words: str = ""

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return self.code == 0

    @property
    def is_unknown(self) -> bool:
        """Whether none of the authorities signed what was presented."""
        return self.code in _UNKNOWN or self.code == _WRONG_SIGNATURE

    @property
    def is_other_name(self) -> bool:
        """Whether the certificate is for other names."""
        return self.code in _OTHER_NAME

    @property
    def is_expired(self) -> bool:
        """Whether a certificate's time is over."""
        return self.code == _EXPIRED

    @property
    def is_early(self) -> bool:
        """Whether a certificate's time has not begun."""
        return self.code == _NOT_YET_VALID


@dataclass(frozen=True)
class Fetched:
    """An answer: the status of HTTP, 0 where there was none, and what came with it."""

    status: int
    content: bytes = b""


@dataclass(frozen=True)
class Peer:
    """A registry at its address; nothing is sent before it is asked. Never through a proxy."""

    host: str
    port: int
    seconds: float = _SECONDS

    def ask(self) -> Heard:
        """Find out what it speaks. What it presents is not verified."""
        try:
            with self._connect() as raw, unverified().wrap_socket(raw, server_hostname=self.host) as secured:
                return Heard("tls", certificate=secured.getpeercert(binary_form=True) or b"")
        except ssl.SSLError as error:
            reason = error.reason or ""
            if "ALERT" in reason or reason in {"UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE"}:
                return Heard("broken", str(error))
            return self._ask_plainly(str(error))
        except ConnectionError as error:
            return self._ask_plainly(str(error))
        except OSError as error:
            return Heard("nothing", str(error))

    def verify(self, context: ssl.SSLContext) -> Verdict:
        """Make a connection that this context has to accept: chain, dates, and the host's name or address.

        Raises OSError where it does not answer.
        """
        try:
            with self._connect() as raw, context.wrap_socket(raw, server_hostname=self.host):
                return Verdict()
        except ssl.SSLCertVerificationError as error:
            return Verdict(error.verify_code, error.verify_message)
        except ssl.SSLError as error:
            return Verdict(-1, str(error))

    def fetch(self) -> Fetched:
        """Ask for the certificate of its own authority, over a connection that is not verified yet."""
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=self.seconds, context=unverified())
        try:
            connection.request("GET", AUTHORITY_PATH)
            answer = connection.getresponse()
            return Fetched(answer.status, answer.read(_LIMIT))
        except (OSError, http.client.HTTPException):
            return Fetched(0)
        finally:
            connection.close()

    def _connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=self.seconds)

    def _ask_plainly(self, words: str) -> Heard:
        try:
            with self._connect() as connection:
                connection.sendall(f"GET /v2/ HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\n\r\n".encode())
                begin = b"".join(_pieces(connection, 5))
        except OSError as error:
            return Heard("nothing", str(error) or words)
        return Heard("http") if begin == b"HTTP/" else Heard("nothing", words)


def trusting(authority: bytes) -> ssl.SSLContext:
    """A context in which this authority alone, in PEM, is trusted. Raises ssl.SSLError where it is none."""
    context = strict()
    context.load_verify_locations(cadata=authority.decode("ascii"))
    return context


def strict() -> ssl.SSLContext:
    """A context that verifies as Go's clients do, and trusts nobody yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    return context


def _pieces(connection: socket.socket, wanted: int) -> Iterator[bytes]:
    while wanted > 0 and (piece := connection.recv(wanted)):
        wanted -= len(piece)
        yield piece
