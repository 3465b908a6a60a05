"""The files that a registry keeps, in a data directory of this machine: to check, to age, to damage."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.layout import STORAGE_ID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import DeployedStack

IMAGES = "./images"
HOUR = 3600


@dataclass(frozen=True)
class Stored:
    """The storage of a deployment whose data directory is IMAGES."""

    stack: DeployedStack

    @property
    def disk(self) -> Path:
        return self.stack.folder / IMAGES

    @property
    def root(self) -> Path:
        return self.disk / "docker" / "registry" / "v2"

    def repository(self, name: str) -> Path:
        return self.root / "repositories" / name

    def blob(self, digest: str) -> Path:
        algorithm, value = digest.split(":")
        return self.root / "blobs" / algorithm / value[:2] / value / "data"

    def revision(self, name: str, digest: str) -> Path:
        return self.repository(name) / "_manifests" / "revisions" / digest.replace(":", "/") / "link"

    def tag(self, name: str, tag: str) -> Path:
        return self.repository(name) / "_manifests" / "tags" / tag / "current" / "link"

    def blobs(self) -> set[str]:
        """The digests of all content."""
        return {f"sha256:{file.parent.name}" for file in self.root.glob("blobs/sha256/*/*/data")}

    def age(self, seconds: float = 3 * HOUR) -> None:
        """Let everything have been written that long ago."""
        for path in sorted(self.root.rglob("*"), reverse=True):
            age(path, seconds)

    def listing(self) -> dict[str, tuple[int, int, bytes]]:
        """Every file and folder with its modification time, its mode and its content."""
        return {
            str(path.relative_to(self.disk)): (
                path.lstat().st_mtime_ns,
                path.lstat().st_mode,
                path.read_bytes() if path.is_file() else b"",
            )
            for path in self.disk.rglob("*")
        }

    def clear(self) -> None:
        """Forget everything; the registry keeps nothing in memory."""
        for path in self.disk.iterdir():
            if path.name == STORAGE_ID:
                # Without it, it would be another disk.
                continue
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def age(path: Path, seconds: float = 3 * HOUR) -> None:
    """Let a file or folder have been written that long ago."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment), follow_symlinks=False)
