"""Getting newer images for the services: pulled, loaded before, or built on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import EngineError, UpgradeFailed
from deployer.layout import Service
from deployer.record import PinnedImage, Release
from deployer.settings.model import ImagePolicy
from deployer.workflows.deployment import provision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.engine.engine import Engine
    from deployer.settings.model import Settings
    from deployer.workflows.deployment.provision import Wanted

# Lists Debian's packages in an image, one per line.
_PACKAGES = ("dpkg-query", "--show")


@dataclass(frozen=True)
class ImageChange:
    """The image of a service before and after an upgrade."""

    before: PinnedImage
    after: PinnedImage

    @property
    def is_newer(self) -> bool:
        """Whether it is another image than the one that runs."""
        return self.before.id != self.after.id


@dataclass(frozen=True)
class Sought:
    """The name that is pulled, and the one that is built if it cannot be pulled; "" if that is not tried."""

    pull: str
    build: str


@dataclass(frozen=True)
class Source:
    """How to get images: the engine, who is told each step, and who is asked before a package is installed."""

    engine: Engine
    say: Callable[[str], None]
    allow: Callable[[str], None]


def changes(before: Release, after: Release) -> tuple[ImageChange, ...]:
    """The image of each service in two releases; a service that only one of them has is left out."""
    pairs = ((one, after.image_of(one.service)) for one in before.images)
    return tuple(ImageChange(one, other) for one, other in pairs if other is not None)


def sought(settings: Settings) -> dict[Service, Sought]:
    """What an upgrade looks for, a service each."""
    return {
        service: _sought(settings, wanted)
        for service, wanted in zip(Service, provision.wanted_of(settings), strict=False)
    }


def _sought(settings: Settings, wanted: Wanted) -> Sought:
    may_build = settings.images is ImagePolicy.AUTO and wanted.configured == wanted.default
    # The default image is not pulled if the page cannot read its responses.
    only_built = may_build and bool(settings.complaint_of_page(wanted.configured))
    if wanted.built and (settings.images is ImagePolicy.BUILD or only_built):
        return Sought("", wanted.built)
    return Sought(wanted.configured, wanted.built if may_build else "")


def fetch(settings: Settings, running: Release, source: Source) -> Release:
    """Get what the services are to run from now on; changes nothing of what runs.

    Raises EngineError, HostError, and UpgradeFailed if nothing newer is here and an image could not be had.
    """
    found: dict[str, PinnedImage] = {}
    to_build: dict[str, str] = {}
    failures: list[UpgradeFailed] = []
    for service, one in sought(settings).items():
        before = running.image_of(service)
        if before is None:
            continue
        found[service] = before
        if not one.pull:
            to_build[service] = one.build
            continue
        try:
            found[service] = _pulled(one.pull, before, source)
        except UpgradeFailed as error:
            if one.build:
                to_build[service] = one.build
            else:
                failures.append(error)
    found |= _built(to_build, running, source)
    if failures and all(found[one.service].id == one.id for one in running.images if one.service in found):
        raise failures[0]
    digests = source.engine.images.digests(one.id for one in found.values())
    return Release(tuple(one.with_digest(digests[one.id]) for one in found.values()))


def _pulled(name: str, before: PinnedImage, source: Source) -> PinnedImage:
    """The image that a name stands for now, in its registry or on this machine. Raises UpgradeFailed."""
    source.say(f"Pulling {name} …")
    try:
        source.engine.images.fetch(name)
    except EngineError as error:
        failure = error.original or error.message
    else:
        return _found(source.engine, before.service, name)
    # Loaded from a file or tagged by the user, on a machine that reaches no hub.
    loaded = source.engine.images.find(name)
    if loaded is not None and loaded.id != before.id:
        source.say(f"{name} cannot be pulled; the newer one on this machine is used.")
        return PinnedImage(before.service, name, loaded.id)
    raise UpgradeFailed(
        f"The image {name} cannot be pulled, and this machine has no newer one.",
        (
            f"docker pull {name}   (to try it by hand)",
            "Or load a newer one: docker load --input FILE   (a file that `docker save` wrote on another machine)",
        ),
        failure,
    )


def _built(names: Mapping[str, str], running: Release, source: Source) -> dict[str, PinnedImage]:
    """Build images; one with the same packages and program as the one that runs is not newer, and is not used."""
    built = [provision.Wanted(name, built=name) for name in names.values()]
    choices = [provision.Choice(one.built, provision.Source.BUILD, one) for one in built]
    if choices:
        provision.fetch_all(choices, source.engine, source.say, source.allow)
    found = {}
    for service, name in names.items():
        made, before = _found(source.engine, service, name), running.image_of(service)
        # Only under the same name: an image of the user's own may differ in what is not compared.
        if before and before.name == name and made.id != before.id and _is_alike(source.engine, service, made, before):
            source.engine.images.tag(before.id, name)
            made = before
        found[service] = made
    return found


def _is_alike(engine: Engine, service: str, one: PinnedImage, other: PinnedImage) -> bool:
    return _contents(engine, service, one) == _contents(engine, service, other)


def _found(engine: Engine, service: str, name: str) -> PinnedImage:
    image = engine.images.find(name)
    if image is None:
        raise UpgradeFailed(f"The image {name} has disappeared.", ("Run the command again.",))
    return PinnedImage(service, name, image.id)


def _contents(engine: Engine, service: str, image: PinnedImage) -> tuple[str, str]:
    """What matters in an image that was built here: Debian's packages, and the service's program."""
    program = ("caddy", "version") if service == Service.FRONTEND else ("registry", "--version")
    try:
        return engine.containers.run(image.id, *_PACKAGES), engine.containers.run(image.id, *program)
    except EngineError:
        # Not built by deployer, so it is another image.
        return image.id, ""
