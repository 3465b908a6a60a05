"""Programs whose lines are read as they come, and which can be ended."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass
class Streams:
    """The running programs, from any thread."""

    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, command: Sequence[str], on_line: Callable[[str], None] | None, environment: Mapping[str, str]
    ) -> tuple[int, str]:
        """Run a program; return its exit code and what it wrote to standard error.

        Each line of standard output goes to `on_line`; with None the program keeps the terminal.
        Once stopped, programs fail: they are ended, or not begun.
        """
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE if on_line else None,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            errors="replace",
        )
        with self._lock:
            self._running.add(process)
            if self._stopped:
                process.terminate()
        complaints: list[str] = []
        # Read beside the output: a program that fills one pipe would wait for ever.
        listener = threading.Thread(target=lambda: complaints.extend(process.stderr or ()), daemon=True)
        listener.start()
        try:
            for line in process.stdout or ():
                if on_line:
                    on_line(line.rstrip())
            code = process.wait()
            listener.join()
        finally:
            process.terminate()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
            with self._lock:
                self._running.discard(process)
        # Some clients report success after being told to end.
        return code or int(self._stopped), "".join(complaints)

    def stop(self) -> None:
        """End every running program, and start no new one."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()
