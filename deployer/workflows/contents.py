"""Reading many manifests at once: each digest is fetched once, however many tags lead to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from deployer.errors import Denied, RegistryError, RegistryUnreachable
from deployer.registry import throwaway
from deployer.registry.imageconfig import parse_config, parse_time
from deployer.registry.manifests import ImageManifest, Index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from deployer.registry.client import RegistryClient
    from deployer.registry.imageconfig import ImageConfig
    from deployer.registry.manifests import Manifest

_CREATED = "org.opencontainers.image.created"
# Deeper nesting exists in no real image, and could be made to have no end.
_MAX_DEPTH = 5

Result = TypeVar("Result")


@dataclass
class Contents:
    """Manifests and configurations by digest, read as far as a listing needs them."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    configs: dict[str, ImageConfig] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def images(self, manifest: Manifest) -> tuple[ImageManifest, ...]:
        """The single images of a manifest: itself, or an index's children that are there."""
        return tuple(image for image in self._walk(manifest) if isinstance(image, ImageManifest))

    def size(self, manifest: Manifest) -> int:
        """Bytes of configurations and layers, compressed; an index's children summed, each once."""
        return sum(image.size for image in self.images(manifest))

    def missing(self, manifest: Manifest) -> tuple[str, ...]:
        """Digests that the registry should have and has not: this image cannot be pulled whole."""
        children = [
            child.digest for index in self._walk(manifest) if isinstance(index, Index) for child in index.images
        ]
        configs = [image.config.digest for image in self.images(manifest)]
        return tuple(digest for digest in dict.fromkeys(children + configs) if digest in self.lost)

    def created(self, manifest: Manifest) -> datetime | None:
        """When it was made: of an index, when its newest image was; None where nothing says so."""
        moments = [config.created for image in self.images(manifest) if (config := self.config(image))]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known else parse_time(manifest.annotations.get(_CREATED))

    def platforms(self, manifest: Manifest) -> tuple[str, ...]:
        """What it runs on, in the index's order, each once; empty for artifacts."""
        if isinstance(manifest, ImageManifest):
            config = self.config(manifest)
            return (str(config.platform),) if config and config.platform else ()
        found: list[str] = []
        for child in manifest.images:
            if child.platform is not None:
                found.append(str(child.platform))
            elif child.digest in self.manifests:
                found += self.platforms(self.manifests[child.digest])
        return tuple(dict.fromkeys(found))

    def config(self, image: ImageManifest) -> ImageConfig | None:
        """An image's configuration, or None for an artifact or one that is lost."""
        return self.configs.get(image.config.digest)

    def _walk(self, manifest: Manifest) -> Iterable[Manifest]:
        """A manifest and everything below it that was read, each digest once."""
        seen: dict[str, Manifest] = {}
        waiting = [manifest]
        while waiting:
            current = waiting.pop(0)
            if current.digest in seen:
                continue
            seen[current.digest] = current
            if isinstance(current, Index):
                waiting += [self.manifests[child.digest] for child in current.images if child.digest in self.manifests]
        return seen.values()


def read_contents(client: RegistryClient, repository: str, roots: Iterable[Manifest]) -> Contents:
    """Read what lies below these manifests of one repository.

    What the registry has lost or spoilt is noted in `lost`. Raises RegistryUnreachable or Denied.
    """
    contents = Contents()
    level = list(roots)
    for _ in range(_MAX_DEPTH):
        contents.manifests.update({manifest.digest: manifest for manifest in level})
        children = {child.digest for manifest in level if isinstance(manifest, Index) for child in manifest.images}
        wanted = sorted(children - contents.manifests.keys())
        found = _fetch(client, wanted, lambda digest: client.manifest(repository, digest).manifest, contents.lost)
        level = list(found.values())
        if not level:
            break
    configs = {
        image.config.digest
        for image in contents.manifests.values()
        if isinstance(image, ImageManifest) and image.is_image and not throwaway.original_of(image)
    }
    contents.configs = _fetch(
        client, sorted(configs), lambda digest: parse_config(client.blob(repository, digest)), contents.lost
    )
    return contents


def _fetch(
    client: RegistryClient, digests: list[str], read: Callable[[str], Result], lost: set[str]
) -> dict[str, Result]:
    def attempt(digest: str) -> Result | None:
        try:
            return read(digest)
        except (RegistryUnreachable, Denied):
            raise
        except RegistryError:
            lost.add(digest)
            return None

    results = zip(digests, client.each(attempt, digests), strict=True)
    return {digest: result for digest, result in results if result is not None}
