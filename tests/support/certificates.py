"""CAs and certificates of the tests' own, and a server that presents them."""

from __future__ import annotations

import ipaddress
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.accepting import accepting

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.x509.oid import ObjectIdentifier

DAY = timedelta(days=1)


def now() -> datetime:
    """The time, in whole seconds as certificates have it."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Certified:
    """A certificate with its key, and the CA that signed it; None for one that signed itself."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    signer: Certified | None = None

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self._key(serialization.NoEncryption())

    def locked_key_pem(self, passphrase: bytes) -> bytes:
        """The key, encrypted."""
        return self._key(serialization.BestAvailableEncryption(passphrase))

    @property
    def fingerprint(self) -> str:
        """SHA-256 as openssl prints it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def write(self, folder: Path, *, chain: bytes = b"") -> tuple[Path, Path]:
        """Put certificate and key into a folder, as a user would keep them."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / "server.crt", folder / "server.key"
        certificate.write_bytes(self.pem + chain)
        key.touch(mode=0o600)
        key.write_bytes(self.key_pem)
        return certificate, key

    def _key(self, encryption: serialization.KeySerializationEncryption) -> bytes:
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def make_ca(
    name: str = "Test CA",
    *,
    signer: Certified | None = None,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> Certified:
    """A certificate that may sign others; a root if no one signs it."""
    return _made(name, signer, begins, ends, (), is_ca=True)


def certificate(
    *names: str,
    signer: Certified | None = None,
    begins: datetime | None = None,
    ends: datetime | None = None,
    common_name: str = "server",
    use: ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> Certified:
    """A server's certificate for these names and IP addresses; self-signed if no one signs it."""
    return _made(common_name, signer, begins, ends, names, is_ca=False, use=use)


def _made(
    name: str,
    signer: Certified | None,
    begins: datetime | None,
    ends: datetime | None,
    names: tuple[str, ...],
    *,
    is_ca: bool,
    use: ObjectIdentifier | None = None,
) -> Certified:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins, ends = begins or now() - DAY, ends or now() + 365 * DAY
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
    if use is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    made = builder.sign(signer.key if signer else key, hashes.SHA256())
    return Certified(made, key, signer)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@dataclass
class Server:
    """A server on 127.0.0.1, in plain HTTP where it has no certificate; `files` says what it serves by path."""

    files: dict[str, bytes]
    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(
    folder: Path, presented: Certified | None, files: dict[str, bytes] | None = None, *, chain: bytes = b""
) -> Iterator[Server]:
    """A server that answers 404 to all but `files`, until the end."""
    context = None
    if presented is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*presented.write(folder, chain=chain))
    server = Server(files or {})

    def answer(raw: socket.socket) -> None:
        if context is None:
            return _answer(raw, server)
        with context.wrap_socket(raw, server_side=True) as connection:
            return _answer(connection, server)

    with accepting(answer, one_by_one=True) as server.port:
        yield server


def _answer(connection: socket.socket, server: Server) -> None:
    request = connection.recv(65536).decode("latin-1")
    if not request.startswith(("GET ", "HEAD ")):
        # What is no request gets what web servers say to it.
        if request:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return
    path = request.split(" ")[1]
    server.asked.append(path)
    content = server.files.get(path)
    status = b"404 Not Found" if content is None else b"200 OK"
    content = content or b""
    connection.sendall(
        b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(content), content)
    )
