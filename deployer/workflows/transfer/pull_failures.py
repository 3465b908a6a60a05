"""Why an image could not be pulled, with what the registry knows and the engine does not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from deployer.errors import (
    DeployerError,
    ImageNotInRegistry,
    NotAnImage,
    NotFound,
    PlatformNotInRegistry,
    RegistryError,
)
from deployer.phrases import listed, short
from deployer.reference import is_tag
from deployer.registry.content.manifests import Index
from deployer.workflows.images.contents import read_contents
from deployer.workflows.images.half_deleted import original_of
from deployer.workflows.images.naming import unknown_image
from deployer.workflows.images.reading import Reader
from deployer.workflows.images.states import PARTIALLY_DELETED, pointed_to, pulling_it
from deployer.workflows.transfer.pull_commands import getting, not_an_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.reference import Reference
    from deployer.registry.client import RegistryClient
    from deployer.registry.content.kinds import Content
    from deployer.registry.content.manifests import Manifest
    from deployer.registry.protocol.place import Place
    from deployer.workflows.images.contents import Contents

# moby: daemon/internal/distribution/pull_v2.go, daemon/containerd/image.go.
_WANTED = re.compile(r"no matching manifest for (\S+)|specified platform \((\S+)\)|wanted (\S+?),")
# The engine found the index, and nothing in it: of an index in it, one without containerd's image store reads nothing.
_BY_ENTRY = re.compile(r"in the manifest list entries|unsupported manifest format")
_SHOWN = 8


def explained(
    source: Reference, platform: str, error: DeployerError, registry: Callable[[], RegistryClient]
) -> DeployerError:
    """The same failure with the image's name and what the registry says of it.

    `platform` is the one that was asked for, "" for the engine's. Where the registry cannot be asked
    the failure is reported as it is.
    """
    if not isinstance(error, ImageNotInRegistry | PlatformNotInRegistry | NotAnImage):
        return error
    try:
        with registry() as client:
            if isinstance(error, ImageNotInRegistry):
                return _not_there(source, error, client)
            if isinstance(error, PlatformNotInRegistry):
                return _other_platforms(source, platform, error, client)
            read = _read(client, source)
            return _out_of_reach(source, platform, error, read) or _not_an_image(source, error, client.place, read)
    except DeployerError:
        return error


def _not_there(source: Reference, error: DeployerError, client: RegistryClient) -> DeployerError:
    """With similar names in the registry; if it exists itself, with what it lacks."""
    lacking = _incomplete(source, error, client)
    if lacking:
        return lacking
    told = NotFound(f"No image '{source.at('')}' at {source.domain}.", error.advice, error.original)
    found = unknown_image(client, source.at(""), told)
    if not isinstance(found, NotFound):
        return found
    return NotFound(found.message, found.advice, error.original)


def _incomplete(source: Reference, error: DeployerError, client: RegistryClient) -> RegistryError | None:
    """What is reported of an image that is there, without all of its parts; None for one that is not there."""
    try:
        manifest = _manifest(client, source)
    except NotFound:
        return None
    name = source.at("")
    missing = read_contents(Reader(client, source.repository), [manifest]).missing(manifest)
    if not missing:
        return RegistryError(
            f"'{name}' exists at {source.domain}, but the engine did not find everything that it needs.",
            (f"deployer inspect {name}   (shows what it is)",),
            error.original,
        )
    lost = listed([short(digest) for digest in missing], _SHOWN)
    return RegistryError(
        f"'{name}' at {source.domain} is incomplete: the registry does not have {lost}.",
        (f"Push it again: deployer push {name}",),
        error.original,
    )


def _other_platforms(
    source: Reference, platform: str, error: PlatformNotInRegistry, client: RegistryClient
) -> DeployerError:
    name = source.at("")
    read = _read(client, source)
    found, content = read.platforms, read.content
    if not found or not_an_image(content, source, client.place, error.original):
        return _not_an_image(source, error, client.place, read)
    out_of_reach = _out_of_reach(source, platform, error, read)
    if out_of_reach:
        return out_of_reach
    wanted = _wanted(platform, error) or "this machine's platform"
    theirs = listed(found, _SHOWN)
    if wanted in found or not any(_same_system(one, wanted) for one in found):
        return PlatformNotInRegistry(
            f"'{name}' at {source.domain} is for {theirs}, which this Docker engine cannot run.",
            (f"deployer inspect {name}   (shows what it is)", *getting(content, source, client.place)),
            error.original,
        )
    # An engine takes images of its own system alone.
    usable = next((one for one in found if wanted not in found and _same_system(one, wanted)), "")
    advice = f"deployer pull {name} --platform {usable}   (runs only if this machine emulates that platform)"
    return PlatformNotInRegistry(
        f"'{name}' at {source.domain} has no image for {wanted}. It has {theirs}.",
        (advice,) if usable else (f"deployer inspect {name}   (shows what it is)",),
        error.original,
    )


def _wanted(platform: str, error: DeployerError) -> str:
    """The platform that was asked for, or that the engine says it looked for, "" if neither is known."""
    told = (group for match in _WANTED.finditer(error.original) for group in match.groups() if group)
    return platform or next(told, "")


def _out_of_reach(source: Reference, platform: str, error: DeployerError, read: _Read) -> PlatformNotInRegistry | None:
    """The image is there, and this engine does not find it by the index; None if that is not why it failed."""
    if not _BY_ENTRY.search(error.original):
        return None
    wanted = _wanted(platform, error)
    name = f"'{source.at('')}' at {source.domain}"
    unlabelled = read.contents.unlabelled(read.manifest, wanted) if wanted else ""
    if unlabelled:
        return PlatformNotInRegistry(
            f"{name} has an image for {wanted}, but its index does not say so, and this Docker engine does not find "
            "it.",
            (_pull(source, unlabelled),),
            error.original,
        )
    inner = [one for one in read.contents.nested(read.manifest) if not wanted or wanted in one.platforms]
    if not inner:
        return None
    what = f"its image for {wanted}" if wanted else "its images"
    option = f" --platform {platform}" if platform else ""
    return PlatformNotInRegistry(
        f"{name} has {what} in a nested index, which this Docker engine cannot pull.",
        tuple(f"{_pull(source, one.digest, read.tag_on(one.digest))}{option}" for one in inner[:_SHOWN]),
        error.original,
    )


def _pull(source: Reference, digest: str, tag: str | None = None) -> str:
    return f"deployer pull {replace(source.at(''), tag=tag, digest=None if tag else digest)}"


def _same_system(one: str, wanted: str) -> bool:
    """Whether two platforms are of one system; if one is unknown, it is taken as Linux."""
    system = wanted.partition("/")[0] if "/" in wanted else "linux"
    return one.partition("/")[0] == system


def _manifest(client: RegistryClient, source: Reference) -> Manifest:
    return client.manifest(source.repository, source.digest or source.tag or "latest")


@dataclass(frozen=True)
class _Read:
    """What it runs on, what it is, and the digests that an index puts together, None for a manifest.

    `pointed` is what a partially deleted tag pointed to.
    """

    platforms: tuple[str, ...]
    content: Content
    parts: tuple[str, ...] | None
    manifest: Manifest
    contents: Contents
    tags: Mapping[str, str]
    pointed: str | None = None

    def tag_on(self, digest: str) -> str | None:
        """A tag of the repository that refers to a digest, as far as the overview says."""
        return next((tag for tag, found in self.tags.items() if found == digest and is_tag(tag)), None)


def _read(client: RegistryClient, source: Reference) -> _Read:
    """What the registry has, as the manifests of an index say."""
    manifest = _manifest(client, source)
    overview = client.overview(source.repository)
    contents = read_contents(Reader(client, source.repository), [manifest])
    parts = tuple(child.digest for child in contents.children(manifest)) if isinstance(manifest, Index) else None
    tags = overview.tags if overview else {}
    pointed = original_of(manifest, partial(client.manifest, source.repository))
    return _Read(contents.platforms(manifest), contents.kind(manifest), parts, manifest, contents, tags, pointed)


def _not_an_image(source: Reference, error: DeployerError, place: Place, read: _Read) -> NotAnImage:
    """What it is and how to get it; if unknown, how to inspect it."""
    name = source.at("")
    if read.pointed:
        return NotAnImage(
            f"'{name}' at {source.domain} {PARTIALLY_DELETED}{pointed_to(read.pointed)}",
            (f"To finish: deployer delete {name}", *pulling_it(source.repository, read.pointed)),
            error.original,
        )
    return not_an_image(read.content, source, place, error.original, read.parts) or NotAnImage(
        f"'{name}' at {source.domain} is not an image that Docker can run.",
        (f"deployer inspect {name}   (shows what it is)",),
        error.original,
    )
