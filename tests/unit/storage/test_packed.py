"""Many blobs and digests in little memory."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from deployer.storage.packed import DigestBag, PackedBlobs
from deployer.storage.snapshot import Blob

A, B = "sha256:" + "a" * 64, "sha256:" + "ab" * 32
BY_512 = "sha512:" + "a" * 128


def packed(blobs: dict[str, Blob]) -> PackedBlobs:
    made = PackedBlobs()
    for digest, blob in blobs.items():
        made.add(digest, blob)
    return made


def test_what_is_added_is_found_and_nothing_else() -> None:
    # Before 1970 is a time too; a sha512 that begins as another's sha256 is another.
    blobs = {A: Blob(7, 512, -5), B: Blob(1 << 40, 0, 1_700_000_000), BY_512: Blob(0, 0, 0)}
    found = packed(blobs)
    assert dict(found) == blobs
    assert len(found) == 3
    for other in ("sha256:" + "b" * 64, "sha256:aa", "sha256:", "", "sha512:" + "a" * 64, "text", "sha256:" + "z" * 64):
        assert other not in found
        assert found.number(other) is None


def test_each_has_a_number_of_its_own() -> None:
    chance = random.Random(13)
    blobs = {f"sha256:{chance.randbytes(32).hex()}": Blob(number, 0, 0) for number in range(2000)}
    found = packed(blobs)
    assert sorted(number for digest in blobs if (number := found.number(digest)) is not None) == [*range(2000)]
    assert [number for number, _, _ in found.numbered()] == [*range(2000)]
    assert {digest: blob for _, digest, blob in found.numbered()} == blobs


def test_none_are_none() -> None:
    found = packed({})
    assert (dict(found), len(found), found.number(A)) == ({}, 0, None)


def test_a_hundred_thousand_take_a_few_megabytes() -> None:
    chance = random.Random(13)
    tracemalloc.start()
    try:
        found = PackedBlobs()
        for _ in range(100_000):
            found.add(f"sha256:{chance.randbytes(32).hex()}", Blob(1, 512, 1))
        assert len(found) == 100_000
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 7_000_000
    assert most < 14_000_000


@pytest.mark.parametrize(
    ("those", "others", "left"),
    [([A, B, A], [B], {A}), ([A], [A, A], set()), ([BY_512], [A], {BY_512}), (["", "sha256:x", A], [], {A})],
)
def test_what_is_in_one_bag_and_not_in_the_other(those: list[str], others: list[str], left: set[str]) -> None:
    bags = DigestBag(), DigestBag()
    for bag, digests in zip(bags, (those, others), strict=True):
        for digest in digests:
            bag.add(digest)
    assert sorted(bags[0].without(bags[1])) == sorted(left)
