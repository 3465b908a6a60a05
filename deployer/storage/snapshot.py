"""What a registry's storage holds at one moment, read from the list that `list.sh` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.errors import StorageError
from deployer.reference import is_digest, is_repository, is_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of content: its size and the disk space that it holds, in bytes; `modified` in seconds since 1970."""

    size: int
    allocated: int
    modified: int


@dataclass(frozen=True, slots=True)
class Tag:
    """What a tag names, "" where its link is damaged or missing, and when it was last pushed."""

    digest: str
    pushed: int


@dataclass(slots=True)
class Repository:
    """One repository's files.

    `revisions` are its manifests with the time of their first push; `once_tagged` those that some
    tag of today names or has named. `active` is when an upload last began or ended, or a layer was
    linked. `has_tags_folder` is False where it was only ever pushed to by digest. `folders` are
    those of `_manifests`, `_layers` and `_uploads` that are there.
    """

    name: str
    tags: dict[str, Tag] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    once_tagged: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    uploads: dict[str, int] = field(default_factory=dict)
    active: int = 0
    has_tags_folder: bool = False
    has_revisions_folder: bool = False

    @property
    def is_ours_to_change(self) -> bool:
        """Whether a registry can have made it; what else lies there is read, and left alone."""
        return is_repository(self.name)

    def on(self, digest: str) -> tuple[str, ...]:
        """The tags that name a manifest."""
        return tuple(sorted(name for name, tag in self.tags.items() if tag.digest == digest))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything in the storage. `moment` is the storage's own clock, in seconds since 1970."""

    moment: int
    repositories: dict[str, Repository]
    blobs: dict[str, Blob]
    unfinished_bytes: int = 0


def parse(printed: bytes) -> Snapshot:
    """Read what `list.sh` printed. Raises StorageError where it is cut short."""
    sections = _sections(printed)
    repositories: dict[str, Repository] = {}
    _read_folders(sections["folders"], repositories)
    for path in sections["manifest folders"]:
        _read_manifest_folder(path, repositories)
    for line in sections["links"]:
        modified, path = line.split(" ", 1)
        _read_link(path, int(modified), repositories)
    for line in sections["tags"]:
        path, _, digest = line.rpartition("/current/link:")
        name, _, tag = path.partition("/_manifests/tags/")
        repository = _of(name, repositories)
        if is_digest(digest) and tag in repository.tags:
            repository.tags[tag] = Tag(digest, repository.tags[tag].pushed)
    for line in sections["uploads"]:
        modified, path = line.split(" ", 1)
        name, _, upload = path.partition("/_uploads/")
        _of(name, repositories).uploads[upload] = int(modified)
    unfinished = sum(int(line.split(" ", 1)[0]) for line in sections["upload data"])
    return Snapshot(int(sections["now"][0]), repositories, dict(_blobs(sections["blobs"])), unfinished)


def parse_links(printed: bytes) -> Iterator[tuple[str, str, int]]:
    """Read what `links.sh` printed: repository, digest and modification time of each layer link.

    Raises StorageError where it is cut short.
    """
    lines = printed.decode(errors="surrogateescape").splitlines()
    if not lines or lines[-1] != "# end":
        raise _cut_short()
    for line in lines[:-1]:
        modified, path = line.split(" ", 1)
        name, _, rest = path.partition("/_layers/")
        algorithm, _, rest = rest.partition("/")
        digest = f"{algorithm}:{rest.removesuffix('/link')}"
        if is_digest(digest):
            yield name.removeprefix("repositories/"), digest, int(modified)


def _sections(printed: bytes) -> dict[str, list[str]]:
    names = ("now", "folders", "manifest folders", "links", "tags", "uploads", "upload data", "blobs")
    sections: dict[str, list[str]] = {name: [] for name in names}
    lines = printed.decode(errors="surrogateescape").splitlines()
    if not lines or lines[-1] != "# end":
        raise _cut_short()
    current: list[str] = []
    for line in lines[:-1]:
        if line.startswith("# "):
            current = sections[line[2:]]
        else:
            current.append(line)
    return sections


def _cut_short() -> StorageError:
    return StorageError("The list of what the registry keeps was cut short.", ("Run the command again.",))


def _of(path: str, repositories: dict[str, Repository]) -> Repository:
    name = path.removeprefix("repositories/")
    if name not in repositories:
        repositories[name] = Repository(name)
    return repositories[name]


def _read_folders(lines: Iterable[str], repositories: dict[str, Repository]) -> None:
    for line in lines:
        modified, path = line.split(" ", 1)
        for folder in ("_manifests", "_layers", "_uploads"):
            name, found, rest = path.partition(f"/{folder}")
            if not found or rest not in {"", "/sha256"}:
                continue
            repository = _of(name, repositories)
            repository.folders.add(folder)
            if folder != "_manifests":
                repository.active = max(repository.active, int(modified))


def _read_manifest_folder(path: str, repositories: dict[str, Repository]) -> None:
    name, _, inside = path.partition("/_manifests/")
    repository = _of(name, repositories)
    kind, _, rest = inside.partition("/")
    if kind == "tags":
        repository.has_tags_folder = True
        if is_tag(rest):
            # Without a link until one is read: such a tag is listed by the registry, and names nothing.
            repository.tags[rest] = Tag("", 0)
    elif kind == "revisions":
        repository.has_revisions_folder = True


def _read_link(path: str, modified: int, repositories: dict[str, Repository]) -> None:
    name, _, inside = path.partition("/_manifests/")
    repository = _of(name, repositories)
    parts = inside.split("/")
    match parts:
        case ["revisions", algorithm, value, "link"] if is_digest(f"{algorithm}:{value}"):
            # An empty link, left by a crash, still says by its place which manifest it means.
            repository.revisions[f"{algorithm}:{value}"] = modified
        case ["tags", tag, "current", "link"] if is_tag(tag):
            repository.tags[tag] = Tag("", modified)
        case ["tags", _, "index", algorithm, value, "link"]:
            repository.once_tagged.add(f"{algorithm}:{value}")


def _blobs(lines: Iterable[str]) -> Iterator[tuple[str, Blob]]:
    for line in lines:
        size, blocks, modified, path = line.split(" ", 3)
        parts = path.split("/")
        digest = f"{parts[1]}:{parts[-2]}" if len(parts) == 5 else ""
        if is_digest(digest):
            yield digest, Blob(int(size), int(blocks) * _BLOCK, int(modified))
