from __future__ import annotations

import itertools
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deployer.errors import DeployerError, RegistryError, RegistryUnreachable
from deployer.registry.client import RegistryClient
from deployer.registry.connection.faults import fault
from deployer.registry.connection.transport import Timeouts
from deployer.registry.protocol.place import Place
from tests.support.accepting import accepting
from tests.support.fake_registry import HTML, Reply, serving
from tests.support.raw_server import sending
from tests.support.run import PATIENCE_SECONDS, free_port

if TYPE_CHECKING:
    from collections.abc import Callable


def failure(
    url: str, act: Callable[[RegistryClient], Any] = RegistryClient.catalog, timeouts: Timeouts | None = None
) -> DeployerError:
    with RegistryClient(url, {}, timeouts=timeouts) as client, pytest.raises(DeployerError) as caught:
        act(client)
    return caught.value


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_nothing_there_names_the_address_and_how_to_start_it() -> None:
    port = free_port()
    error = failure(f"http://localhost:{port}")
    assert isinstance(error, RegistryUnreachable)
    assert error.message == f"Nothing responds at http://localhost:{port}."
    assert error.advice == ("Start it: deployer up",)
    assert "refused" in error.original


def test_nothing_there_on_another_machine_names_the_flags() -> None:
    cause = httpx.ConnectError("[Errno 111] Connection refused")
    error = fault(cause, Place.of("http://192.168.100.2:5000"), seconds=5)
    assert isinstance(error, RegistryUnreachable)
    assert "--host and --port" in error.advice[0]
    assert "deployer up" not in error.advice[0]


def test_a_name_that_does_not_resolve_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure("http://no-such-host:5000")
    assert isinstance(error, RegistryUnreachable)
    assert "'no-such-host' does not resolve" in error.message


def test_no_route_is_told_apart_from_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    assert failure("http://192.168.100.2:5000").message == "No route to 192.168.100.2."


def test_a_firewall_that_swallows_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    def swallowed(*_: Any, **__: Any) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", swallowed)
    error = failure("http://192.168.100.2:5000", timeouts=Timeouts(connect=0.3))
    assert isinstance(error, RegistryUnreachable)
    assert error.message == "192.168.100.2:5000 did not respond within 0.3 seconds."
    assert "firewall" in error.advice[1]


def test_a_registry_that_never_answers() -> None:
    with sending(b"", silent=True) as server:
        error = failure(server.url, timeouts=Timeouts(read=0.3))
    assert isinstance(error, RegistryUnreachable)
    assert error.message == f"{server.address} accepted the request but did not respond within 0.3 seconds."


def test_an_empty_reply() -> None:
    with sending(b"") as server:
        error = failure(server.url)
    assert error.message == f"{server.address} accepted the request and closed the connection without responding."
    assert len(server.requests) == 2, "a kept connection may have been closed under us, so it is tried again, once"


def test_every_kept_connection_may_have_been_closed() -> None:
    kept = 4
    together = threading.Barrier(kept)
    opened = itertools.count(1)
    answer = http(b"{}", length=2)

    def converse(connection: socket.socket) -> None:
        """Answer once and keep the connection; the first four end with the next request on them."""
        first = next(opened) <= kept
        connection.recv(65536)
        if first:
            together.wait(PATIENCE_SECONDS)
        connection.sendall(answer)
        connection.recv(65536)

    with accepting(converse) as port, RegistryClient(f"http://127.0.0.1:{port}", {}, concurrency=kept) as client:
        client.each(lambda _: client.ping(), range(kept))
        client.ping()
    assert next(opened) == kept + 2, "every kept connection was tried, and one was opened"


def test_a_connection_that_is_reset() -> None:
    with sending(b"HTTP/1.1 200 OK\r\n", reset=True) as server:
        error = failure(server.url)
    assert error.message == f"{server.address} closed the connection."


def test_writes_are_not_sent_twice() -> None:
    with sending(b"") as server:
        failure(server.url, lambda client: client.delete_manifest("a", "sha256:" + "a" * 64))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        http(b'{"repositories": ["a"', length=900),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"repositories":\r\n',
    ],
)
def test_a_body_that_is_cut_off(answer: bytes) -> None:
    with sending(answer) as server:
        error = failure(server.url)
    assert error.message == f"The response from {server.address} is truncated."


def test_a_body_that_is_cut_off_without_a_length() -> None:
    header = "Docker-Distribution-Api-Version: registry/2.0"
    with sending(f'HTTP/1.0 200 OK\r\n{header}\r\n\r\n{{"repositories": ["a"'.encode()) as server:
        error = failure(server.url)
    assert error.message == f"The registry at {server.address} sent an unreadable response, or closed the connection."


def test_something_that_speaks_no_http() -> None:
    with sending(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as server:
        error = failure(server.url)
    assert error.message == f"The server at {server.url} is not a registry: it does not speak HTTP."


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_web_page_is_no_registry(status: int) -> None:
    with serving(lambda *_: Reply(status, HTML, {"Content-Type": "text/html"})) as port:
        error = failure(f"http://127.0.0.1:{port}")
    assert error.message == f"The server at http://127.0.0.1:{port} is not a registry."
    assert "a web page: Welcome" in error.original


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"repositories": 5}', b'{"repositories": [5]}', b"OK"])
def test_json_of_another_kind_is_no_registry(body: bytes) -> None:
    with serving(lambda *_: Reply(200, body)) as port:
        assert failure(f"http://127.0.0.1:{port}").message.endswith("is not a registry.")


@pytest.mark.parametrize(
    "text",
    [
        "Client sent an HTTP request to an HTTPS server.",
        "The plain HTTP request was sent to HTTPS port",
        "You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
def test_a_server_that_speaks_of_https_and_does_not_speak_it(text: str) -> None:
    with serving(lambda *_: Reply(400, text.encode())) as port:
        error = failure(f"http://127.0.0.1:{port}")
    assert error.message == f"127.0.0.1:{port} does not use HTTPS, but deployer connected with HTTPS."


def test_an_answer_that_never_ends_is_given_up() -> None:
    big = b"x" * 6_000_000
    with serving(lambda *_: Reply(200, big)) as port:
        error = failure(f"http://127.0.0.1:{port}", lambda client: client.manifest("a", "b"))
    assert "sent more than 5 MB" in error.message


def test_a_compressed_answer_that_is_damaged() -> None:
    with sending(http(b"no gzip at all", "Content-Encoding: gzip")) as server:
        error = failure(server.url)
    assert isinstance(error, RegistryError)
    assert error.message == f"The request to {server.address} failed."


def test_a_control_sequence_does_not_reach_the_terminal() -> None:
    with serving(lambda *_: Reply(500, b"\x1b[2Jgone")) as port:
        error = failure(f"http://127.0.0.1:{port}")
    assert "\x1b" not in error.original
    assert "[2Jgone" in error.original
