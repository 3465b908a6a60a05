"""Proxies: which one counts, what goes through it, and each fault in its sentence."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from deployer.cli.main import main
from deployer.errors import ConfigurationError, DeployerError, RegistryError, RegistryUnreachable
from deployer.registry.client import RegistryClient
from deployer.registry.connection.proxy import proxy_for
from deployer.registry.connection.transport import Timeouts
from tests.support.certificates import certificate, make_ca
from tests.support.fake_registry import HTML, Asked, FakeRegistry, Reply, serving
from tests.support.proxy import RecordingProxy, proxy_to
from tests.support.raw_server import sending
from tests.support.registry_content import sha256
from tests.support.run import free_port
from tests.support.tls_server import tls_server
from tests.unit.registry.connection.test_transport import signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A name of nobody's (RFC 6761): asked for directly it would not resolve.
HOST = "registry.corp.invalid"
ADDRESS = f"{HOST}:5000"
SECRET = "s3cret"


def found(url: str, **environment: str) -> str | None:
    proxy = proxy_for(url, environment)
    return proxy.url if proxy else None


# --- which one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("proxy:3128", "http://proxy:3128"),
        ("proxy", "http://proxy:80"),
        ("HTTPS://proxy", "https://proxy:443"),
        ("http://proxy:3128/path?query#part", "http://proxy:3128"),
        ("tcp://proxy:3128", "http://proxy:3128"),
        ("socks5://proxy", "socks5://proxy:1080"),
        ("socks5h://proxy:9", "socks5://proxy:9"),
        ("http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ("http://proxy:", "http://proxy:80"),
    ],
)
def test_the_forms_of_a_proxy(value: str, expected: str) -> None:
    assert found("http://r.example:5000", HTTP_PROXY=value) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"http_proxy": "lower", "HTTP_PROXY": "upper"}, "HTTP_PROXY"),
        ({"http_proxy": "lower", "HTTP_PROXY": ""}, "http_proxy"),
        ({"HTTPS_PROXY": "other", "ALL_PROXY": "all", "all_proxy": "all"}, None),
        ({"HTTP_PROXY": "upper", "NO_PROXY": "x", "no_proxy": "*"}, "HTTP_PROXY"),
        ({"HTTP_PROXY": "upper", "NO_PROXY": "", "no_proxy": "*"}, None),
    ],
)
def test_the_variable_in_upper_case_goes_first(environment: dict[str, str], expected: str | None) -> None:
    proxy = proxy_for("http://r.example:5000", environment)
    assert (proxy and proxy.variable) == expected


@pytest.mark.parametrize(
    ("value", "login"),
    [
        ("http://us%40er:p%3Aw%25@proxy:1", ("us@er", "p:w%")),
        ("http://user@proxy:1", ("user", "")),
        ("user:pa@ss@proxy:1", ("user", "pa@ss")),
        ("http://proxy:1", None),
    ],
)
def test_a_login_in_the_url_is_unescaped(value: str, login: tuple[str, str] | None) -> None:
    proxy = proxy_for("http://r.example", {"HTTP_PROXY": value})
    assert proxy is not None
    assert proxy.credentials == login
    assert "pa@ss" not in f"{proxy!r}{proxy}{proxy.url}"


@pytest.mark.parametrize(
    "value",
    [
        "http://u:s3cret@proxy:port",
        "proxy:abc",
        "http://proxy:99999",
        "http://proxy:0",
        "http://u:s3cr%zz@proxy:1",
        "http://u:s3cret#w@proxy:1",
        "http://u:s3cret/w@proxy:1",
        " http://u:s3cret@proxy:1",
        "http://u:s3cret@proxy:1\n",
        "http://",
        "//proxy:1",
        "http:proxy:1",
        "http://[::1",
        "socks4://u:s3cret@proxy:1",
        "socks://proxy:1",
        "foo://proxy",
        "s3cret s3cret://proxy:1",
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_sentence(value: str) -> None:
    with pytest.raises(ConfigurationError, match="The variable HTTPS_PROXY is not a usable proxy") as caught:
        proxy_for("https://r.example:5000", {"HTTPS_PROXY": value})
    assert "unset HTTPS_PROXY" in caught.value.advice[-1]
    assert "s3cr" not in f"{caught.value}{caught.value.advice}{caught.value.original}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("url", "entries", "exempt"),
    [
        ("http://r.example:5000", "a, .example", True),
        ("http://r.example:5000", "*.EXAMPLE", True),
        ("http://r.example:5000", "example", True),
        ("http://example:5000", ".example", False),
        ("http://r.example:5000", "*.example:5000", True),
        ("http://r.example:5000", "r.example:5001", False),
        ("http://r.example", "r.example:80", True),
        ("https://r.example", "r.example:443", True),
        ("http://r.example:5000", "a, *", True),
        ("http://notexample:5000", "example,", False),
        ("http://192.168.100.2:5000", "192.168.0.0/16", True),
        ("http://192.168.100.2:5000", "192.168.100.2:5001", False),
        ("http://10.0.0.2:5000", "192.168.0.0/16, 2", False),
        ("http://[fd00::2]:5000", "fd00::/8", True),
        ("http://bücher.example", "xn--bcher-kva.example", True),
    ],
)
def test_hosts_are_exempt(url: str, entries: str, exempt: bool) -> None:
    for scheme, variable in (("http", "HTTP_PROXY"), ("https", "HTTPS_PROXY")):
        if url.startswith(f"{scheme}:"):
            assert (found(url, **{variable: "p:1", "NO_PROXY": entries}) is None) is exempt


def test_what_is_not_used_is_not_complained_of() -> None:
    for exempt in ({"NO_PROXY": "*"}, {"HTTP_PROXY": ""}):
        assert proxy_for("http://r.example", {"HTTP_PROXY": "socks4://x", **exempt}) is None
    assert proxy_for("http://localhost:5000", {"HTTP_PROXY": "socks4://x"}) is None
    assert proxy_for("http://r.example", {"HTTPS_PROXY": "socks4://x"}) is None


def test_a_visitor_of_a_web_server_names_no_proxy() -> None:
    environment = {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}
    with pytest.raises(ConfigurationError, match="HTTP_PROXY is ignored because REQUEST_METHOD"):
        proxy_for("http://r.example", environment)
    assert proxy_for("http://localhost", environment) is None
    assert found("https://r.example", HTTPS_PROXY="http://p:1", REQUEST_METHOD="GET") == "http://p:1"


def test_the_command_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"HTTP_PROXY": "socks4://u:s3cret@proxy:1", "NO_PROXY": "", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert main(["tags", "a", "--host", HOST]) == 2
    said = capsys.readouterr().err
    assert "The variable HTTP_PROXY is not a usable proxy" in said
    assert "s3cret" not in said
    assert "bug" not in said


def test_a_dead_proxy_ends_the_command_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    variables = {"HTTP_PROXY": f"http://u:s3cret@127.0.0.1:{port}", "NO_PROXY": "", "HOME": str(tmp_path)}
    for name, value in {**variables, "DEPLOYER_TLS": "off"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert main(["tags", "a", "--host", HOST]) == 1
    said = capsys.readouterr().err
    assert f"Nothing responds at the proxy 127.0.0.1:{port} (HTTP_PROXY)." in said
    assert "s3cret" not in said


# --- what goes through -----------------------------------------------------------------------------------------------


@dataclass
class Corporate:
    """A registry that is reached through a proxy alone, in plain HTTP or in TLS."""

    fake: FakeRegistry
    proxy: RecordingProxy
    environment: dict[str, str] = field(default_factory=dict)
    scheme: str = "http"

    def client(self, **given: Any) -> RegistryClient:
        return RegistryClient(f"{self.scheme}://{ADDRESS}", self.environment, plain=True, **given)

    def failure(self) -> DeployerError:
        with self.client() as client, pytest.raises(DeployerError) as caught:
            client.catalog()
        told = f"{caught.value}{caught.value.advice}{caught.value.original}"
        assert SECRET not in told
        return caught.value


@contextmanager
def corporate(
    folder: Path, *, scheme: str = "http", of_proxy: str = "http", given: str = "", **proxy: Any
) -> Iterator[Corporate]:
    """`given` is `user:password@` in the variable."""
    signer = make_ca()
    made = certificate(HOST, "127.0.0.1", signer=signer).write(folder / "server")
    ca_file = folder / "home/.docker/certs.d" / ADDRESS / "ca.crt"
    if scheme == "https":
        ca_file.parent.mkdir(parents=True)
        ca_file.write_bytes(signer.pem)
    fake = FakeRegistry(user=("ann", "pw"))
    with (
        serving(fake.answer) as port,
        tls_server(*made, port) as secure,
        proxy_to(secure.port if scheme == "https" else port, **proxy) as recording,
    ):
        found = Corporate(fake, recording, scheme=scheme)
        variable = f"{scheme.upper()}_PROXY"
        url = f"{of_proxy}://{given}{recording.address}"
        found.environment = {"HOME": str(folder / "home"), variable: url, **signed_in(folder, (ADDRESS, "ann:pw"))}
        yield found


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("of_proxy", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("login", ["", "us er:p@ss"])
def test_everything_goes_through_the_proxy(tmp_path: Path, scheme: str, of_proxy: str, login: str) -> None:
    given = "us%20er:p%40ss@" if login else ""
    with corporate(tmp_path, scheme=scheme, of_proxy=of_proxy, login=login, given=given) as corp:
        with corp.client() as client:
            assert client.catalog() == ()
            client.each(lambda _: client.ping(), range(8))
        asked = {"http": f"GET http://{ADDRESS}/v2/", "https": f"CONNECT {ADDRESS}"}[scheme]
        wanted = f"SOCKS {ADDRESS}" if of_proxy != "http" else asked
        assert all(one.startswith(wanted) for one in corp.proxy.asked)
        assert corp.fake.asked[-1].headers["authorization"].startswith("Basic ")
        assert "proxy-authorization" not in corp.fake.asked[-1].headers
        assert set(corp.proxy.logins) <= {login}


def test_a_proxy_that_speaks_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = make_ca("Proxy")
    files = certificate("127.0.0.1", signer=signer).write(tmp_path / "proxy")
    with corporate(tmp_path, of_proxy="https", tls=files) as corp:
        error = corp.failure()
        assert isinstance(error, RegistryUnreachable)
        assert error.message.startswith(
            f"The certificate of the proxy {corp.proxy.address} (HTTP_PROXY) is not trusted"
        )
        (tmp_path / "system.crt").write_bytes(signer.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.crt"))
        with corp.client() as client:
            assert client.catalog() == ()


def test_what_the_registry_redirects_to_goes_through_the_proxy_too(tmp_path: Path) -> None:
    content = b"far away"
    with corporate(tmp_path) as corp:

        def before(asked: Asked) -> Reply | None:
            if asked.path == f"/v2/a/blobs/{sha256(content)}":
                return Reply(307, b"", {"Location": "http://storage.corp.invalid/bucket"})
            return Reply(200, content) if asked.path == "/bucket" else None

        corp.fake.before = before
        with corp.client() as client:
            client.ping()
            assert client.blob("a", sha256(content)) == content
        assert corp.proxy.asked[-1] == "GET http://storage.corp.invalid/bucket"
        assert "authorization" not in corp.fake.asked[-1].headers


def test_a_refusal_by_the_registry_is_its_own(tmp_path: Path) -> None:
    with corporate(tmp_path) as corp:
        corp.environment |= signed_in(tmp_path, (ADDRESS, f"ann:{SECRET}"))
        assert "saved credentials for 'ann'" in corp.failure().message
        corp.fake.before = lambda _: Reply(503, b'{"errors": [{"code": "UNAVAILABLE", "message": "closed"}]}')
        assert "proxy" not in corp.failure().message


# --- faults ----------------------------------------------------------------------------------------------------------

BOTH = pytest.mark.parametrize("scheme", ["http", "https"])


@BOTH
@pytest.mark.parametrize("of_proxy", ["http", "https", "socks5"])
def test_a_dead_proxy_is_named(tmp_path: Path, scheme: str, of_proxy: str) -> None:
    port = free_port()
    with corporate(tmp_path, scheme=scheme) as corp:
        variable = f"{scheme.upper()}_PROXY"
        corp.environment[variable] = f"{of_proxy}://user:{SECRET}@127.0.0.1:{port}"
        error = corp.failure()
    assert isinstance(error, RegistryUnreachable)
    assert error.message == f"Nothing responds at the proxy 127.0.0.1:{port} ({variable})."
    assert error.advice == (
        f"Correct {variable}, or start the proxy.",
        f'If {HOST} can be reached without a proxy: export NO_PROXY="$NO_PROXY,{HOST}"',
    )


def test_the_variable_that_counts_is_the_one_to_add_to(tmp_path: Path) -> None:
    with corporate(tmp_path) as corp:
        corp.environment |= {"HTTP_PROXY": f"http://127.0.0.1:{free_port()}", "no_proxy": "x"}
        assert f'export no_proxy="$no_proxy,{HOST}"' in corp.failure().advice[1]


def test_a_proxy_whose_name_does_not_resolve_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with corporate(tmp_path) as corp:
        corp.environment["HTTP_PROXY"] = "http://proxy.invalid:3128"
        assert corp.failure().message == "The host name of the proxy proxy.invalid:3128 (HTTP_PROXY) does not resolve."


@BOTH
@pytest.mark.parametrize(
    ("status", "given", "words"),
    [
        (407, "", "requires a user name and a password."),
        (407, f"user:{SECRET}@", "rejected the user name and the password in {variable}."),
        (403, "", f"does not allow connections to {ADDRESS} (HTTP 403)."),
        (502, "", f"could not reach {ADDRESS} (HTTP 502)."),
        (503, "", f"could not reach {ADDRESS} (HTTP 503)."),
    ],
)
def test_a_refusal_by_the_proxy_is_its_own(tmp_path: Path, scheme: str, status: int, given: str, words: str) -> None:
    with corporate(tmp_path, scheme=scheme, status=status, given=given) as corp:
        error = corp.failure()
    variable = f"{scheme.upper()}_PROXY"
    assert isinstance(error, RegistryUnreachable)
    assert error.message == f"The proxy {corp.proxy.address} ({variable}) {words.format(variable=variable)}"
    assert error.advice


def test_a_tunnel_that_is_refused_otherwise_says_how(tmp_path: Path) -> None:
    with corporate(tmp_path, scheme="https", status=405) as corp:
        assert f"refused to connect to {ADDRESS} (HTTP 405)" in corp.failure().message


@BOTH
@pytest.mark.parametrize("closes", [False, True])
def test_a_proxy_that_speaks_tls_unasked_is_told(tmp_path: Path, scheme: str, closes: bool) -> None:
    files = certificate("127.0.0.1", signer=make_ca()).write(tmp_path / "proxy")
    with corporate(tmp_path, scheme=scheme, tls=files, closes=closes) as corp:
        error = corp.failure()
    variable = f"{scheme.upper()}_PROXY"
    assert (
        error.message
        == f"The proxy {corp.proxy.address} ({variable}) uses TLS, but deployer connected with plain HTTP."
    )
    assert error.advice == (f"Use https:// in the variable: {variable}=https://{corp.proxy.address}",)


@BOTH
def test_a_proxy_that_speaks_no_tls_is_told(tmp_path: Path, scheme: str) -> None:
    with corporate(tmp_path, scheme=scheme, of_proxy="https") as corp:
        error = corp.failure()
    assert "does not use TLS, but deployer connected with TLS" in error.message
    assert f"http://{corp.proxy.address}" in error.advice[0]


@pytest.mark.parametrize(
    ("answer", "words"), [(b"-ERR what?\r\n\r\n", "does not respond like a proxy"), (b"", "closed the connection")]
)
@BOTH
def test_what_is_no_proxy_is_told(tmp_path: Path, scheme: str, answer: bytes, words: str) -> None:
    with corporate(tmp_path, scheme=scheme) as corp, sending(answer) as other:
        corp.environment[f"{scheme.upper()}_PROXY"] = other.url
        assert f"The proxy {other.address} ({scheme.upper()}_PROXY) {words}" in corp.failure().message


@pytest.mark.parametrize("of_proxy", ["http", "socks5"])
def test_a_proxy_that_says_nothing_is_named(tmp_path: Path, of_proxy: str) -> None:
    with corporate(tmp_path, scheme="https") as corp, sending(b"", silent=True) as other:
        corp.environment["HTTPS_PROXY"] = f"{of_proxy}://{other.address}"
        with (
            corp.client(timeouts=Timeouts(connect=0.3, read=0.3)) as client,
            pytest.raises(RegistryUnreachable) as caught,
        ):
            client.catalog()
    assert f"The proxy {other.address} (HTTPS_PROXY)" in caught.value.message
    assert "respond within 0.3 seconds" in caught.value.message


@pytest.mark.parametrize(
    ("proxy", "given", "words"),
    [
        ({"socks": 5}, "", f"could not connect to {ADDRESS}: connection refused."),
        ({"socks": 99}, "", f"could not connect to {ADDRESS}: SOCKS reply 99."),
        ({"login": "a:b"}, "", "it requires a login."),
        ({"login": "a:b"}, f"a:{SECRET}@", "it rejected the user name and the password in HTTP_PROXY."),
    ],
)
def test_a_refusal_by_a_socks_proxy_is_its_own(tmp_path: Path, proxy: Any, given: str, words: str) -> None:
    with corporate(tmp_path, of_proxy="socks5", given=given, **proxy) as corp:
        error = corp.failure()
    assert isinstance(error, RegistryUnreachable)
    assert error.message.endswith(words)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x05"])
def test_what_is_no_socks_proxy_is_told(tmp_path: Path, answer: bytes) -> None:
    with corporate(tmp_path) as corp, sending(answer) as other:
        corp.environment["HTTP_PROXY"] = f"socks5://{other.address}"
        error = corp.failure()
    assert isinstance(error, RegistryUnreachable)
    assert f"The proxy {other.address} (HTTP_PROXY) could not connect to {ADDRESS}: it " in error.message


def test_a_fault_behind_the_proxy_is_not_the_proxy_s(tmp_path: Path) -> None:
    with corporate(tmp_path, scheme="https") as corp:
        other = make_ca("Other")
        (tmp_path / "home/.docker/certs.d" / ADDRESS / "ca.crt").write_bytes(other.pem)
        assert f"The certificate of {ADDRESS}" in corp.failure().message


@BOTH
def test_an_answer_that_is_cut_off_is_not_the_proxy_s(tmp_path: Path, scheme: str) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"
    with corporate(tmp_path, scheme=scheme) as corp, sending(cut) as half:
        files = certificate(HOST, signer=make_ca()).write(tmp_path / "half")
        (tmp_path / "home/.docker/certs.d" / ADDRESS).mkdir(parents=True, exist_ok=True)
        with tls_server(*files, half.port) as secure:
            if scheme == "https":
                (tmp_path / "home/.docker/certs.d" / ADDRESS / "ca.crt").write_bytes(files[0].read_bytes())
            corp.proxy.backend = secure.port if scheme == "https" else half.port
            assert corp.failure().message == f"The response from {ADDRESS} is truncated."


def test_a_web_page_that_comes_through_a_proxy_may_be_its_own(tmp_path: Path) -> None:
    with corporate(tmp_path) as corp:
        corp.fake.before = lambda _: Reply(200, HTML, {"Content-Type": "text/html"})
        with corp.client() as client, serving(lambda *_: Reply(200, HTML, {"Content-Type": "text/html"})) as portal:
            corp.proxy.backend = portal
            with pytest.raises(RegistryError, match="is not a registry") as caught:
                client.catalog()
    assert f"The response came through the proxy {corp.proxy.address} (HTTP_PROXY)" in caught.value.advice[-1]
