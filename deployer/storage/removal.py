"""What is to be taken out of a registry's storage, in an order that is right wherever it breaks off."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from itertools import groupby
from typing import TYPE_CHECKING

from deployer.reference import is_digest, parse_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PARTS = ("_manifests", "_layers", "_uploads")


@dataclass(frozen=True)
class StorageRemoval:
    """Tags, manifests, blobs, layer links, unfinished uploads and whole repositories that go.

    `damaged` are blobs that images need, and that are not what they should be: gone, they can be pushed again.
    `tags` are pairs of repository and tag, `revisions` and `layers` of repository and digest, `uploads` of repository
    and the name of the upload.
    """

    tags: tuple[tuple[str, str], ...] = ()
    revisions: tuple[tuple[str, str], ...] = ()
    blobs: tuple[str, ...] = ()
    layers: tuple[tuple[str, str], ...] = ()
    repositories: tuple[str, ...] = field(default=())
    damaged: tuple[str, ...] = ()
    uploads: tuple[tuple[str, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing goes."""
        return not any(getattr(self, part.name) for part in fields(self))

    def instructions(self) -> bytes:
        """The same for `remove.sh`.

        A tag goes before its manifest, a manifest before its blobs: interrupted anywhere, no tag is
        left without its manifest and no manifest without its blobs. Of a repository `_manifests`
        goes first, without which it holds no image.
        """
        lines = [
            *_grouped("tags", self.tags, lambda tag: f"_manifests/tags/{tag}"),
            *_grouped("revisions", self.revisions, lambda digest: f"_manifests/revisions/{_path(digest)}"),
            *([">blobs"] if self.blobs else []),
            *(f"blobs/{blob_folder(digest)}" for digest in self.blobs),
            *([">damaged"] if self.damaged else []),
            *(f"blobs/{blob_folder(digest)}" for digest in self.damaged),
            *_grouped("layers", self.layers, lambda digest: f"_layers/{_path(digest)}"),
            *_grouped("uploads", self.uploads, lambda upload: f"_uploads/{upload}"),
        ]
        for number, name in enumerate(self.repositories):
            lines += _repository(name, number)
        return "".join(f"{line}\n" for line in lines).encode()


def parse_interrupted(lines: Iterable[str]) -> dict[str, dict[str, int]]:
    """Read the lists of removals that were interrupted: their manifests by repository, each with its list's moment."""
    found: dict[str, dict[str, int]] = {}
    moment = 0
    for line in lines:
        if line.startswith("at "):
            moment = int(line[3:])
        path, _, digest = line.partition("/_manifests/revisions/")
        if is_digest(digest.replace("/", ":")):
            manifests = found.setdefault(path.removeprefix("repositories/"), {})
            manifests[digest.replace("/", ":")] = max(moment, manifests.get(digest.replace("/", ":"), 0))
    return found


def blob_folder(digest: str) -> str:
    """Where a blob is, below `blobs`."""
    algorithm, _, value = digest.partition(":")
    return f"{algorithm}/{value[:2]}/{value}"


def blob_file(digest: str) -> str:
    """The file of a blob's content, below the registry's root."""
    return f"blobs/{blob_folder(digest)}/data"


def digest_of_blob_file(path: str) -> str:
    """The digest of the blob whose content a file is, by its path; "" of any other file."""
    algorithm, _, value, name = ("", "", "", "", *path.split("/"))[-4:]
    return f"{algorithm}:{value}" if name == "data" else ""


def revision_link(repository: str, digest: str) -> str:
    """The file that makes a manifest one of a repository, below the registry's root."""
    return f"repositories/{repository}/_manifests/revisions/{_path(digest)}/link"


def tag_link(repository: str, tag: str) -> str:
    """The file that says which manifest a tag names, below the registry's root."""
    return f"repositories/{repository}/_manifests/tags/{tag}/current/link"


def layer_link(repository: str, digest: str) -> str:
    """The file that makes a layer or configuration one of a repository, below the registry's root."""
    return f"repositories/{repository}/_layers/{_path(digest)}/link"


def _path(digest: str) -> str:
    return digest.replace(":", "/")


def _grouped(kind: str, pairs: Iterable[tuple[str, str]], path: Callable[[str], str]) -> Iterator[str]:
    # A group for each repository: within one no two names are alike.
    for number, (name, found) in enumerate(groupby(sorted(pairs), key=lambda pair: pair[0])):
        yield f">{kind}-{number}"
        for _, item in found:
            yield f"repositories/{parse_repository(name)}/{path(item)}"


def _repository(name: str, number: int) -> list[str]:
    folder = f"repositories/{parse_repository(name)}"
    return [f">repository-{number}", *(f"{folder}/{part}" for part in _PARTS), f"?{folder}"]
