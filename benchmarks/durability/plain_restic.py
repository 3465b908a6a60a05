"""Restic by itself, in the same image and with the same restrictions as deployer runs it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.measure import Command
from deployer.layout import STORAGE
from deployer.workflows.deployment.provision import BUILT_BACKUP
from tests.support.run import LABEL

if TYPE_CHECKING:
    from pathlib import Path

_TARGET = "/backup"


@dataclass(frozen=True)
class PlainRestic:
    """Restic with the storage of a registry, and a directory for its repository."""

    storage: Path
    target: Path
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    def first_backup(self) -> Command:
        """Create the repository, and back everything up."""
        return self._run(f"restic --no-cache --quiet init && restic --no-cache --quiet backup {STORAGE}")

    def backup(self) -> Command:
        """Back up what is new."""
        return self._run(f"restic --no-cache --quiet backup {STORAGE}")

    def restore(self) -> Command:
        """Restore the newest backup into a directory that does not exist."""
        return self._run(f"restic --no-cache --quiet restore latest --target {_TARGET}/restored")

    def _run(self, script: str) -> Command:
        return Command([
            "docker", "run", "--rm", "--label", LABEL, "--pull", "never", "--network", "none",
            "--volume", f"{self.storage}:{STORAGE}", "--volume", f"{self.target}:{_TARGET}", "--tmpfs", "/tmp",
            "--env", f"RESTIC_REPOSITORY={_TARGET}", "--env", f"RESTIC_PASSWORD={self.password}",
            "--read-only", "--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE", "--cap-add", "CHOWN",
            "--security-opt", "no-new-privileges:true", "--log-driver", "none",
            "--entrypoint", "sh", BUILT_BACKUP, "-c", script,
        ])  # fmt: skip
