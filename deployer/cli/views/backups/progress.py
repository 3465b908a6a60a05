"""How far a long step has come: amount, rate and time left, on one line of a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.cli.views.words import size

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from deployer.cli.output import Output
    from deployer.restic.repository import Progress

_MINUTE = 60
_HOUR = 3600


@dataclass
class ProgressLine:
    """Shows progress while in use, and clears its line afterwards. `clock` gives seconds, as time.monotonic does."""

    out: Output
    clock: Callable[[], float]
    _begun: float | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._begun is not None:
            self.out.progress("")

    def show(self, progress: Progress) -> None:
        """Show how far it is now."""
        now = self.clock()
        if self._begun is None:
            self._begun = now
        self.out.progress(described(progress, now - self._begun))


def described(progress: Progress, seconds: float) -> str:
    """Progress after `seconds`: "1.2 GB of 4 GB (30 %), 100 MB/s, 28 s left"."""
    if not progress.total:
        return ""
    # Restic may read faster than it counts.
    total = max(progress.total, progress.done)
    text = f"{size(progress.done)} of {size(total)} ({progress.done * 100 // total} %)"
    if seconds < 1 or not progress.done:
        return text
    rate = progress.done / seconds
    return f"{text}, {size(int(rate))}/s, {_length((total - progress.done) / rate)} left"


def _length(seconds: float) -> str:
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
