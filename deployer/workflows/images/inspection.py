"""One image: its manifest as it is, and all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import (
    NOT_OF_CONTENT,
    Denied,
    LateAnswer,
    NotFound,
    Obstructed,
    RegistryError,
    RegistryUnreachable,
)
from deployer.registry.client import MANIFEST_LIMIT
from deployer.registry.connection.transport import ANSWER_LIMIT
from deployer.registry.content.imageconfig import is_config, parse_config
from deployer.registry.content.manifests import ImageManifest
from deployer.workflows.images import states
from deployer.workflows.images.browse import bare_tag, tag_of
from deployer.workflows.images.contents import Contents, read_contents
from deployer.workflows.images.naming import own_reference, unknown_image
from deployer.workflows.images.reading import Reader

if TYPE_CHECKING:
    from datetime import datetime

    from deployer.reference import Reference
    from deployer.registry.client import RegistryClient
    from deployer.registry.content.documents import Document
    from deployer.registry.content.imageconfig import ImageConfig
    from deployer.registry.content.kinds import Content
    from deployer.registry.content.manifests import Index, Manifest
    from deployer.workflows.images.tags import Tag


@dataclass(frozen=True)
class Child:
    """One image of an index; size and time are None if the registry does not have it."""

    platform: str
    digest: str
    media_type: str
    size: int | None
    created: datetime | None


@dataclass(frozen=True)
class Inspection:
    """One image in full. `config_content` holds its configuration's exact bytes; an index has none.

    `kind` is what it is, of an index by the manifests in it. `manifest` is None if the document is damaged or of a
    kind that is not known, and `fault` says which; `tag` tells what is known then. `fault` also says that an
    image's configuration is none. `is_unchecked` if our own frontend did not look for damage.
    """

    reference: Reference
    document: Document
    tag: Tag
    manifest: Manifest | None = None
    kind: Content | None = None
    fault: RegistryError | None = None
    config: ImageConfig | None = None
    config_content: bytes | None = None
    children: tuple[Child, ...] = ()
    is_unchecked: bool = False


def fetch(client: RegistryClient, text: str) -> tuple[Reference, Document]:
    """One image's manifest as it is, by tag (`latest` if none is given) or digest, which counts more than a tag.

    Raises UsageError, InvalidReference, and NotFound with the nearest names.
    """
    reference = own_reference(text, client.place).tagged()
    try:
        return reference, _document(client, reference, MANIFEST_LIMIT)
    except (NotFound, *NOT_OF_CONTENT):
        raise
    except RegistryError as error:
        reader = Reader(client, reference.repository, client.overview(reference.repository))
        raise _explained(reader, reference, error) from error


def fetch_as_stored(client: RegistryClient, text: str) -> Document:
    """As `fetch`; what our own registry holds and does not give, such as a damaged manifest, comes from its storage."""
    reference = own_reference(text, client.place).tagged()
    try:
        return _document(client, reference, ANSWER_LIMIT)
    except (NotFound, *NOT_OF_CONTENT):
        raise
    except RegistryError as error:
        reader = Reader(client, reference.repository, client.overview(reference.repository))
        digest = reference.digest or reader.digest(reference.tag or "")
        found = client.stored_manifest(reference.repository, digest, ANSWER_LIMIT)
        if found is None:
            raise _explained(reader, reference, error) from error
        return found


def _document(client: RegistryClient, reference: Reference, limit: int) -> Document:
    """A manifest as it is; if it does not exist, the error has similar names."""
    try:
        return client.document(reference.repository, reference.digest or reference.tag or "", limit)
    except NotFound as error:
        raise unknown_image(client, reference, error) from error


def _explained(reader: Reader, reference: Reference, error: RegistryError) -> RegistryError:
    """The same failure, explained by what our own registry knows about the manifest's file."""
    if isinstance(error, Obstructed):
        # What the overview calls damaged is only out of sight.
        return error
    damaged = reader.damaged([reference.digest or reader.digest(reference.tag or "")])
    if not damaged:
        return error
    return RegistryError(states.not_whole(str(reference), damaged), original=error.original)


def inspect(client: RegistryClient, text: str) -> Inspection:
    """One image in full; raises what `fetch` raises."""
    reference, document = fetch(client, text)
    reader = Reader(client, reference.repository, client.overview(reference.repository))
    try:
        manifest = document.interpreted()
    except RegistryError as fault:
        # What needs only the digest still works, and the digest is reported.
        tag = bare_tag(reference.tag or "", document)
        return Inspection(reference, document, tag, fault=None if document.is_schema_1 else fault)
    content: bytes | None = None
    broken: RegistryError | None = None
    if isinstance(manifest, ImageManifest):
        contents = Contents({manifest.digest: manifest})
        try:
            content = client.blob(reference.repository, manifest.config.digest)
        except NotFound:
            contents.lost.add(manifest.config.digest)
        except LateAnswer as error:
            contents.failed[manifest.config.digest] = error
        except (RegistryUnreachable, Denied):
            raise
        except RegistryError as error:
            contents.failed[manifest.config.digest] = error
        if content is not None and manifest.is_image:
            contents.configs[manifest.config.digest] = parse_config(content)
            broken = None if is_config(content) else _no_config(reference)
    else:
        contents = read_contents(reader, [manifest])
    return Inspection(
        reference=reference,
        document=document,
        tag=tag_of(reference.tag or "", manifest, contents, reader),
        manifest=manifest,
        kind=contents.kind(manifest),
        fault=broken,
        config=contents.config(manifest) if isinstance(manifest, ImageManifest) else None,
        config_content=content,
        children=() if isinstance(manifest, ImageManifest) else _children(manifest, contents),
        is_unchecked=reader.is_unchecked,
    )


def _no_config(reference: Reference) -> RegistryError:
    return RegistryError(
        f"The configuration of '{reference}' is not a JSON object, so Docker cannot use the image.",
        (f"Push the image again, or delete it: deployer delete {reference}",),
    )


def _children(index: Index, contents: Contents) -> tuple[Child, ...]:
    found = []
    for child in index.images:
        manifest = contents.manifests.get(child.digest)
        own = contents.platform_of(child).label
        found.append(
            Child(
                platform=own or (", ".join(contents.labels(manifest)) if manifest else ""),
                digest=child.digest,
                media_type=child.media_type,
                size=contents.size(manifest) if manifest else None,
                created=contents.created(manifest) if manifest else None,
            )
        )
    return tuple(found)
