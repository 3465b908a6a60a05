from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from deployer.host.daemon.kind import EngineKind
from deployer.settings.model import Settings, TlsMode, TlsSettings
from deployer.tls import places
from deployer.tls.places import ClientPaths, TrustTarget
from deployer.tls.probe import Peer
from deployer.workflows.diagnosis import trust_findings
from deployer.workflows.diagnosis.trust_findings import TrustExamined
from deployer.workflows.trust.engine_view import EngineLocation
from tests.support.certificates import DAY, Certified, certificate, make_ca, now, serving
from tests.support.run import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.workflows.finding import Finding

ROOT, OTHER = make_ca(), make_ca("Another")
SERVER = certificate("127.0.0.1", signer=ROOT)
HERE = EngineLocation("unix:///var/run/docker.sock", EngineKind.SYSTEM, daemon=None)


@dataclass(frozen=True)
class Registries:
    """What Docker takes unverified. It has no network of its own here, so that 127.0.0.1 is as any other."""

    hosts: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()


@dataclass
class Case:
    folder: Path
    presented: Certified | None = SERVER
    installed: bytes | None = None
    registries: Registries = field(default_factory=Registries)
    tls: TlsSettings = field(default_factory=TlsSettings)
    programs: tuple[str, ...] = ("docker",)
    docker_takes_name: bool = True

    def examine(self) -> list[Finding]:
        with serving(self.folder / "server", self.presented) as server:
            return self.at(server.port)

    def at(self, port: int) -> list[Finding]:
        settings = Settings(host="127.0.0.1", port=port, tls=self.tls)
        (self.folder / "bin").mkdir(exist_ok=True)
        for program in self.programs:
            (self.folder / "bin" / program).touch(mode=0o755)
        environment = {"HOME": str(self.folder / "home"), "PATH": str(self.folder / "bin")}
        client_paths = ClientPaths(environment, self.folder, is_root=True, platform="linux")
        file = places.docker_system(TrustTarget(client_paths, settings.address)).file
        if self.installed is not None:
            file.parent.mkdir(parents=True)
            file.write_bytes(self.installed)
        examined = TrustExamined(
            settings, Peer("127.0.0.1", port), client_paths, HERE, self.registries, self.docker_takes_name
        )
        return list(trust_findings.examine(examined, now()))

    def only(self) -> Finding:
        [found] = self.examine()
        return found


@pytest.fixture(autouse=True)
def no_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PROGRAM_FOLDERS", "/nowhere")


def test_nothing_installed(tmp_path: Path) -> None:
    found = Case(tmp_path).only()
    assert found.state == "wrong"
    assert "The Docker engine does not trust 127.0.0.1:" in found.sentence
    assert found.advice[0].startswith("deployer configure-daemon --host 127.0.0.1 --port ")


def test_installed_and_right(tmp_path: Path) -> None:
    found = Case(tmp_path, installed=ROOT.pem).only()
    assert found.state == "ok"
    assert "ca.crt" in found.sentence


def test_a_public_certificate(tmp_path: Path) -> None:
    (tmp_path / "etc/ssl/certs").mkdir(parents=True)
    (tmp_path / "etc/ssl/certs/ca-certificates.crt").write_bytes(ROOT.pem)
    assert "This system trusts the certificate" in Case(tmp_path).only().sentence


@pytest.mark.parametrize(
    ("presented", "installed", "words"),
    [
        (SERVER, OTHER.pem, "did not sign the certificate that 127.0.0.1:"),
        (SERVER, b"x", "no certificate in PEM"),
        (SERVER, make_ca("Old", begins=now() - 9 * DAY, ends=now() - DAY).pem, "expired on"),
        (SERVER, make_ca("Early", begins=now() + DAY).pem, "this machine's clock says"),
        (certificate("a.example", signer=ROOT), ROOT.pem, "is not for '127.0.0.1': it is for a.example."),
        (certificate("127.0.0.1", signer=ROOT, begins=now() - 9 * DAY, ends=now() - DAY), ROOT.pem, "expired on"),
        (certificate("127.0.0.1", signer=ROOT, begins=now() + DAY), ROOT.pem, "is not valid before"),
    ],
)
def test_what_is_wrong(tmp_path: Path, presented: Certified, installed: bytes, words: str) -> None:
    found = Case(tmp_path, presented=presented, installed=installed).only()
    assert found.state == "wrong"
    assert words in found.sentence
    assert found.advice


MIDDLE = make_ca("Middle", signer=ROOT)
BELOW = certificate("127.0.0.1", signer=MIDDLE)


@pytest.mark.parametrize("installed", [MIDDLE.pem, OTHER.pem + MIDDLE.pem, BELOW.pem])
def test_whatever_docker_trusts_is_right(tmp_path: Path, installed: bytes) -> None:
    """Each certificate in its file ends a chain, a root or not."""
    found = Case(tmp_path, presented=BELOW, installed=installed).only()
    assert found.state == "ok", found


def test_a_server_that_does_not_send_the_intermediate_certificate(tmp_path: Path) -> None:
    found = Case(tmp_path, presented=BELOW, installed=ROOT.pem).only()
    assert found.state == "wrong"
    assert "the server does not send the certificate of CN=Middle" in found.sentence
    assert "add the certificate of CN=Middle" in found.advice[0]


def test_an_expired_one_beside_the_right_one_counts_for_nothing(tmp_path: Path) -> None:
    old = make_ca("Old", begins=now() - 9 * DAY, ends=now() - DAY)
    assert Case(tmp_path, installed=old.pem + ROOT.pem).only().state == "ok"


def test_one_that_expires_soon_is_a_remark(tmp_path: Path) -> None:
    left = 3 * DAY + DAY / 2
    presented = certificate("127.0.0.1", signer=ROOT, begins=now() - 87 * DAY, ends=now() + left)
    note, found = Case(tmp_path, presented=presented, installed=ROOT.pem).examine()
    assert (note.state, found.state) == ("note", "ok")
    assert "expires in 3 days, on " in note.sentence
    assert "renew" in note.advice[0].lower()


def test_one_that_lives_for_days_only_is_renewed_anyway(tmp_path: Path) -> None:
    presented = certificate("127.0.0.1", signer=ROOT, ends=now() + 3 * DAY)
    assert Case(tmp_path, presented=presented, installed=ROOT.pem).only().state == "ok"


def test_every_tool_is_told_of(tmp_path: Path) -> None:
    docker, podman = Case(tmp_path, installed=ROOT.pem, programs=("docker", "podman")).examine()
    assert (docker.state, podman.state) == ("ok", "note")
    assert "podman does not trust" in podman.sentence


def test_docker_that_does_not_look(tmp_path: Path) -> None:
    found = Case(tmp_path, installed=ROOT.pem, registries=Registries(cidrs=("127.0.0.0/8",))).examine()
    assert [(one.state, one.sentence[:26]) for one in found] == [("ok", "The Docker engine accepts ")]


def test_no_trust_is_advised_for_an_engine_that_does_not_take_the_name(tmp_path: Path) -> None:
    case = Case(tmp_path, docker_takes_name=False)
    assert case.examine() == []
    assert Case(tmp_path, presented=None, docker_takes_name=False).examine() == []
    case.programs = ("docker", "podman")
    assert "podman does not trust" in case.only().sentence


def test_a_new_ca_with_the_same_name_is_a_new_ca(tmp_path: Path) -> None:
    found = Case(tmp_path, installed=make_ca().pem).only()
    assert "now presents: the registry has a new CA, or another machine is answering." in found.sentence


def test_plain_http(tmp_path: Path) -> None:
    case = Case(tmp_path, presented=None)
    assert "does not trust" in case.only().sentence
    case.tls = TlsSettings(TlsMode.INTERNAL)
    assert "should use HTTPS: the settings say so" in case.only().sentence


def test_plain_http_where_a_ca_is_installed(tmp_path: Path) -> None:
    found = Case(tmp_path, presented=None, installed=ROOT.pem).only()
    assert found.state == "wrong"
    assert "Another machine may be answering" in found.sentence


def test_nothing_answers(tmp_path: Path) -> None:
    [found] = Case(tmp_path).at(free_port())
    assert "does not trust" in found.sentence
