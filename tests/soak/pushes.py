"""What was pushed while things were killed around it: every image that the registry accepted is to stay whole."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.support.pulling import EVERY_TYPE, why_not_whole
from tests.support.registry_content import DOCKER, OCI, Image, image, index, push
from tests.support.run import PATIENCE_SECONDS
from tests.support.signed_in import client_of
from tests.support.stack import docker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.stack import DeployedStack

KEPT = ("app/one", "app/two", "multi")
"""Repositories of which nothing goes but what is deleted by name."""
PRUNED = ("ci/build",)
"""Repositories that `prune` and `delete --repository` may remove from."""
OWNER = "ann"
"""The user who pushes."""
SHARED_LAYERS = 5
_RECENT = 60
_MANY = 500


@dataclass(frozen=True)
class Tag:
    """A tag of a repository; a tag is pushed once."""

    repository: str
    name: str

    def __str__(self) -> str:
        return f"{self.repository}:{self.name}"


@dataclass
class Pushes:
    """Pushes without an end, in a thread, and what was accepted: the digest of each tag."""

    stack: DeployedStack
    seed: int
    accepted: dict[Tag, str] = field(default_factory=dict)
    count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to push."""
        self._thread = threading.Thread(target=self._push_on, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, with what is being pushed."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_SECONDS)

    def _push_on(self) -> None:
        chance = random.Random(self.seed)
        with client_of(self.stack, OWNER) as client:
            while not self._over.is_set():
                self.count += 1
                tag = Tag(chance.choice(KEPT + PRUNED), f"v{self.count}")
                try:
                    digest = _push(client, tag, chance)
                except (httpx.HTTPError, AssertionError):
                    # Refused, or without an answer: whether it is there is not known, and it may not be relied on.
                    self._over.wait(0.2)
                    continue
                with self._lock:
                    self.accepted[tag] = digest
                    is_full = len(self.accepted) > _MANY
                # All of them are looked at again and again: the more there are, the fewer are the kills.
                self._over.wait(2.0 if is_full else 0.05)

    def tags(self, repositories: tuple[str, ...] = KEPT) -> list[Tag]:
        """The accepted tags of these repositories, in the order in which they came."""
        with self._lock:
            return [tag for tag in self.accepted if tag.repository in repositories]

    def forget(self, *tags: Tag) -> None:
        """Expect these no longer, before they are deleted."""
        with self._lock:
            for tag in tags:
                self.accepted.pop(tag, None)

    def lost(self, tags: Iterable[Tag]) -> dict[Tag, str]:
        """Those of the tags that are not there, or not whole, or another image, and the answer that says so."""
        with client_of(self.stack, OWNER) as client:
            found = {tag: self._fault(client, tag) for tag in tags}
        return {tag: why for tag, why in found.items() if why}

    def gone(self, repositories: tuple[str, ...]) -> list[Tag]:
        """The tags of these repositories that the registry does not have."""
        with client_of(self.stack, OWNER) as client:
            return [tag for tag in self.tags(repositories) if _head(client, tag).status_code == 404]

    def sample(self, chance: random.Random) -> list[Tag]:
        """A few tags, most of them new."""
        found = self.tags(KEPT + PRUNED)
        return [*found[-3:], *chance.sample(found, min(3, len(found)))]

    def rot(self, tag: Tag, chance: random.Random) -> None:
        """Change a byte of a layer of this tag on the disk, which the registry does not notice."""
        with client_of(self.stack, OWNER) as client:
            document = _get(client, tag.repository, tag.name)
            if "manifests" in document:
                document = _get(client, tag.repository, document["manifests"][0]["digest"])
        value = chance.choice(document["layers"])["digest"].partition(":")[2]
        volume = docker("volume", "inspect", "--format", "{{.Mountpoint}}", f"{self.stack.name}_data").strip()
        file = Path(volume) / f"docker/registry/v2/blobs/sha256/{value[:2]}/{value}/data"
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 0xFF
        file.write_bytes(content)

    def superfluous(self) -> Iterator[Tag]:
        """The oldest tags, so that the registry does not grow without an end."""
        found = self.tags()
        yield from found[: max(0, len(found) - _RECENT)]

    def _fault(self, client: httpx.Client, tag: Tag) -> str:
        with self._lock:
            digest = self.accepted.get(tag)
        if digest is None:
            # It was deleted in the meantime.
            return ""
        answer = _head(client, tag)
        if (there := answer.headers.get("Docker-Content-Digest")) != digest:
            return f"HEAD: {answer.status_code}, {there} and not {digest}"
        return why_not_whole(client, *str(tag).split(":"))


def _head(client: httpx.Client, tag: Tag) -> httpx.Response:
    return client.head(f"/v2/{tag.repository}/manifests/{tag.name}", headers=EVERY_TYPE)


def _get(client: httpx.Client, repository: str, reference: str) -> dict[str, Any]:
    return dict(client.get(f"/v2/{repository}/manifests/{reference}", headers=EVERY_TYPE).json())


def _push(client: httpx.Client, tag: Tag, chance: random.Random) -> str:
    shared = f"shared {chance.randrange(SHARED_LAYERS)}" * 100
    media = chance.choice((DOCKER, OCI))
    if tag.repository != "multi":
        return push(client, tag.repository, tag.name, image(shared, f"{tag}" * chance.randrange(1, 2000), media=media))
    parts: list[tuple[Image, str | None]] = []
    for platform in ("linux/amd64", "linux/arm64"):
        part = image(shared, f"{tag} {platform}", media=media, platform=platform)
        push(client, tag.repository, None, part)
        parts.append((part, platform))
    return push(client, tag.repository, tag.name, index(parts, media=media))
