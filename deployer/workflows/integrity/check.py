"""Checking a registry's storage: everything that tags and manifests lead to, by its size or byte by byte.

Nothing is locked. Content is read first, which may take hours; then the storage is surveyed as it is by then, and what
was found wrong is read again. So what was pushed or deleted in the meantime is not damage.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer.errors import NotFound, StorageError, StorageUnreadable
from deployer.phrases import listed, short
from deployer.settings import globs
from deployer.workflows.integrity import reading_log
from deployer.workflows.integrity.faults import confirmed, faults_of, is_whole, limited, other_findings
from deployer.workflows.integrity.reading import Pace, ReadContent, read_content
from deployer.workflows.integrity.reading_log import ReadingLog
from deployer.workflows.upkeep import last_check
from deployer.workflows.upkeep.last_check import DamagedBlob, LastCheck
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, pulled_with
from deployer.workflows.upkeep.suspects import Suspects

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from datetime import datetime

    from deployer.paths import Deployment
    from deployer.restic.repository import Progress
    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.finding import Finding
    from deployer.workflows.integrity.faults import Fault
    from deployer.workflows.restore.selection import Selection
    from deployer.workflows.upkeep.survey.garbage import Survey

_TRIES = 3
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class CheckOptions:
    """What is checked. If it `is_full`, content is read to its end, at most `rate` bytes a second, 0 for no limit."""

    selection: Selection
    is_full: bool = False
    rate: int = 0


@dataclass(frozen=True)
class Checked:
    """How many repositories and tags were checked, what is wrong with them, and what was read of their content.

    `links` is how many links can be written again. `others` is what else is wrong with the storage; it may keep images
    from being pulled too, then it `is_whole` not.
    """

    repositories: int
    tags: int
    faults: tuple[Fault, ...]
    others: tuple[Finding, ...]
    is_whole: bool
    links: int = 0
    read: ReadContent | None = None


def check(
    deployment: Deployment,
    storage: Storage,
    options: CheckOptions,
    now: Callable[[], datetime],
    on_progress: Callable[[Progress], None],
) -> Checked:
    """Check the storage, and note in the deployment's directory what was found.

    Raises NotFound if nothing is selected, StorageError, EngineError, or Busy while another full check is running.
    """
    known = last_check.read(deployment).digests
    if not options.is_full:
        found = look(storage, known)
        _expect_selected(found.snapshot, options.selection)
        return note(deployment, found, options, now())
    with _log(deployment, options, now()) as log:
        snapshot = storage.snapshot()
        _expect_selected(snapshot, options.selection)
        wanted = _selected_blobs(storage, snapshot, options.selection)
        read = read_content(storage, snapshot, wanted, log, Pace(options.rate, on_progress))
        found = look(storage, known | read.damaged)
        _expect_read(read, snapshot, found.snapshot)
        checked = note(deployment, found, options, now())
        log.finish()
    return replace(checked, read=read)


def _log(deployment: Deployment, options: CheckOptions, now: datetime) -> AbstractContextManager[ReadingLog]:
    """What an interrupted check of everything has read; of a selection, everything is read again."""
    if options.selection.is_everything:
        return reading_log.opened(deployment.reading_log_file, now)
    return nullcontext(ReadingLog())


def look(storage: Storage, suspects: AbstractSet[str]) -> Survey:
    """Survey the storage; what looks wrong is looked at twice. The suspects are read to their ends."""
    first = _surveyed(storage, suspects)
    is_clean = is_whole(first) and not first.unknown
    return first if is_clean else confirmed(first, _surveyed(storage, suspects))


def note(deployment: Deployment, found: Survey, options: CheckOptions, now: datetime) -> Checked:
    """What is wrong of what is selected; all of the damage is remembered. Raises HostError."""
    snapshot, selection = found.snapshot, options.selection
    _remember(deployment, found, options, now)
    wanted = limited(found, selection)
    repositories = [one for one in snapshot.repositories.values() if one.revisions and selection.concerns(one.name)]
    return Checked(
        len(repositories),
        sum(selection.names(one.name, tag) for one in repositories for tag in one.tags),
        faults_of(wanted),
        other_findings(wanted),
        is_whole(wanted),
        len(wanted.links_to_repair),
    )


def _surveyed(storage: Storage, suspects: AbstractSet[str]) -> Survey:
    """A survey; where content is removed while it is read, it is repeated."""
    for _ in range(_TRIES - 1):
        try:
            return survey(storage, Manifests(), unreferenced_only, Suspects(suspects))
        except StorageUnreadable:
            raise
        except StorageError:
            time.sleep(_PAUSE_SECONDS)
    return survey(storage, Manifests(), unreferenced_only, Suspects(suspects))


def _selected_blobs(storage: Storage, snapshot: Snapshot, selection: Selection) -> AbstractSet[str]:
    """The blobs that are read: all, or those that what is selected needs."""
    if selection.is_everything:
        return snapshot.blobs.keys()
    roots = {
        name: {tag.digest for each, tag in one.tags.items() if selection.names(name, each)}
        | (one.revisions.keys() if selection.has_whole(name) else set())
        for name, one in snapshot.repositories.items()
        if selection.concerns(name)
    }
    manifests = Manifests()
    manifests.learn(storage, {digest for name in roots for digest in snapshot.repositories[name].revisions}, snapshot)
    needed = {
        digest
        for name, digests in roots.items()
        for root in digests
        for digest in pulled_with(root, snapshot.repositories[name], manifests)
    }
    return {snapshot.aliases.get(digest, digest) for digest in needed} & snapshot.blobs.keys()


def _expect_selected(snapshot: Snapshot, selection: Selection) -> None:
    """Make sure that each name names something. Raises NotFound."""
    names = snapshot.repositories
    missing = [one for one in selection.patterns if not any(globs.matches(name, [one]) for name in names)]
    for name, tags in selection.tags.items():
        there = snapshot.repositories[name].tags if name in snapshot.repositories else {}
        missing += [f"{name}:{tag}" for tag in sorted(tags - there.keys())]
    if missing:
        raise NotFound(f"The registry does not have {', '.join(missing)}.", ("deployer catalog --tags",))


def _expect_read(read: ReadContent, before: Snapshot, now: Snapshot) -> None:
    """Make sure that what was not read was deleted in the meantime. Raises StorageError."""
    left = sorted(digest for digest in read.unread if before.blobs[digest] == now.blobs.get(digest))
    if left:
        raise StorageError(
            f"Not everything could be read: {listed([short(one) for one in left])}.",
            ("Run the command again.",),
        )


def _remember(deployment: Deployment, found: Survey, options: CheckOptions, now: datetime) -> None:
    blobs = found.snapshot.blobs
    damaged = tuple(
        DamagedBlob(place, blobs[place].size, blobs[place].modified, one.images)
        for one in faults_of(found)
        if (place := found.snapshot.aliases.get(one.digest, one.digest)) in blobs and one.is_of_blob
    )
    before = last_check.read(deployment)
    whole = LastCheck(now, now if options.is_full else before.full_time, damaged)
    last = whole if options.selection.is_everything else replace(before, damaged=damaged)
    if deployment.directory.is_dir():
        last_check.keep(deployment, last)
