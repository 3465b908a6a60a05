"""What goes wrong while TLS is agreed on with a registry, each fault in its sentence."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from deployer.errors import RegistryError
from deployer.phrases import listed
from deployer.registry.connection.faults import causes

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

    from deployer.registry.connection.tls_context import Trust
    from deployer.registry.protocol.place import Place

# OpenSSL's X509_V_ERR_… codes (x509_vfy.h).
_NOT_YET_VALID = 9
_EXPIRED = 10
_OTHER_NAME = frozenset({62, 64})
_UNKNOWN_AUTHORITY = frozenset({2, 7, 18, 19, 20, 21, 24})

_NAMES_SHOWN = 6


@dataclass(frozen=True)
class Presented:
    """The certificate that a server shows, as it says of itself: nothing of it is verified."""

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class HandshakeFailure:
    """What is known where a connection failed: what is installed, what the server shows, and the time here.

    `remarks` are about installed files that were of no use.
    """

    trust: Trust
    shown: Presented | None
    now: datetime
    remarks: tuple[str, ...] = ()


def tls_cause(error: BaseException) -> ssl.SSLError | None:
    """The fault of TLS behind an error, or None where it is of another kind."""
    found = next((cause for cause in causes(error) if isinstance(cause, ssl.SSLError)), None)
    # An end that comes after TLS was agreed on is an end as in plain HTTP.
    return None if isinstance(found, ssl.SSLEOFError) and not isinstance(error, httpx.ConnectError) else found


def presented(place: Place, seconds: float) -> Presented | None:
    """Ask the server at a place for its certificate, only to say what is wrong with it; None where it shows none."""
    from cryptography import x509

    try:
        pem = ssl.get_server_certificate((place.host, place.port), timeout=seconds)
        found = x509.load_pem_x509_certificate(pem.encode())
        return Presented(_names(found), found.not_valid_before_utc, found.not_valid_after_utc)
    except (OSError, ValueError):
        return None


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
    code = cause.verify_code
    if code in _OTHER_NAME:
        return _other_name(place, case)
    if code == _EXPIRED:
        return _expired(place, case)
    if code == _NOT_YET_VALID:
        since = f" before {_date(case.shown.not_before)}" if case.shown and case.shown.not_before > case.now else " yet"
        return (
            f"The certificate of {place.address} is not valid{since}, and this machine's clock says {_date(case.now)}.",
            ("Set this machine's clock right, if it is wrong: timedatectl", "Else look at the registry's machine's."),
        )
    if code in _UNKNOWN_AUTHORITY:
        return _unknown_authority(place, case)
    return (
        f"The certificate of {place.address} is not trusted: {cause.verify_message}.",
        (_configure(place),),
    )


def _unknown_authority(place: Place, case: HandshakeFailure) -> tuple[str, tuple[str, ...]]:
    known, deployed = case.trust.authorities, case.trust.deployed
    if known:
        message = (
            f"The certificate of {place.address} is not by the CA that is installed for it, {known[0]}: "
            "the registry has a new CA, or another server answers."
        )
        if place.is_loopback:
            # Docker needs none there, so configure-daemon installs none.
            return message, (f"If it was brought up again, the file is out of date: rm {known[0]}",)
        return message, (
            f"Compare with the fingerprint that `deployer up` prints on the registry's machine: {_configure(place)}",
        )
    if deployed and place.is_loopback:
        message = (
            f"The certificate of {place.address} is not by this deployment's own CA, {deployed}: "
            "another server answers."
        )
        return message, ("deployer status", f"If it has a certificate of your own by now: rm {deployed}")
    if place.is_loopback:
        message = (
            f"The certificate of {place.address} is by a CA that this machine does not know; Docker takes any "
            "from this machine itself, deployer sends no password to it."
        )
        return message, (
            "Run deployer as the user who brought the registry up.",
            f"Or put the CA's certificate here: ~/.docker/certs.d/{place.address}/ca.crt",
        )
    return (
        f"The certificate of {place.address} is by a CA that this machine does not know.",
        (_configure(place), f"With the CA's certificate in a file: {_configure(place)} --ca FILE"),
    )


def _expired(place: Place, case: HandshakeFailure) -> tuple[str, tuple[str, ...]]:
    clock = f"this machine's clock says {_date(case.now)}"
    if case.shown and case.shown.not_after > case.now:
        return (
            f"The CA behind the certificate of {place.address} has expired; {clock}.",
            (
                "Set this machine's clock right, if it is wrong: timedatectl",
                f"When the registry has a new CA: {_configure(place)}",
            ),
        )
    since = f" on {_date(case.shown.not_after)}" if case.shown else ""
    return (
        f"The certificate of {place.address} expired{since}; {clock}.",
        (
            "Set this machine's clock right, if it is wrong: timedatectl",
            "Else renew it on the registry's machine: deployer up",
        ),
    )


def _other_name(place: Place, case: HandshakeFailure) -> tuple[str, tuple[str, ...]]:
    names = case.shown.names if case.shown else ()
    told = f"it is for {listed(names, _NAMES_SHOWN)}" if names else "it names no host"
    advice = f"Give the name that it has: --host {names[0]}" if names else "Give the registry a certificate with names."
    return (
        f"The certificate of {place.address} is not for '{place.host}'" + (f": {told}." if case.shown else "."),
        (advice, f"Or bring the registry up with this name, on its machine: deployer up --host {place.host}"),
    )


def _unagreed(reason: str, place: Place, case: HandshakeFailure) -> tuple[str, tuple[str, ...]]:
    """For a handshake that one of the two sides ended; `reason` is OpenSSL's name for it."""
    if "ALERT_INTERNAL_ERROR" in reason or "UNRECOGNIZED_NAME" in reason:
        return (
            f"{place.address} has no certificate for '{place.host}', or none yet.",
            (
                "Where an ACME server gives it, wait a moment; why it does not come: deployer logs frontend",
                "Else check --host: it must be the name that the registry was brought up with.",
            ),
        )
    if "CERTIFICATE_REQUIRED" in reason or "ALERT_BAD_CERTIFICATE" in reason or "ALERT_UNKNOWN_CA" in reason:
        what = "does not take the certificate that we show" if case.trust.own else "wants a certificate from us"
        return (
            f"{place.address} {what}.",
            (f"Put it here: ~/.docker/certs.d/{place.address}/client.cert, and its key beside it, client.key",),
        )
    if "EOF" in reason:
        return (
            f"{place.address} closed the connection while TLS was agreed on.",
            ("Check --host and --port; why the frontend did so: deployer logs frontend",),
        )
    if "ALERT" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return (
            f"{place.address} and deployer do not agree on how to encrypt.",
            ("The registry must speak TLS 1.2 or newer.",),
        )
    if case.trust.expects_tls:
        message = (
            f"{place.address} does not speak HTTPS, but a CA is installed for it, {case.trust.authorities[0]}: "
            "TLS was switched off, or another server answers."
        )
        remove = f"rm {case.trust.authorities[0]}" if place.is_loopback else f"{_configure(place)} --remove"
        return message, (f"If it was switched off: {remove}",)
    return (
        f"{place.address} does not speak HTTPS, and was asked in HTTPS.",
        ("If the registry has no TLS, write tls: off in deployer.yaml, or say it once: DEPLOYER_TLS=off",),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return (*found.get_values_for_type(x509.DNSName), *addresses)


def _configure(place: Place) -> str:
    return f"deployer configure-daemon --host {place.host} --port {place.port}"


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
