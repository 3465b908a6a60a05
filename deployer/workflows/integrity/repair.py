"""Repairing damage: blobs are fetched by their digest from a source, and missing links are written again.

Blobs are verified next to the storage and moved into it, each in one step. Killed at any moment, some are repaired and
the others unchanged; the next run continues.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deployer.errors import BackupError, RegistryError
from deployer.storage.access import Storage
from deployer.storage.staging import Staging
from deployer.workflows.integrity.check import look, note
from deployer.workflows.integrity.faults import limited
from deployer.workflows.upkeep import last_check
from deployer.workflows.upkeep.collection import repair_links
from deployer.workflows.upkeep.maintenance import upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from deployer.errors import DeployerError
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.integrity.check import Checked, CheckOptions
    from deployer.workflows.integrity.faults import Fault
    from deployer.workflows.integrity.sources import Source
    from deployer.workflows.upkeep.gate import DrainPolicy

# A manifest that was missing tells what else is, and that once more.
_ROUNDS = 4
# Fetched at once: each blob that is damaged gives the room of its file back when it is replaced.
_BATCH_BYTES = 1_000_000_000
_BATCH_BLOBS = 500
_MORE_ROOM = "Free some space on it, then run the command again."


@dataclass(frozen=True)
class Fetch:
    """A blob that a source offers; `size` in bytes."""

    fault: Fault
    source: str
    size: int


@dataclass(frozen=True)
class Failure:
    """A source that could not be asked, and why."""

    source: str
    error: DeployerError


@dataclass(frozen=True)
class RepairPlan:
    """What would be repaired, `links` is how many are written again, and what no source has.

    `failed` are the sources that could not be asked, and why; it `has_sources` if there was any.
    """

    fetches: tuple[Fetch, ...]
    links: int
    unavailable: tuple[Fault, ...]
    failed: tuple[Failure, ...] = ()
    has_sources: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.fetches and not self.links

    @property
    def size(self) -> int:
        """Bytes to be fetched."""
        return sum(one.size for one in self.fetches)


def plan(found: Checked, sources: Sequence[Source], unopened: Iterable[Failure] = ()) -> RepairPlan:
    """Ask the sources, in their order, for what is damaged; the `unopened` ones have failed. Changes nothing."""
    wanted = {one.digest: one for one in found.faults if one.is_of_blob}
    fetches: list[Fetch] = []
    failed = list(unopened)
    for source in sources:
        if not wanted:
            break
        try:
            offered = source.offers(tuple(wanted.values()))
        except (BackupError, RegistryError) as error:
            failed.append(Failure(str(source), error))
            continue
        fetches += [Fetch(wanted.pop(digest), str(source), size) for digest, size in sorted(offered.items())]
    has_sources = bool(sources or failed)
    return RepairPlan(tuple(fetches), found.links, tuple(wanted.values()), tuple(failed), has_sources)


@dataclass(frozen=True)
class Repaired:
    """What was repaired, where each blob came from, and what a check found afterwards.

    `paused` is for how long writes were, in seconds.
    """

    blobs: tuple[Fetch, ...]
    links: int
    paused: float
    left: Checked
    failed: tuple[Failure, ...] = ()


@dataclass
class _Repair:
    """A repair in progress."""

    stack: Stack
    sources: Sequence[Source]
    options: CheckOptions
    say: Callable[[str], None]
    done: dict[str, Fetch] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    failed: list[Failure] = field(default_factory=list)

    def fetch(self, faults: Iterable[Fault]) -> None:
        """Fetch what is damaged, from the first source in which it is whole."""
        left = {one.digest: one for one in faults if one.is_of_blob}
        self.tried |= left.keys()
        for source in self.sources:
            if not left:
                return
            try:
                offered = source.offers(tuple(left.values()))
                for digest in self._from(source, left, offered):
                    self.done[digest] = Fetch(left.pop(digest), str(source), offered[digest])
            except (BackupError, RegistryError) as error:
                # Another one may have it.
                self.failed.append(Failure(str(source), error))

    def _from(self, source: Source, left: Mapping[str, Fault], offered: Mapping[str, int]) -> Iterator[str]:
        """Fetch what a source offers; the digests of what was whole, as soon as it is in its place."""
        if not offered:
            return
        self.say(f"Fetching from {source} …")
        with upkeep(self.stack, "check", source.tools) as work:
            staging = Staging(self.stack.engine, work.helper.name, "repair")
            with staging.emptied():
                for batch in batches(offered, staging.room()):
                    staging.expect_room(sum(offered[digest] for digest in batch), _MORE_ROOM)
                    yield from source.fetch([left[digest] for digest in batch], staging)


def batches(sizes: Mapping[str, int], room: int) -> Iterator[tuple[str, ...]]:
    """Digests in portions of at most this many bytes, the smallest first; a larger blob is a portion of its own."""
    batch: list[str] = []
    for digest in sorted(sizes, key=lambda one: (sizes[one], one)):
        size = sum(sizes[one] for one in batch) + sizes[digest]
        if batch and (size > min(room, _BATCH_BYTES) or len(batch) >= _BATCH_BLOBS):
            yield tuple(batch)
            batch = []
        batch.append(digest)
    if batch:
        yield tuple(batch)


def repair(
    stack: Stack,
    sources: Sequence[Source],
    found: Checked,
    options: CheckOptions,
    drain: DrainPolicy,
) -> Repaired:
    """Repair what was found.

    Raises StorageError, EngineError, GateError, HostError, and Busy if another command is running.
    """
    work = _Repair(stack, sources, options, drain.say)
    links, paused = 0, 0.0
    faults = found.faults
    for _ in range(_ROUNDS):
        work.fetch(one for one in faults if one.digest not in work.tried)
        rewritten, seconds, left = _write_links(stack, options, work, drain)
        links, paused, faults = links + rewritten, paused + seconds, left.faults
        if all(one.digest in work.tried for one in faults if one.is_of_blob):
            break
    left = replace(left, read=found.read)
    return Repaired(tuple(work.done.values()), links, paused, left, tuple(work.failed))


def _write_links(stack: Stack, options: CheckOptions, work: _Repair, drain: DrainPolicy) -> tuple[int, float, Checked]:
    """Write lost links again, and look at what is left."""
    suspects = last_check.read(stack.deployment).digests | work.tried
    with upkeep(stack, "check") as held:
        storage = Storage(stack.engine, held.helper.name)
        seen = look(storage, suspects, options.selection)
        shown = limited(seen.survey, options.selection)
        if not shown.links_to_repair:
            return 0, 0.0, note(stack.deployment, seen, options, stack.now())
        with held.writes_paused(drain) as pause:
            written = repair_links(storage, shown)
        left = look(storage, suspects, options.selection)
        return len(written), pause.seconds, note(stack.deployment, left, options, stack.now())
