"""The gate: writes are paused at the frontend while the storage is changed; pulls never notice.

Files in the frontend's folder are the gate. With `draining` no new upload begins, with `closed` nothing is written, and
with `stopping`, before the frontend itself is stopped, no content is taken and no upload waits.
What is small enough waits at the frontend, for 45 s at most, and goes on as if nothing had been; the rest is answered
with 503, and Docker tries again by itself. A file needs no reload, drops no connection, and holds when the frontend is
started again.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deployer.errors import DeployerError, GateError, HostError, PushInProgress
from deployer.host.files import PUBLIC, is_directory, read_if_there, write_atomically
from deployer.host.lock import exclusive
from deployer.host.timestamps import timestamp_of
from deployer.layout import GATE_HEADER, GATE_MARKS, SOCKETS
from deployer.storage.helper import remove_leftover
from deployer.tls.unverified import unverified
from deployer.workflows.checks import preflight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.paths import Deployment
    from deployer.settings.model import Settings

# How long after the gate has closed a write may still be on its way from the frontend to its counter.
_SETTLE_SECONDS = 0.2
_POLL_SECONDS = 0.1
_COMMIT_SECONDS = 30.0
# Between two requests of a push there is less.
_IDLE_SECONDS = 1.0
_ANSWER_SECONDS = 10.0

# The registry's socket under the names by which the Caddyfile tells them apart.
_UPLOADS = f"unix/{SOCKETS}/./registry.sock"
_COMMITS = f"unix/{SOCKETS}/././registry.sock"
_WAITING = "127.0.0.1:5001"
_COUNTERS = "http://127.0.0.1:2019/reverse_proxy/upstreams"


@dataclass(frozen=True)
class GateHolder:
    """Who pauses writes, and since when."""

    command: str
    process: int
    since: datetime

    def __str__(self) -> str:
        return f"`deployer {self.command}` (process {self.process})"


@dataclass(frozen=True)
class Gate:
    """A deployment's gate."""

    directory: Path

    @classmethod
    def of(cls, deployment: Deployment) -> Gate:
        """The gate of a deployment, whether it is up or not."""
        return cls(deployment.gate_directory)

    def holder(self) -> GateHolder | None:
        """Who pauses writes, or None while they are not paused."""
        for file in (self._closed, self._stopping, self._draining):
            content = read_if_there(file)
            if content is None:
                continue
            try:
                found = json.loads(content)
                return GateHolder(str(found["command"]), int(found["process"]), timestamp_of(found["since"]))
            except (ValueError, KeyError, TypeError):
                return GateHolder("?", 0, datetime.fromtimestamp(file.stat().st_mtime, UTC))
        return None

    def mark_work(self) -> None:
        """Leave word that a helper is running, so that the next command looks for one that was left."""
        write_atomically(self.directory / ".work", b"", PUBLIC)

    def drain(self, who: GateHolder) -> None:
        """Let no new upload begin."""
        self._mark(self._draining, who)

    def close(self, who: GateHolder) -> None:
        """Let nothing be written."""
        self._mark(self._closed, who)

    def stop_taking(self, who: GateHolder) -> None:
        """Refuse content and new uploads at once; what is small passes."""
        self._mark(self._stopping, who)

    def open(self) -> None:
        """Let everything through, and leave what a NAS or a Mac has put there."""
        for name in GATE_MARKS:
            # Beside each its temporary file, where a command was killed while it wrote one.
            for file in (self.directory / name, *self.directory.glob(f".{name}.*")):
                if not is_directory(file):
                    file.unlink(missing_ok=True)

    @property
    def _closed(self) -> Path:
        return self.directory / "closed"

    @property
    def _stopping(self) -> Path:
        return self.directory / "stopping"

    @property
    def _draining(self) -> Path:
        return self.directory / "draining"

    def _mark(self, file: Path, who: GateHolder) -> None:
        found = {"command": who.command, "process": who.process, "since": who.since.isoformat()}
        write_atomically(file, json.dumps(found).encode(), PUBLIC)


@dataclass(frozen=True)
class Writes:
    """How many writes are in progress: uploads, and requests that finish one or delete; and how many wait."""

    uploads: int
    commits: int
    waiting: int = 0


@dataclass(frozen=True)
class DrainPolicy:
    """How long pushes in progress may take to finish, in seconds, and who is reported."""

    seconds: float
    say: Callable[[str], None]


@dataclass
class Pause:
    """How long writes were paused, in seconds, once they have resumed."""

    seconds: float = 0.0


@dataclass(frozen=True)
class WritePauser:
    """Closes a gate for a command. `frontends` tells the IDs of the containers through which writes come now."""

    gate: Gate
    settings: Settings
    engine: Engine
    frontends: Callable[[], tuple[str, ...]]
    who: GateHolder

    @contextmanager
    def pause(self, drain: DrainPolicy, before_opening: Callable[[], None]) -> Iterator[Pause]:
        """Pause writes, letting those in progress finish first.

        `before_opening` is called after a failure, and must end whatever still changes the storage;
        where it fails itself, the gate stays closed until `recover`. Raises GateError if the
        gate cannot be closed, or a write would not finish.
        """
        pause = Pause()
        begun = time.monotonic()
        try:
            self.gate.drain(self.who)
            self._wait_for_quiet(drain)
            self.gate.close(self.who)
            # One that has come up since then is asked too.
            frontends = self.frontends()
            if frontends:
                self._check_closed()
            self._wait_for_commits(frontends)
            yield pause
        except BaseException:
            before_opening()
            self.gate.open()
            raise
        self.gate.open()
        pause.seconds = time.monotonic() - begun

    def empty_frontend(self, drain: DrainPolicy, most: float) -> None:
        """Return when the frontend can be stopped without cutting off a write: none is in progress, and none begins.

        For the time of `drain` a moment is awaited in which there is none; then new uploads wait, for at most that many
        seconds. The caller opens the gate again. Raises PushInProgress, with it open, if one takes longer.
        """
        frontends = self.frontends()
        try:
            if not self._idle_within(drain.seconds, frontends):
                drain.say(f"Waiting up to {most:.0f} s for pushes in progress to finish; new ones wait …")
                self.gate.drain(self.who)
                self._expect_idle(most, frontends)
            self.gate.stop_taking(self.who)
            # What had begun by then, and what has waited and is answered now.
            self._expect_idle(most, frontends, _SETTLE_SECONDS, and_waiting=True)
        except BaseException:
            self.gate.open()
            raise

    def _expect_idle(
        self, seconds: float, frontends: tuple[str, ...], moment: float = _IDLE_SECONDS, *, and_waiting: bool = False
    ) -> None:
        if not self._idle_within(seconds, frontends, moment, and_waiting=and_waiting):
            raise PushInProgress(
                f"A push in progress did not finish within {seconds:.0f} s.",
                ("Run the command again when the registry is less busy, or with a longer --timeout.",),
            )

    def _idle_within(
        self, seconds: float, frontends: tuple[str, ...], moment: float = _IDLE_SECONDS, *, and_waiting: bool = False
    ) -> bool:
        """Whether within that time no write is in progress for a moment."""
        deadline = time.monotonic() + seconds
        idle_since = time.monotonic()
        while True:
            now = self._writes(frontends)
            if now.uploads or now.commits or (and_waiting and now.waiting):
                idle_since = time.monotonic()
                if idle_since >= deadline:
                    return False
            elif time.monotonic() >= idle_since + moment:
                return True
            time.sleep(_POLL_SECONDS)

    def _wait_for_quiet(self, drain: DrainPolicy) -> None:
        deadline = time.monotonic() + drain.seconds
        said = False
        quiet = 0
        frontends = self.frontends()
        # Twice, so that the manifest which follows the last upload comes too.
        while quiet < 2:
            quiet = 0 if self._writes(frontends).uploads else quiet + 1
            if quiet:
                continue
            if not said:
                drain.say(f"Waiting up to {drain.seconds:.0f} s for pushes in progress to finish …")
                said = True
            if time.monotonic() >= deadline:
                drain.say("Some pushes are still in progress; if one fails, repeat it.")
                return
            time.sleep(_POLL_SECONDS)

    def _wait_for_commits(self, frontends: tuple[str, ...]) -> None:
        deadline = time.monotonic() + _COMMIT_SECONDS
        time.sleep(_SETTLE_SECONDS)
        while self._writes(frontends).commits:
            if time.monotonic() >= deadline:
                raise GateError(
                    f"A push in progress did not finish within {_COMMIT_SECONDS:.0f} s; nothing was changed.",
                    ("Run the command again when the registry is less busy, or with a longer --wait.",),
                )
            # Where its client has gone, Caddy counts a request no longer while the registry ends it.
            time.sleep(_SETTLE_SECONDS)

    def _writes(self, frontends: tuple[str, ...]) -> Writes:
        """What is in progress, through all of them."""
        found = [self._count(frontend) for frontend in frontends]
        return Writes(*(sum(column) for column in zip(*map(astuple, found), strict=True))) if found else Writes(0, 0)

    def _count(self, frontend: str) -> Writes:
        printed = self.engine.containers.execute(frontend, "wget", "-q", "-O", "-", _COUNTERS)
        try:
            counts = {one["address"]: int(one["num_requests"]) for one in json.loads(printed)}
            # Those that wait are counted with those that go on to the registry.
            return Writes(counts[_UPLOADS], counts[_COMMITS], counts.get(_WAITING, 0))
        except (ValueError, KeyError, TypeError) as error:
            raise _out_of_date(printed) from error

    def _check_closed(self) -> None:
        """Try a write that changes nothing: the frontend itself must refuse it."""
        place = urlsplit(self.settings.local_url)
        path = "/v2/gate/blobs/uploads/gate"
        # While writes wait there is no time to load a larger client.
        where, port = place.hostname or "", place.port
        connection = (
            HTTPSConnection(where, port, timeout=_ANSWER_SECONDS, context=unverified())
            if place.scheme == "https"
            else HTTPConnection(where, port, timeout=_ANSWER_SECONDS)
        )
        try:
            connection.request("PATCH", path)
            answer = connection.getresponse()
            text = answer.read(1000).decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise GateError("The frontend is not responding.", ("deployer status",), str(error)) from error
        finally:
            connection.close()
        if answer.getheader(GATE_HEADER) != "closed":
            raise _out_of_date(f"PATCH {path}: {answer.status}\n{text[:200]}")


def recover(deployment: Deployment, engine: Engine) -> str:
    """Open a gate that a command which is gone left closed; return what to say about it, "" for nothing.

    The lock tells whether it is gone. What cannot be fixed now is said as well, and not raised.
    """
    gate = Gate.of(deployment)
    holder = gate.holder()
    try:
        with exclusive(deployment.lock_file):
            # Only then is it sure that nothing changes the storage any more.
            preflight.check_here(engine)
            remove_leftover(engine, deployment)
            gate.open()
    except HostError:
        return ""
    except DeployerError as error:
        return f"{_ended(holder)} They are still paused: {error}" if holder else ""
    return f"{_ended(holder)} They have resumed." if holder else ""


def _ended(holder: GateHolder) -> str:
    return f"{holder} ended while writes were paused (since {holder.since:%Y-%m-%d %H:%M:%S} UTC)."


def _out_of_date(original: str) -> GateError:
    return GateError(
        "Cannot pause writes: the deployed files do not match this version of deployer.",
        ("deployer up",),
        original,
    )
