"""Manifests: what the registry keeps for a tag, parsed from its exact bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.errors import RegistryError
from deployer.reference import is_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"

MANIFEST_TYPES = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)
INDEX_TYPES = frozenset({DOCKER_LIST, OCI_INDEX})
SCHEMA_1_TYPES = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)

# A digest that no content has.
NO_DIGEST = "sha256:" + "0" * 64

# BuildKit marks the attestations that it puts into an index with this annotation.
_ATTESTATION = "vnd.docker.reference.type"


@dataclass(frozen=True)
class Platform:
    """What an image runs on."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def is_known(self) -> bool:
        """Whether a machine can be of this platform; attestations are filed under unknown/unknown."""
        return bool(self.os) and self.os != "unknown" and bool(self.architecture) and self.architecture != "unknown"


@dataclass(frozen=True)
class Descriptor:
    """A pointer to content: its type, its digest, its size in bytes."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    artifact_type: str = ""

    @property
    def is_index(self) -> bool:
        """Whether it points to a Docker list or an OCI index."""
        return self.media_type in INDEX_TYPES

    @property
    def is_attestation(self) -> bool:
        """Whether it stands in an index beside the images, describing one of them."""
        unknown = self.platform is not None and not self.platform.is_known
        return unknown or _ATTESTATION in self.annotations


@dataclass(frozen=True)
class ImageManifest:
    """One image for one platform, or an artifact of another kind in the same form."""

    media_type: str
    digest: str
    content: bytes = field(repr=False)
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_image(self) -> bool:
        """Whether containers can be made of it; charts, signatures and the like are artifacts."""
        return self.config.media_type in {DOCKER_CONFIG, OCI_CONFIG}

    @property
    def size(self) -> int:
        """Bytes of its configuration and layers, compressed as the registry keeps them."""
        return self.config.size + sum(layer.size for layer in self.layers)


@dataclass(frozen=True)
class Index:
    """Several images under one name, one for each platform (Docker list, OCI index)."""

    media_type: str
    digest: str
    content: bytes = field(repr=False)
    manifests: tuple[Descriptor, ...]
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def images(self) -> tuple[Descriptor, ...]:
        """Its children without attestations, each once."""
        unique: dict[str, Descriptor] = {}
        for child in self.manifests:
            if not child.is_attestation:
                unique.setdefault(child.digest, child)
        return tuple(unique.values())


Manifest = ImageManifest | Index


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest that the registry gives to these bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def parse(content: bytes, content_type: str, digest: str | None = None) -> Manifest:
    """Read a manifest from its exact bytes.

    `content_type` is the answer's header, `digest` what the bytes were checked against (computed
    where None). Raises RegistryError for schema 1, for anything that is no manifest, and for one
    that says two things at once (media types of header and body must agree: OCI image
    specification, CVE-2021-41190).
    """
    said = content_type.partition(";")[0].strip().lower()
    document = _document(content)
    if said in SCHEMA_1_TYPES or document.get("schemaVersion") == 1:
        raise RegistryError(
            "This manifest is in Docker's schema 1, a form given up years ago, which deployer does not read.",
            ("Push the image again with a Docker of this decade.",),
        )
    media_type = _media_type(document, said)
    common: dict[str, Any] = {
        "media_type": media_type,
        "digest": digest or digest_of(content),
        "content": content,
        "subject": _descriptor(document["subject"], "subject") if document.get("subject") else None,
        "artifact_type": _text(document, "artifactType", "the manifest"),
        "annotations": _texts(document, "annotations", "the manifest"),
    }
    if media_type in INDEX_TYPES:
        return Index(manifests=_descriptors(document, "manifests"), **common)
    return ImageManifest(
        config=_descriptor(document.get("config"), "config"), layers=_descriptors(document, "layers"), **common
    )


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RegistryError("The manifest is no JSON, or is cut off.", original=str(error)) from error
    if not isinstance(document, dict):
        raise _invalid("it is no JSON object")
    return document


def _media_type(document: dict[str, Any], said: str) -> str:
    written = _text(document, "mediaType", "the manifest")
    if said in MANIFEST_TYPES and written and written != said:
        raise _invalid(f"the registry calls it {said}, it calls itself {written}")
    is_index, is_image = "manifests" in document, "config" in document or "layers" in document
    if is_index and is_image:
        raise _invalid("it is an image and an index at once")
    media_type = said if said in MANIFEST_TYPES else written or (OCI_INDEX if is_index else OCI_MANIFEST)
    if media_type not in MANIFEST_TYPES:
        raise RegistryError(f"The manifest is of the type '{media_type}', which deployer does not know.")
    return media_type


def _descriptors(document: dict[str, Any], key: str) -> tuple[Descriptor, ...]:
    # Go writes an empty list as null.
    entries = document.get(key)
    if entries is None and key in document:
        return ()
    if not isinstance(entries, list):
        raise _invalid(f"'{key}' is no list")
    return tuple(_descriptor(entry, f"{key}[{position}]") for position, entry in enumerate(entries))


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise _invalid(f"'{where}' is no descriptor")
    digest, size = _text(value, "digest", where), value.get("size")
    if not is_digest(digest):
        raise _invalid(f"'{where}' has no valid digest")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise _invalid(f"'{where}' has no valid size")
    return Descriptor(
        media_type=_text(value, "mediaType", where),
        digest=digest,
        size=size,
        platform=_platform(value.get("platform"), where),
        annotations=_texts(value, "annotations", where),
        artifact_type=_text(value, "artifactType", where),
    )


def _platform(value: object, where: str) -> Platform | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _invalid(f"the platform of '{where}' is no object")
    return Platform(*(_text(value, key, where) for key in ("os", "architecture", "variant", "os.version")))


def _text(document: dict[str, Any], key: str, where: str) -> str:
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _invalid(f"'{key}' of {where} is no text")
    return value


def _texts(document: dict[str, Any], key: str, where: str) -> dict[str, str]:
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise _invalid(f"'{key}' of {where} is no set of names and texts")
    return dict(value)


def _invalid(why: str) -> RegistryError:
    return RegistryError(f"The manifest is not valid: {why}.")
