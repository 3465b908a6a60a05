"""What a registry's storage holds at one moment, read from the list that `list.sh` prints."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from deployer.errors import StorageError
from deployer.layout import REGISTRY_ROOT
from deployer.reference import is_digest, is_repository, is_tag
from deployer.storage import uploads
from deployer.storage.printed import complete, cut_short
from deployer.storage.removal import parse_interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from deployer.storage.uploads import Upload

# In seconds: a network disk has its own clock.
CLOCKS_MAY_DIFFER = 3600

_BLOCK = 512
_BLOB = re.compile(
    r"(\d+) (\d+) (-?\d+) blobs/"
    r"(?:sha256/([0-9a-f]{2})/(\4[0-9a-f]{62})|sha512/([0-9a-f]{2})/(\6[0-9a-f]{126}))/data"
)
# Not below what a NAS or a file system keeps beside it, such as `.snapshot` or `@eaDir`.
_MISPLACED = re.compile(r"\d+ \d+ -?\d+ (blobs/(?:[^/.@#][^/]*/)*(?:[0-9a-f]{64}|[0-9a-f]{128}))/data")
_IN_PLACE = re.compile(r" blobs/sha(256|512)/[0-9a-f]{2}/[0-9a-f]{64,128}/data$")
_HEX = r"([0-9a-f]{64}|[0-9a-f]{128})"
# Where the registry expects a file or a folder, and any other kind of entry keeps it from working.
_STRUCTURE = re.compile(
    rf"blobs(/sha(256|512)(/[0-9a-f]{{2}}(/{_HEX}(/data)?)?)?)?"
    r"|repositories/.+/_(manifests|layers|uploads)"
    rf"|repositories/.+/_manifests/(tags|revisions(/sha(256|512)(/{_HEX}(/link)?)?)?)"
    rf"|repositories/.+/_manifests/tags/[^/]+/(current(/link)?|index(/sha(256|512)(/{_HEX}(/link)?)?)?)"
)
_LIST = re.compile(rf"repositories/.+/_(layers|manifests(/revisions(/sha(256|512)(/{_HEX})?)?)?)")
_ALIAS = re.compile(r"repositories/.+/_(layers|manifests/revisions)/(?!sha256/)[^/]+/[^/]+/link")
_SECTIONS = (
    "now", "left", "unfinished", "folders", "other", "unreadable", "changed", "foreign", "shared", "manifests",
    "history", "tags", "aliases", "started", "uploads", "blobs",
)  # fmt: skip


class Blob(NamedTuple):
    """A file of content: its size and the disk space that it holds, in bytes; `modified` in seconds since 1970."""

    size: int
    allocated: int
    modified: int


class StoredTag(NamedTuple):
    """What a tag names, "" if its link is damaged or missing, and when it was last pushed."""

    digest: str
    pushed: int


@dataclass(slots=True)
class StoredRepository:
    """One repository's files.

    `revisions` are its manifests with the time of their push, `unlinked_revisions` those whose link was deleted;
    `once_tagged` are those that some tag of today names or has named. `active` is when an upload
    last began or ended, or a layer was
    linked. `has_tags_folder` is False if it was only ever pushed to by digest. `folders` are
    those of `_manifests`, `_layers` and `_uploads` that are there.
    """

    name: str
    tags: dict[str, StoredTag] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    unlinked_revisions: set[str] = field(default_factory=set)
    once_tagged: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    uploads: dict[str, Upload] = field(default_factory=dict)
    active: int = 0
    has_tags_folder: bool = False

    @property
    def is_ours_to_change(self) -> bool:
        """Whether a registry can have made it; what else is there is read, and left alone."""
        return is_repository(self.name)

    def on(self, digest: str) -> tuple[str, ...]:
        """The tags that name a manifest."""
        return tuple(sorted(name for name, tag in self.tags.items() if tag.digest == digest))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything in the storage. `moment` is the storage's own clock, in seconds since 1970.

    `aliases` leads from digests by which content was pushed to those by which it is in `blobs`.
    `foreign` are files and folders among the tags that no registry has made, by their paths; `unexpected_paths` are the
    paths at which the registry expects a file and there is a folder, or the reverse; `shared` are the links of tags
    that are one file with another (hard links); `misplaced` are the folders of blobs where the registry does not
    look for them, and that are not among `blobs`; `unreadable` are links that the disk does not give.
    `leftover_bytes` is the disk space that an interrupted removal holds, and `interrupted_removals` are the manifests
    that it was to remove, by repository and digest, with the moment at which it began.
    """

    moment: int
    repositories: dict[str, StoredRepository]
    blobs: Mapping[str, Blob]
    aliases: dict[str, str] = field(default_factory=dict)
    leftover_bytes: int = 0
    interrupted_removals: dict[str, dict[str, int]] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    unexpected_paths: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    def in_place_of(self, path: str) -> str:
        """The unexpected path that keeps a file from being at this one, itself or above it; "" if there is none."""
        if not self.unexpected_paths:
            return ""
        return next((one for one in self.unexpected_paths if path == one or path.startswith(f"{one}/")), "")

    @property
    def is_listing_incomplete(self) -> bool:
        """Whether which content some repository has is not known: a list, or a link whose place does not say it."""
        lists, links = map(_LIST.fullmatch, self.unexpected_paths), map(_ALIAS.fullmatch, self.unreadable)
        return any(lists) or any(links)

    @property
    def obstructed(self) -> frozenset[str]:
        """The repositories with something unexpected_paths: what they have and need is not known wholly."""
        return frozenset(_name(path, "/_") for path in self.unexpected_paths if path.startswith("repositories/"))

    @property
    def has_future(self) -> bool:
        """Whether anything but tags is dated in the future: its age would stay the least for long."""
        repositories = self.repositories.values()
        return (
            any(self.is_in_future(blob.modified) for blob in self.blobs.values())
            or any(self.is_in_future(one.active) for one in repositories)
            or any(self.is_in_future(moment) for one in repositories for moment in one.revisions.values())
            or any(self.is_in_future(upload.modified) for one in repositories for upload in one.uploads.values())
        )

    def is_in_future(self, moment: int) -> bool:
        """Whether a time is one of the future, beyond what two clocks may differ by."""
        return moment > self.moment + CLOCKS_MAY_DIFFER


def parse(printed: bytes, before: Snapshot | None = None) -> Snapshot:
    """Read what `list.sh` printed; of repositories that have not changed since `before` it says less.
    Raises StorageError if it is truncated.
    """
    try:
        return _parsed(printed, before)
    except (ValueError, IndexError) as error:
        raise StorageError(
            "The registry's storage has a file name that cannot be listed, such as one with a line break.",
            (
                (
                    "In the registry's container, rename or remove what this command finds: find "
                    f"{REGISTRY_ROOT} -name '*[[:cntrl:]]*'"
                ),
            ),
            str(error),
        ) from error


def _parsed(printed: bytes, before: Snapshot | None) -> Snapshot:
    sections = sections_of(printed)
    if before is None and "changed" in sections:
        raise cut_short()
    repositories: dict[str, StoredRepository] = {}
    _read_folders(sections["folders"], repositories)
    if before is not None and "changed" in sections:
        changed = {_name(path, "/_manifests") for path in sections["changed"]}
        _carry_over(before, changed, repositories)
    unexpected_paths = {*(before.unexpected_paths if before else ())}
    for line in sections["other"]:
        if path := unexpected_path(line):
            unexpected_paths.add(path)
            if path.endswith("/link"):
                _read_link(path, int(line.split(" ", 1)[0]), repositories)
    foreign = {*(before.foreign if before else ()), *sections["foreign"]}
    for line in sections["manifests"]:
        modified, _, _, _, path = line.split(" ", 4)
        if path.endswith("/link"):
            _read_link(path, int(modified), repositories)
        else:
            foreign.update(_read_folder(path, repositories))
    for path in sections["history"]:
        _read_history(path, repositories)
    _read_tags(sections["tags"], repositories)
    moment = int(sections["now"][0])
    for (name, one), upload in uploads.read(sections, moment + CLOCKS_MAY_DIFFER).items():
        _of(name, repositories).uploads[one] = upload
    aliases = {**(before.aliases if before else {}), **dict(_aliases(sections["aliases"]))}
    blobs, misplaced = _read_blobs(sections["blobs"])
    return Snapshot(
        moment=moment,
        repositories=repositories,
        blobs=blobs,
        aliases=aliases,
        leftover_bytes=sum(map(int, sections["left"])) * 1024,
        interrupted_removals=parse_interrupted(sections["unfinished"]),
        foreign=tuple(sorted(foreign)),
        unexpected_paths=tuple(sorted(unexpected_paths)),
        shared=tuple(sorted({*(before.shared if before else ()), *sections["shared"]})),
        misplaced=tuple(sorted(misplaced)),
        unreadable=tuple(sorted({*(before.unreadable if before else ()), *sections["unreadable"]})),
    )


def sections_of(printed: bytes) -> dict[str, list[str]]:
    """The lines of each section. Raises StorageError if the list is truncated, or there is a symbolic link."""
    sections: dict[str, list[str]] = {name: [] for name in _SECTIONS if name != "changed"}
    current: list[str] = []
    for line in complete(printed):
        if line.startswith("symbolic "):
            raise behind_a_link(line.removeprefix("symbolic "))
        kind, _, rest = line.partition(" ")
        if kind in {"other", "unreadable"}:
            sections[kind].append(rest.lstrip())
        elif line.startswith("# "):
            current = sections.setdefault(line[2:], [])
        else:
            current.append(line)
    return sections


def behind_a_link(path: str) -> StorageError:
    """What to raise for a symbolic link, by its path."""
    place = f"{REGISTRY_ROOT}/{path}"
    link, file = shlex.quote(place), shlex.quote(f"{place}.new")
    if path.endswith(("/link", "/data")):
        advice = (
            "Replace the link with the file itself, in the registry's container or its data directory: "
            f"cp {link} {file} && mv {file} {link}"
        )
    else:
        advice = (
            "Replace the link with the directory that it points to, or mount that directory there (for example as "
            "a bind mount)."
        )
    return StorageError(
        f"The registry's storage has a symbolic link, {place}, whose target cannot be read from here.",
        (advice, "Nothing was changed."),
    )


def repository_at(path: str) -> str:
    """The repository that has what is at a path below the registry's root."""
    return _name(path, "/_")


def _name(path: str, folder: str) -> str:
    return path.partition(folder)[0].removeprefix("repositories/")


def _of(name: str, repositories: dict[str, StoredRepository]) -> StoredRepository:
    if name not in repositories:
        repositories[name] = StoredRepository(name)
    return repositories[name]


def _carry_over(before: Snapshot, changed: set[str], repositories: dict[str, StoredRepository]) -> None:
    """Take the manifests of what has not changed from an earlier list."""
    for name, repository in repositories.items():
        known = before.repositories.get(name)
        if known is not None and name not in changed:
            repository.tags, repository.revisions, repository.unlinked_revisions = (
                known.tags,
                known.revisions,
                known.unlinked_revisions,
            )
            repository.once_tagged, repository.has_tags_folder = known.once_tagged, known.has_tags_folder


def _read_folders(lines: Iterable[str], repositories: dict[str, StoredRepository]) -> None:
    for line in lines:
        modified, path = line.split(" ", 1)
        name, folder = _name(path, "/_"), "_" + path.partition("/_")[2].partition("/")[0]
        if folder not in {"_manifests", "_layers", "_uploads"}:
            continue
        repository = _of(name, repositories)
        repository.folders.add(folder)
        if folder != "_manifests":
            repository.active = max(repository.active, int(modified))


def _read_folder(path: str, repositories: dict[str, StoredRepository]) -> Iterator[str]:
    """Note a folder of a repository; return its path if it cannot be a registry's tag."""
    repository = _of(_name(path, "/_manifests"), repositories)
    match path.partition("/_manifests/")[2].split("/"):
        case ["tags"]:
            repository.has_tags_folder = True
        case ["tags", tag] if is_tag(tag):
            # Without a link until one is read: such a tag is listed by the registry, and names nothing.
            repository.tags.setdefault(tag, StoredTag("", 0))
        case ["tags", _]:
            yield path
        case ["revisions", algorithm, value] if is_digest(f"{algorithm}:{value}"):
            if f"{algorithm}:{value}" not in repository.revisions:
                repository.unlinked_revisions.add(f"{algorithm}:{value}")


def _read_link(path: str, modified: int, repositories: dict[str, StoredRepository]) -> None:
    name, _, inside = path.partition("/_manifests/")
    repository = _of(name.removeprefix("repositories/"), repositories)
    match inside.split("/"):
        case ["revisions", algorithm, value, "link"] if is_digest(f"{algorithm}:{value}"):
            # An empty link, left by a crash, still says by its place which manifest it means.
            repository.revisions[f"{algorithm}:{value}"] = modified
            repository.unlinked_revisions.discard(f"{algorithm}:{value}")
        case ["tags", tag, "current", "link"] if is_tag(tag):
            repository.tags[tag] = StoredTag("", modified)


def _read_history(path: str, repositories: dict[str, StoredRepository]) -> None:
    _, _, algorithm, value, _ = path.rsplit("/", 4)
    if is_digest(f"{algorithm}:{value}"):
        _of(_name(path, "/_manifests"), repositories).once_tagged.add(f"{algorithm}:{value}")


def _read_tags(lines: Iterable[str], repositories: dict[str, StoredRepository]) -> None:
    for line in lines:
        path, found, digest = line.rpartition("/current/link:")
        if not found:
            continue
        name, _, tag = path.partition("/_manifests/tags/")
        repository = _of(name.removeprefix("repositories/"), repositories)
        if is_digest(digest) and tag in repository.tags:
            repository.tags[tag] = StoredTag(digest, repository.tags[tag].pushed)


def _aliases(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        path, _, target = line.rpartition("/link:")
        digest = ":".join(path.split("/")[-2:])
        if is_digest(digest) and is_digest(target) and digest != target:
            yield digest, target


def _read_blobs(lines: Iterable[str]) -> tuple[dict[str, Blob], list[str]]:
    """The blobs where the registry reads them, and the folders of those that are elsewhere."""
    found: dict[str, Blob] = {}
    misplaced: list[str] = []
    for line in lines:
        read_blob(line, found.__setitem__, misplaced.append)
    return found, misplaced


def read_blob(line: str, on_blob: Callable[[str, Blob], object], on_misplaced: Callable[[str], object]) -> None:
    """Hand on what a line tells: a blob where the registry reads it, or the folder of one that is elsewhere."""
    if match := _BLOB.fullmatch(line):
        size, blocks, modified, _, sha256, _, sha512 = match.groups()
        digest = f"sha256:{sha256}" if sha256 else f"sha512:{sha512}"
        on_blob(digest, Blob(int(size), int(blocks) * _BLOCK, int(modified)))
    elif match := _MISPLACED.fullmatch(line):
        on_misplaced(match[1])
    elif _IN_PLACE.search(line):
        raise StorageError("The registry's storage lists a blob that cannot be read.", (), line)


def unexpected_path(line: str) -> str:
    """From the line of something, its path if the registry expects something else there; "" if it expects nothing."""
    path = line.split(" ", 1)[1]
    return path if _STRUCTURE.fullmatch(path) else ""
