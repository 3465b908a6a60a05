"""What a tag pointed to before a deletion was interrupted halfway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import RegistryError
from deployer.registry.content import placeholder

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.registry.content.manifests import Manifest

# Each is one interrupted deletion more.
_MOST = 10


def original_of(manifest: Manifest, read: Callable[[str], Manifest]) -> str | None:
    """The digest of the image behind a placeholder, or None for any other manifest.

    The first versions put another placeholder onto one that was there, and named that: those are followed as far as
    `read` gives them.
    """
    found = placeholder.original_of(manifest)
    for _ in range(_MOST):
        if found is None:
            break
        try:
            further = placeholder.original_of(read(found))
        except RegistryError:
            break
        if further is None:
            break
        found = further
    return found
