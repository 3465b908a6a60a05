"""A registry's storage written straight into a folder: thousands of images in seconds."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.run import free_port
from tests.support.stack import DeployedStack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_DAY = 86400
_GARBAGE_SIZE = 10_000_000
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(frozen=True)
class Stored:
    """Content that is in the storage already: its digest, and its size in bytes."""

    digest: str
    size: int


@dataclass(frozen=True)
class StorageFolder:
    """The folder that a registry is given as its storage."""

    folder: Path

    @property
    def root(self) -> Path:
        """Where `repositories` and `blobs` lie."""
        return self.folder / "docker" / "registry" / "v2"

    def add_image(self, repository: str, tag: str, number: int, layers: Sequence[bytes | Stored] = ()) -> str:
        """One image, by default of one small layer, as the registry would keep it after a push; returns its digest."""
        stored = [self._layer(one) for one in layers or (f"layer {repository} {number}".encode(),)]
        config = json.dumps(
            {
                "os": "linux",
                "architecture": "amd64",
                "created": f"2024-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z",
                "config": {},
                "rootfs": {"type": "layers", "diff_ids": [one.digest for one in stored]},
            }
        ).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": {"mediaType": _CONFIG, "digest": _digest(config), "size": len(config)},
                "layers": [{"mediaType": _LAYER, "digest": one.digest, "size": one.size} for one in stored],
            }
        ).encode()
        place, digest = f"repositories/{repository}", self.add_blob(manifest).digest
        layer_links = {f"_layers/{_link(one.digest)}": one.digest for one in (*stored, self.add_blob(config))}
        links = {
            f"_manifests/revisions/{_link(digest)}": digest,
            f"_manifests/tags/{tag}/index/{_link(digest)}": digest,
        }
        for link, target in (layer_links | links).items():
            self._write(f"{place}/{link}/link", target.encode())
        self._write(f"{place}/_manifests/tags/{tag}/current/link", digest.encode())
        (self.root / place / "_uploads").mkdir(exist_ok=True)
        return digest

    def add_blob(self, content: bytes) -> Stored:
        """A file of content."""
        digest = _digest(content)
        self._write(f"blobs/{_blob(digest)}/data", content)
        return Stored(digest, len(content))

    def add_garbage(self, size: int) -> None:
        """Blobs that nothing names, `size` bytes in all, really on the disk, and two days old."""
        for number in range(size // _GARBAGE_SIZE):
            path = self.root / f"blobs/{_blob(_digest(f'garbage {number}'.encode()))}/data"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, _GARBAGE_SIZE)
            subprocess.run(["touch", "--date", "2 days ago", str(path)], check=True)

    def age(self) -> None:
        """Let everything be between two days and two years old, as in a registry where most repositories rest."""
        now = time.time()
        for number, folder in enumerate(sorted(self.root.glob("repositories/**/_*"))):
            moment = now - 2 * _DAY - number % 728 * _DAY - number % 86400
            for place, _, files in os.walk(folder, topdown=False):
                for path in (*(f"{place}/{file}" for file in files), place):
                    os.utime(path, (moment, moment))
        for blob in self.root.glob("blobs/sha256/*/*/data"):
            os.utime(blob, (now - 2 * _DAY, now - 2 * _DAY))

    def _layer(self, layer: bytes | Stored) -> Stored:
        return layer if isinstance(layer, Stored) else self.add_blob(layer)

    def _write(self, path: str, content: bytes) -> None:
        # Not by way of Path: there are trees of a million links.
        target = f"{self.root}/{path}"
        try:
            file = os.open(target, _NEW)
        except FileNotFoundError:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            file = os.open(target, _NEW)
        except FileExistsError:
            return
        os.write(file, content)
        os.close(file)


@contextmanager
def deployed_on_folder(folder: Path, name: str) -> Iterator[DeployedStack]:
    """A deployment whose registry keeps its images in `folder`/images."""
    stack = DeployedStack(
        folder, f"deployer-bench-{name}-{os.getpid()}", free_port(), {"DEPLOYER_REGISTRY_DATA": "./images"}
    )
    try:
        stack.up()
        yield stack
    finally:
        stack.remove()


def _digest(content: bytes) -> str:
    return "sha256:" + sha256(content).hexdigest()


def _link(digest: str) -> str:
    return digest.replace(":", "/")


def _blob(digest: str) -> str:
    value = digest.partition(":")[2]
    return f"sha256/{value[:2]}/{value}"
