"""Reading images back as a client does, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.registry_content import TYPES, sha256

if TYPE_CHECKING:
    import httpx

    from tests.support.registry_content import Image

EVERY_TYPE = {"Accept": ", ".join(types[kind] for types in TYPES.values() for kind in ("manifest", "index"))}


def manifest_status(client: httpx.Client, repository: str, reference: str) -> int:
    """The status with which a manifest's content is answered."""
    return client.get(f"/v2/{repository}/manifests/{reference}", headers=EVERY_TYPE).status_code


def pulls_whole(client: httpx.Client, repository: str, reference: str) -> bool:
    """Whether a manifest and all below it can be read, each as its digest promises."""
    return not why_not_whole(client, repository, reference)


def why_not_whole(client: httpx.Client, repository: str, reference: str) -> str:
    """The first answer by which a manifest, or something below it, is not what its digest promises; "" for none."""
    answer = client.get(f"/v2/{repository}/manifests/{reference}", headers=EVERY_TYPE)
    if answer.status_code != 200 or sha256(answer.content) != answer.headers["Docker-Content-Digest"]:
        return _told(answer)
    document = answer.json()
    if "manifests" in document:
        parts = (why_not_whole(client, repository, child["digest"]) for child in document["manifests"])
        return next(filter(None, parts), "")
    for digest in {part["digest"] for part in (document["config"], *document["layers"])}:
        answer = client.get(f"/v2/{repository}/blobs/{digest}")
        if sha256(answer.content) != digest:
            return _told(answer)
    return ""


def _told(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.content[:200]!r}"


def put_blob(client: httpx.Client, repository: str, blob: bytes) -> None:
    """Upload one blob, as the first half of a push."""
    started = client.post(f"/v2/{repository}/blobs/uploads/")
    assert started.status_code == 202, started.text
    target = started.headers["Location"]
    joint = "&" if "?" in target else "?"
    ended = client.put(f"{target}{joint}digest={sha256(blob)}", content=blob)
    assert ended.status_code == 201, ended.text


def put_manifest(client: httpx.Client, repository: str, reference: str, content: Image) -> int:
    """Upload a manifest alone, as the second half of a push; the status with which it is answered."""
    return client.put(
        f"/v2/{repository}/manifests/{reference}",
        content=content.content,
        headers={"Content-Type": content.media_type},
    ).status_code


def delete_manifest(client: httpx.Client, repository: str, digest: str) -> None:
    """Delete a manifest with its tags, over the API."""
    answer = client.delete(f"/v2/{repository}/manifests/{digest}")
    assert answer.status_code == 202, answer.text
