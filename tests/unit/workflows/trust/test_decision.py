from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from deployer.errors import HostError
from deployer.layout import CA_PATH
from deployer.tls import certificate as reading
from deployer.tls import probe
from deployer.tls.probe import Peer, ProbeResult
from deployer.workflows.trust import decision
from tests.support.certificates import DAY, Certified, certificate, make_ca, now, serving
from tests.support.run import free_port

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from deployer.tls.verdict import Verdict

ROOT = make_ca("The registry's own")
OTHER = make_ca("Another")
SERVER = certificate("127.0.0.1", signer=ROOT)


@dataclass
class Case:
    """A registry on 127.0.0.1 and a machine that asks it."""

    folder: Path
    presented: Certified | None = SERVER
    handed_out: bytes | None = ROOT.pem
    system: tuple[Certified, ...] = ()
    installed: tuple[Certified, ...] = ()
    asked: tuple[str, ...] = ()

    def decide(self, *, ca: Path | None = None, fingerprint: str = "", encrypted: bool = False) -> decision.Decision:
        files = {} if self.handed_out is None else {CA_PATH: self.handed_out}
        system = probe.strict()
        for known in self.system:
            system.load_verify_locations(cadata=known.pem.decode())
        installed = tuple(decision.Installed(self.folder / "ca.crt", one.pem) for one in self.installed)
        with serving(self.folder, self.presented, files) as server:
            request = decision.TrustRequest(f"127.0.0.1:{server.port}", ca, fingerprint, encrypted=encrypted)
            try:
                return decision.decide(
                    request, Peer("127.0.0.1", server.port), decision.Known(system, installed), now()
                )
            finally:
                self.asked = tuple(server.asked)

    def refusal(self, *, ca: Path | None = None, fingerprint: str = "", encrypted: bool = False) -> HostError:
        with pytest.raises(HostError) as caught:
            self.decide(ca=ca, fingerprint=fingerprint, encrypted=encrypted)
        return caught.value


def found(source: str, *, compared: bool = False, public: bool = False, root: Certified = ROOT) -> decision.PrivateCA:
    return decision.PrivateCA(root.pem, reading.describe(root.pem), decision.CASource(source), compared, public)


def test_a_private_ca_is_fetched_and_tried(tmp_path: Path) -> None:
    assert Case(tmp_path).decide() == found("registry")
    assert Case(tmp_path).decide(encrypted=True) == found("registry")


def test_a_public_certificate_needs_nothing(tmp_path: Path) -> None:
    case = Case(tmp_path, system=(OTHER, ROOT))
    assert case.decide() == decision.Public()
    assert CA_PATH not in case.asked


def test_what_is_installed_and_fits_is_kept(tmp_path: Path) -> None:
    case = Case(tmp_path, installed=(OTHER, ROOT), handed_out=OTHER.pem)
    assert case.decide() == found("installed")
    assert case.decide(fingerprint=ROOT.fingerprint) == found("installed", compared=True)
    assert CA_PATH not in case.asked


def test_what_is_installed_and_does_not_fit_is_not(tmp_path: Path) -> None:
    assert Case(tmp_path, installed=(OTHER,)).decide() == found("registry")
    # One that the fingerprint does not mean counts for nothing either.
    assert OTHER.fingerprint in Case(tmp_path, installed=(ROOT,)).refusal(fingerprint=OTHER.fingerprint).message


def test_a_fingerprint(tmp_path: Path) -> None:
    assert Case(tmp_path).decide(fingerprint=ROOT.fingerprint) == found("registry", compared=True)
    error = Case(tmp_path).refusal(fingerprint=OTHER.fingerprint)
    assert ROOT.fingerprint in error.message
    assert OTHER.fingerprint in error.message


def test_a_fingerprint_is_compared_where_the_system_trusts_the_certificate_too(tmp_path: Path) -> None:
    case = Case(tmp_path, system=(ROOT,))
    assert case.decide(fingerprint=ROOT.fingerprint) == found("registry", compared=True, public=True)
    error = case.refusal(fingerprint=OTHER.fingerprint)
    assert ROOT.fingerprint in error.message
    assert OTHER.fingerprint in error.message
    # Trusted by the system or not, what was compared has to have signed what is presented.
    case.handed_out = OTHER.pem
    assert "was not issued by the CA CN=Another" in case.refusal(fingerprint=OTHER.fingerprint).message


def test_a_fingerprint_and_a_public_certificate_without_a_ca_to_compare(tmp_path: Path) -> None:
    case = Case(tmp_path, system=(ROOT,), handed_out=None)
    for given in (ROOT, OTHER):
        error = case.refusal(fingerprint=given.fingerprint)
        assert "this system already trusts" in error.message
        assert "(it responded with 404) to compare with --fingerprint. Nothing was changed." in error.message
        assert "--fingerprint" in error.advice[0]
    assert Case(tmp_path, system=(ROOT,), handed_out=None).decide() == decision.Public()


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.pem"
    file.write_bytes(b"words\n" + ROOT.pem)
    case = Case(tmp_path, handed_out=None, system=(ROOT,))
    assert case.decide(ca=file) == found("file")
    assert case.decide(ca=file, fingerprint=ROOT.fingerprint) == found("file", compared=True)
    assert CA_PATH not in case.asked
    file.write_bytes(OTHER.pem)
    error = case.refusal(ca=file)
    assert "was not issued by the CA CN=Another, but by CN=The registry's own" in error.message
    assert "cannot be read: No such file" in case.refusal(ca=tmp_path / "none").message


def test_an_intermediate_ca_may_be_given(tmp_path: Path) -> None:
    middle = make_ca("Middle", signer=ROOT)
    file = tmp_path / "mine.pem"
    file.write_bytes(middle.pem)
    case = Case(tmp_path, presented=certificate("127.0.0.1", signer=middle), handed_out=None)
    assert case.decide(ca=file) == found("file", root=middle)
    case.installed = (middle,)
    assert case.decide() == found("installed", root=middle)


def test_a_server_that_does_not_send_the_intermediate_certificate(tmp_path: Path) -> None:
    file = tmp_path / "mine.pem"
    file.write_bytes(ROOT.pem)
    middle = make_ca("Middle", signer=ROOT)
    error = Case(tmp_path, presented=certificate("127.0.0.1", signer=middle)).refusal(ca=file)
    assert error.message.endswith(
        "was not issued by the CA CN=The registry's own, but by CN=Middle, whose certificate the server does not send. "
        "Nothing was installed."
    )
    add, get = error.advice
    assert "add the certificate of CN=Middle to the file of its certificate" in add
    assert "deployer up" in add
    assert "deployer configure-daemon --ca FILE" in get
    assert "CN=Middle" in get


def test_another_ca_with_the_same_name_is_told_by_its_key(tmp_path: Path) -> None:
    file = tmp_path / "mine.pem"
    other = make_ca("The registry's own")
    file.write_bytes(other.pem)
    error = Case(tmp_path).refusal(ca=file)
    assert "was issued by another CA with the same name, CN=The registry's own. Nothing was installed." in error.message
    assert "but by" not in error.message
    assert error.advice


def test_a_certificate_that_signed_itself_may_be_given(tmp_path: Path) -> None:
    alone = certificate("127.0.0.1")
    file = tmp_path / "mine.pem"
    file.write_bytes(alone.pem)
    assert Case(tmp_path, presented=alone).decide(ca=file) == found("file", root=alone)


@pytest.mark.parametrize(
    ("handed_out", "words"),
    [
        (None, "does not provide its CA certificate (it responded with 404)"),
        (b"<html>", "is not a certificate in PEM"),
        (ROOT.pem + OTHER.pem, "contains 2 certificates"),
        (SERVER.pem, "is a server certificate"),
        (OTHER.pem, "was not issued by the CA CN=Another"),
        (make_ca("Old", begins=now() - 9 * DAY, ends=now() - DAY).pem, "expired on"),
        (make_ca("Early", begins=now() + DAY).pem, "this machine's clock says"),
    ],
)
def test_what_is_handed_out_and_does_not_serve(tmp_path: Path, handed_out: bytes | None, words: str) -> None:
    error = Case(tmp_path, handed_out=handed_out).refusal()
    assert words in error.message
    assert error.advice


@pytest.mark.parametrize("system", [(), (ROOT,)])
@pytest.mark.parametrize(
    ("presented", "words"),
    [
        (certificate("a.example", "192.0.2.7", signer=ROOT), "is not for '127.0.0.1': it is for a.example, 192.0.2.7."),
        (certificate(signer=ROOT), "is not for '127.0.0.1': it has no host names."),
        (certificate("127.0.0.1", signer=ROOT, begins=now() - 9 * DAY, ends=now() - DAY), "expired on"),
        (certificate("127.0.0.1", signer=ROOT, begins=now() + DAY), "is not valid before"),
    ],
)
def test_a_certificate_that_no_trust_helps(
    tmp_path: Path, presented: Certified, words: str, system: tuple[Certified, ...]
) -> None:
    error = Case(tmp_path, presented=presented, system=system).refusal()
    assert words in error.message
    assert error.advice


def test_plain_http(tmp_path: Path) -> None:
    case = Case(tmp_path, presented=None)
    assert case.decide() == decision.Plain()
    assert "HTTPS is required by --fingerprint" in case.refusal(fingerprint=ROOT.fingerprint).message
    assert "HTTPS is required by --ca" in case.refusal(ca=tmp_path / "x").message
    assert "HTTPS is required by the settings" in case.refusal(encrypted=True).message
    case.installed = (ROOT,)
    error = case.refusal()
    assert "but used HTTPS before" in error.message
    assert str(tmp_path / "ca.crt") in error.message
    assert "configure-daemon --remove" in error.advice[1]


def test_nothing_answers() -> None:
    port = free_port()
    request = decision.TrustRequest(f"127.0.0.1:{port}")
    with pytest.raises(HostError) as caught:
        decision.decide(request, Peer("127.0.0.1", port), decision.Known(probe.strict()), now())
    assert f"Nothing responds at 127.0.0.1:{port}" in caught.value.message
    assert any("--insecure" in line for line in caught.value.advice)


class Mute:
    """A registry that must not be asked."""

    def ask(self) -> ProbeResult:
        raise AssertionError("asked")

    def verify(self, context: ssl.SSLContext) -> Verdict:
        raise AssertionError("asked")

    def fetch(self) -> probe.HttpAnswer:
        raise AssertionError("asked")


def test_where_it_is_said_to_be_plain_nothing_is_asked() -> None:
    request = decision.TrustRequest("192.168.100.2:5000", plain=True)
    assert decision.decide(request, Mute(), decision.Known(probe.strict()), now()) == decision.Plain()


class Fading(Mute):
    """A registry that presents a certificate once."""

    def ask(self) -> ProbeResult:
        from cryptography.hazmat.primitives.serialization import Encoding

        return ProbeResult(probe.Speaks.TLS, certificate=SERVER.certificate.public_bytes(Encoding.DER))

    def verify(self, context: ssl.SSLContext) -> Verdict:
        raise ConnectionResetError("reset")


def test_what_stops_answering_is_said() -> None:
    with pytest.raises(HostError, match="stopped responding"):
        decision.decide(decision.TrustRequest("a:1"), Fading(), decision.Known(probe.strict()), now())


class Refusing(Mute):
    def ask(self) -> ProbeResult:
        return ProbeResult(probe.Speaks.BROKEN, "handshake failure")


def test_what_refuses_us_is_said() -> None:
    with pytest.raises(HostError, match=r"TLS 1\.2 or newer"):
        decision.decide(decision.TrustRequest("a:1"), Refusing(), decision.Known(probe.strict()), now())
