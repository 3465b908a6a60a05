"""Reading and changing a registry's storage, through a container that has it mounted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.errors import EngineError, EngineUnavailable, StorageError, StorageUnreadable
from deployer.layout import REGISTRY_ROOT, STORAGE
from deployer.rendering import snippets
from deployer.storage.outline import Outline
from deployer.storage.printed import (
    UNREADABLE,
    Counts,
    as_bytes,
    complete,
    cut_short,
    parse_broken,
    parse_lacking,
    parse_links,
    parse_unreadable,
    parse_verified,
)
from deployer.storage.removal import blob_file
from deployer.storage.snapshot import CLOCKS_MAY_DIFFER, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from deployer.engine.engine import Engine
    from deployer.storage.printed import Lack, Verified
    from deployer.storage.removal import StorageRemoval
    from deployer.storage.snapshot import Blob, Snapshot

# Outside of what the registry checks, on the same disk.
REMOVED = f"{STORAGE}/.deployer-removed"

_MEMORY = "/tmp/list"  # noqa: S108 - inside the container
_SCRUBBED = f"{_MEMORY}-scrub"
_READ_AT_ONCE = 64_000_000
_TRIES = 3

_FAILING = "The disk with the images is failing{}."
_FAILING_ADVICE = (
    "Check the kernel log, for example with `dmesg`. Nothing is deleted until this is fixed.",
    "deployer check --full   (names the images whose files cannot be read)",
)

# The path that a program complains about, with or without quotes.
_PLACE = re.compile(r"(?:^|[\s'])((?:/|repositories|blobs)[^:'\n]*)'?: ", re.MULTILINE)


@dataclass(frozen=True)
class _Complaint:
    """What a program says, and what that means; `{}` is replaced by ": PATH" if a path is named.

    The registry itself `serves` all the same, or it has the same trouble.
    """

    pattern: str
    sentence: str
    advice: tuple[str, ...] = ()
    serves: bool = False


_COMPLAINTS = (
    _Complaint(
        "read-only file system", "The registry's storage is mounted read-only; nothing was changed.", serves=True
    ),
    _Complaint(
        "no space left on device",
        "The disk with the images is completely full.",
        ("Free some space on it in another way, then run the command again.",),
        serves=True,
    ),
    _Complaint(
        # With glibc's words and with musl's; dash says the latter of its own output on a full disk.
        "input/output error|(?<!echo: )(?<!printf: )i/o error|stale (nfs )?file handle|structure needs cleaning|"
        "bad message",
        _FAILING,
        _FAILING_ADVICE,
    ),
    _Complaint(
        "permission denied|operation not permitted",
        "The registry's container has no permission to read or change its storage{}.",
        (
            (
                "Allow root in containers to read and write it; for a network disk, this is set on its server "
                "(`no_root_squash`)."
            ),
        ),
    ),
    _Complaint(
        "/repositories: is missing, and the content of images is not",
        "The registry's storage contains image data, but its directory `repositories` is missing.",
        ("Move the directory back, or restore it from a backup. Nothing is deleted until this is fixed.",),
    ),
    _Complaint(
        "cannot be opened|not a directory|too many levels|symbolic link loop",
        "The registry's storage has something else where a directory is expected{}.",
        ("Check what it is and restore the directory. Nothing is deleted until this is fixed.",),
    ),
)


@dataclass
class Storage:
    """A registry's storage, in the named container. Every method raises StorageError or EngineError.

    With `remembers`, the container is ours alone, and a later snapshot looks only at what changed.
    `unreadable` are the paths, below the registry's root, of the links and files of content that the disk did not give
    until now.
    """

    engine: Engine
    container: str
    remembers: bool = False
    unreadable: set[str] = field(default_factory=set, init=False)
    _before: Snapshot | None = field(default=None, init=False)
    _memory: str = field(default="", init=False)

    def snapshot(self) -> Snapshot:
        """List everything. While writes continue, files vanish under the list: then it is recreated."""
        for attempt in range(1, _TRIES + 1):
            # What a list that failed has remembered must not make the next one shorter.
            memory = self._memory or f"{_MEMORY}-{attempt}"
            try:
                found = parse(
                    self._run("list", REGISTRY_ROOT, memory if self.remembers else "", REMOVED, ""), self._before
                )
            except StorageError:
                if attempt == _TRIES:
                    raise
                continue
            self.unreadable.update(found.unreadable)
            if self.remembers and self._before is None:
                self._before, self._memory = found, memory
            return found
        raise AssertionError

    def layer_links(self, repositories: Iterable[str]) -> Iterator[tuple[str, str, int]]:
        """Repository, digest and modification time (seconds since 1970) of each layer link."""
        paths = "".join(f"repositories/{name}\n" for name in repositories)
        return parse_links(self._run("links", REGISTRY_ROOT, stdin=as_bytes(paths))) if paths else iter(())

    def contents(self, digests: Iterable[str], blobs: Mapping[str, Blob]) -> Iterator[tuple[str, bytes]]:
        """The content of blobs that the snapshot lists, in this order; empty for one that the disk does not give."""
        batch: list[str] = []
        size = 0
        for digest in digests:
            if batch and size + blobs[digest].size > _READ_AT_ONCE:
                yield from self._read(batch, blobs)
                batch, size = [], 0
            batch.append(digest)
            size += blobs[digest].size
        if batch:
            yield from self._read(batch, blobs)

    def verify(self, paths: Iterable[str]) -> dict[str, Verified]:
        """Read files of content, by their paths below the registry's root, and say what they hold now."""
        lines = "".join(f"{path}\n" for path in sorted(paths))
        found = parse_verified(self._run("verify", REGISTRY_ROOT, stdin=lines.encode())) if lines else {}
        self.unreadable.update(path for path, one in found.items() if one.value == UNREADABLE)
        return found

    def expect_readable(self) -> None:
        """Make sure that the disk gave all that was read until now. Raises StorageUnreadable."""
        if self.unreadable:
            raise StorageUnreadable(_FAILING.format(f": {min(self.unreadable)}"), _FAILING_ADVICE)

    def scrub(self, sizes: Mapping[str, int], rate: int, on_file: Callable[[str, str], None]) -> None:
        """Read files of content to their ends, given their sizes by their paths below the registry's root.

        `rate` is how many bytes may be read in a second, 0 for no limit: then all processors read. `on_file` is told
        the path and the digest's hexadecimal part of each as soon as it is read, UNREADABLE for what the disk does not
        give; nothing of what is gone by then.
        """
        if not sizes:
            return
        wanted = sorted(sizes.items(), key=lambda one: -one[1])
        self._run("stage", _SCRUBBED, stdin="".join(f"{size} {path}\n" for path, size in wanted).encode())
        ended: list[str] = []

        def read(line: str) -> None:
            value, separator, path = line.partition("  ")
            if separator:
                on_file(path, value)
            else:
                ended.append(line)

        self._follow("scrub", REGISTRY_ROOT, _SCRUBBED, str(rate), on_line=read)
        if ended != ["# end"]:
            raise cut_short()

    def lacking(self, paths: Iterable[str]) -> dict[str, Lack]:
        """Those of these paths of links below the registry's root at which no file holds the link's digest.

        What is in its place is given as the path of a folder there, or of a file in place of a folder above.
        """
        lines = "".join(f"{path}\n" for path in sorted(paths))
        return parse_lacking(self._run("lacking", REGISTRY_ROOT, stdin=lines.encode())) if lines else {}

    def broken_links(self) -> frozenset[str]:
        """The paths of links of manifests and layers that hold no digest, below the registry's root."""
        return parse_broken(self._run("broken", REGISTRY_ROOT, "all"))

    def broken_links_of(self, repositories: Iterable[str]) -> frozenset[str]:
        """The same of some repositories."""
        paths = "".join(f"repositories/{name}\n" for name in repositories)
        return parse_broken(self._run("broken", REGISTRY_ROOT, "some", stdin=as_bytes(paths))) if paths else frozenset()

    def count(self) -> Counts:
        """Count what there is, without listing it."""
        repositories, tags, size = map(int, complete(self._run("count", REGISTRY_ROOT)))
        return Counts(repositories, tags, size)

    def outline(self) -> Outline:
        """List the repositories and the blobs. What the repositories have is listed in portions."""
        for attempt in range(1, _TRIES + 1):
            try:
                outline = Outline.parse(self._run("list", REGISTRY_ROOT, "", REMOVED, "folders"))
                self._follow("list", REGISTRY_ROOT, "", REMOVED, "blobs", on_line=outline.note_blob)
                outline.finish()
            except StorageError:
                if attempt == _TRIES:
                    raise
                continue
            return outline
        raise AssertionError

    def portion(self, outline: Outline, repositories: Iterable[str]) -> Snapshot:
        """What some of the outline's repositories have, as a snapshot with no others, and with all blobs."""
        lines = "".join(f"{line}\n" for name in repositories for line in outline.folders[name])
        printed = self._run("list", REGISTRY_ROOT, "", REMOVED, "portion", stdin=as_bytes(lines))
        found = parse(printed)
        self.unreadable.update(found.unreadable)
        return outline.with_portion(found)

    def relink(self, paths: Iterable[str]) -> None:
        """Rewrite such links, each as its place says; a tag's becomes a separate file."""
        self._run("relink", REGISTRY_ROOT, stdin="".join(f"{path}\n" for path in sorted(paths)).encode())

    def remove(self, removal: StorageRemoval, run: str) -> None:
        """Take things away; their space is held until `empty`. `run` names this run, as no other."""
        self._run("remove", REGISTRY_ROOT, f"{REMOVED}/{run}", stdin=removal.instructions())

    def redate(self) -> None:
        """Set the current time on files dated in the future, except for tags, whose dates give their order."""
        self._run("redate", REGISTRY_ROOT, str(CLOCKS_MAY_DIFFER))

    def empty(self) -> None:
        """Delete what was moved out, by this run and by interrupted ones."""
        self._run("empty", REMOVED)

    def _read(self, digests: list[str], blobs: Mapping[str, Blob]) -> Iterator[tuple[str, bytes]]:
        paths = {digest: f"{blob_file(digest)}\n" for digest in digests}
        lost: frozenset[str] = frozenset()
        try:
            content = self._run("read", REGISTRY_ROOT, stdin="".join(paths.values()).encode())
        except StorageUnreadable:
            lost = parse_unreadable(self._run("unreadable", REGISTRY_ROOT, stdin="".join(paths.values()).encode()))
            if not lost:
                raise
            self.unreadable |= lost
            paths = {digest: path for digest, path in paths.items() if path.rstrip() not in lost}
            content = self._run("read", REGISTRY_ROOT, stdin="".join(paths.values()).encode())
        if len(content) != sum(blobs[digest].size for digest in paths):
            raise StorageError("The registry's storage changed while it was being read.", ("Run the command again.",))
        position = 0
        for digest in digests:
            end = position + (blobs[digest].size if digest in paths else 0)
            yield digest, content[position:end]
            position = end

    def _follow(self, script: str, *arguments: str, on_line: Callable[[str], None]) -> None:
        try:
            strict, digest, wanted = map(snippets.storage_script, ("strict", "digest", script))
            self.engine.containers.follow_script(self.container, strict, digest + wanted, *arguments, on_line=on_line)
        except EngineError as error:
            raise of_storage(error) from error

    def _run(self, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        try:
            strict, digest, wanted = map(snippets.storage_script, ("strict", "digest", script))
            return self.engine.containers.run_script(self.container, strict, digest + wanted, *arguments, stdin=stdin)
        except EngineError as error:
            raise of_storage(error) from error


def of_storage(error: EngineError) -> EngineError | StorageError:
    """The error for what a program beside the storage complained of. One of the engine stays as it is."""
    if isinstance(error, EngineUnavailable):
        return error
    original = error.original or error.message
    place = _PLACE.search(original)
    for one in _COMPLAINTS:
        if re.search(one.pattern, original, re.IGNORECASE):
            kind = StorageError if one.serves else StorageUnreadable
            return kind(one.sentence.format(f": {place[1]}" if place else ""), one.advice, original)
    advice = (
        "Check the cause shown here, and run the command again only after it is fixed. Nothing is deleted until then."
    )
    return StorageError("The registry's storage could not be read or changed.", (advice,), original)
