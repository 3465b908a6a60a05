"""Pushing local images to the registry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer import suggest
from deployer.errors import DeployerError, ImageNotFound, UsageError
from deployer.reference import Reference, parse, refuse_upper_case
from deployer.workflows.transfer.transfers import LostName, TransferOutcome, id_of, run_all, with_login

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deployer.engine.engine import Engine
    from deployer.engine.values import LocalImage, Transferred

_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}")


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
    def loses(self) -> tuple[LostName, ...]:
        """The name that another image of this machine loses."""
        return (LostName(self.target_name, self.replaces),) if self.replaces not in {"", self.image_id} else ()

    @property
    def label(self) -> str:
        """What it is called before each line of its progress."""
        return self.source


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
        Push(image, target, local.id, id_of(known[str(target)]))
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
            return TransferOutcome(push.name, push.target_name, None, with_login(error, address, engine))

    return run_all(work, pushes, jobs, engine)


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


def _local(images: Sequence[str], known: Mapping[str, LocalImage | None], engine: Engine) -> list[LocalImage]:
    """The local images of these names; every missing one is reported, with similar names."""
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
    """Restore what a name referred to, or remove the name if it did not exist."""
    if push.replaces:
        engine.images.tag(push.replaces, str(push.target))
    else:
        engine.images.untag(str(push.target))
