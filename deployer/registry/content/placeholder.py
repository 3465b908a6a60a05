"""Placeholder images: how one tag is removed if a registry deletes by digest only.

A placeholder is put onto the tag, and then its digest is deleted, which nothing else can have. It
says in its annotations what it is, so that a tag left on one by a killed run is recognised. The web
page makes the same ones (templates/page/assets/registry/deletion-plan.js; tests/contract/placeholder.json).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.reference import is_digest
from deployer.registry.content import manifests

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST = "deployer.half-deleted.digest"
TAG = "deployer.half-deleted.tag"
NONCE = "deployer.half-deleted.nonce"

# A constant, so that browsers need compute no digest: on plain HTTP they can't.
CONFIG = b"{}"
CONFIG_DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

# Of its schema 1 too.
_DOCKER_FAMILY = "application/vnd.docker."


@dataclass(frozen=True)
class Placeholder:
    """An image with no layers and the configuration `CONFIG`: its manifest, as the bytes to upload."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        """The digest of its manifest."""
        return manifests.digest_of(self.content)


def make(tag: str, original: str, media_type: str, nonce: str) -> Placeholder:
    """A placeholder for a tag that points to `original`, in the same family, Docker's or OCI's: OCI's for any other.

    `nonce` is what makes its digest its own: random for every deletion. Docker's form knows no
    annotations, but registries keep them, as they keep every manifest's bytes.
    """
    is_docker = media_type.startswith(_DOCKER_FAMILY)
    family = manifests.DOCKER_MANIFEST if is_docker else manifests.OCI_MANIFEST
    document = {
        "schemaVersion": 2,
        "mediaType": family,
        "config": {
            "mediaType": manifests.DOCKER_CONFIG if is_docker else manifests.OCI_CONFIG,
            "digest": CONFIG_DIGEST,
            "size": len(CONFIG),
        },
        "layers": [],
        "annotations": {DIGEST: original, TAG: tag, NONCE: nonce},
    }
    return Placeholder(json.dumps(document, indent=3).encode(), family)


def original_of(manifest: manifests.Manifest) -> str | None:
    """The digest that a partially deleted tag pointed to, or None for any other image."""
    if not isinstance(manifest, manifests.ImageManifest):
        return None
    return original_said(manifest.config.digest, has_layers=bool(manifest.layers), annotations=manifest.annotations)


def original_said(config: str, *, has_layers: bool, annotations: Mapping[str, object]) -> str | None:
    """The same, of what a manifest says: the digest of its configuration, its annotations."""
    digest = annotations.get(DIGEST)
    is_placeholder = config == CONFIG_DIGEST and not has_layers and isinstance(digest, str) and is_digest(digest)
    return str(digest) if is_placeholder else None
