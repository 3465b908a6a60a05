"""Programs that draw on the terminal, whose last words are wanted too."""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STREAMS = (1, 2)
_PIECE = 4096
_SECONDS = 5.0
# ECMA-48, CSI: colours, and moves of the cursor. It is shown again when the drawing is over.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CURSOR_IS_SHOWN = "\x1b[?25h"


@dataclass
class Drawing:
    """What programs draw on the terminal.

    With pipes in place of the terminal, Docker's client draws no progress; with the terminal alone, no one knows its
    reason where it fails.
    """

    _drawn: bytearray = field(default_factory=bytearray)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Let programs that run in the meantime draw, and keep it; without a terminal they keep their streams."""
        streams = [stream for stream in _STREAMS if os.isatty(stream)]
        if not streams or not hasattr(os, "openpty"):
            yield
            return
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = _pseudo_terminal(streams[-1])
        kept = {stream: os.dup(stream) for stream in streams}
        pump = threading.Thread(target=_pump, args=(ours, kept[streams[-1]], self._drawn), daemon=True)
        pump.start()
        for stream in streams:
            os.dup2(theirs, stream)
        os.close(theirs)
        try:
            yield
        finally:
            for stream, descriptor in kept.items():
                os.dup2(descriptor, stream)
            # Nothing writes any more, so it ends; a leftover program may hold it open.
            pump.join(_SECONDS)
            if not pump.is_alive():
                for descriptor in (ours, *kept.values()):
                    os.close(descriptor)

    def last_words(self) -> str:
        """What was said at the end, without the drawing."""
        drawn = self._drawn.decode(errors="replace")
        behind = drawn.rpartition(_CURSOR_IS_SHOWN)[2]
        return _CONTROL.sub("", behind if behind.strip() else drawn).replace("\r", "")


def _pseudo_terminal(like: int) -> tuple[int, int]:
    """A terminal of the size of another, on which every byte stays as it is."""
    import fcntl
    import termios

    ours, theirs = os.openpty()
    with suppress(OSError):
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, fcntl.ioctl(like, termios.TIOCGWINSZ, bytes(8)))
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    return ours, theirs


def _pump(source: int, target: int, drawn: bytearray) -> None:
    # Linux reports with an error that the other end is closed.
    with suppress(OSError):
        while piece := os.read(source, _PIECE):
            drawn += piece
            os.write(target, piece)
