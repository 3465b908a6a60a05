from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from deployer.tls import places, system_store
from deployer.tls.places import ClientPaths, TrustTarget
from deployer.tls.probe import Peer
from tests.support.certificates import certificate, make_ca, serving

if TYPE_CHECKING:
    from pathlib import Path

ROOT = make_ca()


@pytest.fixture
def client_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClientPaths:
    monkeypatch.setattr(places, "_PROGRAM_FOLDERS", "/nowhere")
    (tmp_path / "bin").mkdir()
    return ClientPaths({"HOME": "/home/me", "PATH": str(tmp_path / "bin")}, tmp_path, is_root=True, platform="linux")


@pytest.mark.parametrize(
    ("folder", "program"),
    [
        ("usr/local/share/ca-certificates", "update-ca-certificates"),
        ("etc/pki/ca-trust/source/anchors", "update-ca-trust"),
    ],
)
def test_where_a_ca_goes(client_paths: ClientPaths, folder: str, program: str) -> None:
    assert system_store.store(TrustTarget(client_paths, "a.example:5000")) is None
    (client_paths.root / folder).mkdir(parents=True)
    assert system_store.store(TrustTarget(client_paths, "a.example:5000")) is None
    (client_paths.root / "bin" / program).touch(mode=0o755)
    found = system_store.store(TrustTarget(client_paths, "a.example:5000"))
    assert found == system_store.Store(client_paths.root / folder / "deployer-a.example-5000.crt", program)


def test_no_two_addresses_share_a_file(client_paths: ClientPaths) -> None:
    (client_paths.root / "usr/local/share/ca-certificates").mkdir(parents=True)
    (client_paths.root / "bin/update-ca-certificates").touch(mode=0o755)
    addresses = (
        *("[2001:db8::1]:5000", "[2001:db8:1::]:5000", "[2001:db8:1::5000]:1", "[2001:db8::]:1"),
        *("2001-db8-1:5000", "[::1]:5000", "1:5000"),
    )
    stores = [system_store.store(TrustTarget(client_paths, address)) for address in addresses]
    names = [one.file.name for one in stores if one is not None]
    assert len(set(names)) == len(addresses)
    assert all(re.fullmatch(r"deployer-[0-9a-z.-]+\.crt", name) for name in names)
    assert names[0].startswith("deployer-2001-db8-1-5000-")
    assert names[4] == "deployer-2001-db8-1-5000.crt"


@pytest.mark.parametrize("name", ["etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt"])
def test_whom_the_system_trusts(client_paths: ClientPaths, name: str, tmp_path: Path) -> None:
    with serving(tmp_path, certificate("127.0.0.1", signer=ROOT)) as server:
        peer = Peer("127.0.0.1", server.port)
        assert peer.verify(system_store.context(client_paths)).is_unknown
        assert not system_store.holds(client_paths.root, ROOT.pem)
        (client_paths.root / name).parent.mkdir(parents=True)
        (client_paths.root / name).write_bytes("# Größe\n".encode() + make_ca("Another").pem + ROOT.pem)
        assert peer.verify(system_store.context(client_paths)).ok
        assert system_store.holds(client_paths.root, b"words\n" + ROOT.pem)
