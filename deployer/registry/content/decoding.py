"""Which manifests a registry can read itself: others it answers with an error, though every byte is there.

distribution (registry/storage/manifeststore.go) decodes into Go's integers, and knows few types. What tells the same
in the frontend's overview is in templates/frontend/overview/tags.json; both run tests/contract/decoding.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deployer.registry.content.children import MANIFEST_TYPES, children

if TYPE_CHECKING:
    from collections.abc import Mapping

_INT64 = range(-(2**63), 2**63)


def is_refused(document: Mapping[str, Any]) -> bool:
    """Whether distribution fails to read a manifest: for its version, its type, or a size in it."""
    version = document.get("schemaVersion")
    if type(version) is not int or version not in {1, 2}:
        return True
    if version == 2 and document.get("mediaType") not in {None, "", *MANIFEST_TYPES}:
        return True
    named = children(document)
    found = (named.config, *named.layers, *named.entries)
    return any(not _is_number(one.get("size")) for one in found if one)


def _is_number(size: object) -> bool:
    return size is None or (type(size) is int and size in _INT64)
