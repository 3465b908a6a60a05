"""Blobs that an earlier check found damaged: every later check reads them again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.survey.damage import LayersToVerify
    from deployer.workflows.upkeep.survey.garbage import DeepCheck
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests

# Of no repository: what is read, whether an image needs it or not.
_ANYWHERE = ""


@dataclass(frozen=True)
class Suspects:
    """Has these blobs read to their ends, and those that another check selects."""

    digests: AbstractSet[str]
    beside: DeepCheck | None = None

    def __call__(self, storage: Storage, snapshot: Snapshot, manifests: Manifests, /) -> LayersToVerify:
        """Select those that are there, by the repositories that have them."""
        found: dict[str, set[str]] = defaultdict(set)
        if self.beside:
            found.update({name: set(all_of) for name, all_of in self.beside(storage, snapshot, manifests).items()})
        here = self.digests & snapshot.blobs.keys()
        named = here | {alias for alias, place in snapshot.aliases.items() if place in here}
        if named:
            # A manifest that cannot be read may need any that its repository has.
            for name, digest, _ in storage.layer_links(snapshot.repositories):
                if digest in named:
                    found[name].add(digest)
            found[_ANYWHERE] = named
        return {name: frozenset(digests) for name, digests in found.items()}
