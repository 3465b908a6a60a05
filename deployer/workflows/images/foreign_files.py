"""Files of other programs among a repository's tags, which the registry lists and no request can remove."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployer.errors import NOT_OF_CONTENT, RegistryError
from deployer.layout import REGISTRY_FOLDER
from deployer.printable import printable

if TYPE_CHECKING:
    from deployer.registry.client import RegistryClient

# distribution looks for a folder of each tag (registry/storage/paths.go); its answer has the system's own words or
# number, ENOTDIR, where a file has that name.
_NO_FOLDER = re.compile(r'/_manifests/tags/[^"]+"[^}]*"Err":\s*20\b|/_manifests/tags/\S+ not a directory')


def tells_of_file(error: RegistryError) -> bool:
    """Whether the registry failed since there is a file in the place of the tag's folder."""
    return _NO_FOLDER.search(error.original) is not None


def is_file(client: RegistryClient, repository: str, tag: str) -> bool:
    """Whether a tag that cannot be read is a file of another program. Raises NOT_OF_CONTENT."""
    try:
        client.manifest(repository, tag)
    except NOT_OF_CONTENT:
        raise
    except RegistryError as error:
        return tells_of_file(error)
    return False


def place_of(repository: str, name: str) -> str:
    """Where a tag is in the registry's storage."""
    return f"{REGISTRY_FOLDER}/repositories/{repository}/_manifests/tags/{printable(name)}"


def foreign_advice(repository: str, name: str) -> str:
    """What to do about a file of another program among the tags."""
    place = place_of(repository, name)
    return (
        f"On the machine that runs the registry, remove this file from the storage, then run the command again: {place}"
    )
