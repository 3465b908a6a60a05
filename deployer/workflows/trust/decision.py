"""How this machine comes to trust a registry: decided by what answers at its address."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from deployer.errors import HostError
from deployer.host.files import read_whole
from deployer.tls import certificate, probe
from deployer.tls.refusals import add_intermediate, check_ca, refusal
from deployer.workflows.trust.engine_route import not_let_through

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.probe import HttpAnswer, ProbeResult
    from deployer.tls.verdict import Verdict

_PLAIN = "deployer configure-daemon --insecure   (treats it as plain HTTP, without probing it)"


class Registry(Protocol):
    """What answers at the address."""

    def ask(self) -> ProbeResult:
        """Find out what it speaks."""

    def verify(self, context: ssl.SSLContext) -> Verdict:
        """Make a connection that this context has to accept."""

    def fetch(self) -> HttpAnswer:
        """Ask for its CA."""


@dataclass(frozen=True)
class Installed:
    """A CA that is trusted for the address already: the file, and its certificate in PEM."""

    path: Path
    pem: bytes


@dataclass(frozen=True)
class Known:
    """Whom this machine trusts already: by the system, and for this address alone."""

    system: ssl.SSLContext
    installed: Sequence[Installed] = ()


@dataclass(frozen=True)
class TrustRequest:
    """What the user said: a file with the CA, its fingerprint, and whether TLS is on or off for sure."""

    address: str
    ca: Path | None = None
    fingerprint: str = ""
    plain: bool = False
    encrypted: bool = False


@dataclass(frozen=True)
class Plain:
    """It speaks plain HTTP: Docker has to be told that this is meant."""


@dataclass(frozen=True)
class Public:
    """The system trusts its certificate already."""


class CASource(StrEnum):
    """Where a CA's certificate was taken from."""

    FILE = "file"
    REGISTRY = "registry"
    INSTALLED = "installed"


@dataclass(frozen=True)
class PrivateCA:
    """Its certificate is from a CA that has to be installed, checked against a connection.

    `compared`: whether its fingerprint is the one that the user gave. `public`: whether the system
    trusts the certificate without it.
    """

    pem: bytes
    facts: CertificateFacts
    source: CASource
    compared: bool
    public: bool = False


Decision = Plain | Public | PrivateCA


def decide(request: TrustRequest, registry: Registry, known: Known, now: datetime) -> Decision:
    """Ask the registry and choose.

    Raises HostError if nothing that can be trusted answers; nothing is changed.
    """
    if request.plain:
        return Plain()
    try:
        probe_result = registry.ask()
        if probe_result.speaks is probe.Speaks.TLS:
            return _encrypted(request, registry, probe_result, known, now)
    except probe.ProxyFault as fault:
        raise not_let_through(request.address, fault) from fault
    except OSError as error:
        raise HostError(f"{request.address} stopped responding.", ("Run the command again.",), str(error)) from error
    if probe_result.speaks is probe.Speaks.HTTP:
        return _plain(request, known.installed)
    if probe_result.speaks is probe.Speaks.BROKEN:
        raise HostError(
            f"{request.address} uses HTTPS but rejects the connection that Docker needs (TLS 1.2 or newer, for "
            "this host).",
            (
                "Check --host: a server with several names needs the right one.",
                "deployer logs   (on the machine that runs it)",
            ),
            probe_result.words,
        )
    raise HostError(
        f"Nothing responds at {request.address}, so its requirements cannot be determined.",
        (
            "Start the registry on the machine that should run it: deployer up",
            "Check --host and --port, and the firewalls in between.",
            _PLAIN,
        ),
        probe_result.words,
    )


def _plain(request: TrustRequest, installed: Sequence[Installed]) -> Plain:
    given = {"--ca": request.ca, "--fingerprint": request.fingerprint, "the settings": request.encrypted}
    source = next((name for name, is_given in given.items() if is_given), "")
    if source:
        raise HostError(
            f"{request.address} responds over plain HTTP, but HTTPS is required by {source}. Nothing was changed.",
            ("Check on the machine that runs it: deployer status", _PLAIN),
        )
    if installed:
        raise HostError(
            f"{request.address} responds over plain HTTP but used HTTPS before: a CA is installed for it, "
            f"{installed[0].path}. Another machine may be answering in its place.",
            (
                "Check on the machine that runs it: deployer status",
                "If it no longer has TLS: deployer configure-daemon --remove   (then again without --remove)",
            ),
        )
    return Plain()


def _encrypted(
    request: TrustRequest, registry: Registry, probe_result: ProbeResult, known: Known, now: datetime
) -> Decision:
    presented = certificate.describe_der(probe_result.certificate)
    public = False
    if request.ca is None:
        verdict = registry.verify(known.system)
        public = verdict.ok
        # A fingerprint that was given is compared, whomever the system trusts.
        if public and not request.fingerprint:
            return Public()
        if not public and not verdict.is_unknown:
            raise refusal(verdict, request.address, presented, now)
        if found := _from_installed(request, registry, known, now):
            return found
    pem = _from_file(request.ca, now) if request.ca else _from_registry(request.address, registry, now, public=public)
    facts = certificate.describe(pem)
    if request.fingerprint not in {"", facts.fingerprint}:
        raise HostError(
            f"The CA of {request.address} has the SHA-256 fingerprint {facts.fingerprint}, but you specified "
            f"{request.fingerprint}. Nothing was installed.",
            ("To get it, run `deployer status` on the machine that runs the registry.",),
        )
    verdict = registry.verify(probe.trusting(pem))
    if verdict.is_unknown:
        raise _of_another_ca(request.address, facts, presented, probe_result.missing_issuer, verdict)
    if not verdict.ok:
        raise refusal(verdict, request.address, presented, now)
    return PrivateCA(
        pem,
        facts,
        CASource.FILE if request.ca else CASource.REGISTRY,
        compared=bool(request.fingerprint),
        public=public,
    )


def _of_another_ca(
    address: str, ca: CertificateFacts, presented: CertificateFacts, missing: str, verdict: Verdict
) -> HostError:
    """What is said of a CA that did not sign the certificate; `missing` is an issuer of which the server sends none."""
    get = "Get the certificate of the CA that signed it: deployer configure-daemon --ca FILE"
    if ca.subject == presented.issuer:
        return HostError(
            f"The certificate that {address} presents was issued by another CA with the same name, {ca.subject}. "
            "Nothing was installed.",
            (get,),
            verdict.words,
        )
    sent = ""
    advice: tuple[str, ...] = (get,)
    if missing:
        sent = ", whose certificate the server does not send"
        advice = (
            add_intermediate(missing),
            f"Or install the certificate of {missing}: deployer configure-daemon --ca FILE",
        )
    return HostError(
        f"The certificate that {address} presents was not issued by the CA {ca.subject}, but by "
        f"{presented.issuer}{sent}. Nothing was installed.",
        advice,
        verdict.words,
    )


def _from_installed(request: TrustRequest, registry: Registry, known: Known, now: datetime) -> PrivateCA | None:
    """The CA that is trusted for the address already, if it is still the right one."""
    for one in known.installed:
        facts = certificate.describe(one.pem)
        fits = request.fingerprint in {"", facts.fingerprint} and facts.not_before <= now <= facts.not_after
        if fits and registry.verify(probe.trusting(one.pem)).ok:
            return PrivateCA(one.pem, facts, CASource.INSTALLED, compared=bool(request.fingerprint))
    return None


def _from_file(path: Path, now: datetime) -> bytes:
    try:
        content = read_whole(path)
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}.", ("Check the path given with --ca.",)) from error
    return _checked(content, str(path), now, ("Use a file with the CA certificate in PEM format: --ca FILE",))


def _from_registry(address: str, registry: Registry, now: datetime, *, public: bool) -> bytes:
    fetched = registry.fetch()
    advice: tuple[str, ...] = ("Get its CA certificate from the administrator: deployer configure-daemon --ca FILE",)
    if public:
        advice = ("Omit --fingerprint if it is enough that this system trusts the certificate.", *advice)
    if fetched.status != 200:
        how = f"it responded with {fetched.status}" if fetched.status else "it did not respond"
        if public:
            raise HostError(
                f"{address} uses HTTPS with a certificate that this system already trusts, and does not provide a "
                f"CA certificate ({how}) to compare with --fingerprint. Nothing was changed.",
                advice,
            )
        raise HostError(
            f"{address} uses HTTPS with a certificate that this machine does not trust, and does not provide its "
            f"CA certificate ({how}).",
            advice,
        )
    return _checked(fetched.content, f"The CA certificate that {address} provides", now, advice)


def _checked(content: bytes, where: str, now: datetime, advice: tuple[str, ...]) -> bytes:
    """The one CA in a PEM text, fit to be trusted now. Raises HostError."""
    try:
        found = certificate.describe_all(content)
    except HostError as error:
        raise HostError(f"{where} is not a certificate in PEM format.", advice, error.original) from error
    if len(found) > 1:
        raise HostError(f"{where} contains {len(found)} certificates; expected exactly one CA certificate.", advice)
    check_ca(found[0], where, now)
    return certificate.bare(content)
