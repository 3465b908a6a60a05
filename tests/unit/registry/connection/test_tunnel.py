"""What a registry speaks, asked through the proxies that an engine has."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from deployer.registry.connection.tunnel import ProxyRoute
from deployer.tls import certificate as reading
from deployer.tls import probe
from deployer.tls.probe import Peer, ProxyFault
from tests.support.certificates import certificate, make_ca, serving
from tests.support.proxy import RecordingProxy, proxy_to
from tests.support.run import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = make_ca()
MADE = certificate("registry.test", signer=ROOT)
PORT = 5000
AT = f"registry.test:{PORT}"


@contextmanager
def registry_behind(
    folder: Path, *, tls: bool, proxy_tls: tuple[Path, Path] | None = None, **proxy: object
) -> Iterator[RecordingProxy]:
    with ExitStack() as stack:
        server = stack.enter_context(serving(folder, MADE if tls else None))
        yield stack.enter_context(proxy_to(server.port, tls=proxy_tls, **proxy))  # type: ignore[arg-type]


def peer(**variables: str) -> Peer:
    return Peer("registry.test", PORT, route=ProxyRoute(variables))


@pytest.mark.parametrize("scheme", ["http://", "", "socks5://", "socks5h://"])
@pytest.mark.parametrize("login", ["", "me:pass@word"])
def test_tls_goes_through_the_proxy(tmp_path: Path, scheme: str, login: str) -> None:
    with registry_behind(tmp_path, tls=True, login=login) as proxy:
        sign_in = "me:pass%40word@" if login else ""
        asked = peer(HTTPS_PROXY=f"{scheme}{sign_in}{proxy.address}")
        probe_result = asked.ask()
        assert probe_result.speaks == "tls"
        assert reading.describe_der(probe_result.certificate).fingerprint == MADE.fingerprint
        assert asked.verify(probe.trusting(ROOT.pem)).ok
        assert asked.fetch().status != 0
    assert set(proxy.asked) == {f"{'SOCKS' if 'socks' in scheme else 'CONNECT'} {AT}"}
    assert set(proxy.logins) <= {login}


def test_tls_goes_through_a_proxy_that_speaks_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proxy").mkdir()
    files = certificate("127.0.0.1", signer=ROOT).write(tmp_path / "proxy")
    (tmp_path / "roots.pem").write_bytes(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    with registry_behind(tmp_path, tls=True, proxy_tls=files) as proxy:
        assert peer(HTTPS_PROXY=f"https://{proxy.address}").verify(probe.trusting(ROOT.pem)).ok
    assert proxy.asked == [f"CONNECT {AT}"]


def test_plain_http_goes_through_the_other_proxy(tmp_path: Path) -> None:
    with registry_behind(tmp_path, tls=False) as proxy:
        assert peer(HTTP_PROXY=proxy.address, HTTPS_PROXY=proxy.address).ask().speaks == "http"
    assert proxy.asked == [f"CONNECT {AT}", f"GET http://{AT}/v2/"]


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_refuses_is_named(tmp_path: Path, status: int) -> None:
    with registry_behind(tmp_path, tls=True, status=status) as proxy, pytest.raises(ProxyFault) as caught:
        peer(HTTP_PROXY=proxy.address, HTTPS_PROXY=proxy.address).ask()
    assert caught.value.proxy == f"proxy {proxy.address} (HTTPS_PROXY)"
    assert caught.value.words.startswith(f"it responded {status}")


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_that_is_not_there_is_named(scheme: str) -> None:
    with pytest.raises(ProxyFault, match="HTTPS_PROXY"):
        peer(HTTPS_PROXY=f"{scheme}://127.0.0.1:{free_port()}", HTTP_PROXY=f"127.0.0.1:{free_port()}").ask()


@pytest.mark.parametrize("socks", [2, 5])
def test_a_socks_proxy_that_refuses_is_named(tmp_path: Path, socks: int) -> None:
    with registry_behind(tmp_path, tls=True, socks=socks) as proxy:
        address = f"socks5://{proxy.address}"
        with pytest.raises(ProxyFault):
            peer(HTTP_PROXY=address, HTTPS_PROXY=address).ask()


@pytest.mark.parametrize("exempt", ["*", "registry.test", ".test", "*.test", "test", "registry.test:5000", "a,Test"])
@pytest.mark.parametrize("secure", [True, False])
def test_what_no_proxy_exempts_is_asked_directly(monkeypatch: pytest.MonkeyPatch, exempt: str, secure: bool) -> None:
    asked = []

    def refuse(target: tuple[str, int], timeout: float) -> None:
        asked.append(target)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("deployer.registry.connection.tunnel.socket.create_connection", refuse)
    variables = {"HTTPS_PROXY": "127.0.0.1:1", "HTTP_PROXY": "127.0.0.1:1", "NO_PROXY": exempt}
    with pytest.raises(ConnectionRefusedError):
        ProxyRoute(variables).open("registry.test", PORT, 5, secure=secure)
    assert asked == [("registry.test", PORT)]
