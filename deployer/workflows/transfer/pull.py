"""Pulling images from the registry under short names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, UsageError
from deployer.reference import Reference, parse, refuse_upper_case
from deployer.workflows.transfer.pull_failures import explained
from deployer.workflows.transfer.transfers import LostName, TransferOutcome, id_of, run_all, with_login

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.engine.engine import Engine
    from deployer.registry.client import RegistryClient

# containerd/platforms, Parse: OS or architecture alone too, the system's version behind its name.
_PLATFORM = re.compile(r"[A-Za-z0-9_-]+(\([A-Za-z0-9_.-]*\))?(/[A-Za-z0-9_-]+){0,2}")


@dataclass(frozen=True)
class Pull:
    """One image to pull: the name it has in the registry, and the short one it gets here.

    `short` is None for a digest, which cannot be a local name; `replaces` is the ID of the image
    that has the short name now, "" for none, and `source_is` the ID of the one that has the whole
    name. `platform` is as `docker pull --platform` takes it, "" for the engine's own.
    """

    source: Reference
    short: str | None
    replaces: str
    platform: str = ""
    source_is: str = ""

    @property
    def name(self) -> str:
        """What it is called in a plan and in its outcome."""
        return str(self.source)

    @property
    def target_name(self) -> str:
        """What this machine calls it."""
        return self.short or str(self.source)

    @property
    def loses(self) -> tuple[LostName, ...]:
        """The names that images of this machine lose, unless one of them is the image that is pulled."""
        if self.short is None:
            return ()
        now = (LostName(self.name, self.source_is), LostName(self.short, self.replaces))
        return tuple(one for one in now if one.image_id)

    @property
    def label(self) -> str:
        """What it is called before each line of its progress."""
        return str(self.source.at(""))


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
            told = with_login(error, pull.source.domain, engine)
            if told is error:
                told = explained(pull.source, pull.platform, error, registry)
            return TransferOutcome(pull.name, pull.target_name, None, told)

    return run_all(work, pulls, jobs, engine)


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
    known = engine.images.find_all([short, str(source)])
    return Pull(source, short, id_of(known[short]), platform, id_of(known[str(source)]))
