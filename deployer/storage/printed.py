"""What the scripts that check single files print, read: links, missing files, and what files hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import StorageError
from deployer.reference import is_digest

if TYPE_CHECKING:
    from collections.abc import Iterator


# In place of the digest of a file that cannot be read where it is on the disk.
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Verified:
    """A file read to its end: its size in bytes, None if there is none, and its digest's hexadecimal part.

    That of a file that the disk does not give is UNREADABLE.
    """

    size: int | None = None
    value: str = ""


@dataclass(frozen=True)
class Counts:
    """How much there is: repositories with manifests, their tags, and bytes of content."""

    repositories: int
    tags: int
    size: int


def parse_links(printed: bytes) -> Iterator[tuple[str, str, int]]:
    """Read what `links.sh` printed: repository, digest and modification time of each layer link.

    Raises StorageError if it is truncated.
    """
    for line in complete(printed):
        modified, path = line.split(" ", 1)
        name, _, rest = path.partition("/_layers/")
        digest = rest.removesuffix("/link").replace("/", ":")
        if is_digest(digest):
            yield name.removeprefix("repositories/"), digest, int(modified)


def parse_broken(printed: bytes) -> frozenset[str]:
    """Read what `broken.sh` printed, but for links whose place does not say all of what they hold."""
    lines = complete(printed)
    return frozenset(line for line in lines if "/sha256/" in line and is_digest(":".join(line.split("/")[-3:-1])))


@dataclass(frozen=True)
class Lack:
    """What is wrong at the path of a link: nothing is there, or `obstacle`, the path of what is in its place.

    A link of a manifest or layer that does not hold its digest has `size` bytes; None for any other.
    """

    obstacle: str = ""
    size: int | None = None


def parse_lacking(printed: bytes) -> dict[str, Lack]:
    """Read what `lacking.sh` printed, by the paths of the links. Raises StorageError if it is truncated."""
    found = {}
    for line in complete(printed):
        kind, _, rest = line.partition(" ")
        if kind == "none":
            found[rest] = Lack()
            continue
        number, path = rest.split(" ", 1)
        found[path] = Lack(size=int(number)) if kind == "size" else Lack(path.rsplit("/", int(number))[0])
    return found


def parse_verified(printed: bytes) -> dict[str, Verified]:
    """Read what `verify.sh` printed: what each file holds, by its path. Raises StorageError if it is truncated."""
    found: dict[str, Verified] = {}
    sizes: dict[str, int] = {}
    for line in complete(printed):
        first, second, path = (*line.split(" ", 2), "")[:3]
        if first == "none":
            found[second] = Verified()
        elif first == "size":
            # Without its hash, it went while it was read.
            sizes[path], found[path] = int(second), Verified()
        elif path in sizes:
            found[path] = Verified(sizes[path], first)
    return found


def parse_unreadable(printed: bytes) -> frozenset[str]:
    """Read what `unreadable.sh` printed: paths. Raises StorageError if it is truncated."""
    return frozenset(line.partition("  ")[2] for line in complete(printed))


def complete(printed: bytes) -> list[str]:
    """The lines that a script printed. Raises StorageError if they are truncated."""
    *lines, end, rest = ["", *printed.decode(errors="surrogateescape").split("\n")]
    if (end, rest) != ("# end", ""):
        raise cut_short()
    return lines[1:]


def as_bytes(lines: str) -> bytes:
    """Lines of paths as a script reads them: file names may be of any bytes."""
    return lines.encode(errors="surrogateescape")


def cut_short() -> StorageError:
    """What to raise if a list does not end as it should."""
    return StorageError("The list of the registry's storage is incomplete.", ("Run the command again.",))
