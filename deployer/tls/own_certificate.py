"""Whether a certificate of the user's own is fit for the registry: its key, its dates, its use, its names."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import ConfigurationError, HostError
from deployer.host.files import read_whole
from deployer.tls.bundle import bundle
from deployer.tls.certificate import (
    CERTIFICATE,
    CertificateFacts,
    facts_of,
    is_signed_by,
    missing_issuer,
    path_of,
    read_all,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

_KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)

_SOON_DAYS = 14


@dataclass(frozen=True)
class OwnCertificate:
    """A user's own certificate that may be served, with the warnings about it."""

    names: tuple[str, ...]
    not_after: datetime
    fingerprint: str
    warnings: tuple[str, ...]


def check_own(certificate: Path, key: Path, host: str, now: datetime, trusted: bytes | None = None) -> OwnCertificate:
    """Make sure that clients will accept a certificate of the user's own, and that its key fits.

    `trusted`, in PEM, replaces those that the system trusts; a certificate of
    another causes a warning. Raises ConfigurationError, and HostError if a file cannot be read.
    """
    chain = _chain(certificate)
    leaf = chain[0]
    _check_key(certificate, key, chain)
    for number, one in enumerate(chain, 1):
        _check_dates(certificate, one, now, "" if number == 1 else f", certificate {number} in it,")
    facts = facts_of(leaf)
    _check_use(certificate, leaf)
    _check_names(certificate, facts, host)
    known = bundle(Path("/")) if trusted is None else trusted
    return OwnCertificate(facts.names, facts.not_after, facts.fingerprint, _warnings(certificate, chain, now, known))


def expiring(address: str, ends: datetime, now: datetime) -> str:
    """What is said of a certificate that is served at this address and expires soon; "" of any other."""
    when = _soon(ends, now)
    return f"The certificate of {address} expires {when}." if when else ""


def _soon(ends: datetime, now: datetime) -> str:
    days = (ends - now).days
    if days >= _SOON_DAYS:
        return ""
    when = "within a day" if days < 1 else f"in {days} day{'s' * (days != 1)}"
    return f"{when}, on {ends:%Y-%m-%d}"


def _read(path: Path, setting: str) -> bytes:
    try:
        return read_whole(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConfigurationError(
            f"{setting} refers to {path}, but there is no such file.", (f"Check {setting} in deployer.yaml.",)
        ) from error
    except IsADirectoryError as error:
        raise ConfigurationError(f"{setting} refers to {path}, which is a directory.") from error
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}.", (f"ls -l {shlex.quote(str(path))}",)) from error


def _chain(path: Path) -> list[x509.Certificate]:
    content = _read(path, "tls.certificate")
    if _KEY.search(content):
        what = (
            "also contains a private key"
            if CERTIFICATE.search(content)
            else "contains a private key and no certificate"
        )
        raise ConfigurationError(
            f"{path} {what}: the certificate and the key must be in separate files.",
            ("Keep the key in a file that only you can read, and set its path as tls.key.",),
        )
    if not CERTIFICATE.search(content):
        # An ASN.1 sequence: the same certificate in binary.
        advice = (f"openssl x509 -inform DER -in {path} -out {path}.pem",) if content[:1] == b"\x30" else ()
        raise ConfigurationError(
            f"{path} contains no certificate in PEM format, which starts with -----BEGIN CERTIFICATE-----.", advice
        )
    try:
        return read_all(content)
    except HostError as error:
        raise ConfigurationError(f"A certificate in {path} cannot be read.", original=error.original) from error


def _check_key(certificate: Path, path: Path, chain: Sequence[x509.Certificate]) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    content = _read(path, "tls.key")
    mode = path.stat().st_mode
    if mode & 0o007:
        raise ConfigurationError(
            f"Every user of this machine can read or change the key {path}.", (f"chmod 600 {shlex.quote(str(path))}",)
        )
    found = _KEY.search(content)
    if found is None:
        raise ConfigurationError(f"{path} contains no private key in PEM format.", ("Check tls.key in deployer.yaml.",))
    if found[1].startswith(b"ENCRYPTED") or b"Proc-Type: 4,ENCRYPTED" in found[0]:
        raise ConfigurationError(
            f"The key {path} is protected with a passphrase, which cannot be entered when the registry starts.",
            (f"openssl pkey -in {path} -out unlocked.key && chmod 600 unlocked.key",),
        )
    try:
        key = load_pem_private_key(found[0], None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The words of the library may quote what it read.
        raise ConfigurationError(f"The private key in {path} cannot be read.") from error

    def spelt(public: object) -> object:
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]

    fits = [number for number, one in enumerate(chain, 1) if spelt(one.public_key()) == spelt(key)]
    if not fits:
        raise ConfigurationError(
            f"The key {path} does not belong to the certificate {certificate}.",
            ("Specify the key that the certificate was requested with.",),
        )
    if fits[0] != 1:
        raise ConfigurationError(
            f"The certificates in {certificate} are in the wrong order: the server certificate is number {fits[0]}.",
            ("Put the server certificate first, then the one that signed it, and so on.",),
        )


def _check_dates(path: Path, certificate: x509.Certificate, now: datetime, which: str) -> None:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends < now:
        raise ConfigurationError(
            f"The certificate {path}{which} expired on {ends:%Y-%m-%d}.", ("Renew it and specify the new file.",)
        )
    if begins > now:
        raise ConfigurationError(
            f"The certificate {path}{which} is not valid before {begins:%Y-%m-%d %H:%M} UTC; "
            f"this machine's clock says {now:%Y-%m-%d %H:%M}.",
            ("date   (check whether the clock is right)",),
        )


def _check_use(path: Path, leaf: x509.Certificate) -> None:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID as Use

    try:
        uses = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, ValueError):
        return
    if not uses & {Use.SERVER_AUTH, Use.ANY_EXTENDED_KEY_USAGE}:
        raise ConfigurationError(
            f"The certificate {path} is not for servers; clients reject it.",
            ("Use one with the extended key usage serverAuth.",),
        )


def _check_names(path: Path, facts: CertificateFacts, host: str) -> None:
    if facts.covers(host):
        return
    kind = "IP" if re.fullmatch(r"[0-9.]+|.*:.*", host) else "DNS"
    advice = (f"Request one with the subject alternative name {kind}:{host}.",)
    if not facts.names:
        raise ConfigurationError(
            f"The certificate {path} has no subject alternative name; Docker ignores its common name.", advice
        )
    raise ConfigurationError(
        f"The certificate {path} is for {', '.join(facts.names)}, not for {host}.",
        (*advice, "Or set one of its names as host in deployer.yaml."),
    )


def _warnings(path: Path, chain: Sequence[x509.Certificate], now: datetime, trusted: bytes) -> tuple[str, ...]:
    warnings = []
    ends = min(one.not_valid_after_utc for one in chain)
    if when := _soon(ends, now):
        warnings.append(f"The certificate expires {when}.")
    last = path_of(chain)[-1]
    if not _is_known(last, trusted):
        is_alone = last == chain[0] and last.issuer == last.subject
        how = "self-signed" if is_alone else f"from {shown(last.issuer.rfc4514_string())}"
        warnings.append(
            f"The certificate is {how}, which this system does not trust; it must be installed on every client."
            f"{_of_missing(path, chain)}"
        )
    return tuple(warnings)


def _of_missing(path: Path, chain: Sequence[x509.Certificate]) -> str:
    """What is said of a file that has only a part of the chain, as cert.pem instead of fullchain.pem."""
    issuer = missing_issuer(chain)
    if not issuer:
        return ""
    lack = "has only the server certificate" if len(chain) == 1 else f"does not have the certificate of {issuer}"
    return (
        f" {path} {lack}: if {issuer} is an intermediate CA, add its certificate to the file, after the server "
        "certificate (CAs often provide both as fullchain.pem)."
    )


def _is_known(last: x509.Certificate, trusted: bytes) -> bool:
    """Whether the system trusts the last certificate of a chain, or who signed it."""
    for block in CERTIFICATE.findall(trusted):
        try:
            [known] = read_all(block)
        except HostError:
            continue
        if known == last or is_signed_by(last, known):
            return True
    return False
