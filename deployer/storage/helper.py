"""The container in which an upkeep command works on the storage.

It lives only as long as the command: when the command is killed, the container ends what runs in
it, opens the gate, and is gone.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer import render
from deployer.engine_values import HelperContainer

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from deployer.engine import Engine

_GATE = "/gate"
_PATIENCE_SECONDS = 10


def container_name(deployment: str) -> str:
    """The name of a deployment's helper container: there is at most one."""
    return f"{deployment}-upkeep"


@dataclass
class Helper:
    """A helper container, started by `with` and gone after it. `registry` is the container that it works beside."""

    engine: Engine
    deployment: str
    image: str
    registry: str
    gate: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The container's name."""
        return container_name(self.deployment)

    def __enter__(self) -> Self:
        self.engine.remove_container(self.name)
        self._process = self.engine.start_helper(
            HelperContainer(
                name=self.name,
                image=self.image,
                beside=self.registry,
                folder=self.gate,
                mounted_at=_GATE,
                script=render.storage_script("guard"),
                arguments=(_GATE,),
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
        try:
            self.engine.remove_container(self.name)
        finally:
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
