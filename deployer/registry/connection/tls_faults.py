"""What goes wrong while TLS is agreed on with a registry, each fault in its sentence."""

from __future__ import annotations

import contextlib
import shlex
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from deployer.errors import HostError, RegistryError
from deployer.host.files import read_if_there
from deployer.paths import Deployment
from deployer.record import Record
from deployer.registry.connection.faults import causes
from deployer.tls.certificate import der_of
from deployer.tls.refusals import add_intermediate, configure_command, reason_for
from deployer.tls.verdict import Failure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from deployer.registry.connection.tls_context import TrustStore
    from deployer.registry.protocol.place import Place
    from deployer.tls.certificate import CertificateFacts


@dataclass(frozen=True)
class HandshakeFailure:
    """What is known if a connection failed: what is installed, what the server shows, and the time here.

    `remarks` are about installed files that were of no use; `missing_issuer` is the issuer of what
    the server shows, if it sends nothing from them.
    """

    trust: TrustStore
    shown: CertificateFacts | None
    now: datetime
    remarks: tuple[str, ...] = ()
    missing_issuer: str = ""


def tls_cause(error: BaseException) -> ssl.SSLError | None:
    """The fault of TLS behind an error, or None if it is of another kind."""
    found = next((cause for cause in causes(error) if isinstance(cause, ssl.SSLError)), None)
    # An end that comes after TLS was agreed on is an end as in plain HTTP.
    return None if isinstance(found, ssl.SSLEOFError) and not isinstance(error, httpx.ConnectError) else found


def presented(place: Place, seconds: float) -> tuple[CertificateFacts | None, str]:
    """Ask the server at a place for its certificate, only to say what is wrong with it; None if it shows none.

    With it comes its issuer, if the server sends nothing from them, otherwise "".
    """
    from deployer.tls import certificate
    from deployer.tls.probe import Peer

    try:
        found = Peer(place.host, place.port, seconds).present()
        return certificate.describe_der(found.certificate), found.missing_issuer
    except (OSError, ValueError, HostError):
        return None, ""


def tls_fault(cause: ssl.SSLError, place: Place, case: HandshakeFailure, original: str) -> RegistryError:
    """The sentence for a connection on which TLS failed."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        message, advice = _unverified(cause, place, case)
    else:
        message, advice = _unagreed(cause.reason or "", place, case)
    return RegistryError(message, (*advice, *case.remarks), original)


def _unverified(
    cause: ssl.SSLCertVerificationError, place: Place, case: HandshakeFailure
) -> tuple[str, tuple[str, ...]]:
    verdict = Verdict.of(cause)
    if reason := reason_for(verdict, place.address, case.shown, case.now):
        return reason.sentence, reason.advice
    if verdict.failure in {Failure.UNKNOWN_CA, Failure.INVALID_CA}:
        return _unknown_ca(place, case)
    return (
        f"The certificate of {place.address} is not trusted: {verdict.words}.",
        (configure_command(place.address),),
    )


def _unknown_ca(place: Place, case: HandshakeFailure) -> tuple[str, tuple[str, ...]]:
    deployed, configure = _own_ca_of(place, case.trust), configure_command(place.address)
    if case.trust.ca_files:
        return _not_by_installed(place, case, deployed)
    if deployed and der_of(read_if_there(deployed) or b"") is None:
        return (
            f"The certificate of this deployment's own CA, {deployed}, is damaged.",
            ("deployer up   (writes it again)",),
        )
    if deployed:
        message = (
            f"The certificate of {place.address} was not issued by this deployment's own CA, {deployed}: "
            "the registry has a new CA, or another server is answering."
        )
        return message, _with_the_new_ca(place, deployed)
    if place.is_loopback:
        message = (
            f"The certificate of {place.address} was issued by a CA that this machine does not trust; Docker "
            "accepts any certificate from this machine itself, but deployer sends no password to it."
        )
        return message, (
            "Run deployer as the user who started the registry.",
            f"Or put the CA certificate here: ~/.docker/certs.d/{place.address}/ca.crt",
        )
    return (
        f"The certificate of {place.address} was issued by a CA that this machine does not trust.",
        (configure, f"With the CA certificate in a file: {configure} --ca FILE"),
    )


def _not_by_installed(place: Place, case: HandshakeFailure, deployed: Path | None) -> tuple[str, tuple[str, ...]]:
    known = case.trust.ca_files
    # Another CA with the name of an installed one is a new CA.
    missing = "" if case.missing_issuer in _subjects(known) else case.missing_issuer
    message = (
        f"The certificate of {place.address} was not issued by the CA that is installed for it, "
        f"{known[0]}: the registry has a new CA, or another server is answering"
        + (f", or the server does not send the certificate of {missing}, which issued it." if missing else ".")
    )
    add = (add_intermediate(missing),) if missing else ()
    if deployed:
        return message, (*_with_the_new_ca(place, known[0]), *add)
    if place.is_loopback:
        # Docker needs none there, so configure-daemon installs none.
        outdated = f"If the registry was set up again, the file is out of date: rm {shlex.quote(str(known[0]))}"
        return message, (outdated, *add)
    compare = (
        "Compare with the fingerprint that `deployer status` prints on the machine that runs the registry: "
        f"{configure_command(place.address)}"
    )
    return message, (compare, *add)


def _own_ca_of(place: Place, trust: TrustStore) -> Path | None:
    """The file with the CA of the deployment on this machine, if the place is that deployment."""
    if trust.deployed is None:
        return None
    record = Record.read(Deployment(trust.deployed.parent.name, trust.deployed.parent).record_file)
    # From its own machine, each registry is reached by the name localhost, too.
    is_its_host = place.is_loopback or (record is not None and record.host.lower() == place.host)
    is_its_port = record is None or record.port == place.port
    return trust.deployed if is_its_host and is_its_port else None


def _with_the_new_ca(place: Place, file: Path) -> tuple[str, ...]:
    """What to do on the machine of the deployment if the CA in a file is not the one that it has."""
    old = f"If it has your own certificate: rm {shlex.quote(str(file))}"
    return (
        "deployer status   (compares the CAs)",
        "If it has a new CA: deployer up   (records it)",
        old if place.is_loopback else f"Then, here and on each client: {configure_command(place.address)}",
    )


def _subjects(files: Iterable[Path]) -> set[str]:
    """The subjects of the certificates in these files, as far as they can be read."""
    from deployer.tls.certificate import describe_all

    found: set[str] = set()
    for file in files:
        with contextlib.suppress(HostError):
            found.update(facts.subject for facts in describe_all(read_if_there(file) or b""))
    return found


def _unagreed(reason: str, place: Place, case: HandshakeFailure) -> tuple[str, tuple[str, ...]]:
    """For a handshake that one of the two sides ended; `reason` is OpenSSL's name for it."""
    if "ALERT_INTERNAL_ERROR" in reason or "UNRECOGNIZED_NAME" in reason:
        return (
            f"{place.address} has no certificate for '{place.host}', or not yet.",
            (
                "With ACME, wait a moment; to see why it is missing: deployer logs frontend",
                "Otherwise check --host: it must be the registry's configured name.",
            ),
        )
    if "CERTIFICATE_REQUIRED" in reason or "ALERT_BAD_CERTIFICATE" in reason or "ALERT_UNKNOWN_CA" in reason:
        what = "rejected the client certificate" if case.trust.own else "requires a client certificate"
        return (
            f"{place.address} {what}.",
            (f"Put it here: ~/.docker/certs.d/{place.address}/client.cert, with its key next to it, client.key",),
        )
    if "EOF" in reason:
        return (
            f"{place.address} closed the connection during the TLS handshake.",
            ("Check --host and --port; to see why the frontend closed it: deployer logs frontend",),
        )
    if "ALERT" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return (
            f"{place.address} and deployer could not agree on TLS settings.",
            ("The registry must support TLS 1.2 or newer.",),
        )
    if case.trust.expects_tls:
        message = (
            f"{place.address} does not use HTTPS, but a CA is installed for it, {case.trust.ca_files[0]}: TLS "
            "was turned off, or another server is answering."
        )
        remove = f"{configure_command(place.address)} --remove"
        if place.is_loopback:
            remove = f"rm {shlex.quote(str(case.trust.ca_files[0]))}"
        return message, (f"If it was turned off: {remove}",)
    return (
        f"{place.address} does not use HTTPS, but deployer connected with HTTPS.",
        ("If the registry has no TLS, set tls: off in deployer.yaml, or, for one command, DEPLOYER_TLS=off",),
    )
