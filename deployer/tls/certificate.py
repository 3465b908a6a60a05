"""Certificates read: what one says."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_FINGERPRINT = re.compile(r"[0-9A-F]{64}")


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate says.

    `fingerprint` is its SHA-256 as openssl prints it, `names` are the DNS names and IP addresses
    of its subject alternative name; `is_ca`: whether it may sign others; `is_root`: whether it is
    issued by itself.
    """

    subject: str
    issuer: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    is_ca: bool
    is_root: bool

    def covers(self, host: str) -> bool:
        """Whether it is for this host, as Go's clients judge it.

        Only the subject alternative name counts, an IP address needs its own there, and a
        wildcard matches one label (RFC 6125; Go, crypto/x509, VerifyHostname).
        """
        return any(_covers(name, host) for name in self.names)


def describe(pem: bytes) -> CertificateFacts:
    """What the first certificate in a PEM text says. Raises HostError if there is none that can be read."""
    return facts_of(read_all(pem)[0])


def describe_all(pem: bytes) -> tuple[CertificateFacts, ...]:
    """What each certificate in a PEM text says. Raises HostError if there is none that can be read."""
    return tuple(map(facts_of, read_all(pem)))


def describe_der(der: bytes) -> CertificateFacts:
    """What a certificate says that a server presented. Raises HostError."""
    from cryptography import x509

    try:
        return facts_of(x509.load_der_x509_certificate(der))
    except ValueError as error:
        raise HostError("The certificate that was presented cannot be read.", original=str(error)) from error


def bare(pem: bytes) -> bytes:
    """The first certificate alone, in PEM, without what is around it. Raises HostError."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return read_all(pem)[0].public_bytes(Encoding.PEM)


def bare_all(pem: bytes) -> list[bytes]:
    """Each certificate that can be read, in PEM, without what is around it, as Go reads a file with CAs.

    Raises HostError if there is none.
    """
    found = []
    for block in CERTIFICATE.findall(pem):
        with contextlib.suppress(HostError):
            found.append(bare(block))
    return found or [bare(pem)]


def der_of(pem: bytes) -> bytes | None:
    """The bytes of the certificate in a PEM text, or None if it is truncated or not one.

    Without cryptography, which is slow to load.
    """
    try:
        certificate = ssl.PEM_cert_to_DER_cert(pem.decode())
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except (ValueError, ssl.SSLError):
        return None
    return certificate


def fingerprint_of(text: str) -> str:
    """A SHA-256 fingerprint as openssl prints it, from one with or without colons. Raises ValueError."""
    digits = re.sub(r"[:\s]", "", re.sub(r"(?i)^sha-?256(\s+fingerprint)?[:= ]", "", text.strip())).upper()
    if not _FINGERPRINT.fullmatch(digits):
        raise ValueError("not a SHA-256 fingerprint (64 hexadecimal digits, with or without colons)")
    return ":".join(digits[place : place + 2] for place in range(0, 64, 2))


def read_all(pem: bytes) -> list[x509.Certificate]:
    """Every certificate in a PEM text. Raises HostError if there is none, or one that cannot be read."""
    import warnings

    from cryptography import x509

    try:
        with warnings.catch_warnings():
            # Some old CAs have the serial number 0, at which the library warns its programmers.
            warnings.simplefilter("ignore")
            found = [x509.load_pem_x509_certificate(block) for block in CERTIFICATE.findall(pem)]
    except ValueError as error:
        raise HostError("A certificate in it cannot be read.", original=str(error)) from error
    if not found:
        raise HostError("It contains no certificate in PEM format.")
    return found


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """What a certificate says."""
    from cryptography.hazmat.primitives.hashes import SHA256

    return CertificateFacts(
        subject=shown(certificate.subject.rfc4514_string()),
        issuer=shown(certificate.issuer.rfc4514_string()),
        fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=tuple(map(shown, _names(certificate))),
        is_ca=_may_sign(certificate),
        is_root=certificate.subject == certificate.issuer,
    )


def path_of(chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The first of these certificates, the one that signed it, and so on, as far as they are among them."""
    path = [chain[0]]
    while signers := [one for one in chain if one not in path and is_signed_by(path[-1], one)]:
        path.append(signers[0])
    return path


def is_signed_by(certificate: x509.Certificate, signer: x509.Certificate) -> bool:
    """Whether one certificate is from another, by name and by key."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if certificate.issuer != signer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(signer)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False
    return True


def missing_issuer(chain: Sequence[x509.Certificate]) -> str:
    """Who issued the server certificate, the first of the chain, if the chain has nothing from them; otherwise ""."""
    leaf = chain[0]
    if leaf.issuer == leaf.subject or len(path_of(chain)) > 1:
        return ""
    return shown(leaf.issuer.rfc4514_string())


def _names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        # ValueError: unreadable extensions name nothing.
        return []
    return [*known.get_values_for_type(x509.DNSName), *map(str, known.get_values_for_type(x509.IPAddress))]


def _may_sign(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def shown(text: str) -> str:
    """Text of a certificate, fit for the terminal."""
    # Anyone who made the certificate chose these words: they may not steer the terminal.
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _covers(name: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        pass
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if name.startswith("*."):
        label, dot, rest = host.partition(".")
        return bool(label and dot) and rest == name[2:] and not re.fullmatch(r"[0-9.]+", host)
    return name == host
