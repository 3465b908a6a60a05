"""How a run of the Docker client ended, for one that printed no reason."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from deployer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Commands of which the second word says what they do.
_GROUPS = frozenset(
    {
        "builder",
        "buildx",
        "compose",
        "container",
        "context",
        "image",
        "manifest",
        "network",
        "plugin",
        "system",
        "volume",
    }
)
_OUT_OF_MEMORY = "journalctl -k   (shows whether the kernel ended it for lack of memory)"


@dataclass(frozen=True)
class Ended:
    """The client's arguments, and its exit code; negative for a signal, as subprocess has it."""

    arguments: Sequence[str]
    code: int

    @classmethod
    def of_whole(cls, command: Sequence[str], code: int) -> Ended:
        """The same for a whole command, as python-on-whales reports it: `env`, its variables, and then the client."""
        program = next((place for place, word in enumerate(command) if PurePath(word).name == "docker"), -1)
        return cls(command[program + 1 :], code)

    @property
    def command(self) -> str:
        """What ran, such as "docker compose up": the rest may be long, and explains nothing."""
        group, rest = list(self.arguments[:1]), list(self.arguments[1:])
        # Between `compose` and its command are options, each with a value.
        while group == ["compose"] and rest and rest[0].startswith("-"):
            rest = rest[2:]
        return " ".join(["docker", *group, *(rest[:1] if _GROUPS.issuperset(group) else [])])

    def error(self, original: str) -> EngineError:
        """The error for it."""
        number = -self.code if self.code < 0 else self.code - 128
        try:
            name = signal.Signals(number).name
        except ValueError:
            return EngineError(f"`{self.command}` ended with exit code {self.code} and gave no reason.", (), original)
        advice = (_OUT_OF_MEMORY,) if name == "SIGKILL" else ()
        return EngineError(f"`{self.command}` was killed by signal {name}.", advice, original)
