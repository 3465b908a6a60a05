"""Pushing much, quickly: what the registry has in any repository is taken from there, as Docker does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

    from tests.support.registry_content import Image


@dataclass
class Uploads:
    """Pushes through one client, and remembers where each blob is."""

    client: httpx.Client
    holders: dict[str, str] = field(default_factory=dict)

    def push(self, repository: str, content: Image, tags: Iterable[str] = ()) -> str:
        """Push an image under its tags, or under its digest alone; returns its digest."""
        document = content.document
        parts = [document["config"], *document["layers"]] if content.blobs else []
        for part, blob in zip(parts, content.blobs, strict=True):
            self._upload(repository, part["digest"], blob)
        for reference in list(tags) or [content.digest]:
            answer = self.client.put(
                f"/v2/{repository}/manifests/{reference}",
                content=content.content,
                headers={"Content-Type": content.media_type},
            )
            assert answer.status_code == 201, answer.text
        return content.digest

    def _upload(self, repository: str, digest: str, blob: bytes) -> None:
        holder = self.holders.get(digest)
        if holder == repository:
            return
        mount = {"mount": digest, "from": holder} if holder else None
        started = self.client.post(f"/v2/{repository}/blobs/uploads/", params=mount)
        if started.status_code != 201:
            assert started.status_code == 202, started.text
            target = started.headers["Location"]
            joint = "&" if "?" in target else "?"
            ended = self.client.put(f"{target}{joint}digest={digest}", content=blob)
            assert ended.status_code == 201, ended.text
        self.holders[digest] = repository
