"""What `up` last brought a deployment up with, and what of it was there before; kept in its folder."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer.reference import parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Record:
    """Where a deployment of this machine is reached.

    Commands that are given its name alone find it by this. `tls` holds what was set of it.
    """

    host: str
    port: int
    tls: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Record | None:
        """The record in a file; None if there is none, or none that can be read."""
        try:
            return cls(**json.loads(file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def content(self) -> bytes:
        """The record as its file holds it."""
        return (json.dumps(asdict(self)) + "\n").encode()


class ResourceKind(StrEnum):
    """What a deployment has, in the order in which `down` removes it, units of systemd first; a directory stays."""

    UNIT = "unit"
    CONTAINER = "container"
    NETWORK = "network"
    VOLUME = "volume"
    DIRECTORY = "directory"
    FILE = "file"


@dataclass(frozen=True, order=True)
class Resource:
    """A volume, a network or a directory that a deployment uses and another could have made, by its name."""

    kind: ResourceKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Owned:
    """What a deployment uses: what `up` made, what was there before and was agreed to, and the files it wrote.

    Files by their path below the deployment's folder. `storage` is where the images are; of a directory, `inode` is
    its number on its disk, 0 if it is not known, and `storage_id` the ID in it, "" if it has none: others tell
    that another disk is there. `engine_id` is the ID of the engine that runs it, reached at `engine_endpoint`.
    """

    made: frozenset[Resource] = frozenset()
    found: frozenset[Resource] = frozenset()
    files: frozenset[str] = frozenset()
    storage: Resource | None = None
    inode: int = 0
    storage_id: str = ""
    engine_id: str = ""
    engine_endpoint: str = ""

    @classmethod
    def read(cls, file: Path) -> Owned | None:
        """What a file says; None if there is none, or none that can be read."""
        try:
            raw = json.loads(file.read_bytes())
            made, found = (
                {Resource(ResourceKind(kind), str(name)) for kind, name in raw[key]} for key in ("made", "found")
            )
            storage = raw.get("storage")
            place = Resource(ResourceKind(storage[0]), str(storage[1])) if storage else None
            inode, storage_id = int(raw.get("inode", 0)), str(raw.get("storage_id", ""))
            engine = (str(raw.get("engine_id", "")), str(raw.get("engine_endpoint", "")))
            written = frozenset(map(str, raw["files"]))
            return cls(frozenset(made), frozenset(found), written, place, inode, storage_id, *engine)
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
            return None

    @property
    def content(self) -> bytes:
        """The same as its file holds it."""
        resources = {
            key: [[resource.kind, resource.name] for resource in sorted(getattr(self, key))]
            for key in ("made", "found")
        }
        place: dict[str, object] = {"storage": [self.storage.kind, self.storage.name]} if self.storage else {}
        if self.inode:
            place["inode"] = self.inode
        if self.storage_id:
            place["storage_id"] = self.storage_id
        if self.engine_id:
            place |= {"engine_id": self.engine_id, "engine_endpoint": self.engine_endpoint}
        return (json.dumps({**resources, "files": sorted(self.files), **place}) + "\n").encode()


STATE_FORMAT = 1
"""The format of a deployment's folder that this version writes; one without a number is 0."""

# Tagged, so that no `docker image prune` takes what a deployment may go back to.
_KEPT_REPOSITORY = "deployer-kept"
_NAME_MAX, _ID_SHOWN = 80, 12
_ID_KIND = "sha256:"
_HUB = re.compile(r"^(index\.)?docker\.io/(library/(?=[^/]+$))?|^library/(?=[^/]+$)")


def format_of(file: Path) -> int:
    """The format of a deployment's folder, by the file of its release; 0 if there is none that can be read."""
    try:
        return int(json.loads(file.read_bytes())["format"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0


@dataclass(frozen=True)
class PinnedImage:
    """The image that a service of a deployment runs: the name that asked for it, and its ID, which is fixed.

    `digest` is that of the registry that it was pulled from (`caddy@sha256:…`), "" for an image made here.
    """

    service: str
    name: str
    id: str
    digest: str = ""

    def with_digest(self, digests: Iterable[str]) -> PinnedImage:
        """The same with that of these digests, of all registries that have the image, which its name means."""
        # Docker leaves out what is Docker Hub's own (distribution/reference, FamiliarName).
        repository = _HUB.sub("", parse(self.name).name)
        return replace(self, digest=next((one for one in digests if one.rpartition("@")[0] == repository), ""))

    @property
    def short_id(self) -> str:
        """Its ID as people are shown it."""
        return self.id[: len(_ID_KIND) + _ID_SHOWN]

    def kept_as(self, deployment: str) -> str:
        """A name for it that no one else moves, on this machine."""
        return f"{_KEPT_REPOSITORY}:{deployment[:_NAME_MAX]}-{self.service}-{self.short_id.removeprefix(_ID_KIND)}"


@dataclass(frozen=True)
class Release:
    """What a deployment runs, or ran: its images. `files` is the digest of the rendered files, "" if not known."""

    images: tuple[PinnedImage, ...] = ()
    files: str = ""

    @classmethod
    def read(cls, file: Path) -> Release | None:
        """The release in a file; None if there is none, or none that can be read."""
        try:
            raw = json.loads(file.read_bytes())
            return cls(tuple(PinnedImage(**one) for one in raw["images"]), str(raw.get("files", "")))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @property
    def content(self) -> bytes:
        """The release as its file holds it."""
        return (json.dumps({"format": STATE_FORMAT, **asdict(self)}, indent=1) + "\n").encode()

    def image_of(self, service: str) -> PinnedImage | None:
        """The image of a service; None if it is not known."""
        return next((one for one in self.images if one.service == service), None)
