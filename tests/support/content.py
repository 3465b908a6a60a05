"""Content of every kind that a registry may hold, pushed over its HTTP API."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.registry_content import CREATED, DOCKER, OCI, TYPES, Image, image, push, sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import httpx

UNKNOWN = "unknown/unknown"
PROVENANCE = "https://slsa.dev/provenance/v0.2"
SPDX = "https://spdx.dev/Document"
EMPTY = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True)
class Pushed:
    """What a push left in the registry."""

    digest: str
    size: int
    """Bytes of configuration and layers; of an index, those of its images, without attestations."""


def build_image(
    *,
    layers: Sequence[str] = ("layer",),
    platform: str = "linux/amd64",
    media: str = DOCKER,
    created: str | None = CREATED,
    config_extra: Mapping[str, Any] | None = None,
) -> Image:
    """An image whose layers hold the given words; `config_extra` goes over the configuration's own keys."""
    plain = image(*layers, platform=platform, media=media, created=created)
    if not config_extra:
        return plain
    settings = json.dumps({**json.loads(plain.blobs[0]), **config_extra}).encode()
    document = plain.document
    document["config"] |= {"digest": sha256(settings), "size": len(settings)}
    return Image(json.dumps(document, indent=3).encode(), plain.media_type, (settings, *plain.blobs[1:]))


def foreign_image(*, media: str = DOCKER) -> Image:
    """An image on a Windows base, whose first layer is elsewhere and is pushed to no registry."""
    kinds = {
        DOCKER: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        OCI: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    }
    plain = image("on top", platform="windows/amd64", media=media)
    document = plain.document
    base = {
        "mediaType": kinds[media],
        "digest": sha256(b"base"),
        "size": 1_000_000,
        "urls": ["https://mcr.microsoft.com/v2/windows/nanoserver/blobs/" + sha256(b"base")],
    }
    document["layers"] = [base, *document["layers"]]
    return Image(json.dumps(document).encode(), plain.media_type, plain.blobs)


def build_attestation(subject: str, predicates: Sequence[str] = (PROVENANCE, SPDX)) -> Image:
    """Statements on the image with this digest, as BuildKit makes them: its provenance and what it contains."""
    settings = json.dumps({"os": "unknown", "architecture": "unknown", "rootfs": {"type": "layers"}}).encode()
    layers, statements = [], []
    for predicate in predicates:
        about = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": predicate,
            "subject": [{"name": subject}],
        }
        statement = json.dumps(about).encode()
        told = {"in-toto.io/predicate-type": predicate}
        statements.append(statement)
        layers.append({**_descriptor("application/vnd.in-toto+json", statement), "annotations": told})
    kind = TYPES[OCI]["manifest"]
    config = _descriptor(TYPES[OCI]["config"], settings)
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}
    return Image(json.dumps(manifest).encode(), kind, (settings, *statements))


def push_image(
    client: httpx.Client,
    repository: str,
    tag: str,
    *,
    layers: Sequence[str] = ("layer",),
    platform: str = "linux/amd64",
    media: str = DOCKER,
    created: str | None = CREATED,
    config_extra: Mapping[str, Any] | None = None,
) -> Pushed:
    """Push an image of one platform (Docker schema 2 or OCI) under a tag."""
    content = build_image(layers=layers, platform=platform, media=media, created=created, config_extra=config_extra)
    return Pushed(push(client, repository, tag, content), content.size)


def push_index(
    client: httpx.Client,
    repository: str,
    tag: str,
    *,
    platforms: Sequence[str] = ("linux/amd64", "linux/arm64/v8"),
    media: str = OCI,
    created: str | None = CREATED,
    attestations: bool = False,
) -> Pushed:
    """Push an index (Docker list or OCI) of one image for each platform, each with its attestation if asked."""
    entries: list[dict[str, Any]] = []
    size = 0
    for platform in platforms:
        child = build_image(layers=(f"{repository} {platform}",), platform=platform, media=media, created=created)
        push(client, repository, None, child)
        entries.append(child.descriptor(platform=_platform(platform)))
        size += child.size
    for entry in list(entries) if attestations else []:
        statement = build_attestation(entry["digest"])
        push(client, repository, None, statement)
        about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": entry["digest"]}
        entries.append(statement.descriptor(platform=_platform(UNKNOWN), annotations=about))
    kind = TYPES[media]["index"]
    whole = Image(json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode(), kind)
    return Pushed(push(client, repository, tag, whole), size)


def push_artifact(
    client: httpx.Client,
    repository: str,
    tag: str | None,
    *,
    config_type: str = "application/vnd.cncf.helm.config.v1+json",
    config: Mapping[str, Any] | None = None,
    layer_type: str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    title: str = "",
    content: bytes = b"chart",
    **more: Any,
) -> Pushed:
    """
    Push something that is not an image, a Helm chart unless told; `more` goes into the manifest.

    With a `title` its content is a file of this name, as ORAS pushes files, not packed.
    """
    settings = json.dumps({"name": repository, "version": tag} if config is None else config).encode()
    packed = content if title else gzip.compress(content, mtime=0)
    layer = _descriptor(layer_type, packed)
    layer |= {"annotations": {"org.opencontainers.image.title": title}} if title else {}
    kind = TYPES[OCI]["manifest"]
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": _descriptor(config_type, settings),
        "layers": [layer],
        **more,
    }
    artifact = Image(json.dumps(manifest).encode(), kind, (settings, packed))
    return Pushed(push(client, repository, tag, artifact), artifact.size)


def push_tag(client: httpx.Client, repository: str, tag: str, content: Image) -> None:
    """Give content whose blobs are already there a further tag."""
    answer = client.put(
        f"/v2/{repository}/manifests/{tag}", content=content.content, headers={"Content-Type": content.media_type}
    )
    assert answer.status_code == 201, answer.text


def push_many_tags(client: httpx.Client, repository: str, tags: Iterable[str], *, images: int = 1) -> list[Pushed]:
    """Push a few small images, each a day older than the one before, and share the tags out among them in turn."""
    newest = datetime(2024, 6, 29, tzinfo=UTC)
    made = [
        build_image(
            layers=(f"{repository} {number}" * (number + 1),), created=(newest - timedelta(days=number)).isoformat()
        )
        for number in range(images)
    ]
    pushed = [Pushed(push(client, repository, None, each), each.size) for each in made]
    for position, tag in enumerate(tags):
        push_tag(client, repository, tag, made[position % images])
    return pushed


def empty_repository(client: httpx.Client, repository: str) -> None:
    """Leave a repository that once had an image and has no tags any more."""
    pushed = push_image(client, repository, "gone", layers=(repository,))
    answer = client.delete(f"/v2/{repository}/manifests/{pushed.digest}")
    assert answer.status_code == 202, answer.text


def _platform(words: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), words.split("/"), strict=False))


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content)}
