"""Manifests whose content is here and whose link their repository has lost, beside those that a tag names.

An interrupted restore leaves so. The registry knows no manifest without a link, but what its index or its subject
makes of it is still to be read, and writing the link brings the image back. A deletion takes the link too, and
leaves its folder.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests


def learn_parts(storage: Storage, snapshot: Snapshot, manifests: Manifests, named: Iterable[str]) -> None:
    """Read what indexes put together, at any depth, though a repository may have no link to it."""
    waiting = {child for digest in named for child in manifests.children(digest)}
    while new := waiting - manifests.known.keys():
        manifests.learn(storage, new, snapshot)
        # What is not here is not asked for again.
        waiting = {child for digest in new for child in manifests.children(digest)}


def parts_of(repository: StoredRepository, manifests: Manifests, kept: Iterable[str]) -> set[str]:
    """The manifests without a link that the kept ones put together, at any depth, and whose content is here."""
    found: set[str] = set()
    waiting = list(kept)
    while waiting:
        for child in manifests.children(waiting.pop()):
            if child not in found and _may_be_lost(child, repository, manifests):
                found.add(child)
                waiting.append(child)
    return found


def attached_to(
    snapshot: Snapshot, manifests: Manifests, kept: Mapping[str, AbstractSet[str]], candidates: Iterable[str]
) -> dict[str, set[str]]:
    """Those of the candidates, by repository, that say to be attached to a manifest that is kept there."""
    by_subject: dict[str, list[str]] = defaultdict(list)
    for digest in candidates:
        summary = manifests.known.get(digest)
        if summary and summary.subject:
            by_subject[summary.subject].append(digest)
    found: dict[str, set[str]] = {}
    for name, digests in kept.items():
        repository = snapshot.repositories[name]
        removed = snapshot.interrupted_removals.get(name, {})
        lost = {
            one
            for subject in by_subject.keys() & digests
            for one in by_subject[subject]
            if one not in removed and _may_be_lost(one, repository, manifests)
        }
        if lost:
            found[name] = lost
    return found


def with_own_layers(
    storage: Storage, snapshot: Snapshot, manifests: Manifests, candidates: Mapping[str, AbstractSet[str]]
) -> dict[str, set[str]]:
    """Those of the candidates, by repository, that were pushed there.

    An index may name what was pushed to another repository alone. Of what was pushed here, the repository
    has a link to a layer or configuration that nothing else in it needs.
    """
    names = [name for name, digests in candidates.items() if digests]
    links: dict[str, set[str]] = defaultdict(set)
    for name, digest, _ in storage.layer_links(names):
        links[name].add(digest)
    found = {}
    for name in names:
        unexplained = links[name] - manifests.parts(snapshot.repositories[name].revisions)
        own = {digest for digest in candidates[name] if manifests.parts([digest]) & unexplained}
        if own:
            found[name] = own
    return found


def _may_be_lost(digest: str, repository: StoredRepository, manifests: Manifests) -> bool:
    linked = digest in repository.revisions or digest in repository.unlinked_revisions
    return not linked and manifests.known.get(digest) is not None
