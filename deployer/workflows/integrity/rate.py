"""A limit on how fast content is read, shared by several threads."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class RateLimit:
    """At most `rate` bytes a second, 0 for no limit. `clock` and `sleep` are in seconds."""

    rate: int
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def take(self, size: int) -> None:
        """Wait until this many bytes may be read."""
        if not self.rate:
            return
        with self._lock:
            now = self.clock()
            # A slow period does not allow a faster one later.
            self._next = max(self._next, now) + size / self.rate
            wait = self._next - now
        self.sleep(wait)
