"""Images made of a few bytes, pushed over the registry's own API."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

DOCKER = "docker"
OCI = "oci"
TYPES = {
    DOCKER: {
        "manifest": "application/vnd.docker.distribution.manifest.v2+json",
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
    },
    OCI: {
        "manifest": "application/vnd.oci.image.manifest.v1+json",
        "index": "application/vnd.oci.image.index.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
    },
}
CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
CREATED = "2024-06-29T23:28:22Z"


def sha256(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Image:
    """A manifest with the blobs that it needs."""

    content: bytes
    media_type: str
    blobs: tuple[bytes, ...] = ()

    @property
    def digest(self) -> str:
        return sha256(self.content)

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.content))

    @property
    def size(self) -> int:
        """Bytes of configuration and layers."""
        return sum(map(len, self.blobs))

    def descriptor(self, **more: Any) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content), **more}


def image(
    *layers: str,
    media: str = DOCKER,
    platform: str = "linux/amd64",
    created: str | None = CREATED,
    config: Mapping[str, Any] | None = None,
    history: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> Image:
    """An image whose layers hold the given words; `config` goes into the configuration's `config`."""
    types = TYPES[media]
    os, architecture, *variant = platform.split("/")
    document: dict[str, Any] = {"os": os, "architecture": architecture, "config": dict(config or {})}
    document |= {"variant": variant[0]} if variant else {}
    document |= {"created": created} if created else {}
    document |= {"history": list(history)} if history else {}
    packed = [gzip.compress(layer.encode(), mtime=0) for layer in layers]
    document["rootfs"] = {"type": "layers", "diff_ids": [sha256(layer.encode()) for layer in layers]}
    settings = json.dumps(document).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": types["manifest"],
        "config": {"mediaType": types["config"], "digest": sha256(settings), "size": len(settings)},
        "layers": [{"mediaType": types["layer"], "digest": sha256(blob), "size": len(blob)} for blob in packed],
        **more,
    }
    # Three spaces, as Docker writes it: anyone who parses and prints it again gets another digest.
    return Image(json.dumps(manifest, indent=3).encode(), types["manifest"], (settings, *packed))


def index(children: Sequence[tuple[Image, str | None]], *, media: str = DOCKER, **more: Any) -> Image:
    """An index of images with their platforms; None for a child that is given none."""
    entries = []
    for child, platform in children:
        parts = platform.split("/") if platform else []
        known = dict(zip(("os", "architecture", "variant"), parts, strict=False))
        entries.append(child.descriptor(**({"platform": known} if platform else {})))
    kind = TYPES[media]["index"]
    return Image(json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries, **more}).encode(), kind)


def build_cache(*layers: str, as_image: bool = False, media: str = OCI) -> Image:
    """What BuildKit exports with `--cache-to type=registry`, with `image-manifest=true` as an image."""
    types = TYPES[media]
    packed = [gzip.compress(layer.encode(), mtime=0) for layer in layers]
    settings = json.dumps({"layers": [{"blob": sha256(blob)} for blob in packed], "records": []}).encode()
    parts = [{"mediaType": types["layer"], "digest": sha256(blob), "size": len(blob)} for blob in packed]
    config = {"mediaType": CACHE_CONFIG, "digest": sha256(settings), "size": len(settings)}
    named = {"config": config, "layers": parts} if as_image else {"manifests": [*parts, config]}
    kind = types["manifest" if as_image else "index"]
    content = json.dumps({"schemaVersion": 2, "mediaType": kind, **named}).encode()
    return Image(content, kind, (settings, *packed))


def push(client: httpx.Client, repository: str, reference: str | None, content: Image) -> str:
    """Upload an image's blobs and its manifest, under its digest if there is no tag; returns its digest."""
    for blob in dict.fromkeys(content.blobs):
        started = client.post(f"/v2/{repository}/blobs/uploads/")
        assert started.status_code == 202, started.text
        target = started.headers["Location"]
        joint = "&" if "?" in target else "?"
        ended = client.put(f"{target}{joint}digest={sha256(blob)}", content=blob)
        assert ended.status_code == 201, ended.text
    stored = client.put(
        f"/v2/{repository}/manifests/{reference or content.digest}",
        content=content.content,
        headers={"Content-Type": content.media_type},
    )
    assert stored.status_code == 201, stored.text
    assert stored.headers["Docker-Content-Digest"] == content.digest
    return content.digest
