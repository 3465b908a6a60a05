"""Blobs of which there may be millions, in little memory: 56 bytes each, sorted by their digests."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deployer.storage.snapshot import Blob

if TYPE_CHECKING:
    from collections.abc import Iterator

_FACTS = struct.Struct(">QQq")
_KINDS = {32: "sha256", 64: "sha512"}


class PackedBlobs(Mapping[str, Blob]):
    """Blobs by their digests. Each has a number, once all are added: what is noted of them fits into a byte each."""

    def __init__(self) -> None:
        self._new: dict[tuple[int, int], bytearray] = {}
        self._buckets: dict[tuple[int, int], _Bucket] = {}
        self._count = 0

    def add(self, digest: str, blob: Blob) -> None:
        """Add one that was not added before, before any is asked for."""
        raw = _raw(digest)
        self._new.setdefault((len(raw), raw[0]), bytearray()).extend(raw + _FACTS.pack(*blob))

    def number(self, digest: str) -> int | None:
        """The number of a blob, from 0; None if it is not among them."""
        self._sort()
        raw = _raw(digest)
        bucket = self._buckets.get((len(raw), raw[0])) if raw else None
        place = bucket.place(raw) if bucket else None
        return None if bucket is None or place is None else bucket.first + place

    def numbered(self) -> Iterator[tuple[int, str, Blob]]:
        """All of them, with their numbers, in this order."""
        self._sort()
        for bucket in self._buckets.values():
            for place in range(len(bucket)):
                raw = bucket[place]
                yield bucket.first + place, f"{_KINDS[len(raw)]}:{raw.hex()}", bucket.blob(place)

    def __getitem__(self, digest: str) -> Blob:
        self._sort()
        raw = _raw(digest)
        bucket = self._buckets.get((len(raw), raw[0])) if raw else None
        place = bucket.place(raw) if bucket else None
        if bucket is None or place is None:
            raise KeyError(digest)
        return bucket.blob(place)

    def __iter__(self) -> Iterator[str]:
        return (digest for _, digest, _ in self.numbered())

    def __len__(self) -> int:
        self._sort()
        return self._count

    def _sort(self) -> None:
        if not self._new:
            return
        for key in sorted(self._new):
            self._buckets[key] = _Bucket(key[0], self._new.pop(key), self._count)
            self._count += len(self._buckets[key])


class _Bucket:
    """Records of digests that begin alike; `first` is the number of the first."""

    def __init__(self, width: int, unsorted: bytearray, first: int) -> None:
        self.first = first
        self._width = width
        self._step = width + _FACTS.size
        records = sorted(bytes(unsorted[at : at + self._step]) for at in range(0, len(unsorted), self._step))
        self._records = b"".join(records)

    def __len__(self) -> int:
        return len(self._records) // self._step

    def __getitem__(self, place: int) -> bytes:
        """The digest at a place."""
        return self._records[place * self._step : place * self._step + self._width]

    def place(self, raw: bytes) -> int | None:
        """Where a digest is."""
        found = bisect_left(self, raw)
        return found if found < len(self) and self[found] == raw else None

    def blob(self, place: int) -> Blob:
        """The blob at a place."""
        return Blob(*_FACTS.unpack_from(self._records, place * self._step + self._width))


class DigestBag:
    """Digests of which there may be millions, each as often as it is added."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[int, int], bytearray] = {}

    def add(self, digest: str) -> None:
        """Add one; what is no digest is left out."""
        raw = _raw(digest)
        if raw:
            self._buckets.setdefault((len(raw), raw[0]), bytearray()).extend(raw)

    def without(self, others: DigestBag) -> Iterator[str]:
        """Those that are not among the others, each once."""
        for key, bucket in self._buckets.items():
            width = key[0]
            there = set(_pieces(others._buckets.get(key, bytearray()), width))
            for raw in set(_pieces(bucket, width)) - there:
                yield f"{_KINDS[width]}:{raw.hex()}"


def _pieces(joined: bytearray, width: int) -> Iterator[bytes]:
    return (bytes(joined[at : at + width]) for at in range(0, len(joined), width))


def _raw(digest: str) -> bytes:
    """The bytes of a digest; none of anything else."""
    kind, _, value = digest.partition(":")
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return b""
    return raw if _KINDS.get(len(raw)) == kind else b""
