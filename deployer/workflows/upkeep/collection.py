"""Removing from the storage what a survey found, while writes are paused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer.errors import StorageError
from deployer.storage.removal import revision_link
from deployer.workflows.upkeep.survey.garbage import survey, with_idle_uploads
from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet, resolve_removal
from deployer.workflows.upkeep.survey.stale_links import find_stale_layers, linkable_digests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.removal import StorageRemoval
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.upkeep.gate import DrainPolicy
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.survey.garbage import DeepCheck, RemovalPolicy, Survey
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests


@dataclass(frozen=True)
class Collected:
    """What was removed, and for how long writes were paused, in seconds.

    `freed` are the bytes of disk that its blobs and uploads held; `leftover` those that an interrupted run had removed
    and not freed yet. `links` is how many links were written again.
    """

    removal: StorageRemoval
    freed: int
    leftover: int
    paused: float
    links: int = 0


def collect(work: Upkeep, manifests: Manifests, policy: RemovalPolicy, shown: Survey, drain: DrainPolicy) -> Collected:
    """Survey again with writes paused, and remove what is garbage then.

    Of tags and manifests only what was shown is removed. Pulls continue throughout; the blobs' space is freed after
    writes have resumed. Raises GateError, StorageError or EngineError.
    """
    leftover = shown.snapshot.leftover_bytes
    if shown.snapshot.has_future:
        work.storage.redate()
    stale = find_stale_layers(work.storage, shown)
    shown_blobs = frozenset(shown.removal.blobs)
    removal = replace(shown.removal, layers=stale)
    if removal.is_empty and not shown.links_to_repair:
        work.empty()
        return Collected(removal, 0, leftover, 0.0)
    with work.writes_paused(drain) as pause:
        # First, so that what the links lead to counts.
        links = repair_links(work.storage, shown)
        now = survey(work.storage, manifests, limited_to_shown(policy, shown), _shown_alone(shown), shown)
        now = with_idle_uploads(now, shown.uploads.idle_seconds)
        _expect_in_sight(now, shown)
        damaged = tuple(digest for digest in now.removal.damaged if digest in shown.removal.damaged)
        uploads = tuple(one for one in now.removal.uploads if one in shown.removal.uploads)
        removal = replace(
            now.removal,
            # What has become garbage since then, for example because a link was repaired, was not shown.
            blobs=tuple(one for one in now.removal.blobs if one in shown_blobs),
            repositories=tuple(one for one in now.removal.repositories if one in shown.removal.repositories),
            layers=_still_stale(stale, now),
            damaged=damaged,
            uploads=uploads,
        )
        work.remove(removal)
    work.empty()
    return Collected(removal, now.freed_by(removal), leftover, pause.seconds, len(links))


def repair_links(storage: Storage, shown: Survey) -> AbstractSet[str]:
    """Write those of the shown links again that still need it; return their paths. Only while writes are paused."""
    if not shown.links_to_repair:
        return frozenset()
    wrong = storage.broken_links() | storage.lacking(shown.links_to_repair).keys() | {*shown.snapshot.shared}
    links = shown.links_to_repair & wrong - _of_deleted(storage, shown)
    storage.relink(links)
    return links


def limited_to_shown(policy: RemovalPolicy, shown: Survey) -> RemovalPolicy:
    """The same policy, applied again later, but of tags and manifests only to what was shown before.

    A tag that was pushed again since then is kept, with all that it reaches.
    """

    def select(snapshot: Snapshot, manifests: Manifests) -> Mapping[str, RemovalSet]:
        found = {}
        for name, now in policy(snapshot, manifests).items():
            repository, before = snapshot.repositories[name], shown.to_remove.get(name, RemovalSet())
            was = shown.snapshot.repositories[name].tags if name in shown.snapshot.repositories else {}
            tags = {tag for tag in now.tags & before.tags if was.get(tag) == repository.tags[tag]}
            kept = repository.tags.keys() - before.tags
            found[name] = resolve_removal(repository, manifests, tags, now.revisions & before.revisions, kept=kept)
        return found

    return select


def _of_deleted(storage: Storage, shown: Survey) -> set[str]:
    """The missing links of manifests that no tag names any more: a deletion takes the link first, and then the tags."""
    missing = {
        revision_link(one.repository, one.digest): one
        for one in shown.damages
        if one.is_manifest and one.is_unlinked and one.link_size is None and one.own_tags
    }
    if not missing:
        return set()
    now = storage.snapshot().repositories
    return {
        path for path, one in missing.items() if one.repository not in now or not now[one.repository].on(one.digest)
    }


def _shown_alone(shown: Survey) -> DeepCheck | None:
    """Read again only what was found to be damaged: writes wait in the meantime."""
    if not shown.removal.damaged:
        return None
    found: dict[str, set[str]] = defaultdict(set)
    for one in shown.damages:
        found[one.repository].add(one.digest)
    to_verify = {name: frozenset(digests) for name, digests in found.items()}
    return lambda _storage, _snapshot, _manifests: to_verify


def _expect_in_sight(now: Survey, shown: Survey) -> None:
    """Make sure that no repository has vanished: a registry that deletes leaves the folders. Raises StorageError."""
    named = (name for name, one in shown.snapshot.repositories.items() if one.revisions)
    gone = next((name for name in named if name not in now.snapshot.repositories), None)
    if gone is not None:
        raise StorageError(
            f"The repository '{gone}' has disappeared since the plan was made; nothing was changed.",
            ("Check that the disk with the images is mounted, then run the command again.",),
        )


def _still_stale(stale: tuple[tuple[str, str], ...], now: Survey) -> tuple[tuple[str, str], ...]:
    linkable = linkable_digests(now)
    removed = set(now.removal.repositories)
    return tuple(
        (name, digest)
        for name, digest in stale
        if digest not in linkable and name not in removed and name in now.snapshot.repositories
    )
