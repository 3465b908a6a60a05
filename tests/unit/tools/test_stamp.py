"""What the stamp depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.machine import stamp

if TYPE_CHECKING:
    from pathlib import Path


def test_a_moved_repository_is_installed_again(repository: Path) -> None:
    assert stamp.fingerprint(repository, "") != stamp.fingerprint(repository / "../" / repository.name, "")
