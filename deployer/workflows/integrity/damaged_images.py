"""The images that are damaged in a storage, for commands that copy it or write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.workflows.backup.damage import DamagedImages
from deployer.workflows.integrity.check import look
from deployer.workflows.integrity.faults import FaultKind, faults_of, limited
from deployer.workflows.upkeep import last_check

if TYPE_CHECKING:
    from deployer.paths import Deployment
    from deployer.storage.access import Storage
    from deployer.workflows.restore.selection import Selection


def damaged_images(deployment: Deployment, storage: Storage, selection: Selection) -> DamagedImages:
    """Compare sizes with those that manifests state, and read again what the last check found damaged.

    Changes nothing. Raises StorageError or EngineError.
    """
    found = limited(look(storage, last_check.read(deployment).digests, selection).survey, selection)
    faults = [one for one in faults_of(found) if one.images]
    images = {*found.tags_without_digest, *(image for one in faults for image in one.images)}
    return DamagedImages(tuple(sorted(images)), any(one.kind is not FaultKind.OTHER for one in faults))
