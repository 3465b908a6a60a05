"""Each line of docs/reference/docker-configuration.md on proxies: the real client and ours, side by side.

`docker --host tcp://HOST:PORT version` asks for http://HOST:PORT/… as Go's clients do, with `--tls` for https://;
so does the engine when it pulls. The client runs if nothing but the proxy can be reached.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployer.errors import ConfigurationError
from deployer.registry.connection.proxy import proxy_for
from tests.support.certificates import certificate, make_ca
from tests.support.client_machine import ip
from tests.support.docker_login import PATH
from tests.support.dockerd import temporary_dockerd
from tests.support.proxy import RecordingProxy, proxy_to
from tests.support.run import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "registry.corp.example:5000"
_NEW_NETWORK = 0x40000000


@dataclass(frozen=True)
class Office:
    """Our own network with a proxy in it; `{P}` stands for the proxy's host and port."""

    namespace: str
    proxy: RecordingProxy
    home: Path

    def environment(self, variables: dict[str, str]) -> dict[str, str]:
        return {name: value.replace("{P}", self.proxy.address) for name, value in variables.items()}

    def docker(self, scheme: str, host: str, variables: dict[str, str]) -> str | None:
        """How Docker's client logs in at the proxy, None if it does not ask it."""
        self.proxy.asked.clear()
        self.proxy.logins.clear()
        tls = ["--tls"] if scheme == "https" else []
        command = ["docker", *tls, "--host", f"tcp://{host}", "version"]
        own = {"PATH": PATH, "HOME": str(self.home), **self.environment(variables)}
        within = ["nsenter", f"--net=/run/netns/{self.namespace}", "--"]
        done = subprocess.run([*within, *command], env=own, capture_output=True, text=True, check=False)
        # Whatever way it takes, no engine answers there.
        assert self.proxy.asked or "error during connect" in done.stderr or "Cannot connect" in done.stderr, done.stderr
        return next(iter(self.proxy.logins), "") if self.proxy.asked else None

    def ours(self, scheme: str, host: str, variables: dict[str, str]) -> str | None:
        proxy = proxy_for(f"{scheme}://{host}", self.environment(variables))
        if proxy is None:
            return None
        assert proxy.address == self.proxy.address
        return ":".join(proxy.credentials) if proxy.credentials else ""


def _listener_in(namespace: str) -> socket.socket:
    """A listening socket on the namespace's own 127.0.0.1; a thread enters it and ends there."""
    made: list[socket.socket] = []

    def listen() -> None:
        with Path(f"/run/netns/{namespace}").open("rb") as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "setns")
        made.append(socket.create_server(("127.0.0.1", 0)))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    return made[0]


def _home(folder: Path) -> Path:
    """A home with the certificates that the client wants to have before it asks in TLS."""
    signer = make_ca()
    certified, key = certificate("client", signer=signer).write(folder / ".docker")
    (folder / ".docker/ca.pem").write_bytes(signer.pem)
    certified.rename(folder / ".docker/cert.pem")
    key.rename(folder / ".docker/key.pem")
    return folder


@pytest.fixture(scope="module")
def office(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    if os.geteuid() != 0:
        pytest.fail("These tests make a network of their own, which needs root.", pytrace=False)
    namespace = f"{OWN}-proxy"
    ip("netns", "add", namespace)
    try:
        ip("-n", namespace, "link", "set", "lo", "up")
        # Addresses that are nobody's (RFC 5737 and 3849), so that going there ends at once.
        for address in ("192.0.2.7/32", "2001:db8::7/128"):
            ip("-n", namespace, "addr", "add", address, "dev", "lo")
        with proxy_to(0, status=502, listener=_listener_in(namespace)) as proxy:
            yield Office(namespace, proxy, _home(tmp_path_factory.mktemp("home")))
    finally:
        ip("netns", "delete", namespace, check=False)


VARIABLES: list[tuple[str, dict[str, str]]] = [
    ("http", {}),
    ("http", {"HTTP_PROXY": "http://{P}"}),
    ("http", {"http_proxy": "http://{P}"}),
    ("http", {"HTTP_PROXY": "http://{P}", "http_proxy": "http://127.0.0.1:1"}),
    ("http", {"HTTP_PROXY": "", "http_proxy": "http://{P}"}),
    ("http", {"HTTPS_PROXY": "http://{P}"}),
    ("http", {"ALL_PROXY": "http://{P}", "all_proxy": "http://{P}"}),
    ("https", {"HTTPS_PROXY": "http://{P}"}),
    ("https", {"https_proxy": "http://{P}"}),
    ("https", {"HTTPS_PROXY": "http://{P}", "https_proxy": "http://127.0.0.1:1"}),
    ("https", {"HTTP_PROXY": "http://{P}", "ALL_PROXY": "http://{P}"}),
    ("https", {"HTTPS_PROXY": "http://{P}", "REQUEST_METHOD": "GET"}),
    ("http", {"HTTP_PROXY": "http://{P}", "NO_PROXY": "x", "no_proxy": "*"}),
    ("http", {"HTTP_PROXY": "http://{P}", "no_proxy": "*"}),
    ("http", {"HTTP_PROXY": "http://{P}", "NO_PROXY": "", "no_proxy": "*"}),
]
VALUES = [
    *("{P}", "HTTP://{P}", "http://{P}/", "http://{P}/path?query#part", "tcp://{P}", "ftp://{P}", "foo://{P}"),
    *("http://user@{P}", "http://user:@{P}", "http://us%40er:p%3Aw%25@{P}", "user:p@ss@{P}", "http://:pw@{P}"),
]
# Those that Go does not use and says nothing of are refused by us: test_a_proxy_that_cannot_be_used_is_one_sentence.
UNUSABLE = [
    *("http://127.0.0.1:port", "127.0.0.1:port", "http://127.0.0.1:99999", "http://", "http:///x", "foo://127.0.0.1"),
    *("//{P}", "http:{P}", " http://{P}", "http://{P} ", "http://{P}\n", "http://[::1", "http://u:p%zz@{P}"),
    *("http://u:p#w@{P}", "http://u:p/w@{P}"),
]
NAMES = [
    *("*", "x,*", "*.corp.example", ".corp.example", "corp.example", "CORP.Example", "registry.corp.example"),
    *("example", HOST, "*.corp.example:5000", ".corp.example:5000", " a , corp.example ", "a,,corp.example,"),
    *("registry.corp.example:", "registry.corp.example:5001", "*.corp.example:5001", "a corp.example"),
    *("*corp.example", "orp.example", "registry.*", "http://registry.corp.example", "registry.corp.example/"),
    *("registry.corp.example.", ".registry.corp.example", "*.registry.corp.example", ":5000", ",,", "*.", "[x"),
]
ADDRESSES = [
    *("192.0.2.7", "192.0.2.7:5000", "192.0.2.7:5001", "192.0.2.0/24", "192.0.2.9/24", "192.0.3.0/24", "0.0.0.0/0"),
    *("192.0.2.0/255.255.255.0", "192.0.2", "192.0.2.", "7", ".7", "2.7", "192.0.2.*", "192.000.2.7", "192.0.2.7/33"),
    *("::ffff:192.0.2.7", "192.0.2.0/24:5000", "*", "[192.0.2.7]:5000", "[192.0.2.7]"),
]
SIXES = [
    *("2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:5000", "[2001:db8::7]:5001", "2001:DB8:0::7", "2001:db8::/32"),
    *("[2001:db8::]/32", "::/0", "2001:db9::/32", "2001:db8::7:5000"),
]
HOSTS = ["localhost:5", "127.0.0.9:5", "[::1]:5", "[::ffff:127.0.0.1]:5", "localhost.:5", "127.1:5", "0.0.0.0:5"]
IDNA = [
    ("xn--bcher-kva.example:5", "bücher.example"),
    ("xn--bcher-kva.example:5", ".BÜCHER.example"),
    ("xn--bcher-kva.example:5", "*.example"),
    ("bücher.example:5", "xn--bcher-kva.example"),
    ("registry.corp.example.:5", "corp.example"),
    ("Registry.CORP.example:5", "corp.example"),
]


@pytest.mark.parametrize(("scheme", "variables"), VARIABLES)
def test_the_same_variable_counts(office: Office, scheme: str, variables: dict[str, str]) -> None:
    assert office.ours(scheme, HOST, variables) == office.docker(scheme, HOST, variables)


@pytest.mark.parametrize("value", VALUES)
def test_the_same_forms_of_a_proxy_are_taken(office: Office, value: str) -> None:
    variables = {"HTTP_PROXY": value}
    login = office.docker("http", HOST, variables)
    assert login is not None
    # A user without a password is as one with an empty one.
    assert office.ours("http", HOST, variables) == login


@pytest.mark.parametrize("value", ["socks5://{P}", "socks5h://{P}", "SOCKS5://user:pw@{P}"])
def test_a_socks_proxy_looks_names_up_itself(office: Office, value: str) -> None:
    variables = {"HTTP_PROXY": value}
    assert office.docker("http", HOST, variables) == ""
    # As through ours: test_everything_goes_through_the_proxy.
    assert office.proxy.asked[0] == f"SOCKS {HOST}"
    proxy = proxy_for(f"http://{HOST}", office.environment(variables))
    assert proxy is not None
    assert proxy.is_socks


@pytest.mark.parametrize("value", UNUSABLE)
def test_what_docker_cannot_use_is_refused(office: Office, value: str) -> None:
    variables = {"HTTP_PROXY": value}
    assert office.docker("http", HOST, variables) is None
    with pytest.raises(ConfigurationError, match="HTTP_PROXY"):
        office.ours("http", HOST, variables)


@pytest.mark.parametrize(
    ("host", "entries"),
    [
        *((HOST, entries) for entries in NAMES),
        *(("192.0.2.7:5000", entries) for entries in ADDRESSES),
        *(("[2001:db8::7]:5000", entries) for entries in SIXES),
        *((host, "") for host in HOSTS),
        *IDNA,
    ],
)
def test_the_same_hosts_are_exempt(office: Office, host: str, entries: str) -> None:
    variables = {"HTTP_PROXY": "http://{P}", "NO_PROXY": entries}
    assert office.ours("http", host, variables) == office.docker("http", host, variables)


def test_the_visitor_of_a_web_server_chooses_no_proxy(office: Office) -> None:
    variables = {"HTTP_PROXY": "http://{P}", "REQUEST_METHOD": "GET"}
    assert office.docker("http", HOST, variables) is None
    with pytest.raises(ConfigurationError, match="REQUEST_METHOD"):
        office.ours("http", HOST, variables)


@pytest.mark.parametrize("host", ["registry.localhost:5", "LOCALHOST:5"])
def test_what_differs_on_purpose(office: Office, host: str) -> None:
    # Such a name is always this machine (RFC 6761, 6.3): a proxy would look for itself, and read the password.
    variables = {"HTTP_PROXY": "http://{P}"}
    assert office.docker("http", host, variables) == ""
    assert office.ours("http", host, variables) is None


def test_proxies_in_config_json_are_for_containers_alone(office: Office) -> None:
    file = office.home / ".docker/config.json"
    file.write_text(f'{{"proxies": {{"default": {{"httpProxy": "http://{office.proxy.address}"}}}}}}')
    try:
        assert office.docker("http", HOST, {}) is None
    finally:
        file.unlink()
    assert office.ours("http", HOST, {"DOCKER_CONFIG": str(file.parent)}) is None


def test_a_pull_goes_through_the_engine_s_proxy_and_not_the_client_s(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://engine:pw@{office.proxy.address}")
    monkeypatch.setenv("NO_PROXY", "*.exempt.example")
    with temporary_dockerd("proxied") as made:
        made.file.write_text(json.dumps({"insecure-registries": [HOST, "registry.exempt.example:5000"]}))
        daemon = replace(made, enter=("nsenter", f"--net=/run/netns/{office.namespace}", "--"))
        try:
            daemon.start()
            client = {**daemon.environment, "HTTP_PROXY": f"http://client@{office.proxy.address}", "NO_PROXY": ""}
            asked = {}
            for host in (HOST, "registry.exempt.example:5000"):
                office.proxy.asked.clear()
                office.proxy.logins.clear()
                command = ["docker", "pull", f"{host}/x:y"]
                assert subprocess.run(command, env=client, capture_output=True, check=False).returncode != 0
                asked[host] = set(office.proxy.logins)
        finally:
            daemon.stop()
    assert asked == {HOST: {"engine:pw"}, "registry.exempt.example:5000": set()}
