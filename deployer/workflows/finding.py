"""What was checked and found, by `doctor`, `status`, `gc` and `prune`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deployer.errors import DeployerError, ImagesDiskFull
from deployer.printable import one_line

_OWN_COMMAND = "deployer doctor"


class FindingState(StrEnum):
    """How what was checked is."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, what was found, and how to fix it.

    `affected` is all that is concerned where the sentence may name only the first: images, paths and digests.
    """

    state: FindingState
    sentence: str
    advice: tuple[str, ...] = ()
    original: str = ""
    affected: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # It may quote what others have written.
        object.__setattr__(self, "sentence", one_line(self.sentence))

    @classmethod
    def of(cls, error: DeployerError) -> Finding:
        """The finding for an error; advice to run doctor is left out, since this is doctor."""
        kind = FullDisk if isinstance(error, ImagesDiskFull) else cls
        problems = "\n".join(getattr(error, "problems", ()))
        advice = tuple(line for line in error.advice if _OWN_COMMAND not in line)
        return kind(FindingState.WRONG, error.message, advice, "\n".join(filter(None, (problems, error.original))))


class FullDisk(Finding):
    """That the disk of the images is full: noticed by the guard, in the registry's container, and on the machine."""
