"""Tags that only attach something to an image: signatures, attestations, SBOMs, and the list of referrers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# cosign's form, with any ending; without one that of clients where a registry knows no referrers API (OCI
# distribution specification, referrers tag schema), which shortens a digest to 64 digits.
_ATTACHED = re.compile(r"(sha256|sha512)-([0-9a-f]{64})(?:\.[A-Za-z0-9_][A-Za-z0-9_.-]*)?")


@dataclass(frozen=True)
class Attached:
    """What a tag is attached to: a digest, of sha512 perhaps its beginning; an orphan if that is not here."""

    to: str
    orphan: bool


def attached_to(tag: str) -> str:
    """The digest to which a tag such as `sha256-….sig` attaches something, "" for ordinary tags.

    Of sha512 it is the digest's beginning.
    """
    match = _ATTACHED.fullmatch(tag)
    return f"{match[1]}:{match[2]}" if match else ""


def is_attached_to(tag: str, digest: str) -> bool:
    """Whether a tag attaches something to this digest."""
    subject = attached_to(tag)
    return bool(subject) and digest.startswith(subject)


def is_attached_tag(tag: str, digest: str) -> bool:
    """Whether a tag only attaches something to another manifest; one that names its own digest does not."""
    return bool(attached_to(tag)) and not is_attached_to(tag, digest)


def read_attached(tags: Mapping[str, str], manifests: Iterable[str]) -> dict[str, Attached]:
    """The attached ones of `tags`, which have the digests that they name; `manifests` are the digests that are here."""
    clinging = [tag for tag, digest in tags.items() if is_attached_tag(tag, digest)]
    here = set(manifests) if clinging else set()
    long = sorted(digest for digest in here if digest.startswith("sha512:"))

    def subject(to: str) -> str:
        return to if to in here else next((digest for digest in long if digest.startswith(to)), "")

    found = {tag: attached_to(tag) for tag in clinging}
    return {tag: Attached(subject(to) or to, orphan=not subject(to)) for tag, to in found.items()}


def listed_tags(tags: Mapping[str, str]) -> list[str]:
    """Those of `tags` that are listed and counted: all but the attached ones, or these if there are no others."""
    return [tag for tag, digest in tags.items() if not is_attached_tag(tag, digest)] or list(tags)
