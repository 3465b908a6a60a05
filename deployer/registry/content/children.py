"""What a manifest names, whatever strangers wrote into it, and the media types that tell manifests from blobs.

Here nothing is refused, and what is of another form than it should be names nothing; `manifests` reads what must be
whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"

MANIFEST_TYPES = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)
INDEX_TYPES = frozenset({DOCKER_LIST, OCI_INDEX})
SCHEMA_1_TYPES = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)

# BuildKit marks the attestations that it puts into an index with this annotation.
_ATTESTATION = "vnd.docker.reference.type"
# Indexes in indexes: these levels are read, as the page does (templates/page/assets/content/media-types.js); of what
# is deeper nothing is known. No real image has more, and they could be made to have no end.
DEPTH = 8

RawDescriptor = dict[str, Any]


@dataclass(frozen=True)
class Children:
    """What a manifest names, as descriptors, of which each may say no digest; see tests/contract/children.json.

    `entries` are all of an index, in their order.
    """

    config: RawDescriptor | None
    layers: tuple[RawDescriptor, ...]
    entries: tuple[RawDescriptor, ...]
    subject: RawDescriptor | None

    @property
    def manifests(self) -> tuple[RawDescriptor, ...]:
        """What an index puts together: its images, and what is reported of them."""
        return tuple(entry for entry in self.entries if is_manifest_type(text_of(entry, "mediaType")))

    @property
    def images(self) -> tuple[RawDescriptor, ...]:
        """Its manifests without the attestations."""
        return tuple(entry for entry in self.manifests if not is_attestation(entry))

    @property
    def blobs(self) -> tuple[RawDescriptor, ...]:
        """What an index names that is not a manifest, such as the layers of a build cache."""
        return tuple(entry for entry in self.entries if not is_manifest_type(text_of(entry, "mediaType")))


def children(document: Mapping[str, Any]) -> Children:
    """What a manifest names."""
    return Children(
        _object(document.get("config")),
        _objects(document.get("layers")),
        _objects(document.get("manifests")),
        _object(document.get("subject")),
    )


def is_manifest_type(media_type: str) -> bool:
    """Whether a descriptor of an index names a manifest, and no blob; one that says no type may."""
    return not media_type or media_type in MANIFEST_TYPES or media_type in SCHEMA_1_TYPES


def is_attestation(descriptor: Mapping[str, Any]) -> bool:
    """Whether an entry of an index is not an image, but metadata of one."""
    platform = descriptor.get("platform")
    unknown = "unknown" in {text_of(platform, "os"), text_of(platform, "architecture")}
    return unknown or bool(text_of(descriptor.get("annotations"), _ATTESTATION))


def text_of(document: object, key: str) -> str:
    """The text that an object has there, "" if there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _object(value: object) -> RawDescriptor | None:
    return value if isinstance(value, dict) else None


def _objects(value: object) -> tuple[RawDescriptor, ...]:
    return tuple(entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else ()
