"""Why a registry's certificate is not accepted, each reason in its sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.phrases import listed
from deployer.tls.verdict import Failure

if TYPE_CHECKING:
    from datetime import datetime

    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.verdict import Verdict

_CLOCK = "If this machine's clock is wrong, set it: timedatectl"
RENEW = "Renew it on the machine that runs the registry, then run there: deployer up"
_NAMES_SHOWN = 6


@dataclass(frozen=True)
class Reason:
    """Why a certificate is not accepted, in a sentence, and how to fix it."""

    sentence: str
    advice: tuple[str, ...]


def refusal(verdict: Verdict, address: str, presented: CertificateFacts | None, now: datetime) -> HostError:
    """The error for a connection that could not be verified; `presented` is the server's certificate."""
    reason = reason_for(verdict, address, presented, now)
    if reason is None:
        return HostError(f"The certificate of {address} is not accepted.", ("deployer doctor",), verdict.words)
    return HostError(reason.sentence, reason.advice, verdict.words)


def reason_for(verdict: Verdict, address: str, presented: CertificateFacts | None, now: datetime) -> Reason | None:
    """What is wrong with a certificate itself: its names or its dates; None if it is something else."""
    return reason_of(verdict.failure, address, presented, now)


def reason_of(
    failure: Failure | None, address: str, presented: CertificateFacts | None, now: datetime
) -> Reason | None:
    """As `reason_for`, of a failure that is known."""
    if failure is Failure.OTHER_NAME:
        return _other_name(address, presented)
    if failure is Failure.EXPIRED:
        return _expired(address, presented, now)
    if failure is Failure.NOT_YET_VALID:
        return _early(address, presented, now)
    return None


def configure_command(address: str) -> str:
    """The command that lets a client trust the registry."""
    host, _, port = address.rpartition(":")
    return f"deployer configure-daemon --host {_bare(host)} --port {port}"


def add_intermediate(issuer: str) -> str:
    """How the server comes to send the certificate of an intermediate CA."""
    return (
        f"If {issuer} is an intermediate CA, add the certificate of {issuer} to the file of its certificate on the "
        "machine that runs the registry, then run there: deployer up"
    )


def _other_name(address: str, presented: CertificateFacts | None) -> Reason:
    host = _bare(address.rpartition(":")[0])
    up = f"Or use this name for the registry, on the machine that runs it: deployer up --host {host}"
    sentence = f"The certificate of {address} is not for '{host}'"
    if presented is None:
        return Reason(f"{sentence}.", ("Use a certificate with host names.", up))
    if not presented.names:
        return Reason(f"{sentence}: it has no host names.", ("Use a certificate with host names.", up))
    advice = f"Use the name that it has: --host {presented.names[0]}"
    return Reason(f"{sentence}: it is for {listed(presented.names, _NAMES_SHOWN)}.", (advice, up))


def _expired(address: str, presented: CertificateFacts | None, now: datetime) -> Reason:
    clock = f"this machine's clock says {_date(now)}"
    if presented and presented.not_after > now:
        return Reason(
            f"The CA that issued the certificate of {address} has expired; {clock}.",
            (_CLOCK, f"When the registry has a new CA: {configure_command(address)}"),
        )
    since = f" on {_date(presented.not_after)}" if presented else ""
    return Reason(
        f"The certificate of {address} expired{since}; {clock}.",
        (_CLOCK, f"Otherwise {RENEW[:1].lower()}{RENEW[1:]}"),
    )


def _early(address: str, presented: CertificateFacts | None, now: datetime) -> Reason:
    since = f" before {_date(presented.not_before)}" if presented and presented.not_before > now else " yet"
    return Reason(
        f"The certificate of {address} is not valid{since}; this machine's clock says {_date(now)}.",
        (_CLOCK, "Otherwise set the clock of the machine that runs the registry."),
    )


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def check_ca(facts: CertificateFacts, where: str, now: datetime) -> None:
    """Make sure that a certificate may be trusted as a CA now. Raises HostError."""
    if not (facts.is_ca or facts.is_root):
        raise HostError(
            f"{where} is a server certificate issued by {facts.issuer}, not a CA certificate.",
            ("Use the certificate of the CA that signed it.",),
        )
    if facts.not_after < now:
        raise HostError(
            f"{where}, the CA {facts.subject}, expired on {_date(facts.not_after)}; "
            f"this machine's clock says {_date(now)}.",
            (_CLOCK,),
        )
    if facts.not_before > now:
        raise HostError(
            f"{where}, the CA {facts.subject}, is not valid before {_date(facts.not_before)}; "
            f"this machine's clock says {_date(now)}.",
            (_CLOCK,),
        )
