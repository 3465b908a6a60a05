"""Why an image could not be pulled, with what the registry knows and the engine does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, ImageNotInRegistry, NotAnImage, NotFound, PlatformNotInRegistry
from deployer.workflows.contents import Contents, read_contents
from deployer.workflows.getting import not_an_image
from deployer.workflows.naming import unknown_image
from deployer.workflows.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.reference import Reference
    from deployer.registry.client import RegistryClient
    from deployer.registry.manifests import Manifest
    from deployer.registry.place import Place

# moby: daemon/internal/distribution/pull_v2.go, daemon/containerd/image.go.
_WANTED = re.compile(r"no matching manifest for (\S+)|specified platform \((\S+)\)|wanted (\S+?),")
_SHOWN = 8


def explained(
    source: Reference, platform: str, error: DeployerError, registry: Callable[[], RegistryClient]
) -> DeployerError:
    """The same failure with the image's name and what the registry says of it.

    `platform` is the one that was asked for, "" for the engine's. Where the registry cannot be asked
    the failure is told as it is.
    """
    if not isinstance(error, ImageNotInRegistry | PlatformNotInRegistry | NotAnImage):
        return error
    try:
        with registry() as client:
            if isinstance(error, ImageNotInRegistry):
                return _not_there(source, error, client)
            if isinstance(error, PlatformNotInRegistry):
                return _other_platforms(source, platform, error, client)
            return _not_an_image(source, error, client.place, _manifest(client, source))
    except DeployerError:
        return error


def _not_there(source: Reference, error: DeployerError, client: RegistryClient) -> DeployerError:
    """With the names in the registry that are like it."""
    told = NotFound(f"There is no '{source.at('')}' at {source.domain}.", error.advice, error.original)
    found = unknown_image(client, source.at(""), told)
    return NotFound(found.message, found.advice, error.original)


def _other_platforms(
    source: Reference, platform: str, error: PlatformNotInRegistry, client: RegistryClient
) -> DeployerError:
    name = source.at("")
    manifest = _manifest(client, source)
    found = _platforms(client, source, manifest)
    if not found:
        return _not_an_image(source, error, client.place, manifest)
    told = next((group for match in _WANTED.finditer(error.original) for group in match.groups() if group), "")
    wanted = platform or told or "this machine's platform"
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return PlatformNotInRegistry(
        f"'{name}' at {source.domain} has no image for {wanted}. It has {', '.join(found[:_SHOWN])}{more}.",
        (f"deployer pull {name} --platform {found[0]}   (it runs here where this machine emulates that platform)",),
        error.original,
    )


def _manifest(client: RegistryClient, source: Reference) -> Manifest:
    return client.manifest(source.repository, source.digest or source.tag or "latest")


def _platforms(client: RegistryClient, source: Reference, manifest: Manifest) -> tuple[str, ...]:
    """What an image runs on; what its index tells is enough where it does."""
    reader = Reader(client, source.repository)
    return Contents().platforms(manifest) or read_contents(reader, [manifest]).platforms(manifest)


def _not_an_image(source: Reference, error: DeployerError, place: Place, manifest: Manifest) -> NotAnImage:
    """What it is, and what gets it; where that cannot be told, how to look."""
    name = source.at("")
    return not_an_image(manifest.kind, source, place, error.original) or NotAnImage(
        f"'{name}' at {source.domain} is not an image that Docker can run.",
        (f"deployer inspect {name}   (shows what it is)",),
        error.original,
    )
