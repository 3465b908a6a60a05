"""What pushing and pulling share: several at once, how each ended, and why Docker had no login to send."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from deployer.errors import DeployerError, HostError, SignInMissing
from deployer.registry.login.credentials import find_credentials, mistake_in_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.engine.engine import Engine
    from deployer.engine.values import LocalImage, Transferred

Item = TypeVar("Item")
# Go's encoding/json, UnmarshalTypeError.
_WRONG_TYPE = "json: cannot unmarshal"


@dataclass(frozen=True)
class LostName:
    """A name on this machine that will be of another image, and the ID of the image that has it now."""

    name: str
    image_id: str


@dataclass(frozen=True)
class TransferOutcome:
    """How one push or pull ended: `error` None if it did as asked.

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
    """A push or pull of several images was interrupted; some of them are done."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.done, self.total = done, total


def with_login(error: DeployerError, address: str, engine: Engine) -> DeployerError:
    """The same failure, or why Docker had no login to send: it does not report a failed helper."""
    if not isinstance(error, SignInMissing):
        return error
    try:
        find_credentials(address, engine.client.environment)
    except HostError as fault:
        # `docker login` would fail in the same way.
        return fault
    # Docker warns of a value of the wrong type before the registry's refusal.
    stumbled = mistake_in_file(engine.client.environment) if _WRONG_TYPE in error.original else None
    return HostError(stumbled.message, stumbled.advice, error.original) if stumbled else error


def id_of(image: LocalImage | None) -> str:
    """The ID of an image, "" for none."""
    return image.id if image else ""


def run_all(
    work: Callable[[Item], TransferOutcome], items: Sequence[Item], jobs: int, engine: Engine
) -> tuple[TransferOutcome, ...]:
    """Do the work for each item, up to `jobs` at once; interrupted, all of it is ended. Raises Interrupted."""
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
