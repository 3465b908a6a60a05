"""Links of layers whose blobs are gone, or are removed; the registry itself leaves them for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.storage.removal import layer_link

if TYPE_CHECKING:
    from deployer.storage.access import Storage
    from deployer.workflows.upkeep.survey.garbage import Survey


def find_stale_layers(storage: Storage, found: Survey) -> tuple[tuple[str, str], ...]:
    """Layer links that lead, or will lead, to no blob: pairs of repository and digest.

    Looked for where a manifest was deleted or is removed, or if there is none.
    """
    linkable = linkable_digests(found)
    names = sorted(
        name
        for name, one in found.snapshot.repositories.items()
        if "_layers" in one.folders and one.is_ours_to_change and name not in found.removal.repositories
        if name not in found.snapshot.obstructed
        if one.unlinked_revisions
        or not one.revisions
        or name in found.to_remove
        or name in found.snapshot.interrupted_removals
    )
    stale = [(name, digest) for name, digest, _ in storage.layer_links(names) if digest not in linkable]
    # One that is not a file is nothing that a registry made.
    odd = {path for path, lack in storage.lacking(layer_link(*one) for one in stale).items() if lack.obstacle}
    return tuple(one for one in stale if layer_link(*one) not in odd)


def linkable_digests(found: Survey) -> set[str]:
    """Every digest that a layer link may hold: of the blobs that are kept, by whatever digest they were pushed."""
    kept = found.snapshot.blobs.keys() - set(found.removal.blobs)
    return kept | {digest for digest, target in found.snapshot.aliases.items() if target in kept}
