from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from deployer.errors import Denied, Forbidden, NotFound, RegistryError, RegistryUnreachable, UsageError
from deployer.registry.client import RegistryClient
from deployer.registry.content import placeholder
from deployer.registry.content.kinds import Kind, Purpose
from deployer.registry.content.order import natural
from deployer.workflows.images import browse, inspection
from deployer.workflows.images.naming import own_reference
from deployer.workflows.images.tags import Repository, Tag
from tests.support.fake_registry import Asked, FakeRegistry, Held, Reply, pushed, refused
from tests.support.registry_content import DOCKER, OCI, Image, image, index, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "http://localhost:5000"


@pytest.fixture(params=["2.8", "3"])
def fake(request: pytest.FixtureRequest) -> FakeRegistry:
    return FakeRegistry(version=request.param)


@pytest.fixture
def client(fake: FakeRegistry) -> Iterator[RegistryClient]:
    with RegistryClient(URL, {}, transport=fake.transport) as made:
        yield made


def names(found: Repository) -> list[str]:
    return [tag.name for tag in found.tags]


# --- catalog ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], ("a", "team/a", "team/sub/b")),
        (["a"], ("a",)),
        (["team/*"], ("team/a", "team/sub/b")),
        (["*a", "*b"], ("a", "team/a", "team/sub/b")),
        (["A"], ()),
    ],
)
def test_patterns_choose_repositories(
    client: RegistryClient, fake: FakeRegistry, patterns: list[str], expected: tuple[str, ...]
) -> None:
    fake.repositories = {name: Held() for name in ("team/sub/b", "team/a", "a")}
    assert browse.list_catalog(client, patterns) == browse.Catalog(expected, 3)


def denying(fake: FakeRegistry, *parts: str) -> None:
    """Deny what has one of these words in its path."""
    fake.before = lambda asked: refused(403, "DENIED") if any(part in asked.path for part in parts) else None


def test_who_may_not_list_still_sees_what_is_named_in_full(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.repositories = {
        "team/a": Held(tags={"1": ""}),
        "team/b": Held(tags={"1": ""}),
        "team/c": Held(),
    }
    denying(fake, "_catalog", "team/b/")
    assert browse.list_catalog(client, ["team/a", "gone"]).repositories == ("team/a",)
    for patterns in ([], ["team/*"], ["team/a", "*"]):
        with pytest.raises(Forbidden, match="list all repositories"):
            browse.list_catalog(client, patterns)
    with pytest.raises(Forbidden, match="pull from 'team/b'"):
        browse.list_catalog(client, ["team/a", "team/b"])
    with pytest.raises(NotFound, match="No repository named 'gone'"):
        browse.list_catalog(client, ["gone"])


def test_one_repository_that_is_denied_does_not_hide_the_others(client: RegistryClient, fake: FakeRegistry) -> None:
    for name in ("a", "b", "c"):
        pushed(fake, name, "1", image(name))
    denying(fake, "/b/")
    found = browse.list_everything(client, ("a", "b", "c"))
    assert [(one.name, len(one.tags), bool(one.failed)) for one in found] == [
        ("a", 1, False), ("b", 0, True), ("c", 1, False),
    ]  # fmt: skip


def test_everything_is_listed_with_its_tags(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "a", "1", image("x"))
    pushed(fake, "b", "2", image("y"))
    fake.repositories["empty"] = Held()
    found = browse.list_everything(client, ["a", "b", "empty", "gone"])
    assert {one.name: names(one) for one in found} == {"a": ["1"], "b": ["2"], "empty": [], "gone": []}
    assert not any(one.failed for one in found)


def test_folders_that_are_no_repositories_are_apart(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.repositories = {name: Held() for name in ("app", "#recycle/app", "Upper/App", "app/_x")}
    assert browse.list_catalog(client) == browse.Catalog(("app",), 1, ("#recycle/app", "Upper/App", "app/_x"))
    assert browse.list_catalog(client, ["Upper/*"]) == browse.Catalog((), 1, ("Upper/App",))


# --- tags ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media", [DOCKER, OCI])
def test_a_tag_tells_what_it_names(client: RegistryClient, fake: FakeRegistry, media: str) -> None:
    made = pushed(fake, "centos", "7-git", image("one", "two", media=media))
    assert browse.list_tags(client, "centos") == Repository(
        "centos",
        (
            Tag(
                name="7-git",
                digest=made.digest,
                media_type=made.media_type,
                size=made.size,
                created=datetime(2024, 6, 29, 23, 28, 22, tzinfo=UTC),
                platforms=("linux/amd64",),
            ),
        ),
    )


@pytest.mark.parametrize("media", [DOCKER, OCI])
def test_an_index_is_the_sum_of_its_platforms(client: RegistryClient, fake: FakeRegistry, media: str) -> None:
    amd = image("amd", media=media, created="2024-01-01T00:00:00Z")
    arm = image("arm", media=media, platform="linux/arm64/v8", created="2024-02-01T00:00:00Z")
    proof = image("proof", media=media, platform="unknown/unknown", created="2025-01-01T00:00:00Z")
    children = [(amd, "linux/amd64"), (arm, "linux/arm64/v8"), (amd, "linux/amd64"), (proof, "unknown/unknown")]
    pushed(fake, "app", "1", amd, arm, proof, index(children, media=media))
    (tag,) = browse.list_tags(client, "app").tags
    assert tag.size == amd.size + arm.size
    assert tag.platforms == ("linux/amd64", "linux/arm64")
    assert tag.created == datetime(2024, 2, 1, tzinfo=UTC)


def test_a_child_without_a_platform_says_it_itself(client: RegistryClient, fake: FakeRegistry) -> None:
    made = image("x", media=OCI, platform="linux/riscv64")
    pushed(fake, "app", "1", made, index([(made, None)], media=OCI))
    (tag,) = browse.list_tags(client, "app").tags
    assert tag.platforms == ("linux/riscv64",)


def test_an_index_in_an_index_is_read(client: RegistryClient, fake: FakeRegistry) -> None:
    made = image("x", media=OCI)
    inner = index([(made, "linux/amd64")], media=OCI)
    pushed(fake, "app", "1", made, inner, index([(inner, None)], media=OCI))
    (tag,) = browse.list_tags(client, "app").tags
    assert (tag.size, tag.platforms) == (made.size, ("linux/amd64",))


def test_what_many_tags_share_is_fetched_once(client: RegistryClient, fake: FakeRegistry) -> None:
    amd, arm = image("amd"), image("arm", platform="linux/arm64")
    for number in range(20):
        pushed(fake, "app", f"t{number}", amd, arm, index([(amd, "linux/amd64"), (arm, "linux/arm64")]))
    browse.list_tags(client, "app")
    below = [path for path in fake.asked_for("GET") if "sha256:" in path]
    assert len(below) == len(set(below)) == 4


def test_an_artifact_has_a_size_and_no_platform(client: RegistryClient, fake: FakeRegistry) -> None:
    settings = b"not even JSON"
    chart = image("chart", media=OCI, annotations={"org.opencontainers.image.created": "2024-03-01T00:00:00Z"})
    document = chart.document
    document["config"] = {
        "mediaType": "application/vnd.cncf.helm.config.v1+json",
        "digest": sha256(settings),
        "size": 13,
    }
    made = Image(repr(document).replace("'", '"').encode(), chart.media_type, (settings, *chart.blobs[1:]))
    pushed(fake, "chart", "1", made)
    (tag,) = browse.list_tags(client, "chart").tags
    assert (tag.size, tag.platforms, tag.created) == (made.size, (), datetime(2024, 3, 1, tzinfo=UTC))
    assert not [path for path in fake.asked_for("GET") if "blobs" in path]
    found = inspection.inspect(client, "chart:1")
    assert (found.config, found.config_content) == (None, settings)


ORDERS: dict[browse.TagOrder, list[str]] = {
    "name": ["7.9", "7.10", "latest", "old"],
    "created": ["7.10", "latest", "7.9", "old"],
    "size": ["old", "7.10", "7.9", "latest"],
}


@pytest.mark.parametrize("order", ["name", "created", "size"])
def test_tags_come_in_the_order_that_is_asked_for(
    client: RegistryClient, fake: FakeRegistry, order: browse.TagOrder
) -> None:
    pushed(fake, "app", "latest", made := image("x", created="2024-02-01T00:00:00Z"))
    pushed(fake, "app", "7.9", made)
    pushed(fake, "app", "7.10", image("a bit larger", created="2024-03-01T00:00:00Z"))
    pushed(fake, "app", "old", image("".join(map(str, range(99))), created=None))
    assert names(browse.list_tags(client, "app", order)) == ORDERS[order]


def test_what_is_attached_is_not_listed(client: RegistryClient, fake: FakeRegistry) -> None:
    made = image("x")
    attached = f"sha256-{made.digest[7:]}"
    for tag in ("1.0", f"{attached}.imgpkg"):
        pushed(fake, "app", tag, made)
    for ending in ("", ".sig", ".src"):
        pushed(fake, "app", f"{attached}{ending}", image(f"attached {ending}", media=OCI))
    found = browse.list_tags(client, "app")
    assert [tag.name for tag in found.listed] == ["1.0", f"{attached}.imgpkg"]
    assert {tag.name: tag.attached_to for tag in found.attached} == {
        f"{attached}{ending}": made.digest for ending in ("", ".sig", ".src")
    }


def test_where_there_is_nothing_else_what_is_attached_is_listed(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", f"sha256-{'a' * 64}.sig", image("signature", media=OCI))
    found = browse.list_tags(client, "app")
    assert (len(found.listed), found.attached) == (1, ())


def test_of_tags_of_one_moment_the_last_in_natural_order_is_first(client: RegistryClient, fake: FakeRegistry) -> None:
    for tag in ("1.9", "1.10", "1.2"):
        pushed(fake, "app", tag, image(tag, created="2024-02-01T00:00:00Z"))
    pushed(fake, "app", "epoch", image("epoch", created="1970-01-01T00:00:00Z"))
    assert names(browse.list_tags(client, "app", "created")) == ["1.10", "1.9", "1.2", "epoch"]


def test_natural_order_is_total() -> None:
    mixed = ["v10", "1.10", "a", "1", "", "1-rc", "v2", "01", "1.9"]
    assert sorted(mixed, key=natural) == ["", "01", "1", "1-rc", "1.9", "1.10", "a", "v2", "v10"]


def test_a_tag_that_is_gone_by_then_is_left_out(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", "2", image("y"))

    def before(asked: Asked) -> None:
        if asked.path.endswith("/1"):
            fake.repositories["app"].tags.pop("1", None)

    fake.before = before
    found = browse.list_tags(client, "app")
    assert (names(found), found.unread) == (["2"], ())


@pytest.mark.parametrize(("points_to", "words"), [("", "HTTP 500"), ("sha256:" + "0" * 64, "Its manifest is missing")])
def test_a_tag_that_names_nothing_is_not_hidden(
    client: RegistryClient, fake: FakeRegistry, points_to: str, words: str
) -> None:
    pushed(fake, "app", "1", image("x"))
    fake.repositories["app"].tags["broken"] = points_to
    found = browse.list_tags(client, "app")
    assert names(found) == ["1"]
    (unread,) = found.unread
    assert (unread.name, unread.digest, unread.may_be_whole) == ("broken", "", False)
    assert words in unread.error.message


def test_a_tag_that_is_just_being_written_is_asked_for_again(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", image("x"))
    replies = [refused(500, "UNKNOWN")]
    fake.before = lambda asked: replies.pop() if replies and asked.path.endswith("/1") else None
    assert names(browse.list_tags(client, "app")) == ["1"]


@pytest.mark.parametrize(
    "reply",
    [
        refused(500, "UNKNOWN"),
        Reply(200, b"{", {"Content-Type": "application/json"}),
    ],
)
def test_a_tag_that_cannot_be_read_does_not_hide_the_others(
    client: RegistryClient, fake: FakeRegistry, reply: Reply
) -> None:
    pushed(fake, "app", "1", image("x"))
    pushed(fake, "app", "2", image("y"))
    fake.before = lambda asked: reply if asked.path.endswith("/1") else None
    found = browse.list_tags(client, "app")
    assert names(found) == ["2"]
    (unread,) = found.unread
    assert (unread.name, unread.may_be_whole) == ("1", False)


def test_a_login_that_is_refused_midway_ends_the_listing(client: RegistryClient, fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", image("x"))
    fake.before = lambda asked: refused(403, "DENIED") if "/blobs/" in asked.path else None
    with pytest.raises(Denied):
        browse.list_tags(client, "app")


@pytest.mark.parametrize("lost", ["child", "config"])
def test_what_the_registry_has_lost_is_named(client: RegistryClient, fake: FakeRegistry, lost: str) -> None:
    amd, arm = image("amd"), image("arm", platform="linux/arm64")
    pushed(fake, "app", "1", amd, arm, index([(amd, "linux/amd64"), (arm, "linux/arm64")]))
    if lost == "child":
        del fake.repositories["app"].manifests[arm.digest]
    else:
        del fake.blobs[sha256(arm.blobs[0])]
    (tag,) = browse.list_tags(client, "app").tags
    assert tag.missing == (arm.digest if lost == "child" else sha256(arm.blobs[0]),)
    assert tag.platforms == ("linux/amd64", "linux/arm64")
    assert tag.size == (None if lost == "child" else amd.size + arm.size)


def test_an_image_without_its_configuration_can_be_inspected(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    del fake.blobs[sha256(made.blobs[0])]
    found = inspection.inspect(client, "app:1")
    assert (found.config, found.config_content) == (None, None)
    assert found.tag.missing == (sha256(made.blobs[0]),)


def test_a_half_deleted_tag_is_recognised(client: RegistryClient, fake: FakeRegistry) -> None:
    original = "sha256:" + "a" * 64
    left = placeholder.make("1", original, "application/vnd.oci.image.index.v1+json", "nonce")
    pushed(fake, "app", "1", Image(left.content, left.media_type, (placeholder.CONFIG,)))
    pushed(fake, "app", "scratch", image())
    by_name = {tag.name: tag for tag in browse.list_tags(client, "app").tags}
    assert by_name["1"].half_deleted == original
    assert by_name["1"].platforms == ()
    assert not [path for path in fake.asked_for("GET") if path.endswith(placeholder.CONFIG_DIGEST)]
    assert by_name["scratch"].half_deleted is None


def test_what_is_on_a_placeholder_on_a_placeholder_names_the_image_behind_both(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    """As the first versions left it after two interrupted deletions."""
    original = pushed(fake, "app", "2", image("x")).digest
    first = placeholder.make("1", original, "", "first")
    pushed(fake, "app", "1", Image(first.content, first.media_type, (placeholder.CONFIG,)))
    second = placeholder.make("1", first.digest, "", "second")
    pushed(fake, "app", "1", Image(second.content, second.media_type, (placeholder.CONFIG,)))
    by_name = {tag.name: tag for tag in browse.list_tags(client, "app").tags}
    assert by_name["1"].half_deleted == original
    # One whose first placeholder is gone names the last that is known;
    lost = placeholder.make("3", "sha256:" + "b" * 64, "", "lost")
    pushed(fake, "app", "3", Image(lost.content, lost.media_type, (placeholder.CONFIG,)))
    by_name = {tag.name: tag for tag in browse.list_tags(client, "app").tags}
    assert by_name["3"].half_deleted == "sha256:" + "b" * 64


@pytest.mark.parametrize("emptied", ["null", "list", "404"])
def test_an_emptied_repository_is_no_unknown_one(client: RegistryClient, fake: FakeRegistry, emptied: str) -> None:
    fake.emptied = emptied
    fake.repositories["app"] = Held()
    assert browse.list_tags(client, "app") == Repository("app", ())


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("centso", "Did you mean centos?"),
        ("api", "Did you mean team/api?"),
        ("long-prefix/nearst", "Did you mean long-prefix/nearest?"),
        ("something/else", "To list the repositories: deployer catalog"),
    ],
)
def test_an_unknown_repository_gets_the_nearest_names(
    client: RegistryClient, fake: FakeRegistry, asked: str, advice: str
) -> None:
    fake.repositories = {name: Held() for name in ("centos", "team/api", "long-prefix/nearest", "long-prefix/chart")}
    with pytest.raises(NotFound, match=f"No repository named '{asked}'") as caught:
        browse.list_tags(client, asked)
    assert caught.value.advice == (advice,)
    with pytest.raises(NotFound, match=f"No repository named '{asked}'"):
        inspection.inspect(client, f"{asked}:1")


def test_where_the_catalog_is_forbidden_the_sentence_still_comes(client: RegistryClient, fake: FakeRegistry) -> None:
    fake.before = lambda asked: refused(403, "DENIED") if "_catalog" in asked.path else None
    with pytest.raises(NotFound, match="No repository named 'app'"):
        browse.list_tags(client, "app")


@pytest.mark.parametrize(
    ("asked", "advice"),
    [
        ("app:7-gti", ("Did you mean app:7-git?",)),
        ("app", ("To list its tags: deployer tags app",)),
        ("app@sha256:" + "0" * 64, ()),
    ],
)
def test_an_unknown_tag_gets_the_nearest_tags(
    client: RegistryClient, fake: FakeRegistry, asked: str, advice: tuple[str, ...]
) -> None:
    pushed(fake, "app", "7-git", image("x"))
    with pytest.raises(NotFound) as caught:
        inspection.inspect(client, asked)
    assert caught.value.advice == advice


@pytest.mark.parametrize("text", ["localhost:5000/app:1", "127.0.0.1:5000/app:1", "LOCALHOST:5000/app:1", "app:1"])
def test_this_registrys_own_address_may_stand_before_a_name(client: RegistryClient, text: str) -> None:
    assert str(own_reference(text, client.place)) == "app:1"


@pytest.mark.parametrize("text", ["ghcr.io/acme/app:1", "localhost:5001/app:1", "localhost/app:1", "docker.io/app"])
def test_another_registrys_images_are_refused(client: RegistryClient, text: str) -> None:
    with pytest.raises(UsageError, match="this one is localhost:5000"):
        inspection.inspect(client, text)


@pytest.mark.parametrize("text", ["app:1", "app@sha256:" + "0" * 64])
def test_tags_wants_the_repository_alone(client: RegistryClient, fake: FakeRegistry, text: str) -> None:
    with pytest.raises(UsageError, match="is the name of one image") as caught:
        browse.list_tags(client, text)
    assert caught.value.advice[0] == "To list its tags: deployer tags app"
    assert not fake.asked


# --- inspect ---------------------------------------------------------------------------------------------------------


def test_one_image_in_full(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "latest", image("one", config={"Labels": {"a": "b"}}))
    found = inspection.inspect(client, "localhost:5000/app")
    assert str(found.reference) == "app:latest"
    assert found.document.content == made.content
    assert found.config_content == made.blobs[0]
    assert found.config is not None
    assert found.config.labels == {"a": "b"}
    assert found.tag.size == made.size
    assert found.children == ()


@pytest.mark.parametrize("content", [b"no JSON", b"[]", b"\xff"])
def test_a_configuration_that_is_none_is_said(client: RegistryClient, fake: FakeRegistry, content: bytes) -> None:
    made = image("one")
    config = {**made.document["config"], "digest": sha256(content), "size": len(content)}
    broken = json.dumps({**made.document, "config": config}).encode()
    pushed(fake, "app", "1", Image(broken, made.media_type, (content, *made.blobs[1:])))
    found = inspection.inspect(client, "app:1")
    assert found.config_content == content
    assert "The configuration of 'app:1' is not a JSON object" in str(found.fault)


def test_an_encrypted_image_is_said_to_be_one(client: RegistryClient, fake: FakeRegistry) -> None:
    made = image("one", media=OCI)
    layers = [
        {**layer, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"}
        for layer in made.document["layers"]
    ]
    content = json.dumps({**made.document, "layers": layers}).encode()
    pushed(fake, "app", "1", Image(content, made.media_type, made.blobs))
    found = inspection.inspect(client, "app:1")
    assert found.kind is not None
    assert (found.kind.kind, found.kind.purpose, found.fault) == (Kind.IMAGE, Purpose.ENCRYPTED, None)
    assert found.config is not None


def test_an_index_in_full(client: RegistryClient, fake: FakeRegistry) -> None:
    amd, arm = image("amd"), image("arm", platform="linux/arm64")
    made = pushed(fake, "app", "1", amd, arm, index([(amd, "linux/amd64"), (arm, None)]))
    del fake.repositories["app"].manifests[amd.digest]
    found = inspection.inspect(client, f"app@{made.digest}")
    assert (found.config, found.config_content) == (None, None)
    assert [(child.platform, child.digest, child.size) for child in found.children] == [
        ("linux/amd64", amd.digest, None),
        ("linux/arm64", arm.digest, arm.size),
    ]


def test_fetching_a_manifest_is_one_request(client: RegistryClient, fake: FakeRegistry) -> None:
    made = pushed(fake, "app", "1", image("x"))
    reference, document = inspection.fetch(client, f"app:other@{made.digest}")
    assert document.digest == made.digest
    assert reference.tag == "other"
    assert len(fake.asked) == 1


def test_a_registry_that_dies_midway_is_said_once(fake: FakeRegistry) -> None:
    pushed(fake, "app", "1", image("x"))

    def before(asked: Asked) -> Any:
        if "/blobs/" in asked.path:
            raise RegistryUnreachable("Nothing answers.")

    fake.before = before
    with RegistryClient(URL, {}, transport=fake.transport) as client, pytest.raises(RegistryUnreachable):
        browse.list_tags(client, "app")


def test_what_is_wrong_with_a_manifest_is_asked_of_the_overview_once(
    client: RegistryClient, fake: FakeRegistry
) -> None:
    asked: list[str] = []

    def answer(request: Asked) -> Reply | None:
        asked.append(request.path)
        if request.path.startswith("/overview/"):
            return refused(404, "NAME_UNKNOWN")
        return refused(400, "MANIFEST_INVALID") if "/manifests/" in request.path else None

    fake.before = answer
    with pytest.raises(RegistryError, match="HTTP 400"):
        inspection.fetch_as_stored(client, f"app@{sha256(b'damaged')}")
    assert [path for path in asked if path.startswith("/overview/tags/")] == ["/overview/tags/app"]
