"""What a drill's copy cannot have, because the backup does not have it: it was missing in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.workflows.backup.catalog import PartKind
from deployer.workflows.backup.links import LinkKind, read_links

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.restic.repository import Repository
    from deployer.workflows.backup.links import Link
    from deployer.workflows.drill.pulling import Miss
    from deployer.workflows.restore.plan import RestorePlan


def differences(repository: Repository, plan: RestorePlan, misses: Iterable[Miss]) -> tuple[Miss, ...]:
    """The misses of what the backup has, with the link by which the registry serves it. Raises BackupError.

    An index may name images that were deleted, and a manifest layers that no registry stores. Schema 1 manifests,
    which registry 3 serves nowhere, are in the copy as they are in the backup.
    """
    asked = tuple(one for one in misses if not one.refused.is_unsupported)
    absent = {(one.repository, one.digest, one.kind) for one in asked if one.refused.is_absent}
    linked: set[tuple[str, str, LinkKind]] = {
        (link.repository, link.named_digest, LinkKind.MANIFEST) for link in plan.links
    }

    def note(link: Link) -> None:
        place = (link.repository, link.named_digest, link.kind)
        if place in absent:
            linked.add(place)

    if absent:
        read_links(repository, plan.backup.parts[PartKind.LINKS], note)
    return tuple(
        one
        for one in asked
        if not one.refused.is_absent or ((one.repository, one.digest, one.kind) in linked and one.digest in plan.stored)
    )
