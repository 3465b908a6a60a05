"""Untagged manifests, and which of them may be removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet, is_attached_tag, reached, resolve_removal
from deployer.workflows.upkeep.survey.pushes_in_progress import GRACE_SECONDS

if TYPE_CHECKING:
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests


def untagged(snapshot: Snapshot, manifests: Manifests, older_than: int | None) -> dict[str, RemovalSet]:
    """What is removed from each repository: its untagged manifests.

    `older_than` (seconds since a manifest was first pushed) decides if it is given. Without it,
    what a push in progress may have left so far stays, and so does a repository that never had a tag:
    there, pushing by digest was meant.
    """
    found = {}
    for name, repository in snapshot.repositories.items():
        if not repository.is_ours_to_change or not repository.revisions:
            continue
        to_remove = resolve_removal(
            repository, manifests, frozenset(), may_go(repository, manifests, snapshot.moment, older_than)
        )
        if to_remove.revisions or to_remove.tags:
            found[name] = to_remove
    return found


def may_go(repository: StoredRepository, manifests: Manifests, now: int, older_than: int | None) -> frozenset[str]:
    """The manifests of one repository that carry no tag, and are not too young to go; see `untagged`."""
    without_tag = repository.revisions.keys() - {tag.digest for tag in repository.tags.values()}
    if any(not tag.digest for tag in repository.tags.values()):
        # A damaged tag no longer says what it named: it may be any that a tag once did.
        without_tag -= repository.once_tagged
    if older_than is not None:
        # What is dated in the future is as young as can be.
        return frozenset(digest for digest in without_tag if max(0, now - repository.revisions[digest]) >= older_than)
    if not _is_tagged(repository):
        return frozenset()
    young = {digest for digest in without_tag if now - repository.revisions[digest] < GRACE_SECONDS}
    fresh = young - repository.once_tagged - _accounted_for(repository, manifests)
    return frozenset(without_tag - reached(repository, manifests, fresh))


def _is_tagged(repository: StoredRepository) -> bool:
    """Whether tags are used there at all; signatures of what is pushed by digest come with their own tags."""
    signed_only = bool(repository.tags) and all(is_attached_tag(name, tag) for name, tag in repository.tags.items())
    return repository.has_tags_folder and not signed_only


def _accounted_for(repository: StoredRepository, manifests: Manifests) -> set[str]:
    """Manifests that another one here names, or that name one here as their subject."""
    found: set[str] = set()
    for digest in repository.revisions:
        summary = manifests.known.get(digest)
        found |= manifests.references(digest) - {digest, summary.subject if summary else ""}
        if summary and summary.subject in repository.revisions:
            found.add(digest)
    return found
