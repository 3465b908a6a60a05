"""The plan of a backup: what it would store, and which earlier ones would be removed. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployer.restic.target import Target
    from deployer.storage.printed import Counts
    from deployer.workflows.backup.catalog import Backup


@dataclass(frozen=True)
class BackupPlan:
    """How much a backup would store, in bytes, and which earlier ones would be removed."""

    target: Target
    repositories: int
    tags: int
    size: int
    removes: tuple[Backup, ...] = ()


def plan(target: Target, now: Counts, removes: tuple[Backup, ...] = ()) -> BackupPlan:
    """What a backup of the registry as it is would store."""
    return BackupPlan(target, now.repositories, now.tags, now.size, removes)
