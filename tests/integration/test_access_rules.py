"""Access rules: no way of writing a request gets past them."""

from __future__ import annotations

import base64
import http.client
import socket
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.registry_content import DOCKER, TYPES, image, push, sha256
from tests.support.run import PATIENCE_SECONDS
from tests.support.signed_in import client_of, password_of, write_rules, write_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.stack import DeployedStack

RULES = [
    {"users": ["admin"], "allow": ["pull", "push", "delete"]},
    {"users": ["reader"], "repositories": ["open/*"], "allow": ["pull"]},
    {"users": ["writer"], "repositories": ["open/*"], "allow": ["push", "delete"]},
    {"users": ["*"], "repositories": ["everyone"], "allow": ["pull"]},
]
SECRET = "the secret layer"
MANIFEST = TYPES[DOCKER]["manifest"]


@pytest.fixture(scope="module")
def ruled(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    """A deployment with three users and rules, and an image in `open/app`, `secret/app`, `app` and `everyone` each."""
    stack = make_stack()
    write_users(stack, ["admin", "reader", "writer"])
    write_rules(stack, RULES)
    stack.up()
    with client_of(stack, "admin") as admin:
        for name in ("open/app", "secret/app", "app", "everyone"):
            push(admin, name, "1", image(SECRET if name == "secret/app" else name))
    yield stack
    stack.remove()


@pytest.fixture(scope="module")
def clients(ruled: DeployedStack) -> Iterator[dict[str, httpx.Client]]:
    made = {name: client_of(ruled, name) for name in ("admin", "reader", "writer")}
    for client in made.values():
        client.headers["Accept"] = MANIFEST
    yield made
    for client in made.values():
        client.close()


def authorization(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password_of(user)}".encode()).decode()


def ask(
    stack: DeployedStack, user: str, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[int, bytes, str]:
    """Send a request line exactly as given; returns status, body and the digest that the answer names."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=PATIENCE_SECONDS)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True, skip_host=True)
        sent = {"Host": "registry.test", "Authorization": authorization(user), "Accept": MANIFEST, **(headers or {})}
        if body or method in {"POST", "PUT", "PATCH"}:
            sent["Content-Length"] = str(len(body))
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("Docker-Content-Digest", "")
    finally:
        connection.close()


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


def digest_of(clients: dict[str, httpx.Client], repository: str) -> str:
    return str(clients["admin"].head(f"/v2/{repository}/manifests/1").headers["Docker-Content-Digest"])


# -- what the rules say, in the plain


@pytest.mark.parametrize(
    ("user", "repository", "allowed"),
    [
        ("admin", "secret/app", {"pull", "push", "delete", "tags"}),
        ("reader", "open/app", {"pull", "tags"}),
        ("reader", "secret/app", set()),
        ("reader", "app", set()),
        ("reader", "everyone", {"pull", "tags"}),
        ("writer", "open/app", {"push", "delete"}),
        ("writer", "secret/app", set()),
    ],
)
def test_a_rule_allows_what_it_names_and_no_more(
    clients: dict[str, httpx.Client], user: str, repository: str, allowed: set[str]
) -> None:
    client, nothing = clients[user], "sha256:" + "0" * 64
    requests = {
        "pull": client.get(f"/v2/{repository}/manifests/1"),
        "tags": client.get(f"/v2/{repository}/tags/list"),
        "push": client.post(f"/v2/{repository}/blobs/uploads/"),
        "delete": client.delete(f"/v2/{repository}/manifests/{nothing}"),
    }
    assert {action for action, answer in requests.items() if answer.status_code != 403} == allowed
    for action, answer in requests.items():
        if action not in allowed:
            assert code(answer) == "DENIED"
            assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
            asked = "pull" if action == "tags" else action
            (detail,) = answer.json()["errors"][0]["detail"]
            assert detail == {"Type": "repository", "Name": repository, "Action": asked}


def test_everyone_gets_a_catalog_of_what_they_may_pull(clients: dict[str, httpx.Client]) -> None:
    listed = {
        "admin": ["app", "everyone", "open/app", "secret/app"],
        "reader": ["everyone", "open/app"],
        "writer": ["everyone"],
    }
    for user, names in listed.items():
        for path in ("/v2/_catalog", "/v2/_catalog?n=1000"):
            assert clients[user].get(path).json() == {"repositories": names}, (user, path)
        overview = clients[user].get("/overview/catalog").json()
        assert (sorted(overview["repositories"]), overview["all"]) == (names, user == "admin")
        assert sorted(clients[user].get("/overview/pushed").json()["pushed"]) == names
    for path in ("/v2/_catalog/", "/v2/_Catalog"):
        answer = clients["reader"].get(path)
        assert (answer.status_code, code(answer)) == (403, "DENIED"), path


def test_who_may_push_sees_whether_a_layer_is_there_but_not_what_is_in_it(clients: dict[str, httpx.Client]) -> None:
    digest = digest_of(clients, "open/app")
    assert clients["writer"].head("/v2/open/app/manifests/1").status_code == 200
    assert clients["writer"].get("/v2/open/app/manifests/1").status_code == 403
    assert clients["writer"].head(f"/v2/secret/app/manifests/{digest}").status_code == 403


def test_logged_out_is_unauthorized_everywhere(ruled: DeployedStack) -> None:
    with client_of(ruled, None) as nobody:
        for path in (
            "/v2/",
            "/v2/_catalog",
            "/v2/everyone/manifests/1",
            "/v2/x/blobs/uploads/",
            "/",
            "/assets/main.js",
        ):
            answer = nobody.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"].startswith("Basic realm="), path
        answer = nobody.get("/v2/everyone/manifests/1")
        assert answer.json()["errors"][0] | {"detail": None} == {
            "code": "UNAUTHORIZED", "message": "authentication required", "detail": None,
        }  # fmt: skip


def test_every_logged_in_user_reaches_the_ping(clients: dict[str, httpx.Client]) -> None:
    for client in clients.values():
        for path in ("/v2/", "/v2"):
            assert client.get(path, follow_redirects=True).status_code == 200


# -- paths that are written in other ways

TWISTS = (
    "/",
    "/./",
    "//",
    "/%2e/",
    "%2f",
    "%2F",
    "/../",
    "/%2e%2e/",
    "/..%2f",
    "\\",
    "%5c",
    ";",
    "%00",
    "%252f",
    "/.",
    "?",
    "#",
)
PARTS = (
    "v2",
    "V2",
    "open",
    "secret",
    "Secret",
    "app",
    "manifests",
    "blobs",
    "uploads",
    "tags",
    "list",
    "1",
    "_catalog",
    "referrers",
)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """A path to the secret image, or to anything near it, written strangely."""
    clean = ["v2", "secret", "app", "manifests", "1"]
    parts = draw(st.one_of(st.just(clean), st.lists(st.sampled_from(PARTS), min_size=2, max_size=8)))
    written = ""
    for part in parts:
        joint = draw(st.one_of(st.just("/"), st.just("/"), st.sampled_from(TWISTS)))
        encoded = "".join(f"%{ord(letter):02x}" if draw(st.integers(0, 9)) == 0 else letter for letter in part)
        written += joint + encoded
    written += draw(st.sampled_from(["", "", "/", "?n=1", "%20", "/.", "?from=open/app"]))
    prefix = draw(
        st.sampled_from(["", "", "", "/v2/open/app/..", "/v2/open/../..", "http://other.example", "/v2/open%2f.."])
    )
    target = prefix + written
    return target if target.startswith(("/", "http")) else "/" + target


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=paths(), method=st.sampled_from(["GET", "HEAD", "get", "PROPFIND", "GET"]))
def test_no_path_brings_a_reader_what_is_secret(
    ruled: DeployedStack, clients: dict[str, httpx.Client], path: str, method: str
) -> None:
    status, body, digest = ask(ruled, "reader", method, path)
    assert SECRET.encode() not in body
    # A redirection says again what was asked for.
    assert b"secret/app" not in body or status in {301, 403}
    allowed = {"", digest_of(clients, "open/app"), digest_of(clients, "everyone")}
    assert digest in allowed
    # Where the registry itself would serve something, it is of the repository that the rule checked.
    served, _, whose = ask(ruled, "admin", method, path)
    if served == 200 and whose not in allowed:
        assert status == 403


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=paths(), method=st.sampled_from(["PUT", "POST", "PATCH", "DELETE", "put", "COPY"]))
def test_no_path_lets_a_writer_change_what_is_not_theirs(
    ruled: DeployedStack, clients: dict[str, httpx.Client], path: str, method: str
) -> None:
    def state() -> tuple[object, ...]:
        admin = clients["admin"]
        return tuple(
            (admin.get(f"/v2/{name}/tags/list").json().get("tags"), digest_of(clients, name))
            for name in ("secret/app", "app", "everyone")
        )

    before = state()
    content = image("written by the writer").content
    kind = {"Content-Type": MANIFEST}
    status, _, _ = ask(ruled, "writer", method, path, kind, content)
    assert status >= 300 or "/open" in path.lower()
    assert state() == before


@pytest.mark.parametrize(
    "path",
    [
        "/v2//secret/app/manifests/1", "//v2/secret/app/manifests/1", "/v2/open/../secret/app/manifests/1",
        "/v2/open/app/%2e%2e/%2e%2e/secret/app/manifests/1", "/v2/secret%2fapp/manifests/1",
        "/v2/secret%2Fapp%2Fmanifests%2F1", "/v2/Secret/app/manifests/1", "/V2/secret/app/manifests/1",
        "/v2/secret/app/manifests/1/", "/v2/secret/app/manifests//1",
        "/v2/secret/app/manifests/1?ns=open/app", "/v2/open/app/manifests/1/../../../../secret/app/manifests/1",
        "/v2/./secret/app/manifests/1", "/v2/secret/app/tags/list/", "/v2/%73ecret/app/manifests/1",
        "/v2/secret%252fapp/manifests/1",
    ],
)  # fmt: skip
def test_known_tricks_with_paths_are_denied(ruled: DeployedStack, path: str) -> None:
    status, body, _ = ask(ruled, "reader", "GET", path)
    assert status == 403, body
    assert b"DENIED" in body


def test_decisions_are_the_rules_own_for_many_users_and_rules(make_stack: Callable[..., DeployedStack]) -> None:
    chance = Random(4)
    users = [f"user{number:02}" for number in range(100)]
    words = ["team", "app", "base", "web", "x"]
    rules = [
        {
            "users": chance.sample(users, chance.randint(1, 5)),
            "repositories": ["/".join(chance.choice([*words, "*", "a?p", "b*"]) for _ in range(chance.randint(1, 3)))],
            "allow": chance.sample(["pull", "push", "delete"], chance.randint(1, 3)),
        }
        for _ in range(200)
    ]
    stack = make_stack()
    write_users(stack, users)
    write_rules(stack, rules)
    stack.up()
    try:
        seen = set()
        for _ in range(400):
            user = chance.choice(users)
            repository = "/".join(chance.choices(words, k=chance.randint(1, 3)))
            action, method, tail = chance.choice(
                [("pull", "GET", "tags/list"), ("push", "POST", "blobs/uploads/"), ("delete", "DELETE", "manifests/x")]
            )
            wanted = any(
                user in rule["users"] and action in rule["allow"] and fnmatchcase(repository, rule["repositories"][0])
                for rule in rules
            )
            status, _, _ = ask(stack, user, method, f"/v2/{repository}/{tail}")
            assert (status != 403) is wanted, (user, action, repository)
            seen.add((wanted, action))
        assert len(seen) == 6
    finally:
        stack.remove()


# -- the repository that a layer is mounted from


FORM = (
    b'--b\r\nContent-Disposition: form-data; name="from"\r\n\r\nsecret/app\r\n'
    b'--b\r\nContent-Disposition: form-data; name="mount"\r\n\r\n{digest}\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("query", "body", "kind"),
    [
        ("?mount={digest}&from=secret/app", b"", ""),
        ("?from=secret/app&mount={digest}", b"", ""),
        ("?mount={digest}&from=open/app&from=secret/app", b"", ""),
        ("?mount={digest}&from=secret/app&from=open/app", b"", ""),
        ("?mount={digest}&%66rom=secret%2fapp", b"", ""),
        ("?mount={digest}&from=open/app;from=secret/app", b"", ""),
        ("?mount={digest}&x=1;from=secret/app&from=open/app", b"", ""),
        ("?mount={digest}", b"from=secret/app", "application/x-www-form-urlencoded"),
        ("", b"mount={digest}&from=secret/app", "application/x-www-form-urlencoded"),
        ("?mount={digest}&from=open/app", b"from=secret/app", "application/x-www-form-urlencoded"),
        ("", FORM, "multipart/form-data; boundary=b"),
    ],
)  # fmt: skip
def test_a_layer_of_a_repository_that_one_may_not_read_is_not_mounted(
    ruled: DeployedStack, clients: dict[str, httpx.Client], query: str, body: bytes, kind: str
) -> None:
    manifest = clients["admin"].get("/v2/secret/app/manifests/1").json()
    digest = manifest["layers"][0]["digest"]
    target = "/v2/open/new/blobs/uploads/" + query.replace("{digest}", quote(digest))
    headers = {"Content-Type": kind} if kind else {}
    status, _, _ = ask(ruled, "writer", "POST", target, headers, body.replace(b"{digest}", digest.encode()))
    assert status == 202
    assert clients["admin"].head(f"/v2/open/new/blobs/{digest}").status_code == 404


def test_a_layer_of_a_repository_that_one_may_read_is_mounted(clients: dict[str, httpx.Client]) -> None:
    layer = clients["admin"].get("/v2/open/app/manifests/1").json()["layers"][0]["digest"]
    where = "/v2/mounted/app/blobs/uploads/"
    mounted = clients["admin"].post(where, params={"mount": layer, "from": "open/app"})
    assert mounted.status_code == 201


def test_an_upload_of_another_repository_is_nobody_else_s(clients: dict[str, httpx.Client]) -> None:
    begun = clients["admin"].post("/v2/secret/app/blobs/uploads/").headers["Location"]
    moved = begun.replace("/secret/app/", "/open/app/")
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = clients["writer"].request(method, moved, content=b"x" if method in {"PATCH", "PUT"} else None)
        assert answer.status_code in {400, 404, 405, 416}, (method, answer.status_code)
        assert clients["writer"].request(method, begun).status_code == 403


# -- headers


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Prefix": "/v2/open", "X-Forwarded-Uri": "/v2/open/app/manifests/1"},
        {"X-Original-Url": "/v2/open/app/manifests/1", "X-Rewrite-Url": "/v2/open/app/manifests/1"},
        {"X-Forwarded-User": "admin", "Remote-User": "admin", "X-Remote-User": "admin"},
        {"Host": "127.0.0.1:2020"},
        {"Host": "localhost:2019"},
        {"X-HTTP-Method-Override": "GET"},
        {"Connection": "Authorization, X-Forwarded-For"},
        {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA"},
        {"Forwarded": 'for=127.0.0.1;host="registry";proto=https'},
    ],
    ids=",".join,
)  # fmt: skip
def test_no_header_gets_past_a_rule(ruled: DeployedStack, headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        status, body, _ = ask(ruled, "reader", method, "/v2/secret/app/manifests/1", headers)
        assert status == 403, body


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://registry.test.elsewhere", "//"])
def test_a_page_of_another_origin_changes_nothing(ruled: DeployedStack, origin: str) -> None:
    for method, target in (("POST", "/v2/open/app/blobs/uploads/"), ("DELETE", "/v2/open/app/manifests/1")):
        status, body, _ = ask(ruled, "admin", method, target, {"Origin": origin})
        assert (status, b"another origin" in body) == (403, True)
    assert ask(ruled, "admin", "GET", "/v2/open/app/tags/list", {"Origin": origin})[0] == 200


def test_the_registry_s_own_page_and_clients_without_an_origin_write(ruled: DeployedStack) -> None:
    target = "/v2/open/app/blobs/uploads/"
    own = {"Origin": "https://registry.test:5000", "Host": "registry.test:5000"}
    assert ask(ruled, "admin", "POST", target, own)[0] == 202
    assert ask(ruled, "admin", "POST", target)[0] == 202


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_ping_takes_only_what_reads(ruled: DeployedStack, method: str) -> None:
    assert ask(ruled, "reader", method, "/v2/", body=b"x" * 1000)[0] == 403


def test_a_second_login_gives_no_right(ruled: DeployedStack) -> None:
    def status(*users: str) -> int:
        with socket.create_connection(("127.0.0.1", ruled.port), timeout=PATIENCE_SECONDS) as raw:
            lines = [f"Authorization: {authorization(user)}" for user in users]
            request = "GET /v2/secret/app/manifests/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + "\r\n".join(lines)
            raw.sendall(f"{request}\r\n\r\n".encode())
            return int(raw.makefile("rb").readline().split()[1])

    assert status("reader", "admin") in {401, 403}
    assert status("admin", "reader") in {200, 400, 401}
    assert status("reader") == 403
    assert status() == 401


BEGUN = "POST /v2/open/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n{sign}"


@pytest.mark.parametrize(
    "smuggled",
    [
        BEGUN + "Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{second}",
        BEGUN + "Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{second}",
        BEGUN + "Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n\r\n{second}",
        BEGUN + "Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n{second}",
        "GET /v2/open/app/manifests/1 HTTP/1.1\r\nHost: x\r\n{sign}Content-Length: {length}\r\n\r\n{second}",
    ],
)
def test_no_request_is_smuggled_in_another(ruled: DeployedStack, smuggled: str) -> None:
    second = "GET /v2/secret/app/manifests/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    sign = f"Authorization: {authorization('writer')}\r\n"
    request = smuggled.format(sign=sign, second=second, length=len(second))
    with socket.create_connection(("127.0.0.1", ruled.port), timeout=PATIENCE_SECONDS) as raw:
        raw.sendall(request.encode())
        raw.shutdown(socket.SHUT_WR)
        answered = b""
        while piece := raw.recv(65536):
            answered += piece
    statuses = [int(line.split()[1]) for line in answered.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    # A second answer can only be to a request without a login.
    assert statuses
    assert statuses[1:] in ([], [401], [400])
    assert sha256(image(SECRET).content).encode() not in answered
    assert b"schemaVersion" not in answered.partition(b"HTTP/1.1")[2].partition(b"HTTP/1.1")[2]
