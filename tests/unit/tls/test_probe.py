from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from deployer.tls import certificate as reading
from deployer.tls import probe
from deployer.tls.probe import AUTHORITY_PATH, Peer
from tests.support.accepting import accepting
from tests.support.certificates import DAY, Certified, authority, certificate, now, serving
from tests.support.run import free_port

if TYPE_CHECKING:
    from pathlib import Path

ROOT = authority()


def test_what_speaks_tls_shows_its_certificate(tmp_path: Path) -> None:
    made = certificate("127.0.0.1", signer=ROOT)
    with serving(tmp_path, made) as server:
        heard = Peer("127.0.0.1", server.port).ask()
    assert heard.speaks == "tls"
    assert reading.describe_der(heard.certificate).fingerprint == made.fingerprint


def test_what_speaks_plain_http(tmp_path: Path) -> None:
    with serving(tmp_path, None) as server:
        assert Peer("127.0.0.1", server.port).ask().speaks == "http"


def test_nothing_there() -> None:
    heard = Peer("127.0.0.1", free_port()).ask()
    assert heard.speaks == "nothing"
    assert "refused" in heard.words
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
    ("made", "host", "verdict"),
    [
        (certificate("127.0.0.1", signer=ROOT), "127.0.0.1", "ok"),
        (certificate("localhost", signer=ROOT), "localhost", "ok"),
        (certificate("localhost", signer=ROOT), "127.0.0.1", "is_other_name"),
        (certificate("127.0.0.1", signer=ROOT), "localhost", "is_other_name"),
        (certificate(common_name="localhost", signer=ROOT), "localhost", "is_other_name"),
        (certificate("127.0.0.1", signer=authority("Another")), "127.0.0.1", "is_unknown"),
        (certificate("127.0.0.1", signer=authority()), "127.0.0.1", "is_unknown"),
        (certificate("127.0.0.1"), "127.0.0.1", "is_unknown"),
        (certificate("127.0.0.1", signer=ROOT, begins=now() - 9 * DAY, ends=now() - DAY), "127.0.0.1", "is_expired"),
        (certificate("127.0.0.1", signer=ROOT, begins=now() + DAY), "127.0.0.1", "is_early"),
    ],
)
def test_verdicts(tmp_path: Path, made: Certified, host: str, verdict: str) -> None:
    with serving(tmp_path, made) as server:
        found = Peer(host, server.port).verify(probe.trusting(ROOT.pem))
    kinds = ("ok", "is_other_name", "is_unknown", "is_expired", "is_early")
    assert [kind for kind in kinds if getattr(found, kind)] == [verdict]
    assert found.ok or found.words


def test_a_chain_is_followed(tmp_path: Path) -> None:
    middle = authority("Middle", signer=ROOT)
    with serving(tmp_path, certificate("127.0.0.1", signer=middle), chain=middle.pem) as server:
        assert Peer("127.0.0.1", server.port).verify(probe.trusting(ROOT.pem)).ok


def test_plain_http_is_no_verified_connection(tmp_path: Path) -> None:
    with serving(tmp_path, None) as server:
        assert Peer("127.0.0.1", server.port).verify(probe.trusting(ROOT.pem)).code == -1


def test_fetching(tmp_path: Path) -> None:
    with serving(tmp_path, certificate("127.0.0.1"), {AUTHORITY_PATH: ROOT.pem}) as server:
        assert Peer("127.0.0.1", server.port).fetch() == probe.HttpAnswer(200, ROOT.pem)
        assert server.asked == ["/.well-known/deployer/ca.crt"]
        server.files.clear()
        assert Peer("127.0.0.1", server.port).fetch().status == 404
        server.files[AUTHORITY_PATH] = b"x" * 1_000_000
        assert len(Peer("127.0.0.1", server.port).fetch().content) == 65_536
    assert Peer("127.0.0.1", free_port()).fetch().status == 0
