"""Checking a registry's storage: everything that tags and manifests refer to, by its size or byte by byte.

Nothing is locked. Content is read first, which may take hours; then the storage is surveyed, and what was found wrong
is read again. So what was pushed or deleted in the meantime is not damage.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer.errors import NotFound, StorageError
from deployer.phrases import listed, short
from deployer.settings.values import globs
from deployer.workflows.integrity import reading_log
from deployer.workflows.integrity.faults import confirmed, faults_of, is_whole, limited, other_findings
from deployer.workflows.integrity.portions import portions, survey_in_portions
from deployer.workflows.integrity.reading import Pace, ReadContent, read_content
from deployer.workflows.integrity.reading_log import ReadingLog
from deployer.workflows.upkeep import last_check
from deployer.workflows.upkeep.last_check import DamagedBlob, LastCheck
from deployer.workflows.upkeep.survey.manifest_graph import pulled_with

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from datetime import datetime

    from deployer.paths import Deployment
    from deployer.restic.repository import Progress
    from deployer.storage.access import Storage
    from deployer.storage.outline import Outline
    from deployer.storage.snapshot import Blob
    from deployer.workflows.finding import Finding
    from deployer.workflows.integrity.faults import Fault
    from deployer.workflows.integrity.portions import Look
    from deployer.workflows.restore.selection import Selection
    from deployer.workflows.upkeep.survey.garbage import Survey


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
    from being pulled too; then `is_whole` is False.
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
        found = look(storage, known, options.selection)
        _expect_selected(storage, found.outline, options.selection)
        return note(deployment, found, options, now())
    with _log(deployment, options, now()) as log:
        read = _read(storage, options, log, on_progress)
        found = look(storage, known | read.damaged, options.selection)
        _expect_read(read, found.outline.blobs)
        checked = note(deployment, found, options, now())
        log.finish()
    return replace(checked, read=read)


def _read(
    storage: Storage, options: CheckOptions, log: ReadingLog, on_progress: Callable[[Progress], None]
) -> ReadContent:
    """Read all content that is selected."""
    outline = storage.outline()
    _expect_selected(storage, outline, options.selection)
    wanted = _selected_blobs(storage, outline, options.selection)
    return read_content(storage, outline.blobs, wanted, log, Pace(options.rate, on_progress))


def _log(deployment: Deployment, options: CheckOptions, now: datetime) -> AbstractContextManager[ReadingLog]:
    """What an interrupted check of everything has read; of a selection, everything is read again."""
    if options.selection.is_everything:
        return reading_log.opened(deployment.reading_log_file, now)
    return nullcontext(ReadingLog())


def look(storage: Storage, suspects: AbstractSet[str], selection: Selection) -> Look:
    """Survey the storage; what looks wrong is looked at twice. The suspects are read to their ends.

    What is selected is counted, and everything surveyed.
    """
    first = survey_in_portions(storage, suspects, selection)
    if is_whole(first.survey) and not first.survey.unknown:
        return first
    second = survey_in_portions(storage, suspects, selection)
    return replace(second, survey=confirmed(first.survey, second.survey))


def note(deployment: Deployment, look: Look, options: CheckOptions, now: datetime) -> Checked:
    """What is wrong of what is selected; all of the damage is remembered. Raises HostError."""
    _remember(deployment, look.survey, options, now)
    wanted = limited(look.survey, options.selection)
    return Checked(
        look.repositories,
        look.tags,
        faults_of(wanted),
        other_findings(wanted),
        is_whole(wanted),
        len(wanted.links_to_repair),
    )


def _selected_blobs(storage: Storage, outline: Outline, selection: Selection) -> AbstractSet[str] | None:
    """The blobs that what is selected needs; None for all."""
    if selection.is_everything:
        return None
    found: set[str] = set()
    for portion in portions(storage, outline, [name for name in outline.folders if selection.concerns(name)]):
        for name, one in portion.listed.repositories.items():
            roots = {tag.digest for each, tag in one.tags.items() if selection.names(name, each)}
            roots |= one.revisions.keys() if selection.has_whole(name) else set()
            needed = {digest for root in roots for digest in pulled_with(root, one, portion.manifests)}
            found |= {portion.listed.aliases.get(digest, digest) for digest in needed} & portion.listed.blobs.keys()
    return found


def _expect_selected(storage: Storage, outline: Outline, selection: Selection) -> None:
    """Make sure that each name names something. Raises NotFound."""
    names = outline.folders.keys()
    missing = [one for one in selection.patterns if not any(globs.matches(name, [one]) for name in names)]
    there = storage.portion(outline, [name for name in selection.tags if name in names]).repositories
    for name, tags in selection.tags.items():
        found = there[name].tags if name in there else {}
        missing += [f"{name}:{tag}" for tag in sorted(tags - found.keys())]
    if missing:
        raise NotFound(f"The registry does not have {', '.join(missing)}.", ("deployer catalog --tags",))


def _expect_read(read: ReadContent, now: Mapping[str, Blob]) -> None:
    """Make sure that what was not read was deleted in the meantime. Raises StorageError."""
    left = sorted(digest for digest, blob in read.unread.items() if blob == now.get(digest))
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
