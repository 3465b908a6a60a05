from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from deployer.errors import Denied, RegistryError
from deployer.registry.client import RegistryClient
from deployer.registry.login.credentials import Credentials
from deployer.registry.protocol.place import Place
from tests.support.fake_registry import Asked, FakeRegistry, Reply, serving
from tests.support.registry_content import image, push, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "http://localhost:5000"


def signed_in(folder: Path, *pairs: tuple[str, str]) -> dict[str, str]:
    """An environment in which `docker login` has saved these addresses with their user:password."""
    auths = {address: {"auth": base64.b64encode(text.encode()).decode()} for address, text in pairs}
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
    return {"DOCKER_CONFIG": str(folder)}


def test_no_login_is_sent_where_none_is_asked_for(tmp_path: Path) -> None:
    fake = FakeRegistry()
    with RegistryClient(URL, signed_in(tmp_path, ("localhost:5000", "ann:pw")), transport=fake.transport) as client:
        client.catalog()
    assert "authorization" not in fake.asked[0].headers
    assert fake.asked[0].headers["user-agent"].startswith("deployer/")


def test_the_saved_login_is_used_and_remembered(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"))
    with RegistryClient(URL, signed_in(tmp_path, ("localhost:5000", "ann:pw")), transport=fake.transport) as client:
        client.catalog()
        client.each(lambda _: client.ping(), range(20))
    refusals = [one for one in fake.asked if "authorization" not in one.headers]
    assert len(refusals) == 1


def test_many_threads_refused_at_once_look_the_login_up_once(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"))
    environment = signed_in(tmp_path, ("localhost:5000", "ann:pw"))
    with RegistryClient(URL, environment, transport=fake.transport) as client:
        client.each(lambda _: client.ping(), range(50))
    assert len([one for one in fake.asked if "authorization" in one.headers]) == 50


@pytest.mark.parametrize("saved", [(), (("other:5000", "ann:pw"),)])
def test_without_a_login_docker_login_is_named(tmp_path: Path, saved: tuple[tuple[str, str], ...]) -> None:
    fake = FakeRegistry(user=("ann", "pw"))
    client = RegistryClient(URL, signed_in(tmp_path, *saved), transport=fake.transport)
    with client, pytest.raises(Denied, match="requires login, and no credentials are saved") as caught:
        client.catalog()
    assert caught.value.advice == ("docker login localhost:5000",)
    assert "UNAUTHORIZED: authentication required" in caught.value.original


def test_a_login_that_is_wrong_is_told_apart_from_none(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"))
    with RegistryClient(URL, signed_in(tmp_path, ("localhost:5000", "ann:s3cret")), transport=fake.transport) as client:
        for _ in range(2):
            with pytest.raises(Denied, match="rejected the saved credentials for 'ann'") as caught:
                client.catalog()
    assert "s3cret" not in f"{caught.value}{caught.value.advice}{caught.value.original}"


def test_a_login_in_a_variable_that_is_wrong_is_not_saved_again(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"))
    entry = {"auth": base64.b64encode(b"ci:s3cret").decode()}
    environment = {
        **signed_in(tmp_path, ("localhost:5000", "ann:pw")),
        "DOCKER_AUTH_CONFIG": json.dumps({"auths": {"localhost:5000": entry}}),
    }
    client = RegistryClient(URL, environment, transport=fake.transport)
    with client, pytest.raises(Denied, match="rejected the login for 'ci' in DOCKER_AUTH_CONFIG") as caught:
        client.catalog()
    assert "unset DOCKER_AUTH_CONFIG" in caught.value.advice[0]
    assert "s3cret" not in f"{caught.value}{caught.value.advice}{caught.value.original}"


def test_a_token_server_is_named(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"), challenge='Bearer realm="https://auth.example/token"')
    client = RegistryClient(URL, signed_in(tmp_path, ("localhost:5000", "ann:pw")), transport=fake.transport)
    with client, pytest.raises(Denied, match="token server") as caught:
        client.catalog()
    assert "https://auth.example/token" in caught.value.original


OWN_TOKENS = 'Bearer realm="http://localhost:5000/v2/token",service="localhost:5000"'


def test_a_registry_that_is_public_in_part_takes_the_saved_login_as_it_is(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"), challenge=OWN_TOKENS)
    with fake.client as pushing:
        pushing.auth = ("ann", "pw")
        push(pushing, "app", "1", image("a"))
    client = RegistryClient(URL, signed_in(tmp_path, ("localhost:5000", "ann:pw")), transport=fake.transport)
    with client:
        assert client.catalog() == ("app",)


def test_without_a_login_it_is_asked_as_everyone(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"), challenge=OWN_TOKENS)
    asked: list[str] = []

    def take(request: Asked) -> Reply | None:
        asked.append(request.headers.get("authorization", ""))
        return Reply(200, b'{"repositories": ["open"]}') if asked[-1] == "Bearer anonymous" else None

    fake.before = take
    with RegistryClient(URL, {"DOCKER_CONFIG": str(tmp_path)}, transport=fake.transport) as client:
        assert client.catalog() == ("open",)
    assert asked == ["", "Bearer anonymous"]


def test_tokens_of_another_address_are_not_its_own(tmp_path: Path) -> None:
    for realm in ("http://localhost:5001/v2/token", "http://localhost:5000/token", "http://localhost:5000/v2/token/x"):
        fake = FakeRegistry(user=("ann", "pw"), challenge=f'Bearer realm="{realm}"')
        client = RegistryClient(URL, {"DOCKER_CONFIG": str(tmp_path)}, transport=fake.transport)
        with client, pytest.raises(Denied, match="token server"):
            client.catalog()


def test_an_identity_token_is_no_password(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": {"localhost:5000": {"identitytoken": "t0ken"}}}')
    fake = FakeRegistry(user=("ann", "pw"))
    client = RegistryClient(URL, {"DOCKER_CONFIG": str(tmp_path)}, transport=fake.transport)
    with client, pytest.raises(Denied, match="is a token for a token server") as caught:
        client.catalog()
    assert "t0ken" not in f"{caught.value}{caught.value.original}"


def saved_by_a_helper(folder: Path) -> tuple[dict[str, str], Path]:
    """An environment whose logins a program keeps, and the file that it leaves when it is run."""
    ran = folder / "ran"
    helper = folder / "docker-credential-test"
    helper.write_text(f'#!/bin/sh\ntouch "{ran}"\necho \'{{"Username": "ann", "Secret": "s3cret"}}\'\n')
    helper.chmod(0o755)
    (folder / "config.json").write_text('{"credsStore": "test"}')
    return {"DOCKER_CONFIG": str(folder), "PATH": f"{folder}:/usr/bin:/bin"}, ran


@pytest.mark.parametrize("given", [None, Credentials("ann", "s3cret")])
def test_no_login_goes_out_in_plain_http_unasked(tmp_path: Path, given: Credentials | None) -> None:
    fake = FakeRegistry(user=("ann", "s3cret"))
    environment, ran = saved_by_a_helper(tmp_path)
    client = RegistryClient("http://reg.example:5000", environment, transport=fake.transport, credentials=given)
    with client, pytest.raises(Denied, match="requires login over plain HTTP") as caught:
        client.catalog()
    assert [one.headers.get("authorization") for one in fake.asked] == [None]
    assert not ran.exists()
    assert "another machine may be answering" in caught.value.advice[0]
    assert "DEPLOYER_TLS=off" in caught.value.advice[1]


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://reg.example:5000", True),
        ("https://reg.example:5000", False),
        ("http://localhost:5000", False),
        ("http://127.0.0.9:5000", False),
        ("http://[::1]:5000", False),
    ],
)
def test_a_login_goes_out_where_nobody_reads_it_or_that_is_said(tmp_path: Path, url: str, plain: bool) -> None:
    fake = FakeRegistry(user=("ann", "s3cret"))
    environment, ran = saved_by_a_helper(tmp_path)
    with RegistryClient(url, environment, transport=fake.transport, plain=plain) as client:
        assert client.catalog() == ()
    assert ran.exists()


def test_an_open_registry_in_plain_http_needs_no_word() -> None:
    fake = FakeRegistry()
    with RegistryClient("http://reg.example:5000", {}, transport=fake.transport) as client:
        assert client.catalog() == ()


def redirecting(fake: FakeRegistry, path: str, target: Callable[[], str], status: int = 307) -> None:
    def before(asked: Asked) -> Reply | None:
        return Reply(status, b"", {"Location": target()}) if asked.path == path else None

    fake.before = before


def test_a_blob_from_another_host_comes_without_our_login(tmp_path: Path) -> None:
    content = b"far away"
    seen: list[dict[str, str]] = []

    def storage(method: str, path: str, headers: object, body: bytes) -> Reply:
        seen.append({key.lower(): value for key, value in dict(headers).items()})  # type: ignore[call-overload]
        return Reply(200, content)

    fake = FakeRegistry(user=("ann", "pw"))
    with serving(fake.answer) as port, serving(storage) as elsewhere:
        redirecting(fake, f"/v2/a/blobs/{sha256(content)}", lambda: f"http://localhost:{elsewhere}/bucket?signed")
        environment = signed_in(tmp_path, (f"127.0.0.1:{port}", "ann:pw"))
        with RegistryClient(f"http://127.0.0.1:{port}", environment) as client:
            client.ping()
            assert client.blob("a", sha256(content)) == content
    assert "authorization" not in seen[0]


def test_on_the_same_host_the_login_goes_along(tmp_path: Path) -> None:
    fake = FakeRegistry(user=("ann", "pw"))
    redirecting(fake, "/v2/_catalog?n=1000000", lambda: "/v2/_catalog?n=100")
    with RegistryClient(URL, signed_in(tmp_path, ("localhost:5000", "ann:pw")), transport=fake.transport) as client:
        client.ping()
        assert client.catalog() == ()
    assert "authorization" in fake.asked[-1].headers


def test_redirects_without_end_are_given_up() -> None:
    fake = FakeRegistry()
    redirecting(fake, "/v2/_catalog?n=1000000", lambda: "/v2/_catalog?n=1000000")
    with (
        RegistryClient(URL, {}, transport=fake.transport) as client,
        pytest.raises(RegistryError, match="redirects endlessly"),
    ):
        client.catalog()
    assert len(fake.asked) == 6


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "to file:///etc/passwd."),
        ("http://[broken", "to http://[broken."),
        ("http://host:port/", "to an invalid address."),
    ],
)
def test_redirects_to_something_else_are_refused(target: str, words: str) -> None:
    fake = FakeRegistry()
    redirecting(fake, "/v2/_catalog?n=1000000", lambda: target)
    with RegistryClient(URL, {}, transport=fake.transport) as client, pytest.raises(RegistryError) as caught:
        client.catalog()
    assert caught.value.message == f"localhost:5000 redirects {words}"


@pytest.mark.parametrize("target", ["http://host:port/", "http://[broken"])
def test_an_upload_that_is_sent_to_no_address_is_refused(target: str) -> None:
    fake = FakeRegistry()
    fake.before = lambda asked: Reply(202, b"", {"Location": target}) if asked.method == "POST" else None
    with RegistryClient(URL, {}, transport=fake.transport) as client, pytest.raises(RegistryError) as caught:
        client.put_blob("a", b"x")
    assert caught.value.message == "localhost:5000 redirects to an invalid address."
    assert target in caught.value.original


def test_a_deletion_follows_no_redirect() -> None:
    fake = FakeRegistry()
    digest = "sha256:" + "a" * 64
    redirecting(fake, f"/v2/a/manifests/{digest}", lambda: "/v2/b/manifests/x")
    with (
        RegistryClient(URL, {}, transport=fake.transport) as client,
        pytest.raises(RegistryError, match="redirects to"),
    ):
        client.delete_manifest("a", digest)
    assert fake.asked_for("DELETE") == [f"/v2/a/manifests/{digest}"]


def test_connections_are_kept_open() -> None:
    ports: set[int] = set()
    fake = FakeRegistry()
    with serving(fake.answer) as port, RegistryClient(f"http://127.0.0.1:{port}", {}) as client:
        with fake.client as pusher:
            push(pusher, "a", "1", image("x"))
        for _ in range(5):
            client.manifest("a", "1")
            pool = client._transport._clients["http", None]._transport._pool  # type: ignore[attr-defined]
            ports |= {id(connection) for connection in pool.connections}
    assert len(ports) == 1


@pytest.mark.parametrize(
    ("url", "address", "loopback"),
    [
        ("http://localhost:5000", "localhost:5000", True),
        ("http://registry.localhost:5000/", "registry.localhost:5000", True),
        ("http://[::1]:5000", "[::1]:5000", True),
        ("http://[::ffff:127.0.0.1]:5000", "[::ffff:127.0.0.1]:5000", True),
        ("https://r.example", "r.example:443", False),
        ("http://192.168.100.2", "192.168.100.2:80", False),
    ],
)
def test_places_have_an_address(url: str, address: str, loopback: bool) -> None:
    place = Place.of(url)
    assert (place.address, place.is_loopback) == (address, loopback)
    assert not place.url.endswith("/")
