"""Taking out of the storage what a survey found, while writes are paused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployer.errors import StorageError
from deployer.storage.sweep import revision_link
from deployer.workflows.upkeep.garbage import lead_somewhere, limited, stale_layers, survey

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from deployer.storage.access import Storage
    from deployer.storage.sweep import Sweep
    from deployer.workflows.upkeep.garbage import Choose, Cure, Survey
    from deployer.workflows.upkeep.gate import Drain
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.manifest_graph import Manifests


@dataclass(frozen=True)
class Collected:
    """What was taken out, and how long writes were paused, in seconds.

    `freed` are the bytes of disk that its blobs held; `left` those that a run which was interrupted had
    taken out, and not given back yet. `links` is how many links were written again.
    """

    removal: Sweep
    freed: int
    left: int
    held: float
    links: int = 0


def collect(work: Upkeep, manifests: Manifests, choose: Choose, shown: Survey, drain: Drain) -> Collected:
    """Survey once more with writes paused, and take out what is garbage then.

    Of tags and manifests only what was shown goes. Pulls go on throughout; the blobs' space is
    given back after writes are let through again. Raises GateError, StorageError or EngineError.
    """
    left = shown.snapshot.left
    if shown.snapshot.has_future:
        work.storage.redate()
    stale = stale_layers(work.storage, shown)
    removal = replace(shown.removal, layers=stale)
    if removal.is_empty and not shown.links:
        work.storage.empty()
        return Collected(removal, 0, left, 0.0)
    links: AbstractSet[str] = frozenset()
    with work.writes_held(drain) as hold:
        if shown.links:
            # First, so that what they lead to counts.
            wrong = work.storage.broken_links() | work.storage.lacking(shown.links).keys() | {*shown.snapshot.shared}
            links = shown.links & wrong - _of_deleted(work.storage, shown)
            work.storage.relink(links)
        now = survey(work.storage, manifests, limited(choose, shown), _shown_alone(shown), shown)
        _expect_in_sight(now, shown)
        damaged = tuple(digest for digest in now.removal.damaged if digest in shown.removal.damaged)
        removal = replace(now.removal, layers=_still_stale(stale, now), damaged=damaged)
        work.remove(removal)
    work.storage.empty()
    return Collected(removal, now.held_by({*removal.blobs, *damaged}), left, hold.seconds, len(links))


def _of_deleted(storage: Storage, shown: Survey) -> set[str]:
    """The missing links of manifests that no tag names any more: a deletion takes the link first, and then the tags."""
    missing = {
        revision_link(one.repository, one.digest): one for one in shown.damages if one.is_manifest and one.is_unlinked
    }
    if not missing:
        return set()
    now = storage.snapshot().repositories
    return {
        path for path, one in missing.items() if one.repository not in now or not now[one.repository].on(one.digest)
    }


def _shown_alone(shown: Survey) -> Cure | None:
    """Read again only what was found to be damaged: writes wait meanwhile."""
    if not shown.removal.damaged:
        return None
    found: dict[str, set[str]] = defaultdict(set)
    for one in shown.damages:
        found[one.repository].add(one.digest)
    doubted = {name: frozenset(digests) for name, digests in found.items()}
    return lambda _storage, _snapshot, _manifests: doubted


def _expect_in_sight(now: Survey, shown: Survey) -> None:
    """Make sure that no repository has vanished: a registry that deletes leaves the folders. Raises StorageError."""
    named = (name for name, one in shown.snapshot.repositories.items() if one.revisions)
    gone = next((name for name in named if name not in now.snapshot.repositories), None)
    if gone is not None:
        raise StorageError(
            f"The repository '{gone}' has gone from sight since the plan was made; nothing was changed.",
            ("Look whether the disk of the images is mounted, then run the command again.",),
        )


def _still_stale(stale: tuple[tuple[str, str], ...], now: Survey) -> tuple[tuple[str, str], ...]:
    left = lead_somewhere(now)
    folded = set(now.removal.repositories)
    return tuple(
        (name, digest)
        for name, digest in stale
        if digest not in left and name not in folded and name in now.snapshot.repositories
    )
