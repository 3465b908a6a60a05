"""A listener on this machine whose connections a function of the test answers."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def accepting(
    answer: Callable[[socket.socket], None], *, listener: socket.socket | None = None, one_by_one: bool = False
) -> Iterator[int]:
    """Answer every connection to a port of 127.0.0.1, or to this listener; gives the port.

    Each is answered in its own thread, or with `one_by_one` after the one before it. It is closed after
    its answer. A connection that breaks ends its answer and nothing else.
    """
    listener = listener or socket.create_server(("127.0.0.1", 0))

    def converse(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(PATIENCE_SECONDS)
            answer(connection)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if one_by_one:
                converse(connection)
            else:
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # Closing alone does not wake a thread that waits in accept().
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
