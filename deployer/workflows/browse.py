"""What is in the registry: its repositories, their tags, and single images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf
from typing import TYPE_CHECKING, Literal, get_args

from deployer.errors import Denied, Forbidden, NotFound, RegistryError, RegistryUnreachable
from deployer.order import natural
from deployer.registry import throwaway
from deployer.registry.imageconfig import parse_config
from deployer.registry.manifests import ImageManifest
from deployer.workflows.contents import Contents, read_contents
from deployer.workflows.naming import own_reference, own_repository, tags_of, unknown_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from deployer.reference import Reference
    from deployer.registry.client import Fetched, RegistryClient
    from deployer.registry.imageconfig import ImageConfig
    from deployer.registry.manifests import Index, Manifest

Order = Literal["name", "created", "size"]
ORDERS: tuple[Order, ...] = get_args(Order)

_WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Catalog:
    """The repositories that match, and how many there are in all."""

    repositories: tuple[str, ...]
    total: int


@dataclass(frozen=True)
class Tag:
    """One tag, and the image that it names.

    `size` is in bytes, compressed, None where not all is here; `half_deleted` is the digest that the tag
    had before a deletion was cut off half-way, `missing` the digests without which the image cannot be pulled whole.
    """

    name: str
    digest: str
    media_type: str
    size: int | None
    created: datetime | None
    platforms: tuple[str, ...]
    half_deleted: str | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repository:
    """One repository: its tags, and the tags that could not be read, each with the reason.

    `refused` is why nothing of it is known, where this user may not read it.
    """

    name: str
    tags: tuple[Tag, ...]
    unreadable: tuple[tuple[str, RegistryError], ...] = ()
    refused: Forbidden | None = None


@dataclass(frozen=True)
class Child:
    """One image of an index; size and time are None where the registry has lost it."""

    platform: str
    digest: str
    media_type: str
    size: int | None
    created: datetime | None


@dataclass(frozen=True)
class Inspection:
    """One image in full. `config_content` holds its configuration's exact bytes; an index has none."""

    reference: Reference
    fetched: Fetched
    tag: Tag
    config: ImageConfig | None
    config_content: bytes | None
    children: tuple[Child, ...]

    @property
    def manifest(self) -> Manifest:
        """The manifest, with its exact bytes."""
        return self.fetched.manifest


def list_catalog(client: RegistryClient, patterns: Sequence[str] = ()) -> Catalog:
    """The repositories whose names match one of the patterns (`*` matches slashes too), or all.

    To a user who may not list them, those that are named in full are still shown. Raises Forbidden,
    and then NotFound where none of them is there.
    """
    try:
        names = client.catalog()
    except Forbidden:
        if not patterns or any(_WILDCARD.search(pattern) for pattern in patterns):
            raise
        names = _named(client, patterns)
    matching = tuple(name for name in names if not patterns or any(fnmatchcase(name, one) for one in patterns))
    return Catalog(matching, len(names))


def list_everything(client: RegistryClient, repositories: Sequence[str]) -> tuple[Repository, ...]:
    """The repositories with all their tags, several read at once; one that is gone by then has none."""

    def read(name: str) -> Repository | None:
        try:
            return _read_repository(client, name, client.tags(name), "name")
        except NotFound:
            # Emptied on object storage, or removed since the catalog was read.
            return Repository(name, ())
        except Forbidden as error:
            return Repository(name, (), refused=error)

    return tuple(found for found in client.each(read, repositories) if found)


def list_tags(client: RegistryClient, name: str, order: Order = "name") -> Repository:
    """One repository's tags: by name (numbers by their value), the newest first, or the largest first.

    Raises UsageError, InvalidReference, and NotFound with the nearest names.
    """
    repository = own_repository(name, client.place)
    return _read_repository(client, repository, tags_of(client, repository), order)


def fetch(client: RegistryClient, text: str) -> tuple[Reference, Fetched]:
    """One image's manifest, by tag (`latest` where none is given) or digest; a digest counts more than a tag.

    Raises UsageError, InvalidReference, and NotFound with the nearest names.
    """
    reference = own_reference(text, client.place).tagged()
    try:
        return reference, client.manifest(reference.repository, reference.digest or reference.tag or "")
    except NotFound as error:
        raise unknown_image(client, reference, error) from error


def inspect(client: RegistryClient, text: str) -> Inspection:
    """One image in full; raises what `fetch` raises."""
    reference, fetched = fetch(client, text)
    manifest = fetched.manifest
    content: bytes | None = None
    if isinstance(manifest, ImageManifest):
        contents = Contents({manifest.digest: manifest})
        try:
            content = client.blob(reference.repository, manifest.config.digest)
        except (RegistryUnreachable, Denied):
            raise
        except NotFound:
            contents.lost.add(manifest.config.digest)
        except RegistryError as error:
            contents.failed[manifest.config.digest] = error
        if content is not None and manifest.is_image:
            contents.configs[manifest.config.digest] = parse_config(content)
    else:
        contents = read_contents(client, reference.repository, [manifest])
    return Inspection(
        reference=reference,
        fetched=fetched,
        tag=_tag(reference.tag or "", manifest, contents),
        config=contents.config(manifest) if isinstance(manifest, ImageManifest) else None,
        config_content=content,
        children=() if isinstance(manifest, ImageManifest) else _children(manifest, contents),
    )


def _named(client: RegistryClient, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that are there, asked for one by one."""
    found, missing = [], None
    for name in sorted(set(names)):
        try:
            client.tags(own_repository(name, client.place))
        except NotFound as error:
            missing = error
        else:
            found.append(name)
    if missing and not found:
        raise missing
    return tuple(found)


def _read_repository(client: RegistryClient, repository: str, names: Sequence[str], order: Order) -> Repository:
    def read(name: str) -> Manifest | RegistryError:
        try:
            return client.manifest(repository, name).manifest
        except (RegistryUnreachable, Denied):
            raise
        except RegistryError as error:
            return error

    results = dict(zip(names, client.each(read, names), strict=True))
    found = {name: result for name, result in results.items() if not isinstance(result, RegistryError)}
    unreadable = {name: result for name, result in results.items() if isinstance(result, RegistryError)}
    gone = {name for name, error in unreadable.items() if isinstance(error, NotFound)}
    # A tag without a manifest was deleted since the list was read, or is still listed and names nothing.
    gone -= set(tags_of(client, repository)) if gone else set()
    contents = read_contents(client, repository, found.values())
    tags = [_tag(name, manifest, contents) for name, manifest in found.items()]
    broken = tuple((name, _named_nothing(error)) for name, error in unreadable.items() if name not in gone)
    return Repository(repository, tuple(_sorted(tags, order)), broken)


def _named_nothing(error: RegistryError) -> RegistryError:
    if isinstance(error, NotFound):
        return NotFound("It is listed, but its manifest is gone.", error.advice, error.original)
    return error


def _tag(name: str, manifest: Manifest, contents: Contents) -> Tag:
    return Tag(
        name=name,
        digest=manifest.digest,
        media_type=manifest.media_type,
        size=contents.size(manifest),
        created=contents.created(manifest),
        platforms=contents.platforms(manifest),
        half_deleted=throwaway.original_of(manifest),
        missing=contents.missing(manifest),
    )


def _sorted(tags: list[Tag], order: Order) -> list[Tag]:
    by_name = sorted(tags, key=lambda tag: natural(tag.name))
    if order == "size":
        return sorted(by_name, key=lambda tag: -(tag.size or 0))
    if order == "created":
        # Those that say no time come last.
        return sorted(by_name, key=lambda tag: -tag.created.timestamp() if tag.created else inf)
    return by_name


def _children(index: Index, contents: Contents) -> tuple[Child, ...]:
    found = []
    for child in index.images:
        manifest = contents.manifests.get(child.digest)
        platforms = (child.platform.label,) if child.platform else contents.platforms(manifest) if manifest else ()
        found.append(
            Child(
                platform=", ".join(platforms),
                digest=child.digest,
                media_type=child.media_type,
                size=contents.size(manifest) if manifest else None,
                created=contents.created(manifest) if manifest else None,
            )
        )
    return tuple(found)
