"""Whether this machine trusts a registry, and what is wrong if it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, HostError
from deployer.host.daemon import file
from deployer.host.daemon.process import Machine
from deployer.tls import certificate, probe, system_store
from deployer.tls.own_certificate import expiring
from deployer.tls.places import ClientPaths, TrustTarget
from deployer.tls.refusals import RENEW, add_intermediate, check_ca, configure_command, refusal
from deployer.workflows.checks.engine_options import takes_name
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.trust import insecure, placement
from deployer.workflows.trust.engine_route import engine_route, not_let_through
from deployer.workflows.trust.engine_view import EngineView, locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.settings.model import Settings
    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.places import CertificatePlace
    from deployer.workflows.diagnosis.examined import Examined
    from deployer.workflows.trust.decision import Registry
    from deployer.workflows.trust.engine_view import EngineLocation, Registries


# Longer than of those that are made for a few days, and renewed again and again.
_LONG_LIFE = timedelta(days=60)


@dataclass(frozen=True)
class TrustExamined:
    """The registry, this machine, and its engine.

    `docker_takes_name`: whether the engine takes the address in the name of an image; no trust helps one that does not.
    """

    settings: Settings
    registry: Registry
    client_paths: ClientPaths
    location: EngineLocation
    registries: Registries
    docker_takes_name: bool = True

    @property
    def address(self) -> str:
        """The registry's, HOST:PORT."""
        return self.settings.address

    @property
    def is_unverified(self) -> bool:
        """Whether Docker takes the registry without a look at its certificate, or without TLS."""
        # Docker looks the name up; the other names of this machine are its addresses already.
        local = f"127.0.0.1:{self.settings.port}" if self.settings.host == "localhost" else self.address
        is_here = not self.location.is_elsewhere
        return any(insecure.accepts(self.registries, one, is_here=is_here) for one in (local, self.address))

    @property
    def advice(self) -> str:
        """The command that fixes most."""
        return configure_command(self.address)

    @property
    def target(self) -> TrustTarget:
        """The registry, and this machine."""
        return TrustTarget(self.client_paths, self.address)


@dataclass(frozen=True)
class Presented:
    """The registry's certificate, and its issuer if the server sends nothing from them."""

    facts: CertificateFacts
    missing_issuer: str = ""


def look(examined: Examined) -> Iterator[Finding]:
    """Look at what this machine and its engine trust."""
    settings, info = examined.stack.settings, examined.engine_info
    location = locate(Machine(examined.environment), EngineView(info.facts, lambda: info.insecure_registries))
    trust = TrustExamined(
        settings,
        engine_route(settings, info.facts.proxies, location).peer,
        ClientPaths(examined.environment),
        location,
        info.insecure_registries,
        takes_name(settings, info.facts.version),
    )
    yield from examine(trust, datetime.now(UTC))


def examine(examined: TrustExamined, now: datetime) -> Iterator[Finding]:
    """Look at what the registry speaks and at what is trusted for it."""
    if examined.settings.is_loopback and examined.is_unverified:
        yield _accepted(examined)
        return
    try:
        probe_result = examined.registry.ask()
        if probe_result.speaks is probe.Speaks.TLS:
            presented = Presented(certificate.describe_der(probe_result.certificate), probe_result.missing_issuer)
            yield from _encrypted(examined, presented, now)
            return
        installed = placement.installed(examined.target, examined.location)
    except DeployerError as error:
        yield Finding.of(error)
        return
    except probe.ProxyFault as fault:
        yield Finding.of(not_let_through(examined.address, fault))
        return
    except OSError as error:
        yield Finding(FindingState.WRONG, f"{examined.address} stopped responding.", (), str(error))
        return
    if probe_result.speaks is probe.Speaks.HTTP and (installed or examined.settings.tls.is_on):
        why = f"a CA is installed for it, {installed[0].path}" if installed else "the settings say so"
        yield Finding(
            FindingState.WRONG,
            f"{examined.address} responds over plain HTTP but should use HTTPS: {why}. Another machine may be "
            "answering in its place.",
            ("deployer status   (on the machine that runs the registry)",),
        )
    elif examined.is_unverified:
        yield _accepted(examined)
    elif installed:
        # It does not answer, which is said already.
        yield Finding(FindingState.NOTE, f"A CA is installed for {examined.address}: {installed[0].path}.")
    elif examined.docker_takes_name:
        yield _untrusted(examined)


def _encrypted(examined: TrustExamined, presented: Presented, now: datetime) -> Iterator[Finding]:
    yield from _expiring(examined, presented.facts, now)
    verdict = examined.registry.verify(system_store.context(examined.client_paths))
    if verdict.ok:
        yield Finding(FindingState.OK, f"This system trusts the certificate of {examined.address}.")
        return
    if not verdict.is_unknown:
        yield Finding.of(refusal(verdict, examined.address, presented.facts, now))
        return
    places = placement.places(examined.target, examined.location)
    for place in places.found:
        if place.client == "Docker" and not examined.docker_takes_name:
            continue
        yield _at(place, examined, presented, now)
    yield from (Finding(FindingState.NOTE, remark) for remark in places.warnings)


def _expiring(examined: TrustExamined, presented: CertificateFacts, now: datetime) -> Iterator[Finding]:
    """What is not renewed in time; a certificate with a short life has little of it left at any time."""
    soon = expiring(examined.address, presented.not_after, now)
    if soon and presented.not_after > now and presented.not_after - presented.not_before > _LONG_LIFE:
        yield Finding(FindingState.NOTE, soon, (RENEW,))


def _at(place: CertificatePlace, examined: TrustExamined, presented: Presented, now: datetime) -> Finding:
    """What one tool makes of the registry's certificate."""
    address = examined.address
    content = file.read(place.file).content
    if place.client == "Docker" and examined.is_unverified:
        sentence = f"Docker does not check the certificate of {address}: it is in Docker's insecure-registries."
        return Finding(FindingState.NOTE, sentence, (examined.advice,))
    if content is not None:
        return _by(place, content, examined, presented, now)
    if place.client == "Docker":
        return _untrusted(examined)
    return Finding(FindingState.NOTE, f"{place.client} does not trust {address}.", (examined.advice,))


def _by(
    place: CertificatePlace, content: bytes, examined: TrustExamined, presented: Presented, now: datetime
) -> Finding:
    """What comes of the CAs that are installed for one tool: each in its file counts."""
    address = examined.address
    try:
        pems = certificate.bare_all(content)
        verdict = examined.registry.verify(probe.trusting(b"".join(pems)))
        if not verdict.ok:
            _check_any(pems, str(place.file), now)
    except HostError as error:
        sentence = error.message if str(place.file) in error.message else f"{place.file}: {error.message}"
        return Finding(FindingState.WRONG, sentence, (*error.advice, examined.advice), error.original)
    if verdict.ok:
        return Finding(FindingState.OK, f"{place.client} trusts {address} through the CA {place.file}.")
    if not verdict.is_unknown:
        return Finding.of(refusal(verdict, address, presented.facts, now))
    subjects = {certificate.describe(pem).subject for pem in pems}
    # Another CA with the name of the installed one is a new CA.
    missing = "" if presented.missing_issuer in subjects else presented.missing_issuer
    unsent = f"the server does not send the certificate of {missing}, which issued it, " if missing else ""
    return Finding(
        FindingState.WRONG,
        f"The CA that is installed for {place.client}, {place.file}, did not sign the certificate that {address} "
        f"now presents: {unsent}the registry has a new CA, or another machine is answering.",
        (
            *((add_intermediate(missing),) if missing else ()),
            (
                f"{examined.advice}   (compare its fingerprint with `deployer status` on the machine that runs "
                "the registry)"
            ),
        ),
        verdict.words,
    )


def _check_any(pems: Iterable[bytes], where: str, now: datetime) -> None:
    """Make sure that one of the certificates may be trusted as a CA now. Raises HostError."""
    errors = []
    for pem in pems:
        try:
            return check_ca(certificate.describe(pem), where, now)
        except HostError as error:
            errors.append(error)
    raise errors[0]


def _accepted(examined: TrustExamined) -> Finding:
    return Finding(FindingState.OK, f"The Docker engine accepts {examined.address}.")


def _untrusted(examined: TrustExamined) -> Finding:
    sentence = f"The Docker engine does not trust {examined.address}: pushes and pulls will fail."
    return Finding(FindingState.WRONG, sentence, (examined.advice,))
