"""Removing whole repositories from the storage, and nothing that is beside or below them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import NotFound, StorageError
from deployer.reference import parse_repository
from deployer.storage.removal import StorageRemoval
from deployer.suggest import did_you_mean
from deployer.workflows.images.naming import own_pattern
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, RemovalSet
from deployer.workflows.upkeep.survey.unreferenced import referenced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deployer.registry.protocol.place import Place
    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.gate import DrainPolicy
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import Survey


@dataclass(frozen=True)
class RepositoryRemoval:
    """A repository that goes: how much is in it, and the repositories below its name, which stay."""

    name: str
    tags: int
    revisions: int
    uploads: int
    below: tuple[str, ...]


@dataclass(frozen=True)
class RemovalPlan:
    """Repositories that go. `freed` is what a collection then gives back, in bytes of disk."""

    repositories: tuple[RepositoryRemoval, ...]
    freed: int
    shown: Snapshot


def names_of(written: Iterable[str], place: Place) -> tuple[str, ...]:
    """The repositories' names, before anything is checked, each once and without this registry's own address.

    Raises InvalidReference, and UsageError for another registry's.
    """
    return tuple(dict.fromkeys(parse_repository(own_pattern(name, place, only_here=True)) for name in written))


def plan_removal(storage: Storage, names: Sequence[str]) -> RemovalPlan:
    """What removing these repositories would take. Changes nothing. Raises NotFound with the nearest names."""
    wanted = list(names)
    manifests = Manifests()
    found = survey(storage, manifests, unreferenced_only)
    known = found.snapshot.repositories
    for name in wanted:
        if name not in known:
            below = _below(name, known)
            advice = (
                (f"There are repositories below it: {', '.join(below[:3])}",) if below else did_you_mean(name, known)
            )
            raise NotFound(f"No repository named '{name}'.", advice or ("To list the repositories: deployer catalog",))
    return RemovalPlan(
        repositories=tuple(_described(known[name], known) for name in wanted),
        freed=_freed_by_removing(found, manifests, wanted),
        shown=found.snapshot,
    )


def remove(work: Upkeep, plan: RemovalPlan, drain: DrainPolicy) -> float:
    """Remove the repositories while writes are paused; return how long they were, in seconds.

    Raises StorageError if one was pushed to since the plan was made: then nothing is removed.
    """
    names = tuple(one.name for one in plan.repositories)
    with work.writes_paused(drain) as pause:
        now = work.storage.snapshot()
        for name in names:
            _expect_unchanged(name, plan.shown, now)
        work.remove(StorageRemoval(repositories=tuple(name for name in names if name in now.repositories)))
    if not now.interrupted_removals:
        # Else it tells the next gc or prune what an earlier, interrupted one was to remove.
        work.empty()
    return pause.seconds


def _described(repository: StoredRepository, known: dict[str, StoredRepository]) -> RepositoryRemoval:
    return RepositoryRemoval(
        name=repository.name,
        tags=len(repository.tags),
        revisions=len(repository.revisions),
        uploads=len(repository.uploads),
        below=_below(repository.name, known),
    )


def _below(name: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(other for other in known if other.startswith(f"{name}/")))


def _expect_unchanged(name: str, shown: Snapshot, now: Snapshot) -> None:
    if name not in now.repositories:
        return
    before, after = shown.repositories[name], now.repositories[name]
    pushed = [tag for tag, found in after.tags.items() if before.tags.get(tag) != found]
    if pushed or after.revisions.keys() - before.revisions.keys():
        what = f"the tag {pushed[0]}" if pushed else "an image"
        raise StorageError(
            f"'{name}' received a push in the meantime ({what}); nothing was removed.",
            (f"To delete it with what was pushed: deployer delete --repository {name}",),
        )


def _freed_by_removing(found: Survey, manifests: Manifests, names: Iterable[str]) -> int:
    """Bytes of disk that only these repositories hold: what garbage collection would free after their removal."""
    everything = {
        name: RemovalSet(
            frozenset(found.snapshot.repositories[name].tags), frozenset(found.snapshot.repositories[name].revisions)
        )
        for name in names
    }
    alone = referenced(found.snapshot, manifests, {}) - referenced(found.snapshot, manifests, everything)
    return found.disk_bytes(alone)
