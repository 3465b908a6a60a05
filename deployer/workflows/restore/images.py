"""Restoring images into a running registry: first their blobs, then the links that refer to them.

Blobs are restored beside the storage, checked against their digests and moved into place; the links follow, those of
tags last. Killed at any moment, it leaves content that nothing references yet, and the next run continues.
"""

from __future__ import annotations

import io
import tarfile
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import IO, TYPE_CHECKING

from deployer.errors import EngineError
from deployer.layout import BLOBS, REGISTRY_ROOT
from deployer.rendering.snippets import backup_script
from deployer.restic.repository import Progress
from deployer.storage.access import of_storage
from deployer.storage.removal import blob_folder
from deployer.storage.staging import Staging
from deployer.workflows.backup.catalog import PartKind
from deployer.workflows.backup.links import Link, LinkKind, read_links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from deployer.restic.repository import Repository
    from deployer.workflows.restore.plan import RestorePlan
    from deployer.workflows.upkeep.gate import DrainPolicy
    from deployer.workflows.upkeep.maintenance import Upkeep

_BATCH_BYTES = 1_000_000_000
_BATCH_PATHS = 500


@dataclass(frozen=True)
class Restored:
    """What was restored, and for how long writes were paused, in seconds.

    `damaged` are the digests of blobs whose content in the backup does not match: they were damaged in the registry.
    """

    plan: RestorePlan
    paused: float = 0.0
    damaged: tuple[str, ...] = ()


class Way(Enum):
    """How links are written."""

    NEW = "new"
    MISSING = "missing"
    CHANGED = "changed"


def restore_images(
    repository: Repository,
    work: Upkeep,
    plan: RestorePlan,
    drain: DrainPolicy,
    on_progress: Callable[[Progress], None],
) -> Restored:
    """Restore what the plan shows; blobs that are damaged in the backup are skipped.

    Raises BackupError, StorageError or EngineError; what was moved into place by then stays, unreferenced.
    """
    staging = Staging(repository.engine, repository.container, "restore")
    with staging.emptied():
        staging.expect_room(plan.size, "Free some space on it, or restore fewer images with --only.")
        damaged = _fetch(repository, staging, plan, on_progress)
        # Nobody sees the others before a tag refers to them.
        way = Way.NEW if plan.is_first else Way.MISSING
        links = _Links(repository, plan, f"{staging.folder}/links")
        links.put(lambda link: link.kind is not LinkKind.TAG, way)
        changed = {(one.repository, one.tag) for one in plan.changed}
        with work.writes_paused(drain) as pause:
            links.put(lambda link: link.kind is LinkKind.TAG and not _is_of(link, changed), way)
            if changed:
                links.put(lambda link: _is_of(link, changed), Way.CHANGED)
    return Restored(plan, pause.seconds, damaged)


def _fetch(
    repository: Repository, staging: Staging, plan: RestorePlan, on_progress: Callable[[Progress], None]
) -> tuple[str, ...]:
    """Restore the blobs; return the digests of those that are damaged."""
    fetched = 0
    damaged: list[str] = []
    for batch in _batches(plan):
        on_progress(Progress(fetched, plan.size))
        repository.restore(plan.backup.parts[PartKind.BLOBS], staging.folder, batch.paths)
        damaged += staging.place()
        fetched += batch.size
    on_progress(Progress(plan.size, plan.size))
    return tuple(damaged)


@dataclass(frozen=True)
class _Batch:
    """A portion of the blobs: the paths that restic restores, and their size in bytes."""

    paths: tuple[str, ...] = ()
    size: int = 0

    def __add__(self, other: _Batch) -> _Batch:
        return _Batch(self.paths + other.paths, self.size + other.size)


def _batches(plan: RestorePlan) -> Iterator[_Batch]:
    """The blobs in portions: a kill loses at most one of them."""
    batch = _Batch()
    for piece in _pieces(plan):
        if batch.paths and (batch.size + piece.size > _BATCH_BYTES or len(batch.paths) >= _BATCH_PATHS):
            yield batch
            batch = _Batch()
        batch += piece
    if batch.paths:
        yield batch


def _pieces(plan: RestorePlan) -> Iterator[_Batch]:
    """Each blob, or an entire folder if all of it is wanted, which restic finds faster."""
    wanted, there = _by_folder(plan.blobs), _by_folder(plan.stored)
    for folder, digests in wanted.items():
        size = sum(plan.blobs[one] for one in digests)
        if len(digests) == len(there[folder]) and size <= _BATCH_BYTES:
            yield _Batch((f"{BLOBS}/{folder}",), size)
        else:
            yield from (_Batch((f"{BLOBS}/{blob_folder(one)}",), plan.blobs[one]) for one in digests)


def _by_folder(digests: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for digest in digests:
        found[blob_folder(digest).rpartition("/")[0]].append(digest)
    return found


def _is_of(link: Link, tags: set[tuple[str, str]]) -> bool:
    return link.kind is LinkKind.TAG and (link.repository, link.tag) in tags


@dataclass(frozen=True)
class _Links:
    """Writes links of a backup; `staged` is a folder for them beside the storage."""

    repository: Repository
    plan: RestorePlan
    staged: str

    def put(self, chosen: Callable[[Link], bool], way: Way) -> None:
        """Write those that are chosen."""
        engine, container = self.repository.engine, self.repository.container
        arguments = (backup_script("put-links"), REGISTRY_ROOT, way.value, self.staged)
        try:
            with engine.containers.feed_script(container, *arguments) as stream:
                self._pack(chosen, stream)
        except EngineError as error:
            raise of_storage(error) from error

    def _pack(self, chosen: Callable[[Link], bool], stream: IO[bytes]) -> None:
        plan = self.plan
        with tarfile.open(fileobj=stream, mode="w|") as archive:

            def add(link: Link) -> None:
                if chosen(link):
                    entry = tarfile.TarInfo(link.path)
                    entry.size, entry.mtime, entry.mode = len(link.content), link.modified, 0o644
                    archive.addfile(entry, io.BytesIO(link.content))

            for link in plan.links:
                add(link)
            read_links(
                self.repository,
                plan.backup.parts[PartKind.LINKS],
                lambda link: add(link) if plan.wanted.has(link) else None,
            )
