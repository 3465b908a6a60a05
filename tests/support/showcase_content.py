"""Images, charts, signatures and files as a team's tools make them, of a few megabytes at most."""

from __future__ import annotations

import functools
import gzip
import io
import json
import random
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.registry_content import DOCKER, OCI, TYPES, Image, sha256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

EMPTY = "application/vnd.oci.empty.v1+json"
PROVENANCE = "https://slsa.dev/provenance/v1"
SPDX = "https://spdx.dev/Document"
BASE_SIZES = {"alpine": 3_600_000, "debian": 6_200_000, "distroless": 900_000}


@dataclass(frozen=True)
class Build:
    """One version of a product: what it is made of, and when."""

    name: str
    version: str
    created: datetime
    base: str = "debian"
    weight: int = 1_200_000
    """Bytes of what the product itself brings with it, more or less."""
    media: str = OCI
    title: str = ""

    @property
    def moment(self) -> str:
        return self.created.strftime("%Y-%m-%dT%H:%M:%SZ")


class Layer(NamedTuple):
    """A packed layer, its digest, and that of what is packed."""

    content: bytes
    digest: str
    diff_id: str

    def descriptor(self, media_type: str) -> dict[str, Any]:
        return {"mediaType": media_type, "digest": self.digest, "size": len(self.content)}


@functools.cache
def layer(seed: str, size: int) -> Layer:
    """A layer of one file; the same bytes for the same words, and not worth compressing."""
    unpacked = io.BytesIO()
    with tarfile.open(fileobj=unpacked, mode="w") as tar:
        entry = tarfile.TarInfo("srv/" + sha256(seed.encode())[7:19])
        entry.size = size
        tar.addfile(entry, io.BytesIO(random.Random(seed).randbytes(size)))
    packed = gzip.compress(unpacked.getvalue(), compresslevel=0, mtime=0)
    return Layer(packed, sha256(packed), sha256(unpacked.getvalue()))


def application(build: Build, platform: str = "linux/amd64") -> Image:
    """An image with a history as BuildKit writes it, whose lower layers are shared between versions."""
    series = build.version.rpartition(".")[0]
    made = [
        layer(f"{build.base} {platform}", BASE_SIZES[build.base]),
        layer(f"{build.name} packages {platform}", build.weight),
        layer(f"{build.name} {series} dependencies {platform}", build.weight // 3),
        layer(f"{build.name} {build.version} {platform}", build.weight // 20),
    ]
    return packed_image(made, _configuration(build, platform, made), media=build.media)


def packed_image(layers: Sequence[Layer], configuration: Mapping[str, Any], *, media: str = OCI, **more: Any) -> Image:
    """The manifest of layers and a configuration; `more` goes into the manifest."""
    types = TYPES[media]
    settings = json.dumps(configuration).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": types["manifest"],
        "config": descriptor(types["config"], settings),
        "layers": [each.descriptor(types["layer"]) for each in layers],
        **more,
    }
    return Image(
        json.dumps(manifest, indent=3).encode(), types["manifest"], (settings, *(each.content for each in layers))
    )


def index(children: Mapping[str, Image], *, media: str = OCI, attested: bool = False, **more: Any) -> list[Image]:
    """The children of an index and, last, the index itself; attested, with provenance and SBOM of each child."""
    entries = [child.descriptor(platform=platform_of(words)) for words, child in children.items()]
    statements = [_attestation(child.digest) for child in children.values()] if attested else []
    for entry, statement in zip(list(entries), statements, strict=False):
        about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": entry["digest"]}
        entries.append(statement.descriptor(platform=platform_of("unknown/unknown"), annotations=about))
    kind = TYPES[media]["index"]
    whole = Image(json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries, **more}).encode(), kind)
    return [*children.values(), *statements, whole]


def chart(name: str, version: str, app_version: str, description: str, created: datetime) -> Image:
    """A Helm chart, as `helm push` makes it."""
    settings = {"apiVersion": "v2", "name": name, "version": version, "appVersion": app_version, "type": "application"}
    annotations = {
        "org.opencontainers.image.created": created.isoformat(timespec="seconds"),
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.description": description,
    }
    return artifact(
        "application/vnd.cncf.helm.config.v1+json",
        {**settings, "description": description},
        [("application/vnd.cncf.helm.chart.content.v1.tar+gzip", layer(f"chart {name} {version}", 24_000).content, "")],
        annotations=annotations,
    )


def files(kind: str, contents: Mapping[str, bytes], created: datetime, **more: Any) -> Image:
    """Files, as `oras push` makes them of what it is given."""
    annotations = {"org.opencontainers.image.created": created.strftime("%Y-%m-%dT%H:%M:%SZ")}
    layers = [(_type_of(name), content, name) for name, content in contents.items()]
    return artifact(EMPTY, {}, layers, artifactType=kind, annotations=annotations, **more)


def artifact(
    config_type: str, config: Mapping[str, Any], layers: Sequence[tuple[str, bytes, str]], **more: Any
) -> Image:
    """Something that is not an image: layers are (media type, content, title)."""
    settings = json.dumps(config).encode() if config else b"{}"
    described = []
    for media_type, content, title in layers:
        named = {"annotations": {"org.opencontainers.image.title": title}} if title else {}
        described.append({**descriptor(media_type, content), **named})
    kind = TYPES[OCI]["manifest"]
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": descriptor(config_type, settings),
        "layers": described,
        **more,
    }
    return Image(json.dumps(manifest).encode(), kind, (settings, *(content for _, content, _ in layers)))


def signature_tag(subject: Image) -> tuple[str, Image]:
    """What cosign pushes where a registry knows no referrers: a tag made of the digest, and its image."""
    hashed = subject.digest.removeprefix("sha256:")
    claim = json.dumps(
        {"critical": {"image": {"docker-manifest-digest": subject.digest}, "type": "cosign container image signature"}}
    )
    annotations = {"dev.cosignproject.cosign/signature": "MEUCIQDx" + hashed[:40] + "=="}
    entry = {
        **descriptor("application/vnd.dev.cosign.simplesigning.v1+json", claim.encode()),
        "annotations": annotations,
    }
    settings = json.dumps(
        {"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
    ).encode()
    kind = TYPES[OCI]["manifest"]
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": descriptor(TYPES[OCI]["config"], settings),
        "layers": [entry],
    }
    return f"sha256-{hashed}.sig", Image(json.dumps(manifest).encode(), kind, (settings, claim.encode()))


def signature(subject: Image, created: datetime) -> Image:
    """A signature that names its subject, as notation makes it."""
    envelope = json.dumps({"payload": subject.digest, "signature": "c2lnbmF0dXJl"}).encode()
    return artifact(
        "application/vnd.cncf.notary.signature",
        {},
        [("application/jose+json", envelope, "")],
        subject=subject.descriptor(),
        annotations={"org.opencontainers.image.created": created.strftime("%Y-%m-%dT%H:%M:%SZ")},
    )


def descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    """What a manifest says of a part."""
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content)}


def platform_of(words: str) -> dict[str, str]:
    """`linux/arm64/v8`, as an index writes it."""
    return dict(zip(("os", "architecture", "variant"), words.split("/"), strict=False))


def _configuration(build: Build, platform: str, layers: Sequence[Layer]) -> dict[str, Any]:
    labels = {
        "org.opencontainers.image.title": build.title or build.name.rpartition("/")[2],
        "org.opencontainers.image.version": build.version,
        "org.opencontainers.image.revision": sha256(f"{build.name} {build.version}".encode())[7:47],
        "org.opencontainers.image.source": f"https://git.example.com/{build.name}",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "com.example.team": build.name.partition("/")[0],
    }
    settings = {
        "User": "app",
        "WorkingDir": "/srv/app",
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", f"APP_VERSION={build.version}", "PORT=8080"],
        "Entrypoint": ["/usr/bin/tini", "--"],
        "Cmd": ["serve", "--listen", "0.0.0.0:8080"],
        "ExposedPorts": {"8080/tcp": {}, "9090/tcp": {}},
        "Volumes": {"/var/lib/app": {}},
        "StopSignal": "SIGTERM",
        "Healthcheck": {"Test": ["CMD", "serve", "--check"], "Interval": 30_000_000_000, "Retries": 3},
        "Labels": labels,
    }
    docker = (
        {"docker_version": "20.10.24", "author": "Build robot <builds@example.com>"} if build.media == DOCKER else {}
    )
    return {
        **platform_of(platform),
        **docker,
        "created": build.moment,
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [each.diff_id for each in layers]},
        "history": _history(build),
    }


def _history(build: Build) -> list[dict[str, Any]]:
    """As many entries with a layer as `application` makes layers, and some without."""
    install = "apt-get update && apt-get install --yes --no-install-recommends ca-certificates tini"
    steps = [
        (f"/bin/sh -c #(nop) ADD file:{sha256(build.base.encode())[7:71]} in / ", True),
        ('/bin/sh -c #(nop)  CMD ["bash"]', False),
        ("ENV LANG=C.UTF-8", False),
        (f"RUN /bin/sh -c {install} && rm -rf /var/lib/apt/lists/* # buildkit", True),
        ("WORKDIR /srv/app", False),
        (f'RUN |1 VERSION={build.version} /bin/sh -c ./install --locked --version "$VERSION" # buildkit', True),
        ("COPY dist/ /srv/app/ # buildkit", True),
        ("EXPOSE map[8080/tcp:{} 9090/tcp:{}]", False),
        ("VOLUME [/var/lib/app]", False),
        ("USER app", False),
        ('ENTRYPOINT ["/usr/bin/tini" "--"]', False),
        ('CMD ["serve" "--listen" "0.0.0.0:8080"]', False),
    ]
    entries = []
    for words, has_layer in steps:
        entry: dict[str, Any] = {"created": build.moment, "created_by": words}
        if "(nop)" not in words:
            entry["comment"] = "buildkit.dockerfile.v0"
        if not has_layer:
            entry["empty_layer"] = True
        entries.append(entry)
    return entries


def _attestation(subject: str) -> Image:
    """Provenance and SBOM of one child of an index, as BuildKit puts them beside it."""
    statements = []
    for predicate in (PROVENANCE, SPDX):
        about = [{"name": "pkg:docker", "digest": {"sha256": subject.removeprefix("sha256:")}}]
        statements.append((predicate, json.dumps({"predicateType": predicate, "subject": about}).encode()))
    settings = json.dumps({"os": "unknown", "architecture": "unknown", "rootfs": {"type": "layers"}}).encode()
    layers = [
        {**descriptor("application/vnd.in-toto+json", content), "annotations": {"in-toto.io/predicate-type": predicate}}
        for predicate, content in statements
    ]
    kind = TYPES[OCI]["manifest"]
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": descriptor(TYPES[OCI]["config"], settings),
        "layers": layers,
    }
    return Image(json.dumps(manifest).encode(), kind, (settings, *(content for _, content in statements)))


def _type_of(name: str) -> str:
    if name.endswith(".json"):
        return "application/json"
    return "application/vnd.oci.image.layer.v1.tar+gzip" if name.endswith(".tgz") else "text/plain"
