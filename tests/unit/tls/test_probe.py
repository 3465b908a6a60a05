from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from deployer.layout import CA_PATH
from deployer.tls import certificate as reading
from deployer.tls import probe
from deployer.tls.probe import Peer
from deployer.tls.verdict import Failure
from tests.support.accepting import accepting
from tests.support.certificates import DAY, Certified, certificate, make_ca, now, serving
from tests.support.run import free_port

if TYPE_CHECKING:
    from pathlib import Path

ROOT = make_ca()


def test_what_speaks_tls_shows_its_certificate(tmp_path: Path) -> None:
    made = certificate("127.0.0.1", signer=ROOT)
    with serving(tmp_path, made) as server:
        probe_result = Peer("127.0.0.1", server.port).ask()
    assert probe_result.speaks == "tls"
    assert reading.describe_der(probe_result.certificate).fingerprint == made.fingerprint


def test_what_speaks_plain_http(tmp_path: Path) -> None:
    with serving(tmp_path, None) as server:
        assert Peer("127.0.0.1", server.port).ask().speaks == "http"


def test_nothing_there() -> None:
    probe_result = Peer("127.0.0.1", free_port()).ask()
    assert probe_result.speaks == "nothing"
    assert "refused" in probe_result.words
    assert Peer("registry.invalid", 5000).ask().speaks == "nothing"


@pytest.mark.parametrize(
    ("said", "speaks"),
    [
        (b"", "nothing"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "nothing"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "http"),
        # An alert of TLS: handshake failure.
        (b"\x15\x03\x03\x00\x02\x02\x28", "broken"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "broken"),
    ],
)
def test_what_else_may_answer(said: bytes, speaks: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(said)

    with accepting(answer) as port:
        assert Peer("127.0.0.1", port).ask().speaks == speaks


def test_what_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert Peer("127.0.0.1", listener.getsockname()[1], seconds=0.2).ask().speaks == "nothing"


@pytest.mark.parametrize(
    ("made", "host", "failure"),
    [
        (certificate("127.0.0.1", signer=ROOT), "127.0.0.1", None),
        (certificate("localhost", signer=ROOT), "localhost", None),
        (certificate("localhost", signer=ROOT), "127.0.0.1", Failure.OTHER_NAME),
        (certificate("127.0.0.1", signer=ROOT), "localhost", Failure.OTHER_NAME),
        (certificate(common_name="localhost", signer=ROOT), "localhost", Failure.OTHER_NAME),
        (certificate("127.0.0.1", signer=make_ca("Another")), "127.0.0.1", Failure.UNKNOWN_CA),
        (certificate("127.0.0.1", signer=make_ca()), "127.0.0.1", Failure.UNKNOWN_CA),
        (certificate("127.0.0.1"), "127.0.0.1", Failure.UNKNOWN_CA),
        (certificate("127.0.0.1", signer=ROOT, begins=now() - 9 * DAY, ends=now() - DAY), "127.0.0.1", Failure.EXPIRED),
        (certificate("127.0.0.1", signer=ROOT, begins=now() + DAY), "127.0.0.1", Failure.NOT_YET_VALID),
    ],
)
def test_verdicts(tmp_path: Path, made: Certified, host: str, failure: Failure | None) -> None:
    with serving(tmp_path, made) as server:
        found = Peer(host, server.port).verify(probe.trusting(ROOT.pem))
    assert found.failure is failure
    assert found.ok is (failure is None)
    assert found.ok or found.words


def test_a_chain_is_followed(tmp_path: Path) -> None:
    middle = make_ca("Middle", signer=ROOT)
    with serving(tmp_path, certificate("127.0.0.1", signer=middle), chain=middle.pem) as server:
        assert Peer("127.0.0.1", server.port).verify(probe.trusting(ROOT.pem)).ok


def test_any_certificate_that_is_trusted_ends_a_chain_as_for_docker(tmp_path: Path) -> None:
    middle = make_ca("Middle", signer=ROOT)
    made = certificate("127.0.0.1", signer=middle)
    with serving(tmp_path, made) as server:
        assert Peer("127.0.0.1", server.port).verify(probe.trusting(middle.pem)).ok
        assert Peer("127.0.0.1", server.port).verify(probe.trusting(made.pem)).ok
        assert Peer("127.0.0.1", server.port).verify(probe.trusting(ROOT.pem)).is_unknown


def test_what_the_server_sends_beside_its_certificate(tmp_path: Path) -> None:
    middle = make_ca("Middle", signer=ROOT)
    made = certificate("127.0.0.1", signer=middle)
    with serving(tmp_path, made) as server:
        assert Peer("127.0.0.1", server.port).ask().missing_issuer == "CN=Middle"
    with serving(tmp_path, made, chain=middle.pem) as server:
        assert Peer("127.0.0.1", server.port).ask().missing_issuer == ""
    with serving(tmp_path, certificate("127.0.0.1")) as server:
        assert Peer("127.0.0.1", server.port).ask().missing_issuer == ""


def test_plain_http_is_no_verified_connection(tmp_path: Path) -> None:
    with serving(tmp_path, None) as server:
        assert Peer("127.0.0.1", server.port).verify(probe.trusting(ROOT.pem)).code == -1


def test_fetching(tmp_path: Path) -> None:
    with serving(tmp_path, certificate("127.0.0.1"), {CA_PATH: ROOT.pem}) as server:
        assert Peer("127.0.0.1", server.port).fetch() == probe.HttpAnswer(200, ROOT.pem)
        assert server.asked == ["/.well-known/deployer/ca.crt"]
        server.files.clear()
        assert Peer("127.0.0.1", server.port).fetch().status == 404
        server.files[CA_PATH] = b"x" * 1_000_000
        assert len(Peer("127.0.0.1", server.port).fetch().content) == 65_536
    assert Peer("127.0.0.1", free_port()).fetch().status == 0
