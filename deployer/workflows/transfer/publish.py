"""Pushing local images to the registry, and pulling them from it."""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from deployer import suggest
from deployer.errors import DeployerError, HostError, ImageNotFound, SignInMissing, UsageError
from deployer.reference import Reference, parse, refuse_upper_case
from deployer.registry.login.credentials import find_credentials
from deployer.workflows.transfer.pull_failures import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deployer.engine.engine import Engine
    from deployer.engine.values import LocalImage, Transferred
    from deployer.registry.client import RegistryClient

Item = TypeVar("Item")

_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}")
# containerd/platforms, Parse: OS or architecture alone too, the system's version behind its name.
_PLATFORM = re.compile(r"[A-Za-z0-9_-]+(\([A-Za-z0-9_.-]*\))?(/[A-Za-z0-9_-]+){0,2}")


@dataclass(frozen=True)
class Push:
    """One image to push: the name it has here, and the one it gets in the registry.

    `replaces` is the ID of the image that has that name here now, "" for none.
    """

    source: str
    target: Reference
    image_id: str
    replaces: str = ""

    @property
    def name(self) -> str:
        """What it is called in a plan and in its outcome."""
        return self.source

    @property
    def target_name(self) -> str:
        """What the registry calls it."""
        return str(self.target)

    @property
    def label(self) -> str:
        """What it is called before each line of its progress."""
        return self.source


@dataclass(frozen=True)
class Pull:
    """One image to pull: the name it has in the registry, and the short one it gets here.

    `short` is None for a digest, which cannot be a local name; `replaces` is the ID of the image
    that has the short name now, "" for none. `platform` is as `docker pull --platform` takes it, ""
    for the engine's own.
    """

    source: Reference
    short: str | None
    replaces: str
    platform: str = ""

    @property
    def name(self) -> str:
        """What it is called in a plan and in its outcome."""
        return str(self.source)

    @property
    def target_name(self) -> str:
        """What this machine calls it."""
        return self.short or str(self.source)

    @property
    def label(self) -> str:
        """What it is called before each line of its progress."""
        return str(self.source.at(""))


@dataclass(frozen=True)
class TransferOutcome:
    """How one push or pull ended: `error` None where it did as asked.

    `short` is the name that a pulled image got here, None for none; `renamed_from` the ID of the image that lost it,
    "" for none.
    """

    name: str
    target: str
    transferred: Transferred | None
    error: DeployerError | None = None
    short: str | None = None
    renamed_from: str = ""


class Interrupted(KeyboardInterrupt):
    """A push or pull of several was interrupted, with so many of them done."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.done, self.total = done, total


def target_of(text: str, address: str) -> Reference:
    """The name that an image gets in this registry.

    Another registry's domain is dropped (`ghcr.io/acme/app:1` becomes `acme/app:1`), and so is the
    hub's `library/`; an image already named for this registry keeps its name. Raises
    InvalidReference, and UsageError for a digest.
    """
    reference = parse(text)
    if reference.digest is not None:
        raise UsageError(
            f"'{text}' has a digest; images are pushed by tag.",
            (f"deployer push {text} --as {reference.repository}:TAG",),
        )
    repository = reference.repository
    if reference.domain in {"docker.io", "index.docker.io"}:
        repository = repository.removeprefix("library/")
    return Reference(address, repository, reference.tag).tagged()


def plan_push(images: Sequence[str], rename: str | None, address: str, engine: Engine) -> tuple[Push, ...]:
    """What would be pushed where. Changes nothing.

    Raises UsageError, InvalidReference, and ImageNotFound with the nearest local names.
    """
    if rename is not None and len(images) != 1:
        raise UsageError("--as requires exactly one IMAGE.")
    for image in images:
        if not _ID.fullmatch(image):
            parse(image)
    targets = [target_of(image, address) if rename is None else _renamed(image, rename, address) for image in images]
    known = engine.images.find_all([*images, *map(str, targets)])
    found = _local(images, known, engine)
    if rename is None:
        _refuse_ids(images, found)
    doubled = next((target for target in targets if targets.count(target) > 1), None)
    if doubled is not None:
        sources = ", ".join(image for image, target in zip(images, targets, strict=True) if target == doubled)
        raise UsageError(f"{sources} would all be pushed as {doubled}.", ("Push them one by one, with --as NAME.",))
    return tuple(
        Push(image, target, local.id, _id_of(known[str(target)]))
        for image, target, local in zip(images, targets, found, strict=True)
    )


def push_all(
    pushes: Sequence[Push],
    address: str,
    engine: Engine,
    *,
    jobs: int,
    on_line: Callable[[Push, str], None] | None,
) -> tuple[TransferOutcome, ...]:
    """Tag and push each image, up to `jobs` at once; one that fails does not stop the others.

    With `on_line` None, Docker draws its own progress on the terminal. Interrupted, no tag is
    left that was not there before.
    """

    def work(push: Push) -> TransferOutcome:
        listen = (lambda line: on_line(push, line)) if on_line else None
        try:
            return TransferOutcome(push.name, push.target_name, _push(push, address, engine, listen))
        except DeployerError as error:
            return TransferOutcome(push.name, push.target_name, None, _with_login(error, address, engine))

    return _together(work, pushes, jobs, engine)


def plan_pull(images: Sequence[str], address: str, engine: Engine, platform: str = "") -> tuple[Pull, ...]:
    """What would be pulled, and which local names change. Raises InvalidReference or UsageError."""
    if platform and not _PLATFORM.fullmatch(platform):
        raise UsageError(
            f"'{platform}' is not a valid platform.", ("Use OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64.",)
        )
    return tuple(_plan_one_pull(image, address, engine, platform) for image in images)


def pull_all(
    pulls: Sequence[Pull],
    engine: Engine,
    registry: Callable[[], RegistryClient],
    *,
    jobs: int,
    on_line: Callable[[Pull, str], None] | None,
) -> tuple[TransferOutcome, ...]:
    """Pull each image and give it its short name; progress and failures as with `push_all`.

    `registry` is asked for the names that are like one that is not there.
    """

    def work(pull: Pull) -> TransferOutcome:
        listen = (lambda line: on_line(pull, line)) if on_line else None
        try:
            transferred = engine.images.pull(
                str(pull.source), address=pull.source.domain, on_line=listen, platform=pull.platform
            )
            if pull.short is None:
                return TransferOutcome(pull.name, pull.target_name, transferred)
            engine.images.tag(str(pull.source), pull.short)
            now = engine.images.find(pull.short) if pull.replaces else None
            before = pull.replaces if now is not None and now.id != pull.replaces else ""
            return TransferOutcome(pull.name, pull.target_name, transferred, None, pull.short, before)
        except DeployerError as error:
            told = _with_login(error, pull.source.domain, engine)
            if told is error:
                told = explained(pull.source, pull.platform, error, registry)
            return TransferOutcome(pull.name, pull.target_name, None, told)

    return _together(work, pulls, jobs, engine)


def _with_login(error: DeployerError, address: str, engine: Engine) -> DeployerError:
    """The same failure, or why Docker had no sign-in to send: of a helper that fails it tells nothing."""
    if not isinstance(error, SignInMissing):
        return error
    try:
        find_credentials(address, engine.client.environment)
    except HostError as fault:
        # `docker login` would fail in the same way.
        return fault
    return error


def _renamed(image: str, rename: str, address: str) -> Reference:
    reference = parse(rename)
    refuse_upper_case(reference, rename)
    own = reference.repository + (f":{reference.tag}" if reference.tag else "")
    if reference.digest is not None:
        raise UsageError(
            f"--as {rename} has a digest; images are pushed by tag.",
            (f"deployer push {image} --as {own if reference.tag else f'{own}:TAG'}",),
        )
    if reference.domain and reference.domain != address:
        raise UsageError(
            f"--as {rename} belongs to another registry, {reference.domain}; this one is {address}.",
            (f"deployer push {image} --as {own}",),
        )
    return target_of(rename, address)


def _id_of(image: LocalImage | None) -> str:
    return image.id if image else ""


def _local(images: Sequence[str], known: Mapping[str, LocalImage | None], engine: Engine) -> list[LocalImage]:
    """The local images of these names; every one that is missing is told, with the nearest names."""
    found = [known[image] for image in images]
    missing = [image for image, local in zip(images, found, strict=True) if local is None]
    if missing:
        for image in missing:
            if not _ID.fullmatch(image):
                refuse_upper_case(parse(image), image)
        names = engine.images.names()
        near = dict.fromkeys(name for image in missing for name in _nearest(image, names))
        what = (
            f"image on this machine: {missing[0]}"
            if len(missing) == 1
            else f"images on this machine: {', '.join(missing)}"
        )
        raise ImageNotFound(
            f"No such {what}.",
            tuple(f"Did you mean {name}?" for name in near) or ("docker images   (lists the local images)",),
        )
    return [local for local in found if local is not None]


def _refuse_ids(images: Sequence[str], found: Sequence[LocalImage]) -> None:
    for image, local in zip(images, found, strict=True):
        if _ID.fullmatch(image) and local.id.removeprefix("sha256:").startswith(image.removeprefix("sha256:")):
            raise UsageError(
                f"'{image}' is an image ID, which is not a valid name in a registry.",
                (f"deployer push {image} --as NAME:TAG",),
            )


def _nearest(image: str, names: tuple[str, ...]) -> list[str]:
    """The local names that were most likely meant: the same at an address, like the whole name, like the repository."""
    own = str(parse(image).tagged())
    under_an_address = [name for name in names if name.endswith(f"/{own}")]
    if under_an_address:
        return under_an_address[:3]
    whole = suggest.near(image, names, likeness=0.8)
    if whole:
        return whole
    wanted = image.partition(":")[0]
    by_repository = {name.rpartition(":")[0]: name for name in reversed(names)}
    return [by_repository[name] for name in suggest.near(wanted, by_repository, likeness=0.75)]


def _push(push: Push, address: str, engine: Engine, listen: Callable[[str], None] | None) -> Transferred | None:
    name = str(push.target)
    if push.replaces != push.image_id:
        engine.images.tag(push.image_id, name)
    try:
        return engine.images.push(name, address=address, on_line=listen)
    except BaseException:
        _restore(push, engine)
        raise


def _restore(push: Push, engine: Engine) -> None:
    """Put a name back to what it was, or take it away where it was not there."""
    if push.replaces:
        engine.images.tag(push.replaces, str(push.target))
    else:
        engine.images.untag(str(push.target))


def _plan_one_pull(image: str, address: str, engine: Engine, platform: str) -> Pull:
    reference = parse(image)
    refuse_upper_case(reference, image)
    if reference.domain and reference.domain != address:
        raise UsageError(
            f"'{image}' belongs to another registry, {reference.domain}; this one is {address}.",
            (f"deployer pull {reference.at('')}", f"docker pull {image}   (to pull from there)"),
        )
    source = reference.at(address).tagged()
    if source.digest is not None:
        return Pull(source, None, "", platform)
    short = str(source.at(""))
    current = engine.images.find(short)
    return Pull(source, short, _id_of(current), platform)


def _together(
    work: Callable[[Item], TransferOutcome], items: Sequence[Item], jobs: int, engine: Engine
) -> tuple[TransferOutcome, ...]:
    futures: list[Future[TransferOutcome]] = []
    try:
        with ThreadPoolExecutor(max_workers=max(1, min(jobs, len(items)))) as pool:
            futures += [pool.submit(work, item) for item in items]
            try:
                return tuple(future.result() for future in futures)
            except BaseException:
                for future in futures:
                    future.cancel()
                engine.images.stop_transfers()
                raise
    except KeyboardInterrupt as error:
        raise Interrupted(sum(map(_succeeded, futures)), len(items)) from error


def _succeeded(future: Future[TransferOutcome]) -> bool:
    return future.done() and not future.cancelled() and not future.exception() and future.result().error is None
