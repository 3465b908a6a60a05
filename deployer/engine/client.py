"""Running the Docker client.

python-on-whales brings projects up (`compose.py`); importing it takes a quarter of a second, so
everything else goes to the client itself.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.engine.environment import ClientEnvironment, ClientPurpose
from deployer.engine.messages.ended import Ended
from deployer.engine.messages.translation import translate, translated
from deployer.engine.streams import Streams
from deployer.errors import EngineError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_GONE = re.compile(r"no such (container|volume|network)|network \S+ not found|already in progress", re.IGNORECASE)


@dataclass
class Client:
    """The Docker client on PATH, run in an environment for each purpose that is made of the user's.

    `call` is its command: a test seam. Every method raises EngineError, with the engine's own words
    underneath.
    """

    environment: Mapping[str, str]
    call: tuple[str, ...] = ("docker",)
    _streams: Streams = field(default_factory=Streams, init=False)
    _environments: ClientEnvironment = field(init=False)

    def __post_init__(self) -> None:
        self._environments = ClientEnvironment(self.environment)

    def run(self, *arguments: str, purpose: ClientPurpose = ClientPurpose.OURS) -> str:
        """Run it and return what it printed."""
        done = self.begin(*arguments, purpose=purpose)
        if done.returncode != 0:
            raise self.fault(done.stderr or done.stdout, Ended(arguments, done.returncode), purpose=purpose)
        return done.stdout

    def begin(
        self,
        *arguments: str,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
        purpose: ClientPurpose = ClientPurpose.OURS,
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, whichever that is; None leaves it a stream of this program."""
        variables = self._environments.of(purpose)
        with translated():
            return subprocess.run(
                [*self.call, *arguments],
                stdout=stdout,
                stderr=stderr,
                env=variables,
                text=True,
                errors="replace",
                check=False,
            )

    def exchange(self, *arguments: str, stdin: bytes) -> bytes:
        """Run it with bytes on its standard input; return the bytes that it printed."""
        variables = self._environments.of(ClientPurpose.OURS)
        with translated():
            done = subprocess.run(
                [*self.call, *arguments], input=stdin, env=variables, capture_output=True, check=False
            )
        if done.returncode != 0:
            raise self.fault(done.stderr.decode(errors="replace"), Ended(arguments, done.returncode))
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it with pipes for all streams, and let it run."""
        variables = self._environments.of(ClientPurpose.OURS)
        with translated():
            return subprocess.Popen(
                [*self.call, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=variables,
                # Ctrl-C is ours to handle: it ends when we say so, or when we are gone.
                start_new_session=True,
            )

    def stream(
        self, *arguments: str, on_line: Callable[[str], None] | None, address: str, purpose: ClientPurpose
    ) -> None:
        """Run it and hand on each line that it prints; with None it keeps the terminal."""
        variables = self._environments.of(purpose)
        with translated():
            code, complaints = self._streams.run([*self.call, *arguments], on_line, variables)
        if code != 0:
            raise self.fault(complaints, Ended(arguments, code), address=address, purpose=purpose)

    def stop_streams(self) -> None:
        """End every running stream."""
        self._streams.stop()

    def inspect(self, kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
        """Everything that the engine knows of these images, containers, volumes or networks.

        A container, volume or network that is gone by now is left out.
        """
        if not names:
            return []
        done = self.begin(kind, "inspect", *names)
        complaints = [line for line in done.stderr.splitlines() if line.strip()]
        # One that ended between the two questions is gone, and the others are reported.
        if done.returncode != 0 and not all(_GONE.search(line) for line in complaints):
            raise self.fault(done.stderr, Ended((kind, "inspect"), done.returncode))
        return list(json.loads(done.stdout))

    def remove(self, *arguments: str) -> None:
        """Run a command that stops or removes something; what is gone already is no failure."""
        try:
            self.run(*arguments)
        except EngineUnavailable:
            raise
        except EngineError as error:
            if not _GONE.search(error.original):
                raise

    def fault(
        self,
        printed: str,
        ended: Ended | None = None,
        *,
        address: str = "",
        purpose: ClientPurpose = ClientPurpose.OURS,
    ) -> EngineError:
        """The error for what the client printed in a run for this purpose; `address` and `ended` as `translate`'s."""
        return translate(printed, address=address, variables=self._environments.of(purpose), ended=ended)

    def call_in(self, purpose: ClientPurpose) -> list[str]:
        """The client's command for a program that runs it in this program's environment, as python-on-whales does.

        No value is on the command line, where other users could read it, but for the configuration's folder.
        """
        wanted = self._environments.of(purpose)
        gone = [word for name in os.environ if name not in wanted for word in ("-u", name)]
        added = [f"{name}={value}" for name, value in wanted.items() if os.environ.get(name) != value]
        return ["env", *gone, *added, *self.call] if gone or added else list(self.call)
