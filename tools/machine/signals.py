"""The signals that end us, and how to hold them back."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def holding_signals() -> Iterator[None]:
    """Let signals wait while a process is being started: in between, no one could end it."""
    held: list[int] = []
    handlers = {number: signal.signal(number, lambda held_back, _: held.append(held_back)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for held_back in held:
            signal.raise_signal(held_back)
