"""Images that are damaged in the registry, and so in a backup of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deployer.restic.target import Target


@dataclass(frozen=True)
class DamagedImages:
    """Their names; `is_repairable` says whether `check --repair` could help at least one."""

    images: tuple[str, ...] = ()
    is_repairable: bool = False

    def __bool__(self) -> bool:
        return bool(self.images)

    def cure(self, target: Target) -> str:
        """The command that repairs them, or says more."""
        return f"deployer check --repair --backup {target.quoted}" if self.is_repairable else "deployer check"
