"""What is not an image for Docker to pull, and the command that gets it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from deployer.errors import NotAnImage
from deployer.printable import excerpt
from deployer.registry.content.kinds import Client, Kind, Purpose

if TYPE_CHECKING:
    from deployer.reference import Reference
    from deployer.registry.content.kinds import Content
    from deployer.registry.protocol.place import Place

_WORDS = {
    Purpose.CACHE: "a build cache",
    Purpose.CHART: "a Helm chart",
    Purpose.FLUX: "a Flux artifact",
    Purpose.COMPOSE: "a Compose application",
    Purpose.MODEL: "a model",
    Purpose.PLUGIN: "a Docker plugin",
    Purpose.HOMEBREW: "a Homebrew bottle",
    Purpose.PROVENANCE: "an image's provenance",
    Purpose.SBOM: "an image's bill of materials (SBOM)",
    Purpose.VEX: "a vulnerability statement (VEX)",
    Purpose.SIGNATURE: "a signature",
    Purpose.ATTESTATION: "an attestation",
    Purpose.WASM: "a WebAssembly module",
    Purpose.ENCRYPTED: "an image with encrypted layers",
}
Parts = tuple[str, ...] | None
# Helm takes tags that are versions, with the plus sign written as an underscore.
_VERSION = re.compile(r"v?\d+(\.\d+){0,2}([-_][\w.-]+)?", re.ASCII)


def not_an_image(
    content: Content, source: Reference, place: Place, original: str, parts: Parts = None
) -> NotAnImage | None:
    """The sentence for something that `docker pull` refuses; None for what may well be an image.

    `source` is its name with the registry's address, `original` what Docker said; `parts` as with `getting`.
    """
    if content.kind not in {Kind.ARTIFACT, Kind.CACHE} and not content.purpose:
        return None
    what = _WORDS.get(content.purpose) or f"an artifact of the type '{excerpt(content.type)}'"
    if not content.type and not content.purpose:
        what = "an artifact"
    return NotAnImage(
        f"'{source.at('')}' is {what}, not an image that Docker can pull.",
        getting(content, source, place, parts),
        original,
    )


def getting(content: Content, source: Reference, place: Place, parts: Parts = None) -> tuple[str, ...]:
    """The commands that get it, its own client's first; only those that work with this registry as it is.

    `parts` are the digests of the manifests that an index puts together, None for a manifest.
    """
    own = _own_command(content, source, place, parts)
    if content.kind is Kind.CACHE:
        # In the form of an index it names layers where others name manifests: nothing copies it.
        return (own,)
    return (*([own] if own else []), f"To copy it to a directory as is: {_skopeo(source, place)}")


def _own_command(content: Content, source: Reference, place: Place, parts: Parts) -> str:
    plain = not place.is_secure
    flag = " --plain-http" if plain else ""
    command = ""
    match content.client:
        case Client.HELM if parts is None:
            command = f"helm pull{flag} {_chart(source)}"
        case Client.HELM if parts is not None and len(parts) == 1:
            # It refuses an index, and takes what that names.
            command = f"helm pull{flag} {_chart(replace(source, tag=None, digest=parts[0]))}"
        case Client.ORAS:
            # It takes what is on localhost for plain HTTP, whatever answers there.
            command = f"oras pull{flag or (' --plain-http=false' if place.is_loopback else '')} {source}"
        case Client.DOCKER_PLUGIN:
            command = f"docker plugin install {source}"
        case Client.BUILDKIT:
            command = f"docker buildx build --cache-from type=registry,ref={source} ."
        case Client.FLUX if plain or not place.is_loopback:
            command = f"flux pull artifact{' --insecure-registry' if plain else ''} oci://{source} --output ."
        # These two ask for TLS of every registry, and have no switch that all their versions apply; what runs a
        # model is in a container, where localhost is another.
        case Client.COMPOSE if not plain:
            command = f"docker compose -f oci://{source} up"
        case Client.DOCKER_MODEL if not plain and not place.is_loopback:
            command = f"docker model pull {source}"
    return command


def _chart(source: Reference) -> str:
    if source.digest or not source.tag or not _VERSION.fullmatch(source.tag):
        return f"oci://{source}"
    return f"oci://{source.name} --version {source.tag.replace('_', '+')}"


def _skopeo(source: Reference, place: Place) -> str:
    flag = "" if place.is_secure else " --src-tls-verify=false"
    folder = source.repository.rpartition("/")[2]
    label = f":{source.tag}" if source.tag and not source.digest else ""
    # Of an index all that it names is copied, and not what is for this machine alone.
    return f"skopeo copy --all{flag} docker://{source} oci:{folder}{label}"
