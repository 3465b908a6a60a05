"""Writes that take their time: half of what they send is on its way, the rest comes when told."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.stack import DeployedStack


# Caddy ends a request of which nothing comes for a minute.
_PAUSE_SECONDS = 5


@dataclass
class SlowWrite:
    """A request of whose body the first half was sent."""

    connection: HTTPConnection
    rest: bytes

    @contextmanager
    def trickling(self) -> Iterator[None]:
        """Send a byte from time to time, as long as this lasts."""
        over = threading.Event()

        def work() -> None:
            while not over.wait(_PAUSE_SECONDS) and len(self.rest) > 1:
                self.connection.send(self.rest[:1])
                self.rest = self.rest[1:]

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def finish(self) -> tuple[int, dict[str, str]]:
        """Send the rest; the status and the headers of the answer."""
        self.connection.send(self.rest)
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, dict(answer.getheaders())


@contextmanager
def slow_write(
    stack: DeployedStack, method: str, target: str, body: bytes, kind: str = "application/octet-stream"
) -> Iterator[SlowWrite]:
    """Begin a write; its connection is closed at the end."""
    parts = urlsplit(target)
    connection = HTTPConnection("localhost", stack.port, timeout=PATIENCE_SECONDS)
    try:
        connection.putrequest(method, f"{parts.path}?{parts.query}" if parts.query else parts.path)
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Content-Type", kind)
        connection.endheaders()
        half = len(body) // 2
        connection.send(body[:half])
        yield SlowWrite(connection, body[half:])
    finally:
        connection.close()


@contextmanager
def slow_upload(stack: DeployedStack, client: httpx.Client, repository: str, body: bytes) -> Iterator[SlowWrite]:
    """Begin to upload a blob in one PATCH, which has yet to be ended by a PUT."""
    started = client.post(f"/v2/{repository}/blobs/uploads/")
    assert started.status_code == 202, started.text
    with slow_write(stack, "PATCH", started.headers["Location"], body) as write:
        yield write
