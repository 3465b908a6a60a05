"""`gc`: what its options select, what that would remove, and what another option would remove beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.survey.damage import every_layer, layers_to_verify
from deployer.workflows.upkeep.survey.garbage import survey, unreferenced_only, with_idle_uploads
from deployer.workflows.upkeep.survey.manifest_graph import Manifests, RemovalSet, reached_by_tags
from deployer.workflows.upkeep.suspects import Suspects
from deployer.workflows.upkeep.untagged import untagged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.collection import Collected
    from deployer.workflows.upkeep.gate import DrainPolicy
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.damage import LayersToVerify
    from deployer.workflows.upkeep.survey.garbage import DeepCheck, RemovalPolicy, Survey


@dataclass(frozen=True)
class GcOptions:
    """What is removed beside unreferenced blobs: untagged manifests, those `older_than` (seconds), damaged files, and
    uploads to which nothing was written for `idle_uploads` seconds.

    With `full`, every layer is read to its end, to find those that are damaged and have the right size; otherwise the
    `suspects`, which an earlier check found damaged, are.
    """

    untagged: bool = False
    older_than: int | None = None
    damaged: bool = False
    full: bool = False
    suspects: AbstractSet[str] = frozenset()
    idle_uploads: int | None = None

    @property
    def policy(self) -> RemovalPolicy:
        """What they select."""
        return _Untagged(self.older_than) if self.untagged else unreferenced_only


@dataclass(frozen=True)
class GcPlan:
    """What would be removed. `untagged_left` manifests are kept without a tag; an option removes `additional` ones."""

    options: GcOptions
    survey: Survey
    manifests: Manifests
    untagged_left: int
    additional: int


@dataclass(frozen=True)
class _EveryLayer:
    """Has every layer read, and says before how much that is."""

    on_reading: ReadingListener

    def __call__(self, storage: Storage, snapshot: Snapshot, manifests: Manifests, /) -> LayersToVerify:
        found = every_layer(storage, snapshot, manifests)
        files = {snapshot.aliases.get(one, one) for digests in found.values() for one in digests}
        self.on_reading(len(files), sum(snapshot.blobs[one].size for one in files))
        return found


@dataclass(frozen=True)
class _Untagged:
    """Selects untagged manifests."""

    older_than: int | None

    def __call__(self, snapshot: Snapshot, manifests: Manifests, /) -> Mapping[str, RemovalSet]:
        return untagged(snapshot, manifests, self.older_than)


class ReadingListener(Protocol):
    """Is told what is read before a full check reads it."""

    def __call__(self, files: int, size: int, /) -> object:
        """The number of files, and their bytes."""


def plan_gc(storage: Storage, options: GcOptions, on_reading: ReadingListener = lambda _files, _size: None) -> GcPlan:
    """Survey the storage. Changes nothing. Raises StorageError or EngineError."""
    manifests = Manifests()
    check: DeepCheck | None = _EveryLayer(on_reading) if options.full else None
    if options.damaged and not options.full:
        check = Suspects(options.suspects, layers_to_verify)
    found = with_idle_uploads(survey(storage, manifests, options.policy, check), options.idle_uploads)
    # Without an age, an age removes more; if one was given, nothing else does.
    further = _Untagged(0 if options.untagged else None)
    additional = _count_additional(found, manifests, further) if options.older_than is None else 0
    return GcPlan(options, found, manifests, _count_untagged_left(found, manifests), additional)


def apply_gc(work: Upkeep, plan: GcPlan, drain: DrainPolicy) -> Collected:
    """Remove what the plan shows. Raises what `collect` raises."""
    return collect(work, plan.manifests, plan.options.policy, plan.survey, drain)


def _count_untagged_left(found: Survey, manifests: Manifests) -> int:
    """How many manifests are kept although no tag reaches them."""
    return sum(
        len(
            repository.revisions.keys()
            - found.to_remove.get(name, RemovalSet()).revisions
            - reached_by_tags(repository, manifests)
        )
        for name, repository in found.snapshot.repositories.items()
    )


def _count_additional(found: Survey, manifests: Manifests, policy: RemovalPolicy) -> int:
    """How many manifests another policy removes beside those of the survey: none if something is damaged."""
    damaged = {one.repository for one in found.damages if one.tags}
    return sum(
        len(removal.revisions - found.to_remove.get(name, RemovalSet()).revisions)
        for name, removal in policy(found.snapshot, manifests).items()
        if name not in damaged
    )
