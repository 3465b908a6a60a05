"""The flags that named a deployment on the command line, carried on into every advice."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

# Every command's name, once it is registered.
COMMANDS: set[str] = set()

# The configuration file of this machine.
_OF_THE_FILE = re.compile(r"\bin deployer\.yaml\b(?! on the machine)")
# Where the command in a sentence ends: the quote behind it, a remark, or the next command.
_END = re.compile(r"`|\n| {3}|\bdeployer ")


@dataclass(frozen=True)
class Selection:
    """The flags by which the user said which deployment is meant, each with its value, as typed.

    An advice that is followed without them would hit another deployment.
    """

    flags: dict[str, str] = field(default_factory=dict)
    _files: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, **given: object) -> Selection:
        """The selection of these flags; None if one was not given."""
        return cls({f"--{key}": str(value) for key, value in given.items() if value is not None})

    def note_file(self, file: str) -> None:
        """Remember the configuration file that was read: an advice about deployer.yaml is about that one."""
        self._files[:] = [file]

    def applied(self, text: str) -> str:
        """The text with the flags put behind each `deployer COMMAND` in it, and the file that was read.

        A flag that the command has already stays as it is, and a command that names a host of its
        own is about that registry. Applied twice it changes nothing.
        """
        if self._files:
            text = _OF_THE_FILE.sub(lambda _: f"in {self._files[0]}", text)
        if not self.flags or not COMMANDS:
            return text
        words = "|".join(sorted(map(re.escape, COMMANDS)))
        return re.sub(rf"\bdeployer ({words})(?![\w-])", self._with_flags, text)

    def _with_flags(self, found: re.Match[str]) -> str:
        rest = _END.split(found.string[found.end() :], maxsplit=1)[0]
        present = set(re.findall(r"(?<!\S)--?[a-z]+", rest))
        if "--host" in present:
            return found[0]
        present |= {"--config"} if "-c" in present else set()
        missing = [f"{flag} {shlex.quote(value)}" for flag, value in self.flags.items() if flag not in present]
        return " ".join([found[0], *missing])
