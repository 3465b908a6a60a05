"""Tags that registry 2.8 serves and version 3 does not: manifests of Docker's schema 1 (distribution 3 dropped it)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.layout import Service
from deployer.registry.content.json_text import read_json
from deployer.registry.content.manifests import MANIFEST_MAX_BYTES
from deployer.workflows.upgrade import versions
from deployer.workflows.upkeep import maintenance

if TYPE_CHECKING:
    from deployer.record import Release
    from deployer.storage.access import Storage
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.upgrade.newer import Sought

# The tag of another image says nothing of the registry's version.
_OLD = re.compile(r"(?:.*/)?(?:registry|distribution):v?2(?:\.\d+)*")


def unserved(stack: Stack, running: Release, sought: Sought | None) -> tuple[str, ...]:
    """The tags of schema 1, where version 2 runs and version 3 may be what is found.

    None if the storage cannot be read: that prevents no upgrade.
    """
    image = running.image_of(Service.REGISTRY)
    if image is None or sought is None or _OLD.fullmatch(sought.pull):
        return ()
    try:
        if not versions.running(stack.engine, image).version.startswith("2."):
            return ()
        return tags_of_schema_1(maintenance.reading(stack))
    except DeployerError:
        return ()


def tags_of_schema_1(storage: Storage) -> tuple[str, ...]:
    """The tags of a storage whose manifests are of schema 1, sorted. Raises StorageError or EngineError."""
    snapshot = storage.snapshot()
    names: dict[str, list[str]] = defaultdict(list)
    for repository in snapshot.repositories.values():
        for tag, stored in repository.tags.items():
            names[snapshot.aliases.get(stored.digest, stored.digest)].append(f"{repository.name}:{tag}")
    places = [one for one in sorted(names) if (blob := snapshot.blobs.get(one)) and blob.size <= MANIFEST_MAX_BYTES]
    old = (place for place, content in storage.contents(places, snapshot.blobs) if _is_schema_1(content))
    return tuple(sorted(name for place in old for name in names[place]))


def _is_schema_1(content: bytes) -> bool:
    if b"schemaVersion" not in content:
        return False
    try:
        document = read_json(content)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("schemaVersion") == 1
