"""Why a registry's certificate is not accepted, each reason in its sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import HostError

if TYPE_CHECKING:
    from datetime import datetime

    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.probe import Verdict

CLOCK = "date   (look whether this machine's clock is right)"


def refusal(verdict: Verdict, address: str, presented: CertificateFacts | None, now: datetime) -> HostError:
    """The error for a connection that could not be verified; `presented` is the server's certificate."""
    if verdict.is_other_name:
        names = ", ".join(presented.names) if presented else ""
        host = address.rsplit(":", 1)[0]
        return HostError(
            f"The certificate of {address} is for {names or 'no name at all'}, not for {host}.",
            (
                "Use a name that it is for as --host.",
                f"Or bring the registry up for this one, on its machine: deployer up --host {host}",
            ),
            verdict.words,
        )
    if verdict.is_expired:
        over = presented.not_after if presented else now
        what = f"The certificate of {address} expired on {over:%Y-%m-%d}"
        if over >= now:
            what = f"A certificate that {address} presents beside its own has expired"
        return HostError(
            f"{what}; this machine's clock says {now:%Y-%m-%d}.",
            (CLOCK, "If it is, renew the certificate on the machine that runs the registry: deployer up"),
            verdict.words,
        )
    if verdict.is_early:
        begins = f" before {presented.not_before:%Y-%m-%d %H:%M} UTC" if presented else " yet"
        return HostError(
            f"The certificate of {address} is not valid{begins}; this machine's clock says {now:%Y-%m-%d %H:%M}.",
            (CLOCK,),
            verdict.words,
        )
    return HostError(f"The certificate of {address} is not accepted.", ("deployer doctor",), verdict.words)


def check_authority(facts: CertificateFacts, where: str, now: datetime) -> None:
    """Make sure that a certificate may be trusted as a CA now. Raises HostError."""
    if not (facts.is_ca or facts.is_root):
        raise HostError(
            f"{where} is not CA's certificate but a server's, of {facts.issuer}.",
            ("Use the certificate of the CA that signed it.",),
        )
    if facts.not_after < now:
        raise HostError(
            f"{where}, the CA {facts.subject}, expired on {facts.not_after:%Y-%m-%d}; "
            f"this machine's clock says {now:%Y-%m-%d}.",
            (CLOCK,),
        )
    if facts.not_before > now:
        raise HostError(
            f"{where}, the CA {facts.subject}, is not valid before {facts.not_before:%Y-%m-%d %H:%M} UTC; "
            f"this machine's clock says {now:%Y-%m-%d %H:%M}.",
            (CLOCK,),
        )
