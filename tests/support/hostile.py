"""Content by someone who wants the page to run something: markup in every field that a pushed image controls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.registry_content import OCI, TYPES, Image, index
from tests.support.showcase_content import descriptor
from tests.support.uploads import Uploads

if TYPE_CHECKING:
    import httpx

TOKEN = (
    "\"'`--><img src=x onerror=\"window.ran=1\"><script>window.ran=1</script>{{7*7}}${7*7}<b onclick='window.ran=1'>"
)
LINK = "javascript:window.ran=1//https://example.com"
TAGS = ("image", "index", "artifact", "chart", "confused", "broken")
_LINKED = ("source", "url", "documentation", "vendor")
_SEVERAL = {TOKEN: TOKEN, **{f"org.opencontainers.image.{key}": LINK for key in _LINKED}}


def push_hostile(client: httpx.Client, repository: str) -> dict[str, str]:
    """Push one of each kind under TAGS, and a signature on the image; returns the digests by tag."""
    uploads = Uploads(client)
    image = _image(_configuration(), annotations=_SEVERAL)
    several, one = _index(uploads, repository)
    made = {
        "image": image,
        "index": several,
        "artifact": _artifact(f"application/{TOKEN}", {TOKEN: TOKEN}, artifactType=f"application/{TOKEN}"),
        "chart": _artifact("application/vnd.cncf.helm.config.v1+json", _CHART),
        "confused": _image(_CONFUSED),
        "broken": _image("{" + TOKEN),
    }
    for tag in TAGS:
        uploads.push(repository, made[tag], [tag])
    uploads.push(repository, _artifact("application/vnd.oci.empty.v1+json", {}, artifactType=f"application/{TOKEN}",
                                       subject=image.descriptor()))  # fmt: skip
    # The registry takes no index of what it does not have; later, it may lose it.
    assert client.delete(f"/v2/{repository}/manifests/{one}").status_code == 202
    return {tag: made[tag].digest for tag in TAGS}


def _image(configuration: dict[str, Any] | str, **more: Any) -> Image:
    settings = (configuration if isinstance(configuration, str) else json.dumps(configuration)).encode()
    content = b"layer"
    entry = {**descriptor(f"application/{TOKEN}", content), "annotations": _SEVERAL}
    return _manifest(
        {"config": descriptor(TYPES[OCI]["config"], settings), "layers": [entry], **more}, settings, content
    )


def _artifact(config_type: str, config: dict[str, Any], **more: Any) -> Image:
    settings, content = json.dumps(config).encode(), b"content"
    titled = {"org.opencontainers.image.title": TOKEN, **_SEVERAL, "in-toto.io/predicate-type": TOKEN}
    entry = {**descriptor(f"application/{TOKEN}", content), "annotations": titled}
    about = {"annotations": _SEVERAL, **more}
    return _manifest({"config": descriptor(config_type, settings), "layers": [entry], **about}, settings, content)


def _manifest(document: dict[str, Any], *blobs: bytes) -> Image:
    kind = TYPES[OCI]["manifest"]
    whole = {"schemaVersion": 2, "mediaType": kind, **document}
    return Image(json.dumps(whole).encode(), kind, blobs)


def _index(uploads: Uploads, repository: str) -> tuple[Image, str]:
    """The index, and the digest of an image that it names."""
    child, gone = _image(_configuration()), _image({"os": "linux", "architecture": "riscv64"})
    statement = _artifact(TYPES[OCI]["config"], {"os": "unknown", "architecture": "unknown"})
    for each in (child, gone, statement):
        uploads.push(repository, each)
    platform = {"os": TOKEN, "architecture": TOKEN, "variant": TOKEN, "os.version": TOKEN, "os.features": [TOKEN]}
    about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": child.digest}
    nobody = {"os": "unknown", "architecture": "unknown"}
    whole = index([], media=OCI, annotations=_SEVERAL, artifactType=f"application/{TOKEN}").document
    whole["manifests"] = [
        child.descriptor(platform=platform, annotations=_SEVERAL),
        statement.descriptor(platform=nobody, annotations={**_SEVERAL, **about}),
        gone.descriptor(platform={**platform, "os": f"gone {TOKEN}"}),
    ]
    return Image(json.dumps(whole).encode(), TYPES[OCI]["index"]), gone.digest


def _configuration() -> dict[str, Any]:
    settings = {
        **dict.fromkeys(("User", "WorkingDir", "StopSignal", "Hostname", "Domainname", "Image"), TOKEN),
        **{key: [TOKEN, f"{TOKEN}={TOKEN}"] for key in ("Env", "Entrypoint", "Cmd", "OnBuild", "Shell")},
        **{key: {TOKEN: {}} for key in ("ExposedPorts", "Volumes")},
        "Healthcheck": {"Test": ["CMD-SHELL", TOKEN], "Interval": TOKEN, "Timeout": TOKEN, "Retries": TOKEN},
        "Labels": {**_SEVERAL, "org.opencontainers.image.title": TOKEN, "maintainer": TOKEN},
    }
    step = {"created": TOKEN, "created_by": TOKEN, "author": TOKEN, "comment": TOKEN}
    return {
        **dict.fromkeys(("os", "architecture", "variant", "os.version", "created", "author", "docker_version"), TOKEN),
        "config": settings,
        "container_config": settings,
        "rootfs": {"type": TOKEN, "diff_ids": [TOKEN]},
        "history": [step, {**step, "empty_layer": True}, {**step, "created_by": f"/bin/sh -c #(nop) {TOKEN}"}],
    }


_CHART = {
    **dict.fromkeys(("name", "version", "appVersion", "description", "kubeVersion", "type", "condition"), TOKEN),
    **dict.fromkeys(("home", "icon"), LINK),
    "sources": [LINK, TOKEN],
    "keywords": [TOKEN],
    "maintainers": [{"name": TOKEN, "email": TOKEN, "url": LINK}],
    "dependencies": [{"name": TOKEN, "version": TOKEN, "repository": LINK}],
    "annotations": _SEVERAL,
}
# Nothing is of the kind that it should be.
_CONFUSED = {
    "os": 1,
    "architecture": [TOKEN],
    "created": {"a": TOKEN},
    "author": [TOKEN],
    "config": {
        "Env": {TOKEN: 1},
        "Cmd": TOKEN,
        "Entrypoint": 7,
        "Labels": [TOKEN],
        "ExposedPorts": [TOKEN],
        "Volumes": TOKEN,
        "User": {},
        "WorkingDir": [],
        "StopSignal": 9,
        "Healthcheck": TOKEN,
    },
    "rootfs": [TOKEN],
    "history": {"created_by": TOKEN},
}
