"""How this machine comes to trust a registry: decided by what answers at its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from deployer.errors import HostError
from deployer.host.files import read_whole
from deployer.tls import certificate, probe
from deployer.tls.refusals import check_authority, refusal
from deployer.workflows.trust.engine_way import not_let_through

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.probe import HttpAnswer, ProbeResult, Verdict

_PLAIN = "deployer configure-daemon --insecure   (takes it as plain HTTP, without asking)"


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


@dataclass(frozen=True)
class Authority:
    """Its certificate is from a CA that has to be installed, checked against a connection.

    `compared`: whether its fingerprint is the one that the user gave. `public`: whether the system
    trusts the certificate without it.
    """

    pem: bytes
    facts: CertificateFacts
    source: Literal["file", "registry", "installed"]
    compared: bool
    public: bool = False


Decision = Plain | Public | Authority


def decide(wish: TrustRequest, registry: Registry, known: Known, now: datetime) -> Decision:
    """Ask the registry and choose.

    Raises HostError where nothing that can be trusted answers; nothing is changed.
    """
    if wish.plain:
        return Plain()
    try:
        heard = registry.ask()
        if heard.speaks == "tls":
            return _encrypted(wish, registry, heard, known, now)
    except probe.ProxyFault as fault:
        raise not_let_through(wish.address, fault) from fault
    except OSError as error:
        raise HostError(f"{wish.address} stopped answering.", ("Repeat the command.",), str(error)) from error
    if heard.speaks == "http":
        return _plain(wish, known.installed)
    if heard.speaks == "broken":
        raise HostError(
            f"{wish.address} speaks HTTPS, but refuses what Docker needs: TLS 1.2 or newer, for this host.",
            ("Check --host: a server with several names wants the right one.", "deployer logs   (on its machine)"),
            heard.words,
        )
    raise HostError(
        f"Nothing answers at {wish.address}, so what it needs cannot be found out.",
        (
            "Start it, on the machine that is to run it: deployer up",
            "Check --host and --port, and the firewalls in between.",
            _PLAIN,
        ),
        heard.words,
    )


def _plain(wish: TrustRequest, installed: Sequence[Installed]) -> Plain:
    given = "--ca" if wish.ca else "--fingerprint" if wish.fingerprint else "the settings" if wish.encrypted else ""
    if given:
        raise HostError(
            f"{wish.address} answers in plain HTTP, and by {given} it is to speak HTTPS. Nothing was changed.",
            ("Look on the machine that runs it: deployer status", _PLAIN),
        )
    if installed:
        raise HostError(
            f"{wish.address} answers in plain HTTP, though it spoke HTTPS before: a CA is installed for it, "
            f"{installed[0].path}. Somebody in between may be answering in its place.",
            (
                "Look on the machine that runs it: deployer status",
                "If it has no TLS any more: deployer configure-daemon --remove   (then once more without --remove)",
            ),
        )
    return Plain()


def _encrypted(wish: TrustRequest, registry: Registry, heard: ProbeResult, known: Known, now: datetime) -> Decision:
    presented = certificate.describe_der(heard.certificate)
    public = False
    if wish.ca is None:
        verdict = registry.verify(known.system)
        public = verdict.ok
        # A fingerprint that was given is compared, whomever the system trusts.
        if public and not wish.fingerprint:
            return Public()
        if not public and not verdict.is_unknown:
            raise refusal(verdict, wish.address, presented, now)
        if found := _from_installed(wish, registry, known, now):
            return found
    pem = _from_file(wish.ca, now) if wish.ca else _from_registry(wish.address, registry, now, public=public)
    facts = certificate.describe(pem)
    if wish.fingerprint not in {"", facts.fingerprint}:
        raise HostError(
            f"The CA of {wish.address} has the SHA-256 fingerprint {facts.fingerprint}, and you gave "
            f"{wish.fingerprint}. Nothing was installed.",
            ("`deployer up` prints it, on the machine that runs the registry.",),
        )
    verdict = registry.verify(probe.trusting(pem))
    if verdict.is_unknown:
        raise HostError(
            f"The certificate that {wish.address} presents is not from the CA {facts.subject}, but from "
            f"{presented.issuer}. Nothing was installed.",
            ("Get the certificate of the CA that signed it: deployer configure-daemon --ca FILE",),
            verdict.words,
        )
    if not verdict.ok:
        raise refusal(verdict, wish.address, presented, now)
    return Authority(pem, facts, "file" if wish.ca else "registry", compared=bool(wish.fingerprint), public=public)


def _from_installed(wish: TrustRequest, registry: Registry, known: Known, now: datetime) -> Authority | None:
    """The CA that is trusted for the address already, where it is still the right one."""
    for one in known.installed:
        facts = certificate.describe(one.pem)
        fits = wish.fingerprint in {"", facts.fingerprint} and facts.not_before <= now <= facts.not_after
        if fits and registry.verify(probe.trusting(one.pem)).ok:
            return Authority(one.pem, facts, "installed", compared=bool(wish.fingerprint))
    return None


def _from_file(path: Path, now: datetime) -> bytes:
    try:
        content = read_whole(path)
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}.", ("Check the path that --ca names.",)) from error
    return _checked(content, str(path), now, ("Give a file with the CA's certificate, in PEM: --ca FILE",))


def _from_registry(address: str, registry: Registry, now: datetime, *, public: bool) -> bytes:
    fetched = registry.fetch()
    advice: tuple[str, ...] = ("Get the certificate of its CA from who runs it: deployer configure-daemon --ca FILE",)
    if public:
        advice = ("Leave --fingerprint out, if it is enough that this system trusts the certificate.", *advice)
    if fetched.status != 200:
        how = f"it answers {fetched.status}" if fetched.status else "it does not answer to that"
        if public:
            raise HostError(
                f"{address} speaks HTTPS with a certificate that this system trusts already, and does not hand out an "
                f"CA ({how}), so there is none to compare with --fingerprint. Nothing was changed.",
                advice,
            )
        raise HostError(
            f"{address} speaks HTTPS with a certificate that this machine does not trust, and does not hand out its "
            f"CA ({how}).",
            advice,
        )
    return _checked(fetched.content, f"What {address} hands out as its CA", now, advice)


def _checked(content: bytes, where: str, now: datetime, advice: tuple[str, ...]) -> bytes:
    """The one CA in a PEM text, fit to be trusted now. Raises HostError."""
    try:
        found = certificate.describe_all(content)
    except HostError as error:
        raise HostError(f"{where} is not a certificate in PEM.", advice, error.original) from error
    if len(found) > 1:
        raise HostError(f"{where} holds {len(found)} certificates, and one CA is wanted.", advice)
    check_authority(found[0], where, now)
    return certificate.bare(content)
