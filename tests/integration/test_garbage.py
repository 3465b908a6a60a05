"""gc on a real registry: what goes, and above all what stays.

Most tests share the same runs of gc (tests/support/together.py), each with repositories and content of its own.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.content import build_image, push_artifact, push_image, push_index, push_tag
from tests.support.pulling import delete_manifest, manifest_status, pulls_whole, put_blob, put_manifest
from tests.support.registry_content import DOCKER, OCI, Image, build_cache, image, index, push, sha256
from tests.support.stack import docker
from tests.support.stored import Stored, age
from tests.support.together import Together

if TYPE_CHECKING:
    import httpx

    from tests.support.stack import DeployedStack
    from tests.support.together import Steps

GC = ("--json",)
UNTAGGED = ("--untagged", "--json")
IN_WORDS = ("--untagged",)
"""The only run that tells its warnings, and the second one with this flag."""
HOURS, HOUR_OLD = ("--untagged", "--older-than", "4h", "--json"), ("--untagged", "--older-than", "1h", "--json")
# Those that need an age come last: they would take what others only plant.
garbage = Together("collected", (GC, UNTAGGED, IN_WORDS, HOURS, HOUR_OLD))


def collect(stack: DeployedStack, *flags: str) -> dict[str, Any]:
    """Collect garbage, and return what it said that it did."""
    return dict(json.loads(stack.deployer("gc", "--yes", "--json", *flags, check=True).stdout))


@pytest.fixture(scope="module")
def collected(shared: DeployedStack) -> dict[str, Exception | None]:
    """What the scenarios came to that share the runs of gc."""
    with shared.client as client:
        return garbage.outcomes(Stored(shared), client, lambda flags: Said.of(shared, flags))


@dataclass(frozen=True)
class Said:
    """What a run of gc said that it did, its warnings, and the blobs before it and after."""

    told: dict[str, Any]
    error: str
    before: set[str]
    after: set[str]

    @classmethod
    def of(cls, stack: DeployedStack, flags: tuple[str, ...]) -> Said:
        before = Stored(stack).blobs()
        done = stack.deployer("gc", "--yes", *flags, check=True)
        told = json.loads(done.stdout) if "--json" in flags else {}
        return cls(told, done.stderr, before, Stored(stack).blobs())


def planned(stack: DeployedStack, *flags: str) -> dict[str, Any]:
    return dict(json.loads(stack.deployer("gc", "--dry-run", "--json", *flags, check=True).stdout))


def attached_tag(digest: str, suffix: str = "") -> str:
    return digest.replace(":", "-") + suffix


def pair(*words: str) -> tuple[Image, Image]:
    first, second = (build_image(layers=(word,), media=OCI) for word in words)
    return first, second


def put_together(*children: Image, **more: Any) -> Image:
    return index([(child, "linux/amd64") for child in children], media=OCI, **more)


# -- what stays: each of these once cost images


def test_a_build_cache_stays_whole_and_goes_whole(stored: Stored, client: httpx.Client) -> None:
    """As an index and as an image, in Docker's types and in OCI's."""
    caches = {
        f"app-{media}-{form}": build_cache(f"first {media} {form}", "second", as_image=form == "image", media=media)
        for media in (OCI, DOCKER)
        for form in ("index", "image")
    }
    for name, cache in caches.items():
        push(client, name, "cache", cache)
        push(client, name, "old", build_image(layers=("old",), created="2020-01-01T00:00:00Z"))
        push(client, name, "new", build_image(layers=("new",), created="2024-01-01T00:00:00Z"))
    stored.age()
    collect(stored.stack, "--untagged", "--older-than", "0s")
    stored.stack.deployer("prune", "app-*", "--match", "^(old|new)$", "--keep", "1", "--untagged", "--yes", check=True)
    for name, cache in caches.items():
        assert manifest_status(client, name, "old") == 404
        for blob in cache.blobs:
            assert client.get(f"/v2/{name}/blobs/{sha256(blob)}").content == blob
        assert put_manifest(client, name, "again", cache) == 201
    stored.stack.deployer("prune", "app-*", "--match", "^(cache|again)$", "--yes", check=True)
    for name, cache in caches.items():
        assert not {sha256(blob) for blob in cache.blobs} & stored.blobs()
        assert pulls_whole(client, name, "new")


@garbage.long_ago
def test_all_that_an_index_names_stays(stored: Stored, client: httpx.Client) -> Steps:
    """Its images for several platforms, and blobs that it names beside its image."""
    for media in (DOCKER, OCI):
        push_index(client, f"multi-{media}", "1", media=media, attestations=media == OCI)
    made = build_image(layers=("beside",), media=OCI)
    document = put_together(made).document
    document["manifests"].append({"mediaType": "application/spdx+json", "digest": sha256(b"note"), "size": 4})
    whole = Image(json.dumps(document).encode(), document["mediaType"], (b"note",))
    push(client, "beside", None, made)
    push(client, "beside", "1", whole)
    for flags in (UNTAGGED, HOUR_OLD):
        said = yield flags
        assert not {"beside", *(f"multi-{media}" for media in (DOCKER, OCI))} & {
            one["repository"] for one in said.told["removed_manifests"]
        }
    assert [pulls_whole(client, f"multi-{media}", "1") for media in (DOCKER, OCI)] == [True, True]
    assert client.get(f"/v2/beside/blobs/{sha256(b'note')}").content == b"note"
    assert pulls_whole(client, "beside", made.digest)


@garbage.long_ago
def test_what_no_tag_and_no_index_names_but_is_meant_to_be_kept_stays(stored: Stored, client: httpx.Client) -> Steps:
    own = build_image(layers=("own",))
    push(client, "own", attached_tag(own.digest), own)
    # A signature's tag says nothing of how the image itself was meant to be kept.
    signed = build_image(layers=("signed",), media=OCI)
    push(client, "by-digest", None, signed)
    push_artifact(client, "by-digest", attached_tag(signed.digest, ".sig"), content=b"signature")
    # The link of the index itself is lost.
    children = pair("one", "two")
    for child in children:
        push(client, "unlinked", None, child)
    whole = put_together(*children)
    push(client, "unlinked", "1", whole)
    shutil.rmtree(stored.revision("unlinked", whole.digest).parent)
    yield UNTAGGED
    assert pulls_whole(client, "own", attached_tag(own.digest))
    assert pulls_whole(client, "by-digest", signed.digest)
    assert pulls_whole(client, "by-digest", attached_tag(signed.digest, ".sig"))
    assert put_manifest(client, "unlinked", "1", whole) == 201
    assert pulls_whole(client, "unlinked", "1")


@garbage.long_ago
def test_the_parts_of_a_damaged_index_stay(stored: Stored, client: httpx.Client) -> Steps:
    children = {state: pair(f"{state} one", f"{state} two") for state in ("empty", "damaged", "missing")}
    wholes = {state: put_together(*pushed) for state, pushed in children.items()}
    for state, whole in wholes.items():
        for child in children[state]:
            push(client, state, None, child)
        push(client, state, "1", whole)
    stored.blob(wholes["empty"].digest).write_bytes(b"")
    stored.blob(wholes["damaged"].digest).write_bytes(b'{"schemaVersion": 2, "mani')
    shutil.rmtree(stored.blob(wholes["missing"].digest).parent)
    said = yield IN_WORDS
    for state, whole in wholes.items():
        assert f"{state}:1 is incomplete: the manifest {whole.digest[7:19]} is {state}" in said.error
        assert [pulls_whole(client, state, child.digest) for child in children[state]] == [True, True]


def test_a_repository_behind_a_symbolic_link_stays(stored: Stored, client: httpx.Client) -> None:
    """The registry follows such links, and serves what is behind them."""
    push_image(client, "team/app", "1", layers=("linked",))
    shutil.move(stored.repository("team"), stored.root / "elsewhere")
    stored.repository("team").symlink_to("../elsewhere")
    stored.age()
    assert pulls_whole(client, "team/app", "1")
    refused = stored.stack.deployer("gc")
    assert refused.returncode == 1
    assert "has a symbolic link, /var/lib/registry/docker/registry/v2/repositories/team" in refused.stderr
    assert pulls_whole(client, "team/app", "1")


@garbage.just_now
def test_a_push_in_progress_stays_though_an_image_like_it_is_deleted_in_the_meantime(
    stored: Stored, client: httpx.Client
) -> Steps:
    made = build_image(layers=("pushed by two at once",))
    for blob in made.blobs:
        put_blob(client, "slow", blob)
    # The slow client began a little earlier; its manifest is still to come.
    for path in stored.repository("slow").rglob("*"):
        age(path, 60)
    push(client, "fast", "1", made)
    delete_manifest(client, "fast", made.digest)
    yield GC
    assert put_manifest(client, "slow", "1", made) == 201
    assert pulls_whole(client, "slow", "1")


# -- what goes


@garbage.just_now
def test_space_of_a_deleted_image_is_freed_and_the_others_pull(stored: Stored, client: httpx.Client) -> Steps:
    shared_layer = "of both " * 1000
    kept = push_image(client, "space", "1", layers=(shared_layer, "kept"))
    gone = build_image(layers=(shared_layer, "gone"))
    push(client, "space", "2", gone)
    delete_manifest(client, "space", gone.digest)
    said = yield GC
    own = {gone.digest, *map(sha256, gone.blobs)}
    assert own & (said.before - said.after) == own - {sha256(gone.blobs[1])}
    assert pulls_whole(client, "space", kept.digest)


@garbage.just_now
def test_emptied_repositories_leave_the_catalog(stored: Stored, client: httpx.Client) -> Steps:
    push_image(client, "kept", "1", layers=("kept",))
    made = push_image(client, "emptied/below", "1", layers=("emptied",))
    delete_manifest(client, "emptied/below", made.digest)
    assert {"emptied/below", "kept"} <= set(client.get("/v2/_catalog").json()["repositories"])
    said = yield GC
    assert "emptied/below" in said.told["removed_repositories"]
    left = set(client.get("/v2/_catalog").json()["repositories"])
    assert left & {"emptied/below", "kept"} == {"kept"}
    assert not stored.repository("emptied").exists()


def test_a_dry_run_says_exactly_what_the_run_does_and_changes_nothing(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "app", "1", layers=("kept",))
    push_image(client, "app", "2", layers=("superseded",))
    push_image(client, "app", "2", layers=("current",))
    deleted = push_image(client, "other", "1", layers=("deleted " * 5000,))
    delete_manifest(client, "other", deleted.digest)
    before = stored.listing()
    said = planned(stored.stack, "--untagged")
    assert stored.listing() == before
    blobs = stored.blobs()
    sizes = {digest: stored.blob(digest).stat().st_size for digest in blobs}
    done = collect(stored.stack, "--untagged")
    removed = blobs - stored.blobs()
    assert (said["blobs"], said["bytes"]) == (len(removed), sum(sizes[digest] for digest in removed))
    for key in ("removed_tags", "removed_manifests", "removed_repositories", "blobs", "freed_bytes"):
        assert done[key] == said[key], key


def test_it_removes_what_the_registrys_own_collector_would(stored: Stored, client: httpx.Client) -> None:
    push_image(client, "docker", "1", layers=("base", "docker"))
    push_image(client, "oci", "1", layers=("base", "oci"), media=OCI)
    push_index(client, "list", "1", media=DOCKER)
    push_index(client, "index", "1", attestations=True)
    chart = push_artifact(client, "chart", "1")
    push_artifact(
        client, "chart", "about", content=b"about it",
        subject={"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": chart.digest, "size": 1},
    )  # fmt: skip
    for name, made in (
        ("docker", push_image(client, "docker", "2", layers=("base", "gone"))),
        ("index", push_index(client, "index", "2", platforms=("linux/s390x",), attestations=True)),
        ("chart", push_artifact(client, "chart", "2", content=b"gone too")),
    ):
        delete_manifest(client, name, made.digest)
    put_blob(client, "half", b"of a push that was given up")
    stored.age()
    registry = stored.stack.containers()["registry"]
    printed = docker("exec", registry, "registry", "garbage-collect", "--dry-run", "/etc/deployer/config.yaml")
    eligible = set(re.findall(r"blob eligible for deletion: (\S+)", printed))
    before = stored.blobs()
    collect(stored.stack)
    assert before - stored.blobs() == eligible
    assert len(eligible) >= 6


# -- untagged manifests


@garbage.just_now
def test_a_superseded_image_goes_only_when_asked(stored: Stored, client: httpx.Client) -> Steps:
    old = push_image(client, "superseded", "1", layers=("superseded",))
    push_image(client, "superseded", "1", layers=("its successor",))
    yield GC
    assert pulls_whole(client, "superseded", old.digest)
    said = yield UNTAGGED
    assert [one["digest"] for one in said.told["removed_manifests"] if one["repository"] == "superseded"] == [
        old.digest
    ]
    assert manifest_status(client, "superseded", old.digest) == 404
    assert pulls_whole(client, "superseded", "1")


@garbage.long_ago
def test_of_two_indexes_that_share_a_part_one_goes(stored: Stored, client: httpx.Client) -> Steps:
    both, only = pair("both", "only")
    for child in (both, only):
        push(client, "shared", None, child)
    push(client, "shared", "kept", put_together(both))
    gone = put_together(both, only)
    push(client, "shared", "gone", gone)
    push_tag(client, "shared", "part", only)
    delete_manifest(client, "shared", gone.digest)
    yield UNTAGGED
    assert pulls_whole(client, "shared", "kept")
    assert pulls_whole(client, "shared", "part")
    delete_manifest(client, "shared", only.digest)
    yield IN_WORDS
    assert pulls_whole(client, "shared", "kept")
    assert manifest_status(client, "shared", only.digest) == 404


@garbage.long_ago
def test_what_is_attached_stays_with_its_image_and_goes_with_it(stored: Stored, client: httpx.Client) -> Steps:
    made = build_image(layers=("signed and more",), media=OCI)
    push(client, "signed", "1", made)
    signature = push_artifact(client, "signed", attached_tag(made.digest, ".sig"), content=b"cosign")
    bill = image("bill of materials", media=OCI, subject=made.descriptor())
    push(client, "signed", None, bill)
    said = yield UNTAGGED
    assert "signed" not in {one["repository"] for one in said.told["removed_manifests"]}
    assert all(pulls_whole(client, "signed", digest) for digest in (made.digest, signature.digest, bill.digest))
    push_image(client, "signed", "1", layers=("signed again",))
    yield IN_WORDS
    left = [manifest_status(client, "signed", digest) for digest in (made.digest, signature.digest, bill.digest)]
    assert left == [404, 404, 404]
    assert client.get("/v2/signed/tags/list").json()["tags"] == ["1"]


@garbage.long_ago
def test_what_was_only_pushed_by_digest_goes_only_with_an_age(stored: Stored, client: httpx.Client) -> Steps:
    made = build_image(layers=("only by digest",))
    push(client, "only-by-digest", None, made)
    for flags in (UNTAGGED, HOURS):
        yield flags
        assert pulls_whole(client, "only-by-digest", made.digest)
    yield HOUR_OLD
    assert manifest_status(client, "only-by-digest", made.digest) == 404


@garbage.just_now
def test_parts_of_an_index_that_is_still_to_come_stay(stored: Stored, client: httpx.Client) -> Steps:
    push_image(client, "building", "before", layers=("before",))
    children = pair("part to come", "second part to come")
    for child in children:
        push(client, "building", None, child)
    yield UNTAGGED
    assert put_manifest(client, "building", "1", put_together(*children)) == 201
    assert pulls_whole(client, "building", "1")


# -- pushes in progress


@garbage.just_now
def test_a_push_whose_manifest_is_still_to_come_can_be_finished(stored: Stored, client: httpx.Client) -> Steps:
    made = build_image(layers=("half pushed", "other half"))
    for blob in made.blobs:
        put_blob(client, "half/pushed", blob)
    yield GC
    assert put_manifest(client, "half/pushed", "1", made) == 201
    assert pulls_whole(client, "half/pushed", "1")


@garbage.long_ago
def test_an_upload_that_is_half_way_can_be_finished(stored: Stored, client: httpx.Client) -> Steps:
    started = client.post("/v2/half/uploaded/blobs/uploads/")
    sent = client.patch(started.headers["Location"], content=b"first half, ")
    assert sent.status_code == 202
    yield GC
    content = b"first half, second half"
    ended = client.put(f"{sent.headers['Location']}&digest={sha256(content)}", content=b"second half")
    assert ended.status_code == 201, ended.text
    assert client.get(f"/v2/half/uploaded/blobs/{sha256(content)}").content == content


def test_the_space_of_an_interrupted_push_is_freed_where_that_is_asked_for(
    stored: Stored, client: httpx.Client
) -> None:
    uploads = {}
    for name in ("interrupted", "in-progress"):
        started = client.post(f"/v2/half/{name}/blobs/uploads/")
        sent = client.patch(started.headers["Location"], content=b"x" * 50_000)
        (uploads[name],) = (stored.repository(f"half/{name}") / "_uploads").iterdir()
    for path in (*uploads["interrupted"].rglob("*"), uploads["interrupted"]):
        age(path)
    refused = stored.stack.deployer("gc", "--uploads", "59m", "--yes")
    assert refused.returncode == 2
    assert json.loads(stored.stack.deployer("status", "--json").stdout)["unfinished_upload_bytes"] >= 50_000
    assert collect(stored.stack, "--uploads", "2h")["uploads"] >= 1
    assert {name: path.exists() for name, path in uploads.items()} == {"interrupted": False, "in-progress": True}
    ended = client.put(f"{sent.headers['Location']}&digest={sha256(b'x' * 50_000)}")
    assert ended.status_code == 201


@garbage.just_now
def test_old_garbage_that_is_uploaded_again_stays(stored: Stored, client: httpx.Client) -> Steps:
    made = build_image(layers=("again",))
    push(client, "first", "1", made)
    delete_manifest(client, "first", made.digest)
    for place in (stored.repository("first"), *(stored.blob(sha256(blob)).parent for blob in made.blobs)):
        for path in (*place.rglob("*"), place):
            age(path)
    for blob in made.blobs:
        put_blob(client, "second", blob)
    yield GC
    assert put_manifest(client, "second", "1", made) == 201
    assert pulls_whole(client, "second", "1")


# -- damage


@garbage.long_ago
def test_empty_links_do_not_stop_it(stored: Stored, client: httpx.Client) -> Steps:
    made = push_image(client, "empty-links", "1", layers=("revision",))
    push_image(client, "empty-links", "2", layers=("tag",))
    gone = build_image(layers=("gone beside empty links",))
    push(client, "other", "1", gone)
    delete_manifest(client, "other", gone.digest)
    stored.revision("empty-links", made.digest).write_bytes(b"")
    stored.tag("empty-links", "2").write_bytes(b"")
    said = yield GC
    assert {gone.digest, *map(sha256, gone.blobs)} <= said.before - said.after
    yield UNTAGGED
    assert stored.blob(made.digest).exists()
    assert (stored.repository("empty-links") / "_manifests" / "tags" / "2").is_dir()


@garbage.long_ago
def test_a_repository_without_layers_folder_does_not_stop_it(stored: Stored, client: httpx.Client) -> Steps:
    made = build_image(layers=("bare",))
    push(client, "bare", "1", made)
    shutil.rmtree(stored.repository("bare") / "_layers")
    said = yield GC
    assert {made.digest, *map(sha256, made.blobs)} <= said.after
    assert manifest_status(client, "bare", made.digest) == 200


def damaged(stored: Stored, client: httpx.Client, *, lost: bool) -> Steps:
    name = "lost" if lost else "cut-short"
    made = build_image(layers=(f"precious and {name}",))
    push(client, name, "1", made)
    if lost:
        shutil.rmtree(stored.blob(made.digest).parent)
    else:
        stored.blob(made.digest).write_bytes(made.content[:40])
    said = yield IN_WORDS
    state = "missing" if lost else "damaged (40 bytes)"
    assert f"{name}:1 is incomplete: the manifest {made.digest[7:19]} is {state}." in said.error
    assert stored.blobs() >= {sha256(blob) for blob in made.blobs}


@garbage.long_ago
def test_the_layers_of_a_truncated_manifest_stay_and_it_is_said(stored: Stored, client: httpx.Client) -> Steps:
    yield from damaged(stored, client, lost=False)


@garbage.long_ago
def test_the_layers_of_a_lost_manifest_stay_and_it_is_said(stored: Stored, client: httpx.Client) -> Steps:
    yield from damaged(stored, client, lost=True)


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "cut short"])
def test_a_damaged_manifest_can_be_repaired_as_is_advised(stored: Stored, client: httpx.Client, lost: bool) -> None:
    made = build_image(layers=("precious",))
    push(client, "damaged", "1", made)
    if lost:
        shutil.rmtree(stored.blob(made.digest).parent)
    else:
        stored.blob(made.digest).write_bytes(made.content[:40])
        stored.stack.deployer("delete", "damaged:1", "--yes", check=True)
        stored.stack.deployer("gc", "--untagged", "--older-than", "0s", "--yes", check=True)
    push(client, "damaged", "1", made)
    assert pulls_whole(client, "damaged", "1")


@garbage.long_ago
def test_what_is_not_the_registrys_is_not_touched(stored: Stored, client: httpx.Client) -> Steps:
    push_image(client, "with-strays", "1")
    strays = [
        stored.disk / "notes.txt",
        stored.root / "repositories" / "UPPER" / "_layers" / "file",
        stored.root / "repositories" / "with-strays" / "of mine",
        stored.root / "blobs" / "sha256" / "00" / "no-digest" / "data",
        stored.root / "blobs" / "md5" / "data",
    ]
    for stray in strays:
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_text("mine")
    yield UNTAGGED
    assert [stray.read_text() for stray in strays] == ["mine"] * len(strays)
    assert pulls_whole(client, "with-strays", "1")
