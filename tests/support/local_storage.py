"""A registry's storage in a folder of the test's own, and the scripts run on it without an engine."""

from __future__ import annotations

import io
import json
import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

from deployer import layout
from deployer.errors import EngineError
from deployer.storage.access import Storage
from deployer.workflows.upkeep.gate import Pause
from tests.support.registry_content import Image, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.storage.removal import StorageRemoval
    from deployer.workflows.upkeep.gate import DrainPolicy

HOUR = 3600
DAY = 24 * HOUR


@dataclass
class LocalEngine:
    """Runs storage scripts on this machine, with the container's folders below one of the test's."""

    folder: Path
    shell: tuple[str, ...] = ("sh",)
    path: str = field(default_factory=lambda: os.environ["PATH"])

    @property
    def containers(self) -> LocalEngine:
        """Itself: the part of an engine that a storage asks."""
        return self

    def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        places = {layout.STORAGE: str(self.folder), "/tmp/list": str(self.folder / "memory")}
        translated = []
        for argument in arguments:
            for place, here in places.items():
                argument = argument.replace(place, here)  # noqa: PLW2901
            translated.append(argument)
        done = subprocess.run(
            [*self.shell, "-c", script, "sh", *translated],
            input=stdin, capture_output=True, check=False, env={**os.environ, "PATH": self.path},
        )  # fmt: skip
        if done.returncode:
            raise EngineError("failed", original=done.stderr.decode())
        return done.stdout

    def follow_script(self, container: str, script: str, *arguments: str, on_line: Callable[[str], None]) -> None:
        for line in self.run_script(container, script, *arguments).decode().splitlines():
            on_line(line)

    @contextmanager
    def feed_script(self, container: str, script: str, *arguments: str) -> Iterator[IO[bytes]]:
        stream = io.BytesIO()
        yield stream
        self.run_script(container, script, *arguments, stdin=stream.getvalue())


@dataclass
class Tree:
    """Writes what a registry writes, and tells what is there."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "docker" / "registry" / "v2"

    def storage(self, *, remembers: bool = False) -> Storage:
        return Storage(cast("Engine", LocalEngine(self.folder)), "container", remembers)

    def blob(self, content: bytes, age: int = DAY) -> str:
        digest = sha256(content)
        self._write(f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data", content, age, again=False)
        return digest

    def layer(self, repository: str, content: bytes, age: int = DAY) -> str:
        """A layer as an upload leaves it: the blob, and the repository's link to it."""
        digest = self.blob(content, age)
        self._write(f"repositories/{repository}/_layers/sha256/{digest[7:]}/link", digest.encode(), age)
        (self.root / "repositories" / repository / "_uploads").mkdir(exist_ok=True)
        for folder in ("_uploads", "_layers", "_layers/sha256"):
            self._age(self.root / "repositories" / repository / folder, age)
        return digest

    def push(self, repository: str, tags: Sequence[str], content: Image, age: int = DAY) -> str:
        """An image as a push leaves it; without tags, as one by digest does. The manifest comes a second later."""
        for part in content.blobs:
            self.layer(repository, part, age)
        return self.link(repository, tags, content, age - 1)

    def link(self, repository: str, tags: Sequence[str], content: Image, age: int = DAY) -> str:
        """Only the manifest of an image, and its tags."""
        digest = self.blob(content.content, age)
        place = f"repositories/{repository}/_manifests"
        self._write(f"{place}/revisions/sha256/{digest[7:]}/link", digest.encode(), age)
        for tag in tags:
            self._write(f"{place}/tags/{tag}/current/link", digest.encode(), age)
            self._write(f"{place}/tags/{tag}/index/sha256/{digest[7:]}/link", digest.encode(), age)
        return digest

    def untag(self, repository: str, tag: str) -> None:
        self._remove(f"repositories/{repository}/_manifests/tags/{tag}")

    def delete(self, repository: str, digest: str) -> None:
        """Delete a manifest as the registry does: its link and the tags on it; the folder and the blob stay."""
        place = self.root / "repositories" / repository / "_manifests"
        (place / "revisions" / "sha256" / digest[7:] / "link").unlink()
        for link in place.glob("tags/*/current/link"):
            if link.read_text() == digest:
                self.untag(repository, link.parent.parent.name)

    def empty_file(self, path: str) -> None:
        (self.root / path).write_bytes(b"")

    def blobs(self) -> set[str]:
        return {f"sha256:{path.parent.name}" for path in self.root.glob("blobs/sha256/*/*/data")}

    def listing(self) -> set[str]:
        """Every file of the storage."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}

    def broken(self) -> list[str]:
        """What a pull would miss: manifests that tags name, and all that manifests name."""
        missing: list[str] = []
        there = self.blobs()
        for place in self.root.glob("repositories/**/_manifests"):
            named = {link: link.read_text().replace(":", "/") for link in place.glob("tags/*/current/link")}
            missing += [
                f"{link}: no manifest"
                for link, path in named.items()
                if path and not (place / "revisions" / path / "link").exists()
            ]
            for link in place.glob("revisions/sha256/*/link"):
                digest = f"sha256:{link.parent.name}"
                parts = self._parts(digest) if digest in there else {digest}
                missing += [f"{link}: no {part}" for part in parts - there]
        return missing

    def _parts(self, digest: str) -> set[str]:
        document: dict[str, Any] = json.loads(
            (self.root / f"blobs/sha256/{digest[7:9]}/{digest[7:]}/data").read_bytes()
        )
        parts = [*document.get("layers", ()), *document.get("manifests", ()), document.get("config", {})]
        return {part["digest"] for part in parts if part}

    def _remove(self, path: str) -> None:
        for each in sorted((self.root / path).rglob("*"), reverse=True):
            each.unlink() if each.is_file() else each.rmdir()
        (self.root / path).rmdir()

    def _write(self, path: str, content: bytes, age: int, *, again: bool = True) -> None:
        target = self.root / path
        if target.exists() and not again:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        # The folders too are as old as what was last done in them.
        for place in (target, *target.parents):
            if place == self.root:
                break
            self._age(place, age)

    def _age(self, path: Path, age: int) -> None:
        if path.exists():
            moment = time.time() - age
            os.utime(path, (moment, moment))


@dataclass
class LocalWork:
    """Stands for `Upkeep`: the same storage, no gate. `before_second_look` is called once writes would be paused."""

    storage: Storage
    before_second_look: Any = None

    @contextmanager
    def writes_paused(self, drain: DrainPolicy) -> Iterator[Pause]:
        if self.before_second_look:
            self.before_second_look()
        yield Pause()

    def remove(self, removal: StorageRemoval) -> None:
        self.storage.remove(removal, "run")

    def empty(self) -> None:
        self.storage.empty()
