"""Throw-away images: how one tag is removed where a registry deletes by digest only.

A throw-away is put onto the tag, and then its digest is deleted, which nothing else can have. It
says in its labels what it is, so that a tag left on one by a killed run is recognised.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.reference import is_digest
from deployer.registry import manifests

if TYPE_CHECKING:
    from deployer.registry.imageconfig import ImageConfig

LABEL_DIGEST = "deployer.half-deleted.digest"
LABEL_TAG = "deployer.half-deleted.tag"

_DOCKER_TYPES = frozenset({manifests.DOCKER_MANIFEST, manifests.DOCKER_LIST})


@dataclass(frozen=True)
class ThrowAway:
    """An image with no layers, as the bytes to upload."""

    config: bytes
    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The digest of its manifest."""
        return manifests.digest_of(self.content)


def make(tag: str, original: str, media_type: str, nonce: str) -> ThrowAway:
    """A throw-away for a tag that points to `original`, in the same family, Docker's or OCI's.

    `nonce` is what makes its digest its own: random for every deletion.
    """
    is_docker = media_type in _DOCKER_TYPES
    labels = {LABEL_DIGEST: original, LABEL_TAG: tag, "deployer.half-deleted.nonce": nonce}
    config = _json(
        {
            "architecture": "unknown",
            "os": "unknown",
            "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
    )
    family = manifests.DOCKER_MANIFEST if is_docker else manifests.OCI_MANIFEST
    content = _json(
        {
            "schemaVersion": 2,
            "mediaType": family,
            "config": {
                "mediaType": manifests.DOCKER_CONFIG if is_docker else manifests.OCI_CONFIG,
                "digest": manifests.digest_of(config),
                "size": len(config),
            },
            "layers": [],
        }
    )
    return ThrowAway(config, content, family)


def may_be_throwaway(manifest: manifests.Manifest) -> bool:
    """Whether the configuration is worth a look: throw-aways have no layers."""
    return isinstance(manifest, manifests.ImageManifest) and manifest.is_image and not manifest.layers


def original_of(config: ImageConfig) -> str | None:
    """The digest that a half-deleted tag pointed to, or None for any other image."""
    digest = config.labels.get(LABEL_DIGEST, "")
    return digest if is_digest(digest) else None


def _json(value: object) -> bytes:
    return json.dumps(value, indent=3).encode()
