"""Clients that push all the time, and how long the longest push took, or how long none succeeded."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

from tests.support.registry_content import Image, image, push

if TYPE_CHECKING:
    from tests.support.stack import DeployedStack

_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 60


@dataclass
class Pushes:
    """Small images, pushed over and over in the background, each new; how long the longest took.

    `refused` is for how long requests failed at the most, at a stretch: a push that fails is repeated.
    """

    stack: DeployedStack
    seconds: float = 0.0
    longest: float = 0.0
    refused: float = 0.0
    pushed: dict[str, Image] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._push)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        ended = self._thread is not None and not self._thread.is_alive()
        self._over.set()
        if self._thread:
            self._thread.join()
        if ended:
            raise SystemExit("The registry has taken no push for a minute.")

    def wait(self) -> None:
        """Let it push for its time."""
        time.sleep(self.seconds)

    def lost(self) -> list[str]:
        """The tags that the registry took, and does not have."""
        with self.stack.client as client:
            return [tag for tag, one in self.pushed.items() if not _has(client, tag, one)]

    def _push(self) -> None:
        for number in itertools.count():
            if self._over.is_set():
                return
            tag, made = f"t{number}", image(f"pushed at {time.time_ns()}")
            begun = time.perf_counter()
            failed = False
            while not self._try(tag, made):
                failed = True
                if time.perf_counter() - begun > _PATIENCE_SECONDS:
                    return
                time.sleep(_PAUSE_SECONDS)
            seconds = time.perf_counter() - begun
            self.longest = max(self.longest, seconds)
            self.refused = max(self.refused, seconds if failed else 0.0)
            self.pushed[tag] = made
            time.sleep(_PAUSE_SECONDS)

    def _try(self, tag: str, made: Image) -> bool:
        try:
            with self.stack.client as client:
                push(client, "bench/pushed", tag, made)
        except (httpx.HTTPError, AssertionError):
            return False
        return True


def _has(client: httpx.Client, tag: str, wanted: Image) -> bool:
    found = client.get(f"/v2/bench/pushed/manifests/{tag}", headers={"Accept": wanted.media_type})
    blobs = [client.get(f"/v2/bench/pushed/blobs/{one['digest']}").content for one in _parts(wanted)]
    return found.content == wanted.content and sorted(blobs) == sorted(wanted.blobs)


def _parts(wanted: Image) -> list[dict[str, str]]:
    document = wanted.document
    return [document["config"], *document["layers"]]
