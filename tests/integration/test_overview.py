"""What the page asks for: all tags of a repository at once, from the storage, under the same login and rules."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.content import (
    build_image,
    empty_repository,
    foreign_image,
    push_artifact,
    push_image,
    push_index,
)
from tests.support.pulling import pulls_whole
from tests.support.registry_content import DOCKER, OCI, TYPES, Image, image, index, push, sha256
from tests.support.signed_in import client_of, write_rules, write_users
from tests.support.stored import IMAGES, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.support.stack import DeployedStack

RULES = [
    {"users": ["admin"], "allow": ["pull", "push", "delete"]},
    {"users": ["reader"], "repositories": ["open/*"], "allow": ["pull"]},
    {"users": ["cleaner"], "repositories": ["open/*"], "allow": ["pull", "delete"]},
    {"users": ["writer"], "repositories": ["open/*"], "allow": ["push"]},
]
NOTHING = "sha256:" + "0" * 64
DECODING = Path(__file__).parents[1] / "contract" / "decoding.json"
ANY = {"Accept": ", ".join((*TYPES[DOCKER].values(), *TYPES[OCI].values()))}
USERS = ("admin", "reader", "cleaner", "writer", "nobody")


@pytest.fixture(scope="module")
def ruled(make_stack: Callable[..., DeployedStack]) -> Iterator[DeployedStack]:
    stack = make_stack(DEPLOYER_REGISTRY_DATA=IMAGES)
    write_users(stack, USERS)
    write_rules(stack, RULES)
    stack.up()
    with client_of(stack, "admin") as admin:
        for name in ("open/app", "secret/app"):
            push(admin, name, "1", image(name))
    yield stack
    stack.remove()


def overview(client: httpx.Client, path: str) -> Any:
    answer = client.get(f"/overview/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


def test_the_catalog_counts_tags_and_knows_empty_and_nested_repositories(stored: Stored, client: httpx.Client) -> None:
    assert overview(client, "catalog") == {"repositories": {}, "all": True}
    for name in ("foo", "foo/1bar", "foo/1bar/deep/er"):
        push_image(client, name, "1")
    push_image(client, "foo", "2")
    empty_repository(client, "empty")
    (stored.root / "repositories" / ".DS_Store").touch()
    expected = {"foo": 2, "foo/1bar": 1, "foo/1bar/deep/er": 1, "empty": 0}
    assert overview(client, "catalog") == {"repositories": expected, "all": True}
    assert set(client.get("/v2/_catalog?n=1000").json()["repositories"]) <= set(expected)


def test_what_is_attached_counts_as_no_tag_but_where_there_is_nothing_else(
    stored: Stored, client: httpx.Client
) -> None:
    made = push_image(client, "signed", "1.0")
    own = build_image(layers=("own",))
    name = made.digest.replace(":", "-")
    for ending in ("", ".sig", ".att", ".src", ".Some_thing-2"):
        push_artifact(client, "signed", f"{name}{ending}", content=ending.encode())
    push(client, "signed", own.digest.replace(":", "-") + ".imgpkg", own)
    push_artifact(client, "signed", f"{name}-debug", content=b"an ordinary tag")
    push_artifact(client, "orphans", f"{name}.sig", content=b"signature")
    stored.tag("orphans", f"{name}.sig").write_bytes(b"")
    assert overview(client, "catalog") == {"repositories": {"orphans": 1, "signed": 3}, "all": True}


def test_every_tag_has_its_digest_manifest_and_platform(stored: Stored, client: httpx.Client) -> None:
    one = build_image(layers=("x",), config_extra={"variant": "v3", "author": "<b>"})
    for tag in ("1.0", "latest"):
        push(client, "team/app", tag, one)
    answer = overview(client, "tags/team/app")
    assert answer["tags"] == {"1.0": one.digest, "latest": one.digest}
    assert answer["may"] == {"push": True, "delete": True}
    shown = {"created": "2024-06-29T23:28:22Z", "os": "linux", "architecture": "amd64", "variant": "v3"}
    assert answer["manifests"] == {one.digest: {"document": one.document, "config": shown}}


@pytest.mark.parametrize("config_type", ["application/octet-stream", "application/json", "text/html", "", None])
def test_an_old_image_comes_with_its_configuration(
    stored: Stored, client: httpx.Client, config_type: str | None
) -> None:
    old = _with_config_type(config_type)
    push(client, "team/old", "1.0", old)
    told = overview(client, "tags/team/old")["manifests"][old.digest]["config"]
    assert told == {"created": "2024-06-29T23:28:22Z", "os": "linux", "architecture": "amd64"}


def test_what_only_has_a_type_of_configuration_as_old_images_is_not_read(stored: Stored, client: httpx.Client) -> None:
    other = _with_config_type("application/json", "application/vnd.example.thing.v1")
    push(client, "team/old", "thing", other)
    assert overview(client, "tags/team/old")["manifests"][other.digest]["config"] is None


def test_every_tag_has_the_time_of_its_last_push(stored: Stored, client: httpx.Client) -> None:
    for tag in ("1.0", "latest"):
        push(client, "team/app", tag, build_image(layers=(tag,)))
    stored.tag("team/app", "latest").write_bytes(b"")
    for tag, moment in (("1.0", 1_700_000_000), ("latest", 5)):
        os.utime(stored.tag("team/app", tag), (moment, moment))
    answer = overview(client, "tags/team/app")
    assert answer["pushed"] == {"1.0": 1_700_000_000, "latest": 5}
    assert answer["tags"]["latest"] == ""


def test_an_index_comes_with_its_children(stored: Stored, client: httpx.Client) -> None:
    pushed = push_index(client, "team/app", "all", attestations=True)
    manifests = overview(client, "tags/team/app")["manifests"]
    children = [entry["digest"] for entry in manifests[pushed.digest]["document"]["manifests"]]
    assert len(children) == 4
    assert set(manifests) == {pushed.digest, *children}


def test_what_is_unknown_is_not_found(client: httpx.Client) -> None:
    for path in ("tags/no-such", "tags/a%2F..%2Fb", "tags/_manifests", "nonsense", "tags/"):
        answer = client.get(f"/overview/{path}")
        assert answer.status_code == 404, path
    assert client.get("/overview/tags/no-such").json()["errors"][0]["code"] == "NAME_UNKNOWN"
    assert client.post("/overview/catalog").status_code == 405


def test_an_emptied_repository_has_no_tags(stored: Stored, client: httpx.Client) -> None:
    empty_repository(client, "empty")
    assert overview(client, "tags/empty") == {
        "tags": {},
        "pushed": {},
        "manifests": {},
        "may": {"push": True, "delete": True},
    }


def test_referrers_are_found_by_their_subject_tagged_or_not(stored: Stored, client: httpx.Client) -> None:
    subject = push_image(client, "team/app", "1.0")
    signature = image(media=OCI, subject={"mediaType": "x", "digest": subject.digest, "size": 1})
    mention = image(media=OCI, annotations={"about": subject.digest})
    push(client, "team/app", None, signature)
    push(client, "team/app", "mention", mention)
    found = overview(client, f"referrers/team/app@{subject.digest}")["referrers"]
    assert found == [{"digest": signature.digest, "document": signature.document}]
    client.delete(f"/v2/team/app/manifests/{signature.digest}").raise_for_status()
    assert overview(client, f"referrers/team/app@{subject.digest}") == {"referrers": []}


class TestDamage:
    """Whatever is in the storage, the other tags are reported."""

    @pytest.mark.parametrize("content", [b"", b"sha256:", b"../../../etc/passwd", b"sha256:" + b"g" * 64])
    def test_a_link_that_names_nothing(self, stored: Stored, client: httpx.Client, content: bytes) -> None:
        good = push_image(client, "team/app", "good")
        push_image(client, "team/app", "bad", layers=("bad",))
        stored.tag("team/app", "bad").write_bytes(content)
        answer = overview(client, "tags/team/app")
        assert answer["tags"] == {"good": good.digest, "bad": content.decode()}
        assert set(answer["manifests"]) == {good.digest}

    def test_content_that_is_gone(self, stored: Stored, client: httpx.Client) -> None:
        gone = build_image(layers=("gone",))
        lost = build_image(layers=("lost",))
        for tag, content in (("gone", gone), ("lost", lost)):
            push(client, "team/app", tag, content)
        stored.blob(gone.digest).unlink()
        stored.blob(lost.document["config"]["digest"]).unlink()
        stored.tag("team/app", "linkless").parent.mkdir(parents=True)
        answer = overview(client, "tags/team/app")
        assert answer["tags"] == {"gone": gone.digest, "lost": lost.digest, "linkless": ""}
        assert answer["manifests"] == {lost.digest: {"document": lost.document, "config": None}}
        assert answer["damaged"] == {gone.digest: None, lost.document["config"]["digest"]: None}

    @pytest.mark.parametrize(
        "content", [b"", b"no json", b"[1, 2]", b'"words"', b"null", b'{"config": 7, "manifests": [7]}']
    )
    def test_content_that_is_damaged(self, stored: Stored, client: httpx.Client, content: bytes) -> None:
        good = push_image(client, "team/app", "good")
        bad = push_image(client, "team/app", "bad", layers=("bad",))
        stored.blob(bad.digest).write_bytes(content)
        answer = overview(client, "tags/team/app")
        assert set(answer["tags"]) == {"good", "bad"}
        assert set(answer["manifests"]) == {good.digest}
        assert answer["damaged"] == {bad.digest: len(content)}
        assert overview(client, f"referrers/team/app@{good.digest}") == {"referrers": []}

    @pytest.mark.parametrize("content", [b"", b"no json", b"[1, 2]", b"null"])
    def test_a_configuration_that_is_none(self, stored: Stored, client: httpx.Client, content: bytes) -> None:
        odd = _with_config(content)
        push(client, "team/app", "odd", odd)
        answer = overview(client, "tags/team/app")
        assert answer["manifests"] == {odd.digest: {"document": odd.document, "config": None}}
        assert "damaged" not in answer

    @pytest.mark.parametrize("content", [b"", b"x", b"x" * 1000], ids=["empty", "shorter", "longer"])
    @pytest.mark.parametrize("part", [0, 1], ids=["configuration", "layer"])
    def test_a_file_of_another_size(self, stored: Stored, client: httpx.Client, content: bytes, part: int) -> None:
        good = push_image(client, "team/app", "good")
        bad = build_image(layers=("bad",), config_extra={"variant": "v9"})
        push(client, "team/app", "bad", bad)
        changed = sha256(bad.blobs[part])
        stored.blob(changed).write_bytes(content)
        answer = overview(client, "tags/team/app")
        assert set(answer["manifests"]) == {good.digest, bad.digest}
        # Of nothing it is sure that it is damaged; with another size, it may be the manifest that is wrong.
        told = {key: answer[key] for key in ("damaged", "sizes") if key in answer}
        assert told == {"sizes" if content else "damaged": {changed: len(content)}}

    @pytest.mark.parametrize("size", [None, "many", 0])
    def test_a_manifest_that_says_no_size(self, stored: Stored, client: httpx.Client, size: object) -> None:
        """As Docker writes it, pushed over a layer whose file is empty."""
        whole = build_image()
        layer = sha256(whole.blobs[1])
        push(client, "team/app", "1", whole)
        document = whole.document
        document["layers"][0]["size"] = size
        said = Image(json.dumps(document).encode(), whole.media_type)
        _plant(stored, "team/app", "1", said)
        answer = overview(client, "tags/team/app")
        assert "damaged" not in answer
        assert answer.get("sizes") == ({layer: len(whole.blobs[1])} if size == 0 else None)

    def test_what_the_registry_cannot_read_is_not_told(self, stored: Stored, client: httpx.Client) -> None:
        whole = build_image()
        push(client, "team/app", "1", whole)
        config, layer = (json.dumps(one) for one in (whole.document["config"], whole.document["layers"][0]))
        refused = {}
        for number, case in enumerate(json.loads(DECODING.read_text())["cases"]):
            text = case["text"].replace("CONFIG", config).replace("LAYER", layer)
            text = text.replace("DIGEST", whole.document["config"]["digest"])
            # Each needs a digest of its own.
            planted = Image(text.encode() + b" " * number, whole.media_type)
            _plant(stored, "team/app", f"t{number}", planted)
            refused[planted.digest] = (case["name"], case["is"])
        answer = overview(client, "tags/team/app")
        told = {
            digest: (name, answer["manifests"][digest] == {"unread": True}) for digest, (name, _) in refused.items()
        }
        assert told == refused
        given = {
            digest: (name, client.get(f"/v2/team/app/manifests/{digest}", headers=ANY).status_code >= 400)
            for digest, (name, _) in refused.items()
        }
        assert given == refused

    def test_a_manifest_that_is_json_of_another_digest(self, stored: Stored, client: httpx.Client) -> None:
        bad = build_image()
        push(client, "team/app", "bad", bad)
        stored.blob(bad.digest).write_bytes(bad.content.replace(b"   ", b"\t\t\t"))
        answer = overview(client, "tags/team/app")
        assert (answer["manifests"], answer["damaged"]) == ({}, {bad.digest: len(bad.content)})

    @pytest.mark.parametrize("link", [None, b"", b"sha256:", b"\0" * 71], ids=["none", "empty", "cut", "zeroes"])
    def test_a_layer_whose_link_is_broken(self, stored: Stored, client: httpx.Client, link: bytes | None) -> None:
        whole = build_image()
        push(client, "team/app", "1", whole)
        layer = sha256(whole.blobs[1])
        file = stored.repository("team/app") / "_layers" / layer.replace(":", "/") / "link"
        if link is None:
            file.unlink()
        else:
            file.write_bytes(link)
        answer = overview(client, "tags/team/app")
        assert answer["damaged"] == {layer: None if link is None else len(link)}
        assert answer["unlinked"] == {layer: True}

    @pytest.mark.parametrize("kind", ["_layers", "_manifests/revisions"])
    @pytest.mark.parametrize("link", [None, b"cut"], ids=["none", "cut"])
    def test_without_its_content_a_link_is_not_all(
        self, stored: Stored, client: httpx.Client, kind: str, link: bytes | None
    ) -> None:
        whole = build_image()
        push(client, "team/app", "1", whole)
        digest = whole.digest if kind != "_layers" else sha256(whole.blobs[1])
        file = stored.repository("team/app") / kind / digest.replace(":", "/") / "link"
        file.unlink() if link is None else file.write_bytes(link)
        stored.blob(digest).unlink()
        answer = overview(client, "tags/team/app")
        assert answer["damaged"] == {digest: None if link is None else len(link)}
        assert answer.get("unlinked") == (None if link is None else {digest: False})

    @pytest.mark.parametrize("kind", ["_layers", "_manifests/revisions"])
    def test_content_that_is_damaged_too_is_told_as_that(self, stored: Stored, client: httpx.Client, kind: str) -> None:
        whole = build_image()
        push(client, "team/app", "1", whole)
        digest = whole.digest if kind != "_layers" else sha256(whole.blobs[1])
        (stored.repository("team/app") / kind / digest.replace(":", "/") / "link").unlink()
        stored.blob(digest).write_bytes(b"")
        answer = overview(client, "tags/team/app")
        assert (answer["damaged"], answer.get("unlinked")) == ({digest: 0}, None)

    @pytest.mark.parametrize("kind", ["layer", "configuration", "manifest"])
    @pytest.mark.parametrize("is_link", [False, True], ids=["file", "link"])
    @pytest.mark.parametrize("up", [0, 1], ids=["folder", "file above"])
    def test_what_is_in_place_of_a_file_is_told_with_its_path(
        self, stored: Stored, client: httpx.Client, kind: str, is_link: bool, up: int
    ) -> None:
        whole = build_image()
        push(client, "team/app", "1", whole)
        digest = {"manifest": whole.digest, "layer": sha256(whole.blobs[1]), "configuration": sha256(whole.blobs[0])}[
            kind
        ]
        folder = "_manifests/revisions" if kind == "manifest" else "_layers"
        link = stored.repository("team/app") / folder / digest.replace(":", "/") / "link"
        path = link if is_link else stored.blob(digest)
        path.unlink()
        if up:
            path = path.parent
            path.rmdir()
            path.touch()
        else:
            path.mkdir()
        answer = overview(client, "tags/team/app")
        assert answer["damaged"] == {digest: None}
        assert answer["obstacles"] == {digest: f"/var/lib/registry/{path.relative_to(stored.disk)}"}
        assert answer.get("unlinked") == ({digest: True} if is_link else None)

    @pytest.mark.parametrize("part", ["configuration", "layer"])
    def test_a_tag_of_what_is_no_manifest_says_nothing_of_the_image_that_needs_it(
        self, stored: Stored, client: httpx.Client, part: str
    ) -> None:
        whole = build_image()
        push(client, "team/app", "1", whole)
        push(client, "team/app", "odd", build_image(layers=("odd",)))
        digest = sha256(whole.blobs[part == "layer"])
        stored.tag("team/app", "odd").write_text(digest)
        answer = overview(client, "tags/team/app")
        assert answer["foreign"] == {digest: True}
        assert ("damaged" in answer, "unlinked" in answer) == (False, False)
        shown = stored.stack.deployer("tags", "team/app")
        assert (
            f"team/app:odd is incomplete: the content {digest[7:19]} is not a valid manifest. Push it" in shown.stderr
        )
        assert "team/app:1 " not in shown.stderr
        asked = stored.stack.deployer("inspect", "team/app:odd")
        assert (asked.returncode, "is not a valid manifest. Push it again." in asked.stderr) == (1, True)
        stored.stack.deployer("delete", "team/app:odd", "--yes", check=True)
        assert pulls_whole(client, "team/app", "1")

    @pytest.mark.parametrize("link", ["", "{}\n", "sha256:"], ids=["empty", "a new line", "cut"])
    @pytest.mark.parametrize("kind", ["_layers", "_manifests/revisions"])
    def test_a_link_that_the_registry_does_not_read(
        self, stored: Stored, client: httpx.Client, kind: str, link: str
    ) -> None:
        whole = build_image()
        push(client, "team/app", "1", whole)
        digest = whole.digest if kind != "_layers" else sha256(whole.blobs[1])
        content = link.format(digest).encode()
        (stored.repository("team/app") / kind / digest.replace(":", "/") / "link").write_bytes(content)
        answer = overview(client, "tags/team/app")
        assert (answer["damaged"], answer["unlinked"]) == ({digest: len(content)}, {digest: True})

    def test_what_an_index_names_is_told_where_it_should_be_here(self, stored: Stored, client: httpx.Client) -> None:
        pushed = push_index(client, "team/app", "all")
        first, second = (
            entry["digest"]
            for entry in overview(client, "tags/team/app")["manifests"][pushed.digest]["document"]["manifests"]
        )
        stored.blob(first).write_bytes(b"")
        stored.revision("team/app", second).unlink()
        answer = overview(client, "tags/team/app")
        assert set(answer["manifests"]) == {pushed.digest}
        assert answer["damaged"] == {first: 0}

    def test_a_layer_that_is_elsewhere_is_not_missed(self, stored: Stored, client: httpx.Client) -> None:
        windows = foreign_image()
        push(client, "team/app", "windows", windows)
        answer = overview(client, "tags/team/app")
        assert set(answer["manifests"]) == {windows.digest}
        assert "damaged" not in answer


class TestForeignFiles:
    """What a NAS, a Mac or Windows leaves in any folder is neither a tag nor a repository, and ends nothing."""

    FILES = (
        *(".DS_Store", "._1.0", "Thumbs.db", "desktop.ini", ".nfs00000000000000000000001", "Icon\r"),
        *("core", "LICENSE", "core.12345", "20260101"),
    )
    FOLDERS = ("@eaDir", "#recycle", "lost+found", ".snapshot", ".Trash-1000")

    def test_they_are_not_listed(self, stored: Stored, client: httpx.Client) -> None:
        pushed = push_index(client, "team/app", "1.0")
        push_image(client, "team/app", "Release.final")
        expected = {
            name: overview(client, name) for name in ("catalog", "tags/team/app", f"referrers/team/app@{NOTHING}")
        }
        manifests = stored.repository("team/app") / "_manifests"
        places = [
            stored.disk,
            stored.root / "repositories",
            stored.repository("team"),
            stored.repository("team/app"),
            manifests,
            manifests / "tags",
            manifests / "revisions" / "sha256",
            stored.blob(pushed.digest).parent,
        ]
        for place in places:
            for name in self.FILES:
                (place / name).write_bytes(b"\0\1")
            for name in self.FOLDERS:
                (place / name).mkdir()
                (place / name / "file").touch()
        for name, told in expected.items():
            assert overview(client, name) == told


class TestBounds:
    """A pusher decides what is in a repository, but not what it costs to check it."""

    def test_of_a_configuration_long_words_are_told_by_their_beginning(
        self, stored: Stored, client: httpx.Client
    ) -> None:
        told = {"created": "x" * 256, "os": ["linux"], "architecture": "a" * 300, "variant": ""}
        odd = _with_config(json.dumps(told).encode())
        push(client, "team/app", "odd", odd)
        assert overview(client, "tags/team/app")["manifests"][odd.digest]["config"] == {
            "created": "x" * 256,
            "architecture": "a" * 256 + "…",
        }

    def test_what_buildpacks_write_is_read(self, stored: Stored, client: httpx.Client) -> None:
        large = _with_config(b'{"os": "linux", "config": {"Labels": {"io.buildpacks": "%s"}}}' % (b"x" * 900_000))
        push(client, "team/app", "large", large)
        assert overview(client, "tags/team/app")["manifests"][large.digest]["config"] == {"os": "linux"}

    def test_what_is_too_large_is_told_as_not_read(self, stored: Stored, client: httpx.Client) -> None:
        content = b'{"os": "linux"}' + b" " * 4 * 1024 * 1024
        push(client, "team/app", "large", large := _with_config(content))
        answer = overview(client, "tags/team/app")
        assert answer["manifests"][large.digest]["config"] == {"unread": True, "size": len(content)}
        assert "damaged" not in answer

    def test_so_much_of_all_configurations_is_read(self, stored: Stored, client: httpx.Client) -> None:
        for number in range(10):
            config = b'{"os": "linux", "n": "%03d"}' % number
            push(client, "team/app", f"{number}", _with_config(config.ljust(4_000_000)))
        told = [entry["config"] for entry in overview(client, "tags/team/app")["manifests"].values()]
        assert sorted(told, key=str) == [{"os": "linux"}] * 8 + [{"unread": True, "size": 4_000_000}] * 2

    def test_more_manifests_than_can_be_told_are_an_error(self, stored: Stored, client: httpx.Client) -> None:
        subject = push_image(client, "team/app", "1.0")
        for number in range(18):
            heavy = image(f"{number}", media=OCI, annotations={"about": "x" * 4_000_000})
            push(client, "team/app", f"heavy-{number}", heavy)
        assert client.get("/overview/tags/team/app").status_code == 507
        assert client.get(f"/overview/referrers/team/app@{subject.digest}").status_code == 507
        assert overview(client, "catalog") == {"repositories": {"team/app": 19}, "all": True}


def test_no_part_of_an_answer_can_be_chosen(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "team/app", "1.0")
    whole = client.get("/overview/tags/team/app").text
    for headers in (
        {"Range": "bytes=0-20"},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ):
        answer = client.get("/overview/tags/team/app", headers=headers)
        assert (answer.status_code, answer.text) == (200, whole), headers


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403)]
)
def test_pages_of_other_origins_may_not_ask(client: httpx.Client, site: str, status: int) -> None:
    assert client.get("/overview/session", headers={"Sec-Fetch-Site": site}).status_code == status


class TestRules:
    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("session", USERS),
            ("catalog", USERS),
            ("stored", ("admin",)),
            ("tags/open/app", ("admin", "reader", "cleaner")),
            ("tags/secret/app", ("admin",)),
            ("tags/no-such", ("admin",)),
            (f"referrers/open/app@{NOTHING}", ("admin", "reader", "cleaner")),
            (f"referrers/secret/app@{NOTHING}", ("admin",)),
            (f"manifest/open/app@{NOTHING}", ("admin", "reader", "cleaner")),
            (f"manifest/secret/app@{NOTHING}", ("admin",)),
            # Of everything: "cleaner" may delete in one repository only.
            ("upkeep", ("admin",)),
            ("nonsense", ()),
        ],
    )
    def test_each_user_is_told_what_they_may_see(
        self, ruled: DeployedStack, path: str, allowed: tuple[str, ...]
    ) -> None:
        for user in USERS:
            with client_of(ruled, user) as client:
                status = client.get(f"/overview/{path}").status_code
                assert (status != 403) is (user in allowed), (user, status)
                assert client.post(f"/overview/{path}").status_code == 403
        with client_of(ruled, None) as client:
            assert client.get(f"/overview/{path}").status_code == 401

    @pytest.mark.parametrize(
        ("repository", "allowed"), [("open/app", ("admin", "reader", "cleaner")), ("secret/app", ("admin",))]
    )
    def test_referrers_are_for_who_may_pull(
        self, ruled: DeployedStack, repository: str, allowed: tuple[str, ...]
    ) -> None:
        path = f"/v2/{repository}/referrers/{NOTHING}"
        for user in USERS:
            with client_of(ruled, user) as client:
                assert client.get(path).status_code == (200 if user in allowed else 403), user
                assert client.post(path).status_code == 403
        with client_of(ruled, None) as client:
            assert client.get(path).status_code == 401

    def test_each_user_is_told_what_they_may_do(self, ruled: DeployedStack) -> None:
        expected = {"admin": (True, True), "reader": (False, False), "cleaner": (False, True)}
        for user, (may_push, may_delete) in expected.items():
            with client_of(ruled, user) as client:
                assert overview(client, "tags/open/app")["may"] == {"push": may_push, "delete": may_delete}
                assert overview(client, "session")["user"] == user

    def test_who_may_delete_everything_is_told_what_ran_by_itself(self, ruled: DeployedStack) -> None:
        state = ruled.directory / "frontend" / "upkeep" / "state.json"
        for content in ("", '{"upkeep":{"backup":1}}'):
            if content:
                state.parent.mkdir(exist_ok=True)
                state.write_text(content)
            for user in USERS:
                is_told = bool(content) and user == "admin"
                with client_of(ruled, user) as client:
                    assert overview(client, "session")["upkeep"] is is_told
                    if user == "admin":
                        answer = client.get("/overview/upkeep")
                        assert answer.headers["Cache-Control"] == "no-store"
                        assert answer.json() == {"upkeep": {"backup": 1} if content else None}
            for path in ("/upkeep/state.json", "/overview/state.json", "/overview/upkeep/state.json"):
                with client_of(ruled, "reader") as client:
                    assert '"backup"' not in client.get(path).text

    def test_nothing_of_another_repository_is_told(self, ruled: DeployedStack) -> None:
        """An index may name what only another repository has, and a manifest another's configuration."""
        secret = image("secret/app")
        stored = Stored(ruled)
        foreign = index([(secret, "linux/amd64")], media=OCI)
        borrowed = Image(secret.content.replace(b"   ", b"  "), secret.media_type)
        with client_of(ruled, "admin") as admin:
            push(admin, "open/app", "index", image("placeholder"))
            push(admin, "open/app", "borrowed", image("another"))
            # The registry takes neither: they are put where they would lie.
            for tag, content in (("index", foreign), ("borrowed", borrowed)):
                _plant(stored, "open/app", tag, content)
        with client_of(ruled, "reader") as reader:
            manifests = overview(reader, "tags/open/app")["manifests"]
            assert reader.get(f"/overview/manifest/open/app@{secret.digest}").status_code == 404
            layer = secret.document["layers"][0]["digest"]
            assert reader.get(f"/overview/manifest/open/app@{layer}").status_code == 404
            told = reader.get(f"/overview/manifest/open/app@{foreign.digest}")
            assert (told.status_code, told.content) == (200, foreign.content)
            assert told.headers["Content-Type"] == "application/octet-stream"
        assert secret.digest not in manifests
        assert set(manifests) >= {foreign.digest, borrowed.digest}
        assert manifests[borrowed.digest]["config"] is None

    @pytest.mark.parametrize(
        "target",
        [
            "/overview/tags/secret/app",
            "/overview//tags/secret/app",
            "/overview/tags/open/app/../../secret/app",
            "/overview/tags/open/app%2F..%2F..%2Fsecret/app",
            "/overview/tags/open/%2e%2e/secret/app",
            "/overview/tags/secret%2Fapp",
            "/Overview/tags/secret/app",
            "/overview/tags.json",
            "/overview/tags/secret/app?repository=open/app",
            "/v2/../overview/tags/secret/app",
        ],
    )
    def test_no_way_of_writing_a_path_gets_past_them(self, ruled: DeployedStack, target: str) -> None:
        with client_of(ruled, "reader") as reader:
            request = reader.build_request("GET", "/")
            request.url = request.url.copy_with(raw_path=target.encode())
            answer = reader.send(request)
        assert image("secret/app").digest not in answer.text, answer.text


def _with_config(content: bytes) -> Image:
    plain = image("layer", media=OCI)
    document = plain.document
    document["config"] |= {"digest": sha256(content), "size": len(content)}
    return Image(json.dumps(document).encode(), plain.media_type, (content, *plain.blobs[1:]))


def _with_config_type(config: str | None, layer: str = "") -> Image:
    plain = image("layer")
    document = plain.document
    document["config"] |= {"mediaType": config}
    if config is None:
        del document["config"]["mediaType"]
    if layer:
        document["layers"][0]["mediaType"] = layer
    return Image(json.dumps(document).encode(), plain.media_type, plain.blobs)


def _plant(stored: Stored, repository: str, tag: str, content: Image) -> None:
    for file, words in (
        (stored.blob(content.digest), content.content),
        (stored.revision(repository, content.digest), content.digest.encode()),
        (stored.tag(repository, tag), content.digest.encode()),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(words)
