"""What becomes of earlier backups once a new one is made."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from deployer.errors import StorageError
from deployer.workflows.backup import create, thinning
from deployer.workflows.backup.create import BackupDone, BackupOptions
from deployer.workflows.backup.damage import DamagedImages
from deployer.workflows.backup.password import Password
from deployer.workflows.backup.thinning import KeepPolicy
from tests.support.backups import BACKUP, TARGET, restic

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.storage.access import Storage
    from deployer.workflows.upkeep.maintenance import Upkeep

KEEP = KeepPolicy.parse("1")
DAMAGED = DamagedImages(("app:1",), is_repairable=True)
WORK = cast("Upkeep", SimpleNamespace(storage=None))


def fails(_storage: Storage) -> DamagedImages:
    raise StorageError("Gone.")


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was removed; one earlier backup is not kept."""
    found: list[object] = []
    monkeypatch.setattr(thinning, "surplus", lambda *_: (BACKUP,))
    monkeypatch.setattr(thinning, "remove", lambda *words: found.append(words))
    return found


def finished(keep: KeepPolicy | None, look: Callable[[Storage], DamagedImages]) -> BackupDone:
    done = BackupDone(BACKUP, 1, Password("x"), Path("/x"))
    return create._finished(done, WORK, restic()[0], BackupOptions(TARGET, keep=keep, find_damaged=look))


@pytest.mark.parametrize("keep", [KEEP, None])
def test_a_backup_with_damaged_images_replaces_none(removed: list[object], keep: KeepPolicy | None) -> None:
    done = finished(keep, lambda _: DAMAGED)
    assert (done.damaged, done.removed, done.keeps_all) == (DAMAGED, (), keep is not None)
    assert removed == []


def test_a_backup_whose_images_could_not_be_checked_replaces_none(removed: list[object]) -> None:
    done = finished(KEEP, fails)
    assert (str(done.problem), done.removed) == ("Gone.", ())
    assert removed == []


def test_a_whole_one_replaces_what_is_not_kept(removed: list[object]) -> None:
    done = finished(KEEP, lambda _: DamagedImages())
    assert (done.removed, done.keeps_all) == ((BACKUP,), False)
    assert len(removed) == 1
