"""Whether this machine trusts a registry, and what is wrong where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, HostError
from deployer.host.daemon import file
from deployer.host.daemon.process import Machine
from deployer.tls import certificate, probe, system_store
from deployer.tls.places import ClientPaths
from deployer.tls.refusals import check_authority, refusal
from deployer.workflows.finding import Finding
from deployer.workflows.trust import insecure, placement
from deployer.workflows.trust.engine_view import EngineView, locate
from deployer.workflows.trust.engine_way import engine_way, not_let_through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.settings.model import Settings
    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.places import CertificatePlace
    from deployer.workflows.diagnosis.examined import Examined
    from deployer.workflows.trust.decision import Registry
    from deployer.workflows.trust.engine_view import Registries, Whereabouts


@dataclass(frozen=True)
class TrustExamined:
    """The registry, this machine, and its engine."""

    settings: Settings
    registry: Registry
    ground: ClientPaths
    where: Whereabouts
    registries: Registries

    @property
    def address(self) -> str:
        """The registry's, HOST:PORT."""
        return self.settings.address

    @property
    def is_unverified(self) -> bool:
        """Whether Docker takes the registry without a look at its certificate, or without TLS."""
        # Docker looks the name up; the other names of this machine are its addresses already.
        local = f"127.0.0.1:{self.settings.port}" if self.settings.host == "localhost" else self.address
        return any(insecure.accepts(self.registries, address) for address in (local, self.address))

    @property
    def advice(self) -> str:
        """The command that fixes most."""
        return f"deployer configure-daemon --host {self.settings.host} --port {self.settings.port}"


def look(examined: Examined) -> Iterator[Finding]:
    """Look at what this machine and its engine trust."""
    settings, engine = examined.stack.settings, examined.stack.engine
    facts = engine.system.describe()
    where = locate(Machine(examined.environment), EngineView(facts, engine.system.insecure_registries))
    scene = TrustExamined(
        settings,
        engine_way(settings, facts.proxies, where).peer,
        ClientPaths(examined.environment),
        where,
        engine.system.insecure_registries(),
    )
    yield from examine(scene, datetime.now(UTC))


def examine(scene: TrustExamined, now: datetime) -> Iterator[Finding]:
    """Look at what the registry speaks and at what is trusted for it."""
    if scene.settings.is_loopback and scene.is_unverified:
        yield _accepted(scene)
        return
    try:
        heard = scene.registry.ask()
        if heard.speaks == "tls":
            yield from _encrypted(scene, certificate.describe_der(heard.certificate), now)
            return
        installed = placement.installed(scene.ground, scene.address, scene.where)
    except DeployerError as error:
        yield Finding.of(error)
        return
    except probe.ProxyFault as fault:
        yield Finding.of(not_let_through(scene.address, fault))
        return
    except OSError as error:
        yield Finding("wrong", f"{scene.address} stopped answering.", (), str(error))
        return
    if heard.speaks == "http" and (installed or scene.settings.tls.is_on):
        why = f"a CA is installed for it, {installed[0].path}" if installed else "the settings say so"
        yield Finding(
            "wrong",
            f"{scene.address} answers in plain HTTP, and is to speak HTTPS: {why}. "
            "Somebody in between may be answering in its place.",
            ("deployer status   (on the machine that runs the registry)",),
        )
    elif scene.is_unverified:
        yield _accepted(scene)
    elif installed:
        # It does not answer, which is said already.
        yield Finding("note", f"A CA is installed for {scene.address}: {installed[0].path}.")
    else:
        yield _untrusted(scene)


def _encrypted(scene: TrustExamined, presented: CertificateFacts, now: datetime) -> Iterator[Finding]:
    verdict = scene.registry.verify(system_store.context(scene.ground))
    if verdict.ok:
        yield Finding("ok", f"This system trusts the certificate of {scene.address}.")
        return
    if not verdict.is_unknown:
        yield Finding.of(refusal(verdict, scene.address, presented, now))
        return
    places, remarks = placement.places(scene.ground, scene.address, scene.where)
    for place in places:
        yield _at(place, scene, presented, now)
    yield from (Finding("note", remark) for remark in remarks)


def _at(place: CertificatePlace, scene: TrustExamined, presented: CertificateFacts, now: datetime) -> Finding:
    """What one tool makes of the registry's certificate."""
    address = scene.address
    content = file.read(place.file).content
    if place.client == "Docker" and scene.is_unverified:
        sentence = f"Docker takes {address} without a look at its certificate: its insecure-registries name it."
        return Finding("note", sentence, (scene.advice,))
    if content is not None:
        return _by(place, content, scene, presented, now)
    if place.client == "Docker":
        return _untrusted(scene)
    return Finding("note", f"{place.client} does not trust {address}.", (scene.advice,))


def _by(
    place: CertificatePlace, content: bytes, scene: TrustExamined, presented: CertificateFacts, now: datetime
) -> Finding:
    """What comes of the CA that is installed for one tool."""
    address = scene.address
    try:
        pem = certificate.bare(content)
        check_authority(certificate.describe(pem), str(place.file), now)
        verdict = scene.registry.verify(probe.trusting(pem))
    except HostError as error:
        sentence = error.message if str(place.file) in error.message else f"{place.file}: {error.message}"
        return Finding("wrong", sentence, (*error.advice, scene.advice), error.original)
    if verdict.ok:
        return Finding("ok", f"{place.client} trusts {address}, by the CA {place.file}.")
    if not verdict.is_unknown:
        return Finding.of(refusal(verdict, address, presented, now))
    return Finding(
        "wrong",
        f"The CA that is installed for {place.client}, {place.file}, did not sign what {address} presents now: "
        "the registry has another one since, or somebody is in between.",
        (f"{scene.advice}   (shows the new one's fingerprint; compare it with what `deployer status` prints there)",),
        verdict.words,
    )


def _accepted(scene: TrustExamined) -> Finding:
    return Finding("ok", f"The Docker engine accepts {scene.address}.")


def _untrusted(scene: TrustExamined) -> Finding:
    sentence = f"The Docker engine does not trust {scene.address}: pushes and pulls will fail."
    return Finding("wrong", sentence, (scene.advice,))
