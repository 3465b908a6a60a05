"""Reading many manifests at once: each digest is fetched once, however many tags lead to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from deployer.errors import ContentDamaged, NotFound, RegistryError
from deployer.registry.content import placeholder
from deployer.registry.content.children import DEPTH
from deployer.registry.content.kinds import Kind, kind_of_whole
from deployer.registry.content.manifests import ImageManifest, Index, total
from deployer.registry.content.moments import parse_time, real_time
from deployer.registry.content.platforms import Platform, labels
from deployer.workflows.images.reading import Damaged
from deployer.workflows.images.tags import NestedIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deployer.registry.content.imageconfig import ImageConfig
    from deployer.registry.content.kinds import Content
    from deployer.registry.content.manifests import Descriptor, Manifest
    from deployer.workflows.images.reading import Reader

_CREATED = "org.opencontainers.image.created"
_TOO_DEEP = f"It is nested in more than {DEPTH} indexes and was not read."

Result = TypeVar("Result")


@dataclass
class Contents:
    """Manifests and configurations by digest, read as far as a listing needs them.

    `lost` are those that the registry says it does not have, `failed` those that could not be read for
    another reason, of which nothing is concluded. What was created after `now` was not created then.
    """

    manifests: dict[str, Manifest] = field(default_factory=dict)
    configs: dict[str, ImageConfig] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    failed: dict[str, RegistryError] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def images(self, manifest: Manifest) -> tuple[ImageManifest, ...]:
        """The single images of a manifest: itself, or an index's children that are there."""
        return tuple(image for image in self._walk(manifest) if isinstance(image, ImageManifest))

    def kind(self, manifest: Manifest) -> Content:
        """What it is: of an index, what the manifests are that it puts together."""
        return kind_of_whole(
            manifest.kind, (one.kind for one in self._walk(manifest) if one.kind.kind is not Kind.INDEX)
        )

    def size(self, manifest: Manifest) -> int | None:
        """Bytes of configurations and layers, compressed; an index's children summed, each once.

        None if not all children are here, or could be read, or one says no size that can be.
        """
        if any(digest not in self.manifests for digest in self._children(manifest)):
            return None
        return total(each.size for each in self._walk(manifest))

    def names_nothing(self, manifest: Manifest) -> bool:
        """Whether it is an index that names no image, the indexes in it included."""
        if not _is_index(manifest):
            return False
        return all(_is_index(below) for _, below in self._below(manifest, {manifest.digest}))

    def nested(self, manifest: Manifest) -> tuple[NestedIndex, ...]:
        """The indexes inside an index of images, at any depth, that name images themselves."""
        if not isinstance(manifest, Index) or self.kind(manifest).kind is not Kind.INDEX:
            return ()
        below = {index.digest: index for _, index in self._below(manifest, {manifest.digest}) if _is_index(index)}
        found = (NestedIndex(digest, self._own_platforms(index)) for digest, index in below.items())
        return tuple(one for one in found if one.platforms)

    def only_nested(self, manifest: Manifest) -> tuple[NestedIndex, ...]:
        """Those with platforms that the outer index names no image for itself, and these platforms alone."""
        own = self._own_platforms(manifest) if isinstance(manifest, Index) else ()
        left = (
            replace(one, platforms=tuple(p for p in one.platforms if p not in own)) for one in self.nested(manifest)
        )
        return tuple(one for one in left if one.platforms)

    def unlabelled(self, manifest: Manifest, platform: str) -> str:
        """The digest of an index's image for a platform that its entry does not say, "" if there is none."""
        children = manifest.images if isinstance(manifest, Index) else ()
        return next(
            (
                child.digest
                for child in children
                if isinstance(self.manifests.get(child.digest), ImageManifest)
                and not (child.platform and child.platform.is_known)
                and self.platform_of(child).name == platform
            ),
            "",
        )

    def _own_platforms(self, index: Index) -> tuple[str, ...]:
        """The platforms of the images that an index names itself, each once."""
        images = (child for child in index.images if isinstance(self.manifests.get(child.digest), ImageManifest))
        return tuple(dict.fromkeys(name for child in images if (name := self.platform_of(child).name)))

    def missing(self, manifest: Manifest) -> tuple[str, ...]:
        """Digests that the registry should have and has not: this image cannot be pulled whole."""
        return tuple(digest for digest in self._needed(manifest) if digest in self.lost)

    def unread(self, manifest: Manifest) -> tuple[str, ...]:
        """Digests that could not be read: what is known of this image is incomplete."""
        return tuple(digest for digest in self._needed(manifest) if digest in self.failed)

    def reasons(self, manifest: Manifest) -> tuple[RegistryError, ...]:
        """Why those could not be read, but for what is damaged: each reason once."""
        found = (self.failed[digest] for digest in self.unread(manifest))
        return tuple({str(error): error for error in found if not isinstance(error, ContentDamaged)}.values())

    def damaged(self, manifest: Manifest) -> tuple[Damaged, ...]:
        """What came of it and is not what its digest promises."""
        found = [(digest, self.failed.get(digest)) for digest in self._needed(manifest)]
        children = set(self._children(manifest))
        return tuple(
            Damaged(digest, error.size, digest in children)
            for digest, error in found
            if isinstance(error, ContentDamaged)
        )

    def needed_manifests(self, manifest: Manifest) -> tuple[str, ...]:
        """The digests of the manifests that are pulled with it, itself among them."""
        return (manifest.digest, *self._children(manifest))

    def needed_parts(self, manifest: Manifest) -> tuple[Descriptor, ...]:
        """The configurations and layers that are pulled with it, as far as they are known."""
        return tuple(part for image in self.images(manifest) for part in (image.config, *image.layers))

    def children(self, manifest: Manifest) -> tuple[Descriptor, ...]:
        """The manifests that the indexes here put together, as these name them."""
        indexes = [index for index in self._walk(manifest) if isinstance(index, Index)]
        return tuple(child for index in indexes for child in index.images)

    def created(self, manifest: Manifest) -> datetime | None:
        """When it was made: of an index, when its newest image was; None if nothing says a real time."""
        moments = [self._created(image) for image in self.images(manifest)]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known else self._annotated(manifest)

    def platforms(self, manifest: Manifest) -> tuple[str, ...]:
        """What it runs on, as `docker --platform` takes it, in the index's order, each once; empty for artifacts."""
        return tuple(dict.fromkeys(platform.name for platform in self._platforms(manifest)))

    def labels(self, manifest: Manifest) -> tuple[str, ...]:
        """The same for people: several versions of Windows are distinguished."""
        return labels(self._platforms(manifest))

    def platform_of(self, child: Descriptor) -> Platform:
        """What an image of an index runs on: as the index says, and otherwise as the image does."""
        image = self.manifests.get(child.digest)
        config = self.config(image) if isinstance(image, ImageManifest) else None
        return (child.platform or Platform("", "")).completed(config.platform if config else None)

    def _platforms(self, manifest: Manifest) -> tuple[Platform, ...]:
        if isinstance(manifest, ImageManifest):
            config = self.config(manifest)
            return (config.platform,) if config and config.platform else ()
        below = self._below(manifest, {manifest.digest})
        found = (self.platform_of(child) for child, part in below if not isinstance(part, Index))
        return tuple(platform for platform in found if platform.is_known)

    def config(self, image: ImageManifest) -> ImageConfig | None:
        """An image's configuration, or None for an artifact or one that is lost."""
        # A configuration may be shared with an image that is one.
        return self.configs.get(image.config.digest) if image.is_image else None

    def _created(self, image: ImageManifest) -> datetime | None:
        config = self.config(image)
        return (real_time(config.created, self.now) if config else None) or self._annotated(image)

    def _annotated(self, manifest: Manifest) -> datetime | None:
        return real_time(parse_time(manifest.annotations.get(_CREATED)), self.now)

    def _children(self, manifest: Manifest) -> list[str]:
        """The digests of all that the indexes here put together."""
        return [child.digest for child in self.children(manifest)]

    def _needed(self, manifest: Manifest) -> Iterable[str]:
        configs = [image.config.digest for image in self.images(manifest)]
        return dict.fromkeys([*self._children(manifest), *configs])

    def _walk(self, manifest: Manifest) -> Iterable[Manifest]:
        """A manifest and everything below it that was read, each digest once."""
        found = {manifest.digest: manifest}
        if isinstance(manifest, Index):
            for _, below in self._below(manifest, {manifest.digest}):
                if below:
                    found.setdefault(below.digest, below)
        return found.values()

    def _below(self, index: Index, seen: set[str]) -> Iterable[tuple[Descriptor, Manifest | None]]:
        """What an index puts together, and indexes in it, each read once, in their order; None was not read.

        One image comes as often as it is named: it may be for several platforms.
        """
        for child in index.images:
            below = self.manifests.get(child.digest)
            yield child, below
            if isinstance(below, Index) and child.digest not in seen:
                seen.add(child.digest)
                yield from self._below(below, seen)


def _is_index(manifest: Manifest | None) -> TypeGuard[Index]:
    return isinstance(manifest, Index) and manifest.kind.kind is Kind.INDEX


def read_contents(reader: Reader, roots: Iterable[Manifest], now: datetime | None = None) -> Contents:
    """Read what is below these manifests of one repository.

    What the registry does not have is noted in `lost`, what could not be read in `failed`. Raises what
    Reader.each raises.
    """
    contents = Contents(now=now or datetime.now(UTC))
    level = list(roots)
    contents.manifests.update({manifest.digest: manifest for manifest in level})
    for depth in range(1, DEPTH + 1):
        children = {child.digest for manifest in level if isinstance(manifest, Index) for child in manifest.images}
        wanted = sorted(children - contents.manifests.keys())
        level = list(_fetch(reader, wanted, reader.manifest, contents).values())
        if depth == DEPTH:
            deeper = {manifest.digest for manifest in level if isinstance(manifest, Index)}
            contents.failed.update({digest: RegistryError(_TOO_DEEP) for digest in deeper})
            level = [manifest for manifest in level if manifest.digest not in deeper]
        contents.manifests.update({manifest.digest: manifest for manifest in level})
        if not level:
            break
    configs = {
        image.config.digest
        for image in contents.manifests.values()
        if isinstance(image, ImageManifest) and image.is_image and not placeholder.original_of(image)
    }
    contents.configs = _fetch(reader, sorted(configs), reader.config, contents)
    return contents


def _fetch(reader: Reader, digests: list[str], read: Callable[[str], Result], contents: Contents) -> dict[str, Result]:
    found: dict[str, Result] = {}
    for digest, result in zip(digests, reader.each(read, digests), strict=True):
        if isinstance(result, NotFound):
            contents.lost.add(digest)
        elif isinstance(result, RegistryError):
            contents.failed[digest] = result
        else:
            found[digest] = result
    return found
