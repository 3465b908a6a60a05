"""A repository in one answer: what our frontend reads from the storage for the page (templates/frontend/overview).

The registry's own API would need two requests for each tag. Only what is certain is taken: manifests whose
bytes are those of their digest, in the forms that the registry itself would give. For the rest the API is asked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from deployer.errors import RegistryError
from deployer.reference import is_digest
from deployer.registry.content import manifests
from deployer.registry.content.decoding import is_refused
from deployer.registry.content.imageconfig import ImageConfig, parse_config
from deployer.registry.content.json_text import DECODER, read_json
from deployer.registry.content.moments import at_second

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from deployer.registry.content.manifests import Manifest

_SPACE = " \t\n\r"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Overview:
    """One repository. `tags` gives what each tag's file says: a digest, or anything if it is damaged.

    `pushed` is when each tag was last pushed. `manifests` and `configs` are by digest, and not all that there
    are. A configuration is included in part: what lists show of it. `damaged` are the manifests, configurations and
    layers that cannot be pulled, with the size of their file in bytes, None if there is none; of those that are
    `unlinked` the link in the repository is missing or damaged, and the value says whether that is all. `obstacles` are
    the paths of what is in place of their files or links. `foreign` is what a tag names and is not a manifest. `sizes`
    has the size of each file of which some manifest says another: which of the two is wrong is not known.
    `is_unchecked` if not every layer was looked at.
    """

    tags: Mapping[str, str]
    pushed: Mapping[str, datetime] = field(default_factory=dict)
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    configs: Mapping[str, ImageConfig] = field(default_factory=dict)
    damaged: Mapping[str, int | None] = field(default_factory=dict)
    unlinked: Mapping[str, bool] = field(default_factory=dict)
    obstacles: Mapping[str, str] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    sizes: Mapping[str, int] = field(default_factory=dict)
    is_unchecked: bool = False


def parse_overview(content: bytes) -> Overview | None:
    """Read the frontend's answer; None if it is anything else."""
    # It contains any bytes that were pushed: they must come out unchanged.
    text = content.decode(errors="surrogateescape")
    try:
        parts = {member.key: member for member in _members(text, 0)}
        tags, found = read_json(parts["tags"].text), parts["manifests"]
        if not isinstance(tags, dict) or not all(isinstance(digest, str) for digest in tags.values()):
            return None
        read = {member.key: _entry(text, member) for member in _members(text, found.start)}
    except (ValueError, KeyError, IndexError, RecursionError):
        return None
    known: dict[str, Manifest] = {}
    configs: dict[str, ImageConfig] = {}
    # The registry itself is asked for what was not read.
    for digest, entry in ((digest, entry) for digest, entry in read.items() if entry):
        manifest = _manifest(digest, entry)
        if manifest is None:
            continue
        known[digest] = manifest
        if (
            isinstance(manifest, manifests.ImageManifest)
            and isinstance(entry.config, dict)
            and "unread" not in entry.config
        ):
            # What is too large for the overview is reported as unread.
            configs[manifest.config.digest] = parse_config(json.dumps(entry.config).encode())
    return Overview(
        tags=tags,
        pushed=_pushed(parts),
        manifests=known,
        configs=configs,
        damaged=_damaged(parts),
        unlinked=_of_type(bool, parts, "unlinked"),
        obstacles=_of_type(str, parts, "obstacles"),
        foreign=frozenset(_of_type(bool, parts, "foreign")),
        sizes=_of_type(int, parts, "sizes"),
        is_unchecked="unchecked" in parts,
    )


def _pushed(parts: Mapping[str, _Member]) -> dict[str, datetime]:
    found = json.loads(parts["pushed"].text) if "pushed" in parts else {}
    seconds = found if isinstance(found, dict) else {}
    return {tag: at_second(moment) for tag, moment in seconds.items() if isinstance(moment, int)}


def _damaged(parts: Mapping[str, _Member]) -> dict[str, int | None]:
    found = json.loads(parts["damaged"].text) if "damaged" in parts else {}
    sizes = found if isinstance(found, dict) else {}
    return {digest: size for digest, size in sizes.items() if size is None or type(size) is int}


def _of_type(kind: type[Value], parts: Mapping[str, _Member], name: str) -> dict[str, Value]:
    """A member's values by digest, without those of another type."""
    found = json.loads(parts[name].text) if name in parts else {}
    values = found if isinstance(found, dict) else {}
    return {digest: value for digest, value in values.items() if type(value) is kind}


@dataclass(frozen=True)
class _Member:
    """One member of a JSON object: its value from `start` on, with the space around it, as `text`."""

    key: str
    start: int
    text: str


@dataclass(frozen=True)
class _Entry:
    content: bytes
    config: Any


def _members(text: str, start: int) -> Iterator[_Member]:
    """The members of the object that begins there. Raises ValueError, IndexError or RecursionError."""
    position = _expect(text, start, "{")
    if text[_skip(text, position)] == "}":
        return
    while True:
        key, position = DECODER.raw_decode(text, _skip(text, position))
        begin = _expect(text, position, ":")
        _, end = DECODER.raw_decode(text, _skip(text, begin))
        end = _skip(text, end)
        yield _Member(str(key), begin, text[begin:end])
        if text[end] == "}":
            return
        position = _expect(text, end, ",")


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _expect(text: str, position: int, sign: str) -> int:
    position = _skip(text, position)
    if text[position] != sign:
        raise ValueError(f"no {sign} at {position}")
    return position + 1


def _entry(text: str, member: _Member) -> _Entry | None:
    """None for a manifest that the frontend did not read."""
    parts = {part.key: part.text for part in _members(text, member.start)}
    if "document" not in parts and "unread" in parts:
        return None
    return _Entry(parts["document"].encode(errors="surrogateescape"), read_json(parts.get("config", "null")))


def _manifest(digest: str, entry: _Entry) -> Manifest | None:
    """What the manifest says, if the registry would return it unchanged."""
    if not is_digest(digest) or len(entry.content) > manifests.MANIFEST_MAX_BYTES:
        return None
    if manifests.digest_of(entry.content, digest.partition(":")[0]) != digest:
        return None
    try:
        said = read_json(entry.content)
        if said.get("schemaVersion") != 2 or is_refused(said):
            return None
        return manifests.parse(entry.content, "", digest)
    except (RegistryError, ValueError, AttributeError, RecursionError):
        return None
