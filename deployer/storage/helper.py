"""The container in which an upkeep command works on the storage.

It lives only as long as the command: when the command is killed, the container ends what runs in
it, opens the gate, and is gone.
"""

from __future__ import annotations

import secrets
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deployer.engine.values import HelperContainer, HostMount
from deployer.rendering import snippets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from deployer.engine.engine import Engine
    from deployer.paths import Deployment

_GATE = "/gate"
_SCRATCH = "/tmp"  # noqa: S108 - inside the container
_PATIENCE_SECONDS = 10


def remove_leftover(engine: Engine, deployment: Deployment) -> None:
    """End and remove a deployment's helper, also one of a command that is gone. Raises EngineError."""
    engine.containers.remove_helpers(str(deployment.directory))


def end_client(process: subprocess.Popen[bytes]) -> None:
    """End the client of a helper container whose container is gone, or goes with it."""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def looking(purpose: str, tools: HelperTools, image: str = "") -> HelperContainer:
    """A container beside no deployment, of which there may be several; it is made of `image` if its tools have none."""
    name = f"deployer-{purpose}-{secrets.token_hex(4)}"
    return HelperContainer(
        name=name,
        label=name,
        image=tools.image or image,
        beside="",
        mounts=tools.mounts,
        script=snippets.storage_script("guard"),
        arguments=(_SCRATCH,),
        network=tools.network,
        reads_anywhere=bool(tools.mounts),
    )


@contextmanager
def short_lived(engine: Engine, wanted: HelperContainer) -> Iterator[str]:
    """The name of a container that is removed at the end. One of a command that is killed ends by itself.

    Raises EngineError.
    """
    process = engine.containers.start_helper(wanted)
    try:
        yield wanted.name
    finally:
        engine.containers.remove([wanted.name])
        end_client(process)


def reader(image: str, beside: str, user_namespace: str = "") -> HelperContainer:
    """A container that reads the volumes of the one `beside` it, and changes nothing; there may be several."""
    return replace(looking("reader", REGISTRY_TOOLS, image), beside=f"{beside}:ro", user_namespace=user_namespace)


@dataclass(frozen=True)
class HelperTools:
    """What a helper has beside the storage: the programs of another `image`, folders, a network, a host name."""

    image: str = ""
    mounts: tuple[HostMount, ...] = ()
    network: str = "none"
    hostname: str = ""


REGISTRY_TOOLS = HelperTools()
"""The registry's own image, and nothing else."""


@dataclass
class Helper:
    """A deployment's helper container, started by `with` and gone after it; there is at most one.

    `image` is the one it is made of if its tools have none, `registry` the container that it works beside, whose
    user namespace it has.
    """

    engine: Engine
    deployment: Deployment
    image: str
    registry: str
    user_namespace: str = ""
    tools: HelperTools = REGISTRY_TOOLS
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _lingers: bool = field(default=False, init=False)

    @property
    def is_gone(self) -> bool:
        """Whether it surely does not run: never started, or stopped."""
        return self._process is None and not self._lingers

    @property
    def name(self) -> str:
        """The container's name."""
        return f"{self.deployment.name}-upkeep"

    def __enter__(self) -> Self:
        remove_leftover(self.engine, self.deployment)
        self._process = self.engine.containers.start_helper(
            HelperContainer(
                name=self.name,
                label=str(self.deployment.directory),
                image=self.tools.image or self.image,
                beside=self.registry,
                mounts=(HostMount(self.deployment.gate_directory, _GATE), *self.tools.mounts),
                script=snippets.storage_script("guard"),
                arguments=(_GATE,),
                user_namespace=self.user_namespace,
                network=self.tools.network,
                hostname=self.tools.hostname,
                # A user's own folder has another label, and may not take ours.
                reads_anywhere=bool(self.tools.mounts),
            )
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End everything in it, and make sure that it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        self._lingers = True
        try:
            self.engine.containers.remove([self.name])
            remove_leftover(self.engine, self.deployment)
            self._lingers = False
        finally:
            end_client(process)
