"""The lines of a backup's list of links, and whether what they lead to is in the backup."""

from __future__ import annotations

import pytest

from deployer.errors import BackupError
from deployer.restic.repository import StoredFile
from deployer.workflows.backup.coverage import Coverage
from deployer.workflows.backup.links import Link, LinkKind
from tests.support.backups import StoredParts

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
BY_512 = "sha512:" + "d" * 128
TAG = "repositories/team/app/_manifests/tags/1.2/current/link"
HISTORY = f"repositories/team/app/_manifests/tags/1.2/index/sha256/{'a' * 64}/link"
MANIFEST = f"repositories/team/app/_manifests/revisions/sha256/{'a' * 64}/link"
LAYER = f"repositories/team/app/_layers/sha256/{'b' * 64}/link"
LAYER_512 = f"repositories/team/app/_layers/sha512/{'d' * 128}/link"


@pytest.mark.parametrize(
    ("path", "kind", "tag", "place"),
    [
        (TAG, LinkKind.TAG, "1.2", ""),
        (HISTORY, LinkKind.HISTORY, "", ""),
        (MANIFEST, LinkKind.MANIFEST, "", A),
        (LAYER, LinkKind.LAYER, "", B),
        (LAYER_512, LinkKind.LAYER, "", BY_512),
    ],
)
def test_a_link_is_known_by_its_path(path: str, kind: LinkKind, tag: str, place: str) -> None:
    link = Link.parse(f"1700000000 {C} {path}")
    assert (link.kind, link.repository, link.tag, link.place_digest) == (kind, "team/app", tag, place)
    assert (link.named_digest, link.content, link.modified) == (C, C.encode(), 1_700_000_000)


@pytest.mark.parametrize("written", ["-", "sha256:abc", "text"])
def test_a_damaged_link_refers_to_the_digest_of_its_place(written: str) -> None:
    assert Link.parse(f"0 {written} {LAYER}").named_digest == B
    tag = Link.parse(f"0 {written} {TAG}")
    assert (tag.digest, tag.named_digest, tag.content) == ("", "", b"")


def test_a_path_with_spaces_is_one() -> None:
    assert Link.parse(f"0 {A} repositories/a b/_layers/x").path == "repositories/a b/_layers/x"


@pytest.mark.parametrize("line", ["", "0", f"0 {A}", f"soon {A} {TAG}"])
def test_another_line_is_damage(line: str) -> None:
    with pytest.raises(BackupError, match="list of links is damaged"):
        Link.parse(line)


def covered(lines: list[str], *blobs: str) -> Coverage:
    return Coverage.read(StoredParts(lines=lines, blobs=dict.fromkeys(blobs, b"12345")), "links", "blobs")


WHOLE = [f"0 {A} {TAG}", f"0 {C} {HISTORY}", f"0 {A} {MANIFEST}", f"0 {B} {LAYER}"]


def test_a_backup_with_all_that_is_linked_lacks_nothing() -> None:
    found = covered(WHOLE, A, B)
    assert found.missing == frozenset()
    assert (found.repositories, found.tags, found.blobs, found.size) == ({"team/app"}, 1, 2, 10)


def test_a_linked_blob_that_is_not_there_is_missing() -> None:
    assert covered(WHOLE, A).missing == {B}
    assert covered(WHOLE).missing == {A, B}


def test_what_a_tag_once_named_may_be_gone() -> None:
    assert C not in covered(WHOLE).missing


def test_blobs_that_nothing_links_are_counted_alone() -> None:
    found = covered([], A)
    assert (found.missing, found.blobs, found.repositories) == (frozenset(), 1, set())


def test_a_layer_linked_by_sha512_is_the_blob_that_it_leads_to() -> None:
    line = f"0 {B} {LAYER_512}"
    assert covered([line], B).missing == frozenset()
    assert covered([line], A).missing == {B}
    # Damaged, it leads where its place says.
    assert covered([f"0 - {LAYER_512}"], B).missing == {BY_512}
    assert covered([f"0 - {LAYER_512}"], BY_512).missing == frozenset()


def test_a_damaged_tag_is_counted_and_needs_nothing() -> None:
    found = covered([f"0 - {TAG}"])
    assert (found.tags, found.missing) == (1, frozenset())


@pytest.mark.parametrize("path", ["/data", "data", "/var/lib/registry/docker/registry/v2/blobs/sha256/aa/x/note"])
def test_other_files_are_no_blobs(path: str) -> None:
    found = Coverage()
    found.note_file(StoredFile(path, 7))
    assert found.missing == frozenset()
