"""What a manifest is, by the media types in it and in its descriptors: image, index, build cache or artifact."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from deployer.registry.content.children import INDEX_TYPES, children, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"

_CONFIG_TYPES = frozenset({DOCKER_CONFIG, OCI_CONFIG})
# What images of 2016 have as the type of their configuration. Docker pulls them (moby, distribution/registry.go).
_OLD_CONFIG_TYPES = frozenset({"application/octet-stream", "application/json", "text/html", ""})
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_LAYER_TYPE = re.compile(
    r"application/vnd\.(docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.\w+)?|oci\.image\.layer\.[\w.]*tar)(\+\w+)*",
    re.ASCII,
)
# What OCIcrypt puts behind the type of a layer.
_ENCRYPTED = "+encrypted"
_CACHE_TYPE = re.compile(r"application/vnd\.buildkit\.cacheconfig\.")

_PACKAGE_TYPE = "com.github.package.type"
_BOTTLE = "homebrew_bottle"
_TITLE = "org.opencontainers.image.title"
# BuildKit, cosign and sigstore's bundles each have their own key.
_PREDICATES = ("in-toto.io/predicate-type", "predicateType", "dev.sigstore.bundle.predicateType")


class Kind(StrEnum):
    """What a manifest is."""

    IMAGE = "image"
    INDEX = "index"
    CACHE = "cache"
    ARTIFACT = "artifact"
    LEGACY = "legacy"


class Purpose(StrEnum):
    """The purpose of something that Docker does not pull as an image, if known."""

    NONE = ""
    CACHE = "cache"
    CHART = "chart"
    FLUX = "flux"
    COMPOSE = "compose"
    MODEL = "model"
    PLUGIN = "plugin"
    HOMEBREW = "homebrew"
    PROVENANCE = "provenance"
    SBOM = "sbom"
    VEX = "vex"
    SIGNATURE = "signature"
    ATTESTATION = "attestation"
    WASM = "wasm"
    ENCRYPTED = "encrypted"


class Client(StrEnum):
    """What gets it: its own client, oras where its files have titles, or skopeo, which copies anything."""

    DOCKER = "docker"
    DOCKER_PLUGIN = "docker-plugin"
    DOCKER_MODEL = "docker-model"
    BUILDKIT = "buildkit"
    HELM = "helm"
    FLUX = "flux"
    COMPOSE = "compose"
    OLLAMA = "ollama"
    ORAS = "oras"
    SKOPEO = "skopeo"


# The first that fits a type, or the predicate of a statement, names what it is for.
_PURPOSES = (
    (Purpose.CACHE, _CACHE_TYPE),
    (Purpose.CHART, re.compile(r"cncf\.helm")),
    (Purpose.FLUX, re.compile(r"cncf\.flux")),
    (Purpose.COMPOSE, re.compile(r"docker\.compose")),
    (Purpose.MODEL, re.compile(r"docker\.ai\.|ollama\.image|cncf\.model|cnai\.model|kitops\.modelkit")),
    (Purpose.PLUGIN, re.compile(r"docker\.plugin")),
    (Purpose.HOMEBREW, re.compile(rf"^{_BOTTLE}$")),
    (Purpose.PROVENANCE, re.compile(r"slsa\.dev/provenance|slsaprovenance")),
    (Purpose.SBOM, re.compile(r"spdx|cyclonedx|syft|sbom")),
    (Purpose.VEX, re.compile(r"openvex|\bvex\b", re.ASCII)),
    (Purpose.SIGNATURE, re.compile(r"signature|simplesigning|cosign/sign|artifact\.sig")),
    (Purpose.ATTESTATION, re.compile(r"in-toto|dsse|attestation|predicate|sigstore\.bundle")),
    (Purpose.WASM, re.compile(r"\bwasm\b", re.ASCII)),
)
_CLIENTS = {
    Purpose.CACHE: Client.BUILDKIT,
    Purpose.CHART: Client.HELM,
    Purpose.FLUX: Client.FLUX,
    Purpose.COMPOSE: Client.COMPOSE,
    Purpose.PLUGIN: Client.DOCKER_PLUGIN,
}


@dataclass(frozen=True)
class Content:
    """What a manifest is. `type` is an artifact's, "" for images and if nothing says it."""

    kind: Kind
    purpose: Purpose
    type: str
    client: Client


_IMAGE = Content(Kind.IMAGE, Purpose.NONE, "", Client.DOCKER)
_INDEX = Content(Kind.INDEX, Purpose.NONE, "", Client.DOCKER)
_ENCRYPTED_IMAGE = Content(Kind.IMAGE, Purpose.ENCRYPTED, "", Client.SKOPEO)


def kind_of(document: Mapping[str, Any], media_type: str = "") -> Content:
    """What a manifest is, whatever strangers wrote into it. `media_type` is what the registry calls it, "" as itself.

    It is an image only if its configuration and all its layers are of an image's types. Some types of configuration are
    an old image's, or anything: there the layers have to say it.
    """
    if document.get("schemaVersion") == 1:
        return Content(Kind.LEGACY, Purpose.NONE, "", Client.DOCKER)
    said = media_type or text_of(document, "mediaType")
    if said in INDEX_TYPES or isinstance(document.get("manifests"), list):
        return _kind_of_index(document)
    named = children(document)
    config, layers = text_of(named.config, "mediaType"), named.layers
    types = [text_of(layer, "mediaType") for layer in layers]
    bottle = _bottle_type(document)
    is_image = config in _CONFIG_TYPES or _is_old_image(document, config, layers)
    if is_image and all(map(_is_layer_type, types)) and not bottle:
        return _ENCRYPTED_IMAGE if any(each.endswith(_ENCRYPTED) for each in types) else _IMAGE
    own = "" if config in _CONFIG_TYPES or config == _EMPTY_TYPE else config
    other = next((each for each in types if each and not _is_layer_type(each)), "")
    if _CACHE_TYPE.match(config):
        return Content(Kind.CACHE, Purpose.CACHE, config, Client.BUILDKIT)
    kind = text_of(document, "artifactType") or own or bottle or other
    purpose = Purpose.HOMEBREW if bottle else _stated(document, layers) or _first((kind, config, *types))
    return Content(Kind.ARTIFACT, purpose, kind, _client_of(purpose, kind, titled=any(map(_has_title, layers))))


def kind_of_whole(own: Content, parts: Iterable[Content]) -> Content:
    """What an index is; `own` is what it is by itself, `parts` what is known of the manifests that it puts together.

    It is an image's only if one of them is an image, otherwise an artifact as they are. Anything else is what it is.
    """
    if own.kind is not Kind.INDEX:
        return own
    known = list(parts)
    images = [part for part in known if part.kind in {Kind.IMAGE, Kind.LEGACY}]
    if images:
        return _INDEX if any(not part.purpose for part in images) else replace(images[0], kind=Kind.INDEX)
    if known:
        first = known[0]
        return Content(first.kind, own.purpose or first.purpose, own.type or first.type, first.client)
    return Content(Kind.ARTIFACT, own.purpose, own.type, own.client) if own.type else own


def purpose_of(media_type: str) -> Purpose:
    """What a media type, or the predicate of a statement, is for."""
    return next((found for found, pattern in _PURPOSES if pattern.search(media_type.lower())), Purpose.NONE)


def _kind_of_index(document: Mapping[str, Any]) -> Content:
    named = children(document)
    types = [text_of(entry, "mediaType") for entry in named.entries]
    cache = next((each for each in types if _CACHE_TYPE.match(each)), "")
    if cache:
        return Content(Kind.CACHE, Purpose.CACHE, cache, Client.BUILDKIT)
    own = text_of(document, "artifactType") or _bottle_type(document)
    if types and not named.manifests:
        kind = own or types[0]
        purpose = purpose_of(kind)
        return Content(Kind.ARTIFACT, purpose, kind, _client_of(purpose, kind, titled=False))
    artifacts = [text_of(entry, "artifactType") for entry in named.images]
    kind = own or (artifacts[0] if artifacts and all(artifacts) else "")
    purpose = purpose_of(kind)
    client = _client_of(purpose, kind, titled=kind == _BOTTLE) if kind else Client.DOCKER
    return Content(Kind.INDEX, purpose, kind, client)


def _client_of(purpose: Purpose, media_type: str, *, titled: bool) -> Client:
    if purpose == Purpose.MODEL and "docker.ai." in media_type:
        return Client.DOCKER_MODEL
    if purpose == Purpose.MODEL and "ollama" in media_type:
        return Client.OLLAMA
    return _CLIENTS.get(purpose, Client.ORAS if titled else Client.SKOPEO)


def _is_layer_type(media_type: str) -> bool:
    # What says no type says nothing against being an image's layer.
    return not media_type or bool(_LAYER_TYPE.fullmatch(media_type))


def _is_old_image(document: Mapping[str, Any], config: str, layers: Iterable[Mapping[str, Any]]) -> bool:
    """Whether all layers say that they are an image's, and nothing else says what it is."""
    says_other = bool(text_of(document, "artifactType")) or any(map(_has_title, layers))
    has_config = config in _OLD_CONFIG_TYPES and bool(text_of(document.get("config"), "digest"))
    types = [text_of(layer, "mediaType") for layer in layers]
    return has_config and bool(types) and all(map(_LAYER_TYPE.fullmatch, types)) and not says_other


def _has_title(layer: Mapping[str, Any]) -> bool:
    return bool(text_of(layer.get("annotations"), _TITLE))


def _bottle_type(document: Mapping[str, Any]) -> str:
    return _BOTTLE if text_of(document.get("annotations"), _PACKAGE_TYPE) == _BOTTLE else ""


def _first(types: Iterable[str]) -> Purpose:
    return next((found for found in map(purpose_of, types) if found), Purpose.NONE)


def _stated(document: Mapping[str, Any], layers: Iterable[Mapping[str, Any]]) -> Purpose:
    """What the first statement is about; one of an unknown predicate is an attestation."""
    for part in (document, *layers):
        annotations = part.get("annotations")
        predicate = next((found for key in _PREDICATES if (found := text_of(annotations, key))), "")
        if predicate:
            return purpose_of(predicate) or Purpose.ATTESTATION
    return Purpose.NONE
