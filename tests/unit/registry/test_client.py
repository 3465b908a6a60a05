from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deployer.errors import (
    DeletingDisabled,
    Denied,
    DeployerError,
    Forbidden,
    NotFound,
    Obstructed,
    RegistryError,
)
from deployer.layout import DISK_REFUSAL
from deployer.registry.client import RegistryClient
from deployer.registry.content.manifests import DOCKER_MANIFEST, MANIFEST_TYPES
from deployer.registry.login.credentials import Credentials
from tests.support.fake_registry import HTML, Asked, FakeRegistry, Held, Reply, pushed, refused
from tests.support.registry_content import DOCKER, OCI, Image, image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

URL = "http://localhost:5000"
UNKNOWN = "sha256:" + "f" * 64


@pytest.fixture(params=["2.8", "3"])
def fake(request: pytest.FixtureRequest) -> FakeRegistry:
    return FakeRegistry(version=request.param)


@pytest.fixture
def client(fake: FakeRegistry) -> Iterator[RegistryClient]:
    with RegistryClient(URL, {}, transport=fake.transport) as made:
        yield made


def answering(fake: FakeRegistry, reply: Reply, path: str = "") -> None:
    """Answer with this wherever the path has these words in it."""
    fake.before = lambda asked: reply if path in asked.path else None


def failing(error: type[DeployerError], words: str) -> AbstractContextManager[pytest.ExceptionInfo[DeployerError]]:
    return pytest.raises(error, match=words)


def test_a_registry_is_recognised(client: RegistryClient, fake: FakeRegistry) -> None:
    client.ping()
    answering(fake, Reply(200, HTML, {"Content-Type": "text/html"}))
    with failing(RegistryError, "is not a registry"):
        client.ping()


# --- catalog ---------------------------------------------------------------------------------------------------------


def test_the_catalog_is_one_request(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.repositories = {f"team/app{number}": Held() for number in range(2000)}
    assert client.catalog() == tuple(sorted(fake.repositories))
    assert [asked.path for asked in fake.asked] == ["/v2/_catalog?n=1000000"]


def test_an_empty_catalog_is_empty(client: RegistryClient, fake: FakeRegistry) -> None:
    assert client.catalog() == ()
    answering(fake, Reply(200, b'{"repositories": null}'))
    assert client.catalog() == ()


@pytest.mark.parametrize(("most", "pages"), [(1000, 5), (7, 4)])
def test_where_so_large_a_page_is_refused_the_links_are_followed(
    client: RegistryClient, fake: FakeRegistry, most: int, pages: int
) -> None:
    count = 3500 if most == 1000 else 12
    fake.max_entries = most
    fake.repositories = {f"app{number}": Held() for number in range(count)}
    assert client.catalog() == tuple(sorted(fake.repositories))
    assert len(fake.asked) == pages
    assert fake.asked[1].path == "/v2/_catalog?n=1000"


@pytest.mark.parametrize(
    "link",
    [
        '</v2/_catalog?last=a&n=1>; rel="next"',
        "<_catalog?last=a&n=1>;rel=next",
        '<?last=a&n=1>; title="x"; rel="next"',
        '</v2/_catalog?last=none>; rel="prev", </v2/_catalog?last=a&n=1>; rel="next"',
        '<http://registry.internal:5000/v2/_catalog?last=a&n=1>; rel="next"',
    ],
)
def test_links_are_resolved_and_stay_at_this_registry(client: RegistryClient, fake: FakeRegistry, link: str) -> None:
    pages = {"/v2/_catalog?n=1000000": ("a", {"Link": link}), "/v2/_catalog?last=a&n=1": ("b", {})}

    def before(asked: Asked) -> Reply:
        name, headers = pages[asked.path]
        return Reply(200, json.dumps({"repositories": [name]}).encode(), headers)

    fake.before = before
    assert client.catalog() == ("a", "b")


@pytest.mark.parametrize("link", ["/v2/_catalog?n=1000000", "/v2/_catalog?last=x"])
def test_pages_that_go_in_a_circle_are_refused(client: RegistryClient, fake: FakeRegistry, link: str) -> None:
    answering(fake, Reply(200, b'{"repositories": ["a"]}', {"Link": f'<{link}>; rel="next"'}))
    with failing(RegistryError, "in an endless loop") as caught:
        client.catalog()
    assert link in caught.value.original
    assert len(fake.asked) < 4


def test_a_catalog_that_breaks_off_while_paging_names_the_cure(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.max_entries = 2
    fake.repositories = {name: Held() for name in "abcde"}

    def panicking(asked: Asked) -> Reply | None:
        if "last=b" in asked.path:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return None

    fake.before = panicking
    with failing(RegistryError, "closed the connection without responding") as caught:
        client.catalog()
    assert "catalog.maxentries: 1000000" in caught.value.advice[-1]


def test_a_page_that_is_refused_ends_the_listing(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.max_entries = 2
    fake.repositories = {name: Held() for name in "abcde"}
    answering(fake, refused(500, "UNKNOWN"), "last=d")
    with failing(RegistryError, "failed"):
        client.catalog()


# --- tags ------------------------------------------------------------------------------------------------------------


def test_tags_are_sorted(client: RegistryClient, fake: FakeRegistry) -> None:
    for tag in ("b", "c", "a"):
        pushed(fake, "app", tag, image("x"))
    assert client.tags("app") == ("a", "b", "c")
    assert fake.asked_for("GET") == ["/v2/app/tags/list"]


def test_tags_in_pages_are_followed() -> None:
    fake = FakeRegistry(version="3", tags_page=2)
    for number in range(5):
        pushed(fake, "app", f"t{number}", image("x"))
    with RegistryClient(URL, {}, transport=fake.transport) as client:
        assert client.tags("app") == ("t0", "t1", "t2", "t3", "t4")
    assert len(fake.asked) == 3


@pytest.mark.parametrize("emptied", ["null", "list"])
def test_an_emptied_repository_has_no_tags(client: RegistryClient, fake: FakeRegistry, emptied: str) -> None:
    fake.emptied = emptied
    fake.repositories["app"] = Held()
    assert client.tags("app") == ()


def test_an_unknown_repository_is_not_found(client: RegistryClient) -> None:
    with failing(NotFound, "No repository named 'team/app' at localhost:5000") as caught:
        client.tags("team/app")
    assert "NAME_UNKNOWN" in caught.value.original


# --- manifests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [image("x", media=DOCKER), image("x", media=OCI), index([], media=OCI)])
def test_a_manifest_comes_byte_for_byte(client: RegistryClient, fake: FakeRegistry, made: Image) -> None:
    pushed(fake, "team/app", "1", made)
    document = client.document("team/app", "1")
    assert (document.content, document.digest, document.media_type) == (made.content, made.digest, made.media_type)
    assert document.status_line == "HTTP/1.1 200 OK"
    assert ("Docker-Content-Digest", made.digest) in document.headers
    assert client.manifest("team/app", made.digest).content == made.content


def test_all_four_types_and_any_other_are_named_in_every_manifest_request(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    made = pushed(fake, "app", "1", image("x"))
    client.manifest("app", "1")
    client.head("app", "1")
    client.check_deleting("app")
    client.delete_tag("app", "1")
    client.delete_manifest("app", made.digest)
    assert {asked.headers["accept"] for asked in fake.asked} == {", ".join((*MANIFEST_TYPES, "*/*"))}


def test_head_gives_type_digest_and_size(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x", media=OCI))
    found = client.head("app", "1")
    assert (found.media_type, found.digest, found.size) == (made.media_type, made.digest, len(made.content))
    assert [asked.method for asked in fake.asked] == ["HEAD"]


def test_head_without_a_digest_falls_back_to_the_manifest(client: RegistryClient, fake: FakeRegistry) -> None:
    made = image("x")
    answering(fake, Reply(200, made.content, {"Content-Type": made.media_type}))
    found = client.head("app", "1")
    assert (found.digest, found.size) == (made.digest, len(made.content))


@pytest.mark.parametrize(("reference", "name"), [("1", "app:1"), (UNKNOWN, f"app@{UNKNOWN}")])
def test_an_unknown_manifest_is_not_found(client: RegistryClient, reference: str, name: str) -> None:
    for ask in (client.manifest, client.head):
        with failing(NotFound, f"No image '{name}' at localhost:5000"):
            ask("app", reference)


@pytest.mark.parametrize("change", [lambda content: content + b" ", lambda content: content[:-1]])
def test_bytes_that_do_not_fit_their_digest_are_refused(
    client: RegistryClient, fake: FakeRegistry, change: Callable[[bytes], bytes]
) -> None:
    made = image("x")
    headers = {"Content-Type": made.media_type, "Docker-Content-Digest": made.digest}
    answering(fake, Reply(200, change(made.content), headers))
    with failing(RegistryError, "does not match its digest") as caught:
        client.manifest("app", "1")
    assert made.digest in caught.value.original


def test_another_manifest_than_the_one_asked_for_is_refused(client: RegistryClient, fake: FakeRegistry) -> None:
    made = image("x")
    headers = {"Content-Type": made.media_type, "Docker-Content-Digest": made.digest}
    answering(fake, Reply(200, made.content, headers))
    with failing(RegistryError, "does not match its digest"):
        client.manifest("app", UNKNOWN)


def test_a_sha512_digest_is_checked_too(client: RegistryClient, fake: FakeRegistry) -> None:
    made = image("x")
    headers = {"Content-Type": made.media_type, "Docker-Content-Digest": "sha512:" + "0" * 128}
    answering(fake, Reply(200, made.content, headers))
    with failing(RegistryError, "does not match its digest"):
        client.manifest("app", "1")


def test_a_web_page_in_place_of_a_manifest(client: RegistryClient, fake: FakeRegistry) -> None:
    answering(fake, Reply(200, HTML, {"Content-Type": "text/html"}))
    with failing(RegistryError, "is not a registry"):
        client.manifest("app", "1")


def test_a_manifest_that_is_none_is_named(client: RegistryClient, fake: FakeRegistry) -> None:
    answering(fake, Reply(200, b'{"schemaVersion": 2, "layers": []}', {"Content-Type": DOCKER_MANIFEST}))
    with failing(RegistryError, "^app:1: The manifest is not valid"):
        client.manifest("app", "1")


def test_a_blob_is_checked(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    settings = made.blobs[0]
    assert client.blob("app", sha256(settings)) == settings
    fake.blobs[sha256(settings)] = b"damaged"
    with failing(RegistryError, "does not match its digest"):
        client.blob("app", sha256(settings))
    del fake.blobs[sha256(settings)]
    with failing(NotFound, "is missing the blob .* of 'app'"):
        client.blob("app", sha256(settings))


# --- writing ---------------------------------------------------------------------------------------------------------


def test_what_is_uploaded_can_be_read(client: RegistryClient) -> None:
    made = image(media=OCI)
    assert client.put_blob("team/app", made.blobs[0]) == sha256(made.blobs[0])
    assert client.put_manifest("team/app", "1", made.media_type, made.content) == made.digest
    assert client.manifest("team/app", "1").content == made.content
    assert client.blob("team/app", sha256(made.blobs[0])) == made.blobs[0]


@pytest.mark.parametrize(("method", "path"), [("POST", "blobs"), ("PUT", "blobs"), ("PUT", "manifests")])
def test_uploads_that_are_refused_say_so(client: RegistryClient, fake: FakeRegistry, method: str, path: str) -> None:
    fake.before = lambda asked: refused(403, "DENIED") if asked.method == method and path in asked.path else None
    with failing(Forbidden, "does not allow you .not logged in. to push to 'app'"):
        client.put_blob("app", b"x")
        client.put_manifest("app", "1", DOCKER_MANIFEST, b"{}")


@pytest.mark.parametrize(
    ("state", "words", "variable"),
    [
        ("disabled", "Deleting is disabled", "REGISTRY_STORAGE_DELETE_ENABLED"),
        ("read-only", "is read-only", "REGISTRY_STORAGE_MAINTENANCE_READONLY"),
    ],
)
def test_why_nothing_is_deleted_is_said(
    client: RegistryClient, fake: FakeRegistry, state: str, words: str, variable: str
) -> None:
    made = pushed(fake, "app", "1", image("x"))
    fake.deleting = state
    with failing(DeletingDisabled, words) as caught:
        client.check_deleting("app")
    assert f"without {variable} in compose.override.yaml" in caught.value.advice[0]
    with failing(DeletingDisabled, words):
        client.delete_manifest("app", made.digest)
    assert fake.repositories["app"].tags == {"1": made.digest}


def test_asking_whether_deleting_works_deletes_nothing(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    client.check_deleting("app")
    assert fake.asked_for("DELETE") == ["/v2/app/manifests/sha256:" + "0" * 64]
    assert fake.repositories["app"].tags == {"1": made.digest}


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refused(403, "DENIED"), Denied),
        (refused(503, "UNAVAILABLE"), RegistryError),
        (refused(500, "UNKNOWN"), RegistryError),
        (Reply(404, HTML, {"Content-Type": "text/html"}), RegistryError),
    ],
)
def test_a_probe_that_is_refused_is_no_permission(
    client: RegistryClient, fake: FakeRegistry, reply: Reply, error: type[DeployerError]
) -> None:
    answering(fake, reply)
    with pytest.raises(error):
        client.check_deleting("app")


def test_one_tag_can_be_deleted_on_3_alone(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", "2", made)
    assert client.delete_tag("app", "1") == (fake.version == "3")
    assert set(fake.repositories["app"].tags) == ({"2"} if fake.version == "3" else {"1", "2"})


def test_what_is_not_there_cannot_be_deleted(client: RegistryClient, fake: FakeRegistry) -> None:
    with failing(NotFound, "No image 'app@sha256"):
        client.delete_manifest("app", UNKNOWN)
    if fake.version == "3":
        with failing(NotFound, "No image 'app:1'"):
            client.delete_tag("app", "1")


# --- refusals --------------------------------------------------------------------------------------------------------

MAINTENANCE = refused(503, "UNAVAILABLE", message="maintenance: gc is running.")


# As distribution 3.1.1 answers for what 2.8 has stored.
SCHEMA_1 = refused(500, "UNKNOWN", "unrecognized manifest schema version 1", "unknown error")


@pytest.mark.parametrize(
    ("reply", "error", "message", "advice"),
    [
        (SCHEMA_1, RegistryError, "which the registry at localhost:5000 cannot serve", "registry:2.8.3"),
        (refused(500, "UNKNOWN", {"path": "/x"}), RegistryError, "failed (HTTP 500)", "deployer logs"),
        (refused(500, "UNKNOWN", {"Path": "/x", "Err": 20}), Obstructed, "instead of a directory at /x", "doctor"),
        (refused(500, "UNKNOWN", {"Path": "/x", "Err": 21}), Obstructed, "instead of a file at /x", "doctor"),
        (refused(500, "UNKNOWN", {"Path": "/x", "Err": 2}), RegistryError, "failed (HTTP 500)", "deployer logs"),
        (refused(500, "UNKNOWN", "filesystem: open /x: not a directory"), Obstructed, "at /x or above it", "doctor"),
        (refused(500, "UNKNOWN", {"Op": "write", "Path": "/x", "Err": 28}), RegistryError, "is full", "deployer gc"),
        (refused(403, "DENIED", message="not at night"), Forbidden, "repositories: not at night.", "docker login"),
        (Reply(403), Forbidden, "list all repositories.", "deployer tags NAME"),
        (refused(403, "DENIED", message=f"{DISK_REFUSAL} (1 GB free)"), RegistryError, "(1 GB free).", "deployer gc"),
        (Reply(429, b"", {"Retry-After": "7"}), RegistryError, "received too many requests", "Try again in 7 seconds."),
        (Reply(429), RegistryError, "received too many requests", "Try again in a moment."),
        (MAINTENANCE, RegistryError, "cannot accept this request now: maintenance: gc is running.", "in a moment"),
        (Reply(502), RegistryError, "The registry behind localhost:5000 is not responding", "deployer status"),
        (Reply(503, HTML), RegistryError, "The registry behind localhost:5000 is not responding", "deployer status"),
        (Reply(307, b"", {"Location": ""}), RegistryError, "redirects", "Use that host"),
        (refused(418, "TEAPOT"), RegistryError, "rejected the request (HTTP 418)", ""),
        (refused(404, "UNSUPPORTED"), NotFound, "has no such resource", ""),
        (refused(405, "UNSUPPORTED"), RegistryError, "does not support this kind of request", ""),
    ],
)
def test_every_refusal_has_its_sentence(reply: Reply, error: type[DeployerError], message: str, advice: str) -> None:
    fake = FakeRegistry()
    answering(fake, reply)
    with RegistryClient(URL, {}, transport=fake.transport) as client, pytest.raises(error) as caught:
        client.catalog()
    assert message in caught.value.message
    assert advice in " ".join(caught.value.advice)
    assert f"HTTP/1.1 {reply.status}" in caught.value.original


def test_the_registrys_own_words_are_kept() -> None:
    fake = FakeRegistry()
    answering(fake, refused(500, "UNKNOWN", {"Op": "mkdir", "Err": 28}, message="unknown error"))
    with RegistryClient(URL, {}, transport=fake.transport) as client, pytest.raises(RegistryError) as caught:
        client.catalog()
    assert 'UNKNOWN: unknown error ({"Op": "mkdir", "Err": 28})' in caught.value.original


@pytest.mark.parametrize("errors", ["x", [], [5], [{"code": 5}], [{"message": ["x"]}], {"code": "X"}])
def test_errors_in_a_form_of_their_own_do_not_confuse(errors: Any) -> None:
    fake = FakeRegistry()
    answering(fake, Reply(403, json.dumps({"errors": errors}).encode()))
    with RegistryClient(URL, {}, transport=fake.transport) as client, pytest.raises(Denied):
        client.catalog()


# --- what a user may not do ------------------------------------------------------------------------------------------


def denied(action: str, name: str) -> Reply:
    """What the frontend answers."""
    detail = [{"Type": "repository", "Name": name, "Action": action}]
    return refused(403, "DENIED", detail, "requested access to the resource is denied")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda client: client.tags("team/app"), "does not allow 'ann' to pull from 'team/app'."),
        (lambda client: client.head("team/app", "1"), "does not allow 'ann' to pull from 'team/app'."),
        (lambda client: client.blob("team/app", UNKNOWN), "does not allow 'ann' to pull from 'team/app'."),
        (lambda client: client.put_blob("team/app", b"x"), "does not allow 'ann' to push to 'team/app'."),
        (lambda client: client.delete_manifest("team/app", UNKNOWN), "does not allow 'ann' to delete from 'team/app'."),
        (lambda client: client.check_deleting("team/app"), "does not allow 'ann' to delete from 'team/app'."),
        (lambda client: client.ping(), "does not allow 'ann' to do this."),
    ],
)
@pytest.mark.parametrize("detailed", [True, False])
def test_a_denial_says_who_may_not_do_what(act: Callable[[RegistryClient], Any], words: str, detailed: bool) -> None:
    fake = FakeRegistry(user=("ann", "pw"))

    def deny(asked: Asked) -> Reply | None:
        if "authorization" not in asked.headers:
            return None
        action = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(asked.method, "push")
        return denied(action, "team/app") if detailed and asked.path != "/v2/" else refused(403, "DENIED")

    fake.before = deny
    client = RegistryClient(URL, {}, credentials=Credentials("ann", "pw"), transport=fake.transport)
    with client, pytest.raises(Forbidden) as caught:
        act(client)
    assert words in caught.value.message.replace(": no.", ".")
    assert "docker login localhost:5000" in caught.value.advice[-1]
    assert "access:" in caught.value.advice[0]


def test_a_user_who_may_not_list_is_told_the_way_to_one_repository() -> None:
    fake = FakeRegistry(user=("ann", "pw"))
    fake.before = lambda asked: denied("*", "catalog") if "authorization" in asked.headers else None
    client = RegistryClient(URL, {}, credentials=Credentials("ann", "pw"), transport=fake.transport)
    with client, failing(Forbidden, "does not allow 'ann' to list all repositories\\.") as caught:
        client.catalog()
    assert caught.value.advice[0] == "You can still open a repository by name: deployer tags NAME"


def test_names_in_a_denial_do_not_reach_the_terminal_raw(client: RegistryClient, fake: FakeRegistry) -> None:
    answering(fake, denied("none", "a\nb\x1b"))
    with failing(Forbidden, "do this to 'a b\ufffd'"):
        client.tags("app")
