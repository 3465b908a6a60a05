"""Manifests: what the registry keeps for a tag, parsed from its exact bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from deployer.errors import RegistryError, UnknownManifest
from deployer.printable import excerpt
from deployer.reference import is_digest
from deployer.registry.content.children import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA_1_TYPES,
    is_attestation,
    is_manifest_type,
)
from deployer.registry.content.json_text import read_json, read_size
from deployer.registry.content.kinds import DOCKER_CONFIG, OCI_CONFIG, Content, Kind, kind_of
from deployer.registry.content.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "DOCKER_CONFIG",
    "DOCKER_LIST",
    "DOCKER_MANIFEST",
    "INDEX_TYPES",
    "MANIFEST_TYPES",
    "NO_DIGEST",
    "OCI_CONFIG",
    "OCI_INDEX",
    "OCI_MANIFEST",
    "SCHEMA_1_TYPES",
    "Descriptor",
    "ImageManifest",
    "Index",
    "Manifest",
    "Platform",
    "digest_of",
    "parse",
]

# A digest that no content has.
NO_DIGEST = "sha256:" + "0" * 64
# distribution neither takes nor gives larger ones (registry/handlers/manifests.go, maxManifestBodySize).
MANIFEST_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Descriptor:
    """A pointer to content: its type, its digest, its size in bytes, None if it says none that can be."""

    media_type: str
    digest: str
    size: int | None
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    artifact_type: str = ""
    is_attestation: bool = False
    """Whether it is in an index beside the images, describing one of them."""

    @property
    def is_index(self) -> bool:
        """Whether it points to a Docker list or an OCI index."""
        return self.media_type in INDEX_TYPES

    @property
    def is_manifest(self) -> bool:
        """Whether it points to a manifest, and to no blob."""
        return is_manifest_type(self.media_type)


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

    @cached_property
    def kind(self) -> Content:
        """What it is, by the types of its configuration and its layers."""
        return kind_of(read_json(self.content), self.media_type)

    @property
    def is_image(self) -> bool:
        """Whether containers can be made of it; charts, signatures, caches and the like are none."""
        return self.kind.kind is Kind.IMAGE

    @property
    def size(self) -> int | None:
        """Bytes of its configuration and layers, compressed as the registry keeps them; None if one is not known."""
        return total(part.size for part in (self.config, *self.layers))


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

    @cached_property
    def kind(self) -> Content:
        """What it is: an index of images, or a build cache or an artifact in the form of an index."""
        return kind_of(read_json(self.content), self.media_type)

    @property
    def images(self) -> tuple[Descriptor, ...]:
        """Its children without attestations, each once for a platform; what it names that is not a manifest is none."""
        return _each_once(child for child in self.manifests if child.is_manifest and not child.is_attestation)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """What it names that is not a manifest, such as the layers of a build cache, each once."""
        return _each_once(child for child in self.manifests if not child.is_manifest)

    @property
    def size(self) -> int | None:
        """Bytes of its own `blobs`; None if one is not known."""
        return total(blob.size for blob in self.blobs)


Manifest = ImageManifest | Index


def total(sizes: Iterable[int | None]) -> int | None:
    """The sum of sizes, None if one is not known."""
    known = list(sizes)
    numbers = [size for size in known if size is not None]
    return sum(numbers) if len(numbers) == len(known) else None


def _each_once(descriptors: Iterable[Descriptor]) -> tuple[Descriptor, ...]:
    unique: dict[tuple[str, str], Descriptor] = {}
    for descriptor in descriptors:
        platform = descriptor.platform.label if descriptor.platform else ""
        unique.setdefault((descriptor.digest, platform), descriptor)
    return tuple(unique.values())


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest that the registry gives to these bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def parse(content: bytes, content_type: str, digest: str | None = None) -> Manifest:
    """Read a manifest from its exact bytes, as Go reads it: null is absent, and so is whatever is of another form.

    `content_type` is the answer's header, `digest` what the bytes were checked against (computed
    where None). Raises RegistryError for schema 1, for anything that is not a manifest, and for one
    that says two things at once (media types of header and body must agree: OCI image
    specification, CVE-2021-41190); UnknownManifest for one of a type that is not known.
    """
    said = content_type.partition(";")[0].strip().lower()
    document = _document(content)
    if said in SCHEMA_1_TYPES or document.get("schemaVersion") == 1:
        raise RegistryError(
            "The manifest uses Docker manifest schema 1, which is obsolete and not supported by deployer.",
            ("Push the image again with a current version of Docker.",),
        )
    media_type = _media_type(document, said)
    common: dict[str, Any] = {
        "media_type": media_type,
        "digest": digest or digest_of(content),
        "content": content,
        "subject": _descriptor(document.get("subject")),
        "artifact_type": _text(document, "artifactType"),
        "annotations": _texts(document, "annotations"),
    }
    if media_type in INDEX_TYPES:
        # Docker checks the entry that it wants alone.
        entries = map(_descriptor, _list(document, "manifests"))
        return Index(manifests=tuple(entry for entry in entries if entry), **common)
    layers = enumerate(_list(document, "layers"))
    return ImageManifest(
        config=_needed(document.get("config"), "config"),
        layers=tuple(_needed(entry, f"layers[{position}]") for position, entry in layers),
        **common,
    )


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = read_json(content)
    except ValueError as error:
        raise RegistryError("The manifest is not valid JSON, or is truncated.", original=str(error)) from error
    if not isinstance(document, dict):
        raise _invalid("it is not a JSON object")
    return document


def _media_type(document: dict[str, Any], said: str) -> str:
    written = _text(document, "mediaType")
    if said in MANIFEST_TYPES and written and written != said:
        raise _invalid(f"the registry says its type is {excerpt(said)}, but the manifest says {excerpt(written)}")
    is_index = document.get("manifests") is not None
    is_image = any(document.get(key) is not None for key in ("config", "layers"))
    if is_index and is_image:
        raise _invalid("it is both an image and an index")
    media_type = said if said in MANIFEST_TYPES else written or (OCI_INDEX if is_index else OCI_MANIFEST)
    if media_type not in MANIFEST_TYPES:
        raise UnknownManifest(f"The manifest has the type '{excerpt(media_type)}', which deployer does not support.")
    return media_type


def _list(document: dict[str, Any], key: str) -> list[Any]:
    # Go writes an empty list as null.
    entries = document.get(key)
    if entries is not None and not isinstance(entries, list):
        raise _invalid(f"'{key}' is not a list")
    return entries or []


def _needed(value: object, where: str) -> Descriptor:
    """What nothing can be pulled without."""
    if not isinstance(value, dict):
        raise _invalid(f"'{where}' is not a valid descriptor")
    found = _descriptor(value)
    if found is None:
        raise _invalid(f"'{where}' has no valid digest")
    return found


def _descriptor(value: object) -> Descriptor | None:
    """None if it names nothing."""
    if not isinstance(value, dict) or not is_digest(_text(value, "digest")):
        return None
    return Descriptor(
        media_type=_text(value, "mediaType"),
        digest=value["digest"],
        size=read_size(value.get("size")),
        platform=_platform(value.get("platform")),
        annotations=_texts(value, "annotations"),
        artifact_type=_text(value, "artifactType"),
        is_attestation=is_attestation(value),
    )


def _platform(value: object) -> Platform | None:
    if not isinstance(value, dict):
        return None
    return Platform(*(_text(value, key) for key in ("os", "architecture", "variant", "os.version")))


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _texts(document: dict[str, Any], key: str) -> dict[str, str]:
    value = document.get(key)
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


def _invalid(why: str) -> RegistryError:
    return RegistryError(f"The manifest is not valid: {why}.")
