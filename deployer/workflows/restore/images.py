"""Bringing images of a backup into a running registry: their blobs first, then the links that lead to them.

Blobs are restored beside the storage, checked against their digests and moved into place; the links follow, those of
tags last. Killed at any moment, it leaves content that nothing references yet, and a new run goes on.
"""

from __future__ import annotations

import io
import tarfile
from collections import defaultdict
from enum import Enum
from typing import IO, TYPE_CHECKING

from deployer.errors import BackupError, EngineError
from deployer.layout import REGISTRY_ROOT, STORAGE
from deployer.rendering.snippets import backup_script
from deployer.restic.repository import Progress
from deployer.storage.access import REMOVED, of_storage
from deployer.storage.removal import blob_folder
from deployer.workflows.backup.catalog import PartKind
from deployer.workflows.backup.links import Link, LinkKind, read_links
from deployer.workflows.restore.plan import BLOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployer.restic.repository import Repository
    from deployer.workflows.restore.plan import RestorePlan
    from deployer.workflows.upkeep.gate import DrainPolicy
    from deployer.workflows.upkeep.maintenance import Upkeep

# What `gc` empties too, if a restore that was killed is never repeated.
_STAGED = f"{REMOVED}/restore"
_BATCH_BYTES = 1_000_000_000
_BATCH_FILES = 500
# Bytes on the disk that are left free beside what is restored.
_SPARE_BYTES = 100_000_000


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
) -> float:
    """Restore what the plan shows; return for how long writes were paused, in seconds.

    Raises BackupError, StorageError or EngineError; what was moved into place by then stays, unreferenced.
    """
    _expect_space(repository, plan)
    changed = {(one.repository, one.tag) for one in plan.changed}
    fetched = 0
    for batch in _batches(plan):
        on_progress(Progress(fetched, plan.size))
        _fetch(repository, plan, batch)
        fetched += sum(plan.blobs[one] for one in batch)
    on_progress(Progress(plan.size, plan.size))
    # Nobody sees the others before a tag leads to them.
    way = Way.NEW if plan.is_first else Way.MISSING
    _put(repository, plan, lambda link: link.kind is not LinkKind.TAG, way)
    with work.writes_paused(drain) as pause:
        _put(repository, plan, lambda link: link.kind is LinkKind.TAG and not _is_of(link, changed), way)
        if changed:
            _put(repository, plan, lambda link: _is_of(link, changed), Way.CHANGED)
    return pause.seconds


def _expect_space(repository: Repository, plan: RestorePlan) -> None:
    free = int(_run(repository, "space", STORAGE).decode().strip() or 0)
    if plan.size + _SPARE_BYTES > free:
        raise BackupError(
            f"The disk with the registry's images has {free:,} bytes free, and {plan.size:,} are to be restored.",
            ("Free some space on it, or restore fewer images with --only.",),
        )


def _batches(plan: RestorePlan) -> Iterator[tuple[str, ...]]:
    """The blobs in portions: what a kill loses is one of them."""
    batch: list[str] = []
    size = 0
    for digest in plan.blobs:
        if batch and (size + plan.blobs[digest] > _BATCH_BYTES or len(batch) >= _BATCH_FILES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(digest)
        size += plan.blobs[digest]
    if batch:
        yield tuple(batch)


def _fetch(repository: Repository, plan: RestorePlan, batch: tuple[str, ...]) -> None:
    repository.restore(plan.backup.parts[PartKind.BLOBS], _STAGED, list(_paths(plan, batch)))
    printed = _run(repository, "place", f"{_STAGED}{BLOBS}", BLOBS).decode().splitlines()
    if printed[-1:] != ["# end"]:
        raise BackupError("The restored blobs could not be moved into place.", ("Run the command again.",))
    damaged = [line.removeprefix("damaged ") for line in printed[:-1]]
    if damaged:
        raise BackupError(
            f"{len(damaged)} blobs in the backup do not have their digest, such as {damaged[0].split('/')[-2]}.",
            ("Choose an older backup with --backup, or restore other images with --only.",),
        )


def _paths(plan: RestorePlan, batch: tuple[str, ...]) -> Iterator[str]:
    """The paths to restore: a whole folder where all in it is wanted, which restic finds sooner."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for digest in batch:
        wanted[blob_folder(digest).rpartition("/")[0]].add(digest)
    there: dict[str, set[str]] = defaultdict(set)
    for digest in plan.stored:
        there[blob_folder(digest).rpartition("/")[0]].add(digest)
    for folder, digests in wanted.items():
        if digests == there[folder]:
            yield f"{BLOBS}/{folder}"
        else:
            yield from (f"{BLOBS}/{blob_folder(one)}" for one in sorted(digests))


def _is_of(link: Link, tags: set[tuple[str, str]]) -> bool:
    return link.kind is LinkKind.TAG and (link.repository, link.tag) in tags


def _put(repository: Repository, plan: RestorePlan, chosen: Callable[[Link], bool], way: Way) -> None:
    """Write the links that are chosen."""
    arguments = (backup_script("put-links"), REGISTRY_ROOT, way.value, f"{_STAGED}/links")
    try:
        with repository.engine.containers.feed_script(repository.container, *arguments) as stream:
            _pack(repository, plan, chosen, stream)
    except EngineError as error:
        raise of_storage(error) from error


def _pack(repository: Repository, plan: RestorePlan, chosen: Callable[[Link], bool], stream: IO[bytes]) -> None:
    with tarfile.open(fileobj=stream, mode="w|") as archive:

        def add(link: Link) -> None:
            if chosen(link):
                entry = tarfile.TarInfo(link.path)
                entry.size, entry.mtime, entry.mode = len(link.content), link.modified, 0o644
                archive.addfile(entry, io.BytesIO(link.content))

        for link in plan.links:
            add(link)
        read_links(
            repository, plan.backup.parts[PartKind.LINKS], lambda link: add(link) if plan.wanted.has(link) else None
        )


def _run(repository: Repository, script: str, *arguments: str) -> bytes:
    try:
        return repository.engine.containers.run_script(repository.container, backup_script(script), *arguments)
    except EngineError as error:
        raise of_storage(error) from error
