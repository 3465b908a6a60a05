"""Where the copies of drills are: in a directory next to the deployments, one at a time, never one of the user's."""

from __future__ import annotations

import secrets
import shlex
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.engine import inventory
from deployer.errors import AnotherDeployment, DeployerError, HostError
from deployer.host.files import refusal
from deployer.host.lock import exclusive
from deployer.paths import Deployment
from deployer.record import ResourceKind
from deployer.settings.model import Settings
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.removal import down
from deployer.workflows.removal.down_plan import plan_down

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deployer.engine.engine import Engine

_COMMAND = "backup drill"
# A Compose project's name has at most 63 characters.
_NAME_LENGTH = 50
_TRIES = 3
_AGAIN = "The next drill removes the rest."
_RESOURCES = frozenset({ResourceKind.CONTAINER, ResourceKind.NETWORK, ResourceKind.VOLUME})


@dataclass(frozen=True)
class DrillPlace:
    """The directory with the copies for drills of one deployment's backups."""

    name: str
    directory: Path

    @classmethod
    def of(cls, deployment: Deployment) -> DrillPlace:
        """The one for the backups of a deployment, which need not be on this machine."""
        return cls(deployment.name, deployment.drills_directory)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One drill at a time. Raises Busy and HostError."""
        with exclusive(self._lock, _COMMAND):
            yield

    def copies(self) -> tuple[Deployment, ...]:
        """The copies that are there."""
        try:
            found = sorted(path for path in self.directory.glob(f"{self._prefix}*") if path.is_dir())
        except OSError:
            return ()
        return tuple(Deployment(path.name, path) for path in found)

    def left(self) -> tuple[Deployment, ...]:
        """The copies that drills have left which were killed."""
        if not self.copies():
            return ()
        try:
            with exclusive(self._lock):
                return self.copies()
        except HostError:
            # A drill is running, or it is another user's directory.
            return ()

    def new(self) -> Deployment:
        """A copy with a name that nothing has; its directory is there before anything of it. Raises HostError."""
        name = f"{self._prefix}{secrets.token_hex(3)}"
        found = Deployment(name, self.directory / name)
        try:
            found.directory.mkdir(mode=0o700)
        except OSError as error:
            raise refusal(found.directory, error) from error
        return found

    @property
    def _prefix(self) -> str:
        return f"{self.name[:_NAME_LENGTH]}-drill-"

    @property
    def _lock(self) -> Path:
        return self.directory / ".lock"


@contextmanager
def temporary(engine: Engine, copy: Deployment, say: Callable[[str], None]) -> Iterator[None]:
    """Remove a copy afterwards, however it ends."""

    def tell(words: str) -> None:
        # If no one reads the messages any more, the copy must still be removed.
        with suppress(OSError):
            say(words)

    try:
        yield
    except KeyboardInterrupt as interruption:
        tell("Interrupted; removing the copy …")
        remove(engine, copy)
        raise KeyboardInterrupt("Interrupted; the copy was removed.") from interruption
    except BaseException:
        tell("Removing the copy …")
        try:
            remove(engine, copy)
        except DeployerError as error:
            # The first failure is the one that the user sees as the error.
            tell(error.message)
        raise
    tell("Removing the copy …")
    try:
        remove(engine, copy)
    except KeyboardInterrupt:
        remove(engine, copy)
        raise


def remove(engine: Engine, copy: Deployment) -> None:
    """Remove a copy with everything of it; what is left after an error, the next drill removes.

    Raises HostError or EngineError.
    """
    stack = Stack(Settings(name=copy.name), copy, engine)
    try:
        # Again, because an interrupted client may have started something in the engine.
        for _ in range(_TRIES):
            plan = plan_down(stack, volumes=True)
            if not any(one.kind in _RESOURCES for one in plan.going):
                break
            down.apply(stack, plan, volumes=True, say=lambda _: None)
        is_gone = not (engine.containers.of_project(copy.name) or inventory.has_volumes(engine, copy.name))
    except AnotherDeployment as error:
        again = f"Use that engine, or if it no longer exists: rm -r {shlex.quote(str(copy.directory))}"
        raise _left(copy, error.message, again) from error
    except HostError as error:
        raise _left(copy, error.message, _AGAIN, error.original) from error
    if not is_gone:
        raise _left(copy, "containers or volumes are still in use.", _AGAIN)
    shutil.rmtree(copy.directory, ignore_errors=True)


def _left(copy: Deployment, reason: str, advice: str, original: str = "") -> HostError:
    return HostError(f"The drill's copy {copy.name} was not removed completely: {reason}", (advice,), original)
