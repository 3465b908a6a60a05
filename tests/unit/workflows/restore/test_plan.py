"""What a restore would bring back: compared with the registry as it is, without an engine."""

from __future__ import annotations

import json

import pytest

from deployer.errors import NotFound
from deployer.storage.snapshot import Blob, Snapshot, StoredRepository, StoredTag
from deployer.workflows.restore.images import _batches
from deployer.workflows.restore.plan import RestorePlan, plan
from deployer.workflows.restore.selection import Selection
from tests.support.backups import BACKUP, MOMENT, StoredParts
from tests.support.registry_content import Image, image, index, sha256


def links(repository: str, tag: str, content: Image, *parts: Image, linked: bool = True) -> list[str]:
    """The lines of a tag, its manifests and their blobs; without its own manifest's if it is not `linked`."""

    def place(digest: str) -> str:
        return digest.replace(":", "/")

    top = f"repositories/{repository}/_manifests"
    manifests = [one.digest for one in ((content, *parts) if linked else parts)]
    blobs = [sha256(blob) for one in (content, *parts) for blob in one.blobs]
    return [
        f"100 {content.digest} {top}/tags/{tag}/current/link",
        f"100 {content.digest} {top}/tags/{tag}/index/{place(content.digest)}/link",
        *(f"100 {digest} {top}/revisions/{place(digest)}/link" for digest in manifests),
        *(f"100 {digest} repositories/{repository}/_layers/{place(digest)}/link" for digest in blobs),
    ]


def blobs_of(*images: Image) -> dict[str, bytes]:
    return {sha256(blob): blob for one in images for blob in (one.content, *one.blobs)}


def now(tags: dict[str, str], blobs: dict[str, bytes]) -> Snapshot:
    """The registry as it is: the tags of team/app, and blobs."""
    repository = StoredRepository("team/app", tags={name: StoredTag(one, 50) for name, one in tags.items()})
    return Snapshot(200, {"team/app": repository}, {key: Blob(len(value), 4096, 50) for key, value in blobs.items()})


APP, OTHER = image("app"), image("other")


def planned(lines: list[str], blobs: dict[str, bytes], today: Snapshot | None, *only: str) -> RestorePlan:
    return plan(StoredParts(lines=["# TIME DIGEST PATH", *lines], blobs=blobs), BACKUP, Selection.parse(only), today)


def test_everything_is_new_on_an_empty_registry() -> None:
    found = planned(links("team/app", "1", APP), blobs_of(APP), None)
    assert found.is_first
    assert [str(one) for one in found.added] == ["team/app:1"]
    assert set(found.blobs) == set(blobs_of(APP))
    assert (found.changed, found.same, found.repositories, found.lacking, found.lost) == ((), 0, 1, frozenset(), ())


def test_existing_content_is_kept() -> None:
    lines = links("team/app", "1", APP) + links("team/app", "2", OTHER)
    today = now({"1": APP.digest, "2": APP.digest, "new": OTHER.digest}, blobs_of(APP))
    found = planned(lines, blobs_of(APP, OTHER), today)
    assert found.same == 1
    assert [(str(one), one.before, one.after) for one in found.changed] == [("team/app:2", APP.digest, OTHER.digest)]
    assert set(found.blobs) == set(blobs_of(OTHER)) - set(blobs_of(APP))
    assert not found.is_first


def test_a_blob_of_another_size_is_restored() -> None:
    blobs = blobs_of(APP)
    cut = {**blobs, APP.digest: b"half"}
    found = planned(links("team/app", "1", APP), blobs, now({"1": APP.digest}, cut))
    assert set(found.blobs) == {APP.digest}


def test_a_single_tag_takes_what_its_image_needs_and_nothing_else() -> None:
    parts = image("amd64"), image("arm64", platform="linux/arm64")
    both = index([(parts[0], "linux/amd64"), (parts[1], "linux/arm64")])
    lines = links("team/app", "both", both, *parts) + links("team/app", "other", OTHER)
    found = planned(lines, blobs_of(both, *parts, OTHER), None, "team/app:both")
    assert [str(one) for one in found.added] == ["team/app:both"]
    assert set(found.blobs) == set(blobs_of(both, *parts))


def test_a_tagged_manifest_without_its_link_gets_it() -> None:
    """A deletion removes the link first, and then the tags: the backup may have come between."""
    found = planned(links("team/app", "1", APP, linked=False), blobs_of(APP), None)
    (link,) = found.links
    assert (link.digest, link.modified) == (APP.digest, int(MOMENT.timestamp()))
    assert [str(one) for one in found.added] == ["team/app:1"]


def test_a_manifest_has_its_link_in_its_own_repository_and_if_damaged_by_its_place() -> None:
    tag, _, link, *layers = links("team/app", "1", APP)
    assert planned([tag, link, *layers], blobs_of(APP), None).links == ()
    damaged = link.replace(f" {APP.digest} ", " - ")
    assert planned([tag, damaged, *layers], blobs_of(APP), None).links == ()
    (found,) = planned([tag, link, tag.replace("team/app", "other"), *layers], blobs_of(APP), None).links
    assert found.repository == "other"
    nothing = planned([tag.replace(APP.digest, "-"), *layers], blobs_of(APP), None)
    assert (nothing.links, nothing.lost) == ((), ("team/app:1",))


def test_a_tag_whose_image_is_not_in_the_backup_is_reported_and_left_out() -> None:
    lines = links("team/app", "gone", APP, linked=False) + links("team/app", "1", OTHER)
    found = planned(lines, blobs_of(OTHER), None)
    assert found.lost == ("team/app:gone",)
    assert [str(one) for one in found.added] == ["team/app:1"]


def test_what_the_backup_lacks_is_told() -> None:
    missing = sha256(APP.blobs[-1])
    blobs = {digest: content for digest, content in blobs_of(APP).items() if digest != missing}
    assert planned(links("team/app", "1", APP), blobs, None).lacking == {missing}


@pytest.mark.parametrize("only", ["none", "team/x*", "team/app:9"])
def test_what_is_not_in_the_backup_is_refused(only: str) -> None:
    with pytest.raises(NotFound, match=f"does not contain {only[:6]}"):
        planned(links("team/app", "1", APP), blobs_of(APP), None, only)


def test_existing_tags_can_be_kept() -> None:
    lines = [*links("team/app", "1", APP), *links("team/app", "2", OTHER)]
    found = planned(lines, blobs_of(APP, OTHER), now({"1": OTHER.digest}, blobs_of(OTHER))).without_changes
    assert ([str(one) for one in found.added], found.changed, found.kept) == (["team/app:2"], (), 1)
    assert not found.is_first, "where tags exist, only missing ones are written"


def test_a_schema_1_manifest_needs_its_layers() -> None:
    old = json.dumps({"schemaVersion": 1, "fsLayers": [{"blobSum": sha256(b"layer")}]}).encode()
    found = planned(
        links("team/app", "old", Image(old, "application/json", (b"layer",))),
        {sha256(old): old, sha256(b"layer"): b"layer"},
        None,
        "team/app:old",
    )
    assert set(found.blobs) == {sha256(old), sha256(b"layer")}


def test_blobs_come_in_portions_by_folder() -> None:
    contents = [f"{number}".encode() for number in range(2000)]
    lines = [f"1 {sha256(one)} repositories/a/_layers/sha256/{sha256(one)[7:]}/link" for one in contents]
    blobs = {sha256(one): one for one in contents}
    (whole,) = _batches(planned(lines, blobs, None))
    assert len(whole.paths) == len({sha256(one)[7:9] for one in contents})
    assert whole.size == sum(map(len, contents))
    # A folder of which something else is not wanted is not restored as a whole.
    some = list(_batches(planned(lines[::2], blobs, None)))
    assert sum(len(batch.paths) for batch in some) >= 900
    assert all(len(batch.paths) <= 500 for batch in some)
