"""A client of a drill's copy: it connects to its port on this machine, and trusts only its CA, for the host's name.

It uses no proxy, no saved login and no other CA, and hashes blobs as they arrive, whatever their size.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from deployer.registry.content.children import MANIFEST_TYPES
from deployer.registry.protocol.answers import UNSERVED_SCHEMA_1

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from deployer.settings.model import Settings
    from deployer.workflows.drill.copy import Visitor

WORKERS = 4
_TIMEOUT_SECONDS = 60.0
_PORTION_BYTES = 1 << 20
# The bytes as they are stored; and each kind of manifest as it is, as in deployer.registry.client.
_EXACT = {"Accept-Encoding": "identity"}
_ACCEPT = {"Accept": ", ".join((*MANIFEST_TYPES, "*/*")), **_EXACT}
_NOT_FOUND = 404


class Refused(Exception):
    """What the copy did not give as it should, in words.

    `is_absent`: it says that it does not have it. `is_unsupported`: its version serves nothing of that kind.
    """

    def __init__(self, words: str, *, is_absent: bool = False, is_unsupported: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.is_absent = is_absent
        self.is_unsupported = is_unsupported


@dataclass(frozen=True)
class Described:
    """What is said of a manifest, and its bytes where they were asked for."""

    digest: str
    media_type: str
    content: bytes = field(default=b"", repr=False)


class CopyClient:
    """Asks the copy. `ca` is the certificate, in PEM, of the CA that its clients trust; "" without TLS."""

    def __init__(
        self, settings: Settings, visitor: Visitor | None, ca: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca:
            verify.load_verify_locations(cadata=ca)
        self.login = (visitor.name, visitor.password) if visitor else None
        self._extensions = {"sni_hostname": settings.host}
        self._client = httpx.Client(
            base_url=settings.local_url,
            headers={"Host": settings.address},
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
            verify=verify,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, method: str, path: str, login: tuple[str, str] | None) -> httpx.Response:
        """The answer to a request without a body. Raises Refused if there is none."""
        try:
            return self._client.request(method, path, auth=login, extensions=self._extensions)
        except httpx.HTTPError as error:
            raise _unanswered(error) from error

    def described(self, repository: str, reference: str) -> Described:
        """What the copy says of a manifest, without its bytes. Raises Refused."""
        try:
            return self._manifest("HEAD", repository, reference)
        except Refused:
            # The answer to a HEAD has no body that says why.
            return self._manifest("GET", repository, reference)

    def manifest(self, repository: str, reference: str) -> Described:
        """A manifest with its bytes. Raises Refused."""
        return self._manifest("GET", repository, reference)

    def check_blob(self, repository: str, digest: str, on_bytes: Callable[[int], None]) -> None:
        """Read a blob and compare its bytes with its digest; `on_bytes` is told of each portion. Raises Refused."""
        path = f"/v2/{quote(repository)}/blobs/{digest}"
        try:
            with self._client.stream(
                "GET", path, auth=self.login, headers=_EXACT, extensions=self._extensions
            ) as answer:
                _expect_ok(answer)
                hashed = hashlib.new(digest.partition(":")[0])
                for portion in answer.iter_bytes(_PORTION_BYTES):
                    hashed.update(portion)
                    on_bytes(len(portion))
        except httpx.HTTPError as error:
            raise _unanswered(error) from error
        if hashed.hexdigest() != digest.partition(":")[2]:
            raise Refused("its content does not match its digest")

    def _manifest(self, method: str, repository: str, reference: str) -> Described:
        path = f"/v2/{quote(repository)}/manifests/{quote(reference, safe=':')}"
        options: dict[str, Any] = {"auth": self.login, "headers": _ACCEPT, "extensions": self._extensions}
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise _unanswered(error) from error
        _expect_ok(answer)
        headers = answer.headers
        kind = str(headers.get("Content-Type", "")).partition(";")[0]
        return Described(str(headers.get("Docker-Content-Digest", "")), kind, answer.content)


def _expect_ok(answer: httpx.Response) -> None:
    if answer.status_code != httpx.codes.OK:
        words = f"the copy responds with {answer.status_code}"
        raise Refused(words, is_absent=answer.status_code == _NOT_FOUND, is_unsupported=_is_unsupported(answer))


def _is_unsupported(answer: httpx.Response) -> bool:
    # A blob's answer is a stream, which is not read for this.
    return answer.is_stream_consumed and UNSERVED_SCHEMA_1.search(answer.text) is not None


def _unanswered(error: httpx.HTTPError) -> Refused:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Refused(f"its certificate cannot be verified ({cause.verify_message})")
        cause = cause.__cause__ or cause.__context__
    return Refused(f"the copy does not respond ({error})")
