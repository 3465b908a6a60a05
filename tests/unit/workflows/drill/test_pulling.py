"""Pulling from the copy of a drill: what is looked for, what is sampled, and what counts as a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from deployer.settings.model import Settings
from deployer.workflows.backup.links import LinkKind
from deployer.workflows.drill.client import CopyClient, Refused
from deployer.workflows.drill.known import differences
from deployer.workflows.drill.pulling import FoundTag, Miss, Tags, look_for, pull, sample_of
from deployer.workflows.restore.plan import RestorePlan, TagChange
from deployer.workflows.restore.selection import Selection, Wanted
from tests.support.backups import BACKUP, StoredParts
from tests.support.fake_registry import FakeRegistry, Reply
from tests.support.registry_content import Image, image, index, push, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.restic.repository import Progress
    from deployer.workflows.drill.pulling import Pulled

PARTS = image("amd64"), image("arm64", platform="linux/arm64")
IMAGES: dict[str, Image] = {
    "app:1": image("app"),
    "app:2": image("second", "layer"),
    "multi:1": index(list(zip(PARTS, ("linux/amd64", "linux/arm64"), strict=True))),
}
TAGS = [
    TagChange(name.partition(":")[0], name.partition(":")[2], "", one.digest, number)
    for number, (name, one) in enumerate(IMAGES.items())
]


@pytest.fixture
def registry() -> FakeRegistry:
    made = FakeRegistry()
    with made.client as client:
        for part in PARTS:
            push(client, "multi", None, part)
        for tag, one in zip(TAGS, IMAGES.values(), strict=True):
            push(client, tag.repository, tag.tag, one)
    made.asked.clear()
    return made


def client_of(registry: FakeRegistry) -> CopyClient:
    return CopyClient(Settings(), None, "", registry.transport)


def pulled(registry: FakeRegistry, count: int | None = None) -> tuple[Tags, Pulled]:
    with client_of(registry) as client:
        tags = look_for(client, TAGS)
        sample = sample_of(tags.found, count, "seed")
        return tags, pull(client, sample, {}, lambda _: None)


def sentences(misses: tuple[Miss, ...]) -> list[str]:
    return sorted(one.sentence for one in misses)


def test_every_manifest_and_blob_of_the_images_is_compared(registry: FakeRegistry) -> None:
    tags, found = pulled(registry)
    assert tags.misses == found.misses == ()
    manifests = {one.digest: len(one.content) for one in (*IMAGES.values(), *PARTS)}
    blobs = {sha256(blob): len(blob) for one in (*IMAGES.values(), *PARTS) for blob in one.blobs}
    assert {path.rpartition("/")[2] for path in registry.asked_for("GET") if "/blobs/" in path} == blobs.keys()
    # A blob that two repositories share is pulled from both.
    shared = [path for path in registry.asked_for("GET") if "/blobs/" in path]
    assert found.contents == len(manifests) + len(shared)
    assert found.bytes == sum(manifests.values()) + sum(blobs[path.rpartition("/")[2]] for path in shared)


def test_progress_comes_to_the_sizes_of_the_backup(registry: FakeRegistry) -> None:
    told: list[Progress] = []
    sizes = {sha256(blob): len(blob) for blob in IMAGES["app:1"].blobs}
    with client_of(registry) as client:
        pull(client, [FoundTag(TAGS[0], "type")], sizes, told.append)
    assert (told[-1].done, told[-1].total) == (sum(sizes.values()), sum(sizes.values()))


def test_a_tag_that_is_not_there_is_named(registry: FakeRegistry) -> None:
    del registry.repositories["app"].tags["1"]
    tags, _ = pulled(registry)
    assert sentences(tags.misses) == [
        f"app:1 cannot be pulled: manifest {IMAGES['app:1'].digest}: the copy responds with 404."
    ]
    assert [str(one.tag) for one in tags.found] == ["app:2", "multi:1"]


def test_a_tag_that_refers_to_another_manifest_is_named(registry: FakeRegistry) -> None:
    registry.repositories["app"].tags["1"] = IMAGES["app:2"].digest
    tags, _ = pulled(registry)
    (miss,) = tags.misses
    assert f"the copy's tag refers to {IMAGES['app:2'].digest}" in miss.sentence
    assert not miss.refused.is_absent


def test_a_blob_with_other_bytes_is_named(registry: FakeRegistry) -> None:
    digest = sha256(IMAGES["app:2"].blobs[-1])
    registry.blobs[digest] = b"other bytes"
    _, found = pulled(registry)
    assert sentences(found.misses) == [f"app:2 cannot be pulled: blob {digest}: its content does not match its digest."]


def test_a_manifest_of_an_index_with_other_bytes_is_named(registry: FakeRegistry) -> None:
    digest = PARTS[1].digest
    media_type, content = registry.repositories["multi"].manifests[digest]
    registry.repositories["multi"].manifests[digest] = media_type, content + b" "
    _, found = pulled(registry)
    assert sentences(found.misses) == [
        f"multi:1 cannot be pulled: manifest {digest}: its content does not match its digest."
    ]


def test_a_copy_that_stops_responding_is_a_difference(registry: FakeRegistry) -> None:
    def stop(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with CopyClient(Settings(), None, "", httpx.MockTransport(stop)) as client:
        tags = look_for(client, TAGS[:1])
        with pytest.raises(Refused, match="does not respond"):
            client.ask("GET", "/v2/", None)
    assert not tags.misses[0].refused.is_absent


def test_the_real_registry_is_not_contacted() -> None:
    """The copy of a registry at a public name is asked at this machine's port, by that name."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    settings = Settings(host="registry.example.com", port=5007, bind="127.0.0.1")
    with CopyClient(settings, None, "", httpx.MockTransport(answer)) as client:
        client.ask("GET", "/v2/", ("ann", "secret"))
    assert (asked[0].url.host, asked[0].url.port) == ("127.0.0.1", 5007)
    assert asked[0].headers["Host"] == "registry.example.com:5007"


@pytest.mark.parametrize(
    ("count", "names"),
    [(None, ["app:1", "app:2", "multi:1"]), (5, ["app:2", "multi:1"]), (1, ["app:2", "multi:1"])],
)
def test_a_sample_is_the_newest_of_each_repository_and_one_of_each_kind(
    registry: FakeRegistry, count: int | None, names: list[str]
) -> None:
    with client_of(registry) as client:
        found = look_for(client, TAGS).found
    assert [str(one.tag) for one in sample_of(found, count, "seed")] == names


def test_another_backup_has_another_sample() -> None:
    found = [FoundTag(TagChange(f"r{number}", "1", "", ""), "type") for number in range(100)]
    first, again, other = (sample_of(found, 5, seed) for seed in ("a", "a", "b"))
    assert first == again != other
    assert len(first) == len(other) == 5


def miss(digest: str, kind: LinkKind = LinkKind.LAYER, *, is_absent: bool = True) -> Miss:
    return Miss("app:1", "app", digest, kind, Refused("no", is_absent=is_absent))


def plan(stored: Mapping[str, int]) -> RestorePlan:
    return RestorePlan(BACKUP, Wanted(Selection()), 1, (), (), 0, {}, frozenset(), stored)


A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def test_what_was_missing_in_the_registry_is_no_difference() -> None:
    links = [
        f"1 {A} repositories/app/_layers/sha256/{A[7:]}/link",
        f"1 {B} repositories/app/_layers/sha256/{B[7:]}/link",
    ]
    asked = (miss(A), miss(B), miss(C), miss(A, LinkKind.MANIFEST))
    # A is linked and stored; B is linked, and missing already; C is stored, and this repository does not serve it.
    assert differences(StoredParts(lines=links), plan({A: 1, C: 1}), asked) == (asked[0],)


def test_schema_1_in_a_copy_of_version_3_is_no_difference(registry: FakeRegistry) -> None:
    old = Reply(500, b'{"errors":[{"code":"UNKNOWN","detail":"unrecognized manifest schema version 1"}]}')
    registry.before = lambda asked: Reply(500) if asked.method == "HEAD" else old
    tags, _ = pulled(registry)
    assert [one.refused.is_unsupported for one in tags.misses] == [True] * len(TAGS)
    assert differences(StoredParts(lines=[]), plan({}), tags.misses) == ()


def test_wrong_bytes_are_a_difference_whatever_the_backup_has() -> None:
    asked = (miss(C, is_absent=False),)
    assert differences(StoredParts(lines=[]), plan({}), asked) == asked


def test_an_answer_that_is_no_manifest_is_a_difference(registry: FakeRegistry) -> None:
    bad = b"no JSON"
    tag = TagChange("app", "bad", "", sha256(bad))
    registry.before = lambda _: Reply(200, bad, {"Docker-Content-Digest": sha256(bad), "Content-Type": "text/plain"})
    with client_of(registry) as client:
        found = pull(client, [FoundTag(tag, "text/plain")], {}, lambda _: None)
    assert "it is not valid JSON" in found.misses[0].sentence
