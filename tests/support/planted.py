"""Content that no push brings: written into the storage of a test's registry, as old disks and power cuts leave it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tests.support.registry_content import OCI, TYPES, image, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stored import Stored

GOOD = image("layer", media=OCI)
_OCI, _INDEX = TYPES[OCI]["manifest"], TYPES[OCI]["index"]


def _manifest(**more: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": _OCI, **more}).encode()


def _children(number: int) -> bytes:
    entries = [{"mediaType": _OCI, "digest": sha256(b"%d" % one), "size": 1} for one in range(number)]
    return json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries}).encode()


# As Docker pushed it until 1.10, without its signatures: a registry adds them to each answer again.
SCHEMA_1 = json.dumps(
    {
        "schemaVersion": 1, "name": "app", "tag": "1", "architecture": "amd64",
        "fsLayers": [{"blobSum": sha256(GOOD.blobs[1])}],
        "history": [{"v1Compatibility": json.dumps({"id": "a", "created": "2015-01-02T03:04:05Z"})}],
    },
    indent=3,
).encode()  # fmt: skip
MANIFESTS = {
    "schema1": SCHEMA_1,
    "empty": b"",
    "cut": GOOD.content[:50],
    "list": b"[]",
    "tomorrow": json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.example.tomorrow.v9+json"}).encode(),
    "version3": json.dumps({"schemaVersion": 3, "mediaType": _OCI}).encode(),
    "no-media-type": b'{"schemaVersion": 2}',
    "no-digests": _manifest(config={"digest": "nonsense"}, layers=None),
    "huge": _manifest(config={}, layers=[], annotations={"a": "x" * 6_000_000}),
    "many-children": _children(100_000),
}
# Of what the registry gives no manifest, with other things than its content.
LINKS = ("manifest-gone", "not-linked", "flipped", "sha512")


def plant(stored: Stored, repository: str, tag: str, content: bytes, digest: str | None = None) -> str:
    """Write a manifest and a tag that points to it, whatever it is; returns its digest."""
    named = digest or sha256(content)
    _write(stored.blob(named), content)
    _write(stored.revision(repository, named), named.encode())
    _write(stored.tag(repository, tag), named.encode())
    algorithm, value = named.split(":")
    _write(stored.tag(repository, tag).parents[1] / "index" / algorithm / value / "link", named.encode())
    return named


def plant_everything(stored: Stored, repository: str) -> dict[str, str]:
    """One tag for each of MANIFESTS and LINKS, beside the image GOOD under `good`; returns the digests by tag."""
    for blob in GOOD.blobs:
        _write(stored.blob(sha256(blob)), blob)
        _write(
            stored.repository(repository) / "_layers" / sha256(blob).replace(":", "/") / "link", sha256(blob).encode()
        )
    planted = {"good": plant(stored, repository, "good", GOOD.content)}
    planted |= {tag: plant(stored, repository, tag, content) for tag, content in MANIFESTS.items()}
    planted["manifest-gone"] = plant(stored, repository, "manifest-gone", GOOD.content + b" ")
    stored.blob(planted["manifest-gone"]).unlink()
    planted["not-linked"] = plant(stored, repository, "not-linked", GOOD.content + b"  ")
    stored.revision(repository, planted["not-linked"]).unlink()
    changed = GOOD.content.replace(b'"layers"', b'"layerS"')
    planted["flipped"] = plant(stored, repository, "flipped", changed, sha256(GOOD.content + b"   "))
    other = GOOD.content + b"\n"
    planted["sha512"] = plant(stored, repository, "sha512", other, f"sha512:{hashlib.sha512(other).hexdigest()}")
    return planted


def damage_link(stored: Stored, repository: str, tag: str, content: str = "") -> None:
    """Let a tag's own file hold something else than a digest."""
    _write(stored.tag(repository, tag), content.encode())


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
