"""What is in the registry: its repositories and their tags."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from deployer.errors import Forbidden, NotFound, Obstructed, RegistryError, UsageError
from deployer.phrases import listed
from deployer.reference import is_repository, is_tag
from deployer.registry.content.moments import newest_first
from deployer.registry.content.order import natural
from deployer.settings.values import globs
from deployer.workflows.images import half_deleted
from deployer.workflows.images.contents import Contents, read_contents
from deployer.workflows.images.foreign_files import tells_of_file
from deployer.workflows.images.naming import own_repository, tags_of
from deployer.workflows.images.reading import CircuitBreaker, Reader
from deployer.workflows.images.states import state
from deployer.workflows.images.tags import Repository, Tag, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.registry.client import RegistryClient
    from deployer.registry.content.documents import Document
    from deployer.registry.content.manifests import Manifest

TagOrder = Literal["name", "created", "size"]
ORDERS: tuple[TagOrder, ...] = get_args(TagOrder)


@dataclass(frozen=True)
class Catalog:
    """The repositories that match, and how many there are in all.

    A registry lists every folder of its storage, also one that a network share or a copy by hand has made: those that
    match are `foreign`.
    """

    repositories: tuple[str, ...]
    total: int
    foreign: tuple[str, ...] = ()


def order_of(text: str) -> TagOrder:
    """What comes first, as the command line says it. Raises UsageError."""
    for known in ORDERS:
        if text == known:
            return known
    raise UsageError(f"--sort must be one of {', '.join(ORDERS)}, not '{text}'.")


def list_catalog(client: RegistryClient, patterns: Sequence[str] = ()) -> Catalog:
    """The repositories whose names match one of the patterns (`*` matches slashes too), or all.

    To a user who may not list them, those that are named in full are still shown. Raises Forbidden,
    and then NotFound if none of them is there.
    """
    try:
        names = client.catalog()
    except Forbidden:
        if not patterns or not all(map(globs.is_name, patterns)):
            raise
        names = _named(client, patterns)
    matching = [name for name in names if not patterns or globs.matches(name, patterns)]
    return Catalog(
        tuple(filter(is_repository, matching)),
        sum(map(is_repository, names)),
        tuple(name for name in matching if not is_repository(name)),
    )


def list_everything(client: RegistryClient, repositories: Sequence[str]) -> tuple[Repository, ...]:
    """The repositories with all their tags, several read at once; one that is gone by then has none."""

    breaker = CircuitBreaker()

    def read(name: str) -> Repository:
        reader = Reader(client, name, client.overview(name), breaker)
        try:
            return _read_repository(reader, _tag_names(reader, client.tags), "name")
        except NotFound:
            # Emptied on object storage, or removed since the catalog was read.
            return Repository(name, ())
        except Forbidden as error:
            return Repository(name, (), failed=error)

    results = zip(repositories, breaker.each(client, read, repositories), strict=True)
    return tuple(Repository(name, (), failed=one) if isinstance(one, RegistryError) else one for name, one in results)


def list_tags(
    client: RegistryClient, name: str, order: TagOrder = "name", on_slow: Callable[[int], None] | None = None
) -> Repository:
    """One repository's tags: by name (numbers by their value), the newest first, or the largest first.

    `on_slow` is told how many tags are about to be read one by one. Raises UsageError, InvalidReference, and NotFound
    with the nearest names.
    """
    repository = own_repository(name, client.place)
    reader = Reader(client, repository, client.overview(repository))
    names = _tag_names(reader, lambda one: tags_of(client, one))
    if on_slow and reader.overview is None and reader.is_unchecked:
        on_slow(len(names))
    return _read_repository(reader, names, order)


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


def _tag_names(reader: Reader, ask: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """The repository's tags. Where the overview has none, the registry says whether the repository is there."""
    if reader.overview and reader.overview.tags:
        return tuple(sorted(filter(is_tag, reader.overview.tags)))
    # A registry lists whatever files it finds there, of a NAS or a Mac too.
    return tuple(filter(is_tag, ask(reader.repository)))


def _read_repository(reader: Reader, names: Sequence[str], order: TagOrder) -> Repository:
    known = {name: manifest for name in names if (manifest := reader.known(name))}
    others = [name for name in names if name not in known]
    documents: dict[str, Document] = {}
    unread: dict[str, Unread] = {}
    for name, result in zip(others, reader.each(reader.document, others), strict=True):
        if isinstance(result, RegistryError):
            unread[name] = Unread(name, _named_nothing(result))
        else:
            documents[name] = result
    gone = {name for name, one in unread.items() if isinstance(one.error, NotFound)}
    # A tag without a manifest was deleted since the list was read, or is still listed and names nothing.
    gone -= set(tags_of(reader.client, reader.repository)) if gone else set()
    bare: list[Tag] = []
    for name, document in documents.items():
        try:
            known[name] = document.interpreted()
        except RegistryError as error:
            if document.is_schema_1 and not document.damage:
                bare.append(bare_tag(name, document))
            else:
                unread[name] = Unread(name, error, document.digest)
    contents = read_contents(reader, known.values())
    tags = [*bare, *(tag_of(name, manifest, contents, reader) for name, manifest in known.items())]
    tags = [replace(tag, pushed=reader.pushed(tag.name)) for tag in tags]
    foreign = sorted(name for name, one in unread.items() if tells_of_file(one.error))
    left = (_with_damage(one, reader) for name, one in unread.items() if name not in {*gone, *foreign})
    broken = sorted(left, key=lambda one: natural(one.name))
    return Repository(
        reader.repository,
        tuple(_sorted(tags, order)),
        tuple(broken),
        foreign=tuple(foreign),
        is_unchecked=reader.is_unchecked,
    )


def _named_nothing(error: RegistryError) -> RegistryError:
    if isinstance(error, NotFound):
        return NotFound("Its manifest is missing.", error.advice, error.original)
    return error


def _with_damage(one: Unread, reader: Reader) -> Unread:
    digest = reader.digest(one.name)
    if not digest or isinstance(one.error, Obstructed):
        # What the overview calls damaged is only out of sight.
        return one
    damaged = reader.damaged([digest])
    if isinstance(one.error, NotFound) and any(bad.is_here for bad in damaged):
        # It is not missing: it cannot be found, or is no manifest.
        wrong = listed([state(bad) for bad in damaged])
        one = replace(one, error=RegistryError(f"{wrong[:1].upper()}{wrong[1:]}.", original=one.error.original))
    return replace(one, damaged=damaged)


def bare_tag(name: str, document: Document) -> Tag:
    """A tag of which nothing but its digest and its type is known."""
    return Tag(name, document.digest, document.media_type, size=None, created=None, platforms=())


def tag_of(name: str, manifest: Manifest, contents: Contents, reader: Reader) -> Tag:
    """A tag with all that is known of the manifest that it names."""
    damaged = reader.damaged(
        contents.needed_manifests(manifest), contents.needed_parts(manifest), contents.children(manifest)
    )
    known, seen = {one.digest for one in damaged}, contents.damaged(manifest)
    damaged += tuple(one for one in seen if one.digest not in known)
    told = {one.digest for one in seen}
    return Tag(
        name=name,
        digest=manifest.digest,
        media_type=manifest.media_type,
        size=contents.size(manifest),
        created=contents.created(manifest),
        platforms=contents.labels(manifest),
        half_deleted=half_deleted.original_of(manifest, reader.manifest),
        missing=contents.missing(manifest),
        not_read=tuple(digest for digest in contents.unread(manifest) if digest not in told),
        reasons=contents.reasons(manifest),
        damaged=damaged,
        names_nothing=contents.names_nothing(manifest),
        nested=contents.only_nested(manifest),
    )


def _sorted(tags: list[Tag], order: TagOrder) -> list[Tag]:
    by_name = sorted(tags, key=lambda tag: natural(tag.name))
    if order == "size":
        return sorted(by_name, key=lambda tag: -(tag.size or 0))
    if order == "created":
        at = {tag.name: tag.moment.at if tag.moment else None for tag in tags}
        return newest_first(tags, lambda tag: tag.name, lambda tag: at[tag.name], lambda tag: tag.pushed)
    return by_name
