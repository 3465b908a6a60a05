"""The record and the log of each run, in the deployment's directory; only the newest are kept."""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from deployer.errors import HostError, NotFound
from deployer.host.files import PRIVATE, read_if_there, refusal, write_atomically
from deployer.host.timestamps import timestamp_of
from deployer.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from deployer.paths import Deployment

MOST = 100
# More than two clocks may differ by.
_AHEAD = timedelta(hours=1)
_FILE = re.compile(r"(\d{8}T\d{6}Z-[a-z]+(?:-\d+)?)\.(json|log)")
_KILLED = "It was killed before it finished."


class RunResult(StrEnum):
    """How a run ended, or that it is running."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"

    @property
    def is_good(self) -> bool:
        """Whether it needs no attention."""
        return self in {RunResult.RUNNING, RunResult.DONE}


@dataclass(frozen=True)
class Run:
    """One run of a scheduled command. `ended` is None while it runs, or if it was killed.

    `moved` is how many bytes it stored or freed, None if unknown; `sentence` says what went wrong.
    """

    id: str
    job: Job
    started: datetime
    result: RunResult = RunResult.RUNNING
    ended: datetime | None = None
    moved: int | None = None
    sentence: str = ""

    @property
    def duration(self) -> timedelta | None:
        """How long it took, None if unknown."""
        return self.ended - self.started if self.ended else None

    @property
    def content(self) -> bytes:
        """The same as its file holds it."""
        return (
            json.dumps(
                {
                    "job": self.job,
                    "started": self.started.isoformat(),
                    "ended": self.ended.isoformat() if self.ended else None,
                    "result": self.result,
                    "moved": self.moved,
                    "sentence": self.sentence,
                }
            )
            + "\n"
        ).encode()

    @classmethod
    def parse(cls, name: str, content: bytes) -> Run | None:
        """The record in a file; None if it is damaged."""
        try:
            raw = json.loads(content)
            ended = timestamp_of(raw["ended"]) if raw["ended"] else None
            started, moved = timestamp_of(raw["started"]), None if raw["moved"] is None else int(raw["moved"])
            return cls(name, Job(raw["job"]), started, RunResult(raw["result"]), ended, moved, str(raw["sentence"]))
        except (ValueError, TypeError, KeyError):
            return None


@dataclass
class OpenRun:
    """A run that has begun: its log, and its record, which `finish` completes."""

    file: Path
    run: Run
    log: TextIO

    def finish(self, result: RunResult, ended: datetime, *, moved: int | None = None, sentence: str = "") -> Run:
        """Complete the record. Raises HostError."""
        self.run = replace(self.run, result=result, ended=ended, moved=moved, sentence=sentence)
        self.log.flush()
        write_atomically(self.file, self.run.content, PRIVATE)
        return self.run


@contextmanager
def begun(deployment: Deployment, job: Job, started: datetime) -> Iterator[OpenRun]:
    """Begin a run; its log is locked until the end, which distinguishes a running one from one that was killed.

    Raises HostError if it cannot be written.
    """
    folder = deployment.runs_directory
    _clear(deployment, started)
    name, descriptor = _new_log(folder, f"{started:%Y%m%dT%H%M%SZ}-{job}")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", buffering=1) as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        run = OpenRun(folder / f"{name}.json", Run(name, job, started), log)
        write_atomically(run.file, run.run.content, PRIVATE)
        yield run


def _new_log(folder: Path, name: str) -> tuple[str, int]:
    """A new log, with a number in its name if another run began in the same second."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(folder / name, error) from error
    number = 1
    while True:
        chosen = name if number == 1 else f"{name}-{number}"
        path = folder / f"{chosen}.log"
        try:
            return chosen, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        except FileExistsError:
            number += 1
        except OSError as error:
            raise refusal(path, error) from error


def read(deployment: Deployment) -> tuple[Run, ...]:
    """The recorded runs, the newest first. Raises HostError."""
    found = [run for name in _names(deployment) if isinstance(run := _read(deployment, name), Run)]
    return tuple(sorted(found, key=lambda one: (one.started, one.id), reverse=True))


def newest_first(runs: Iterable[Run], now: datetime) -> tuple[Run, ...]:
    """The runs with those last that are dated in the future: a clock was wrong, and they are of any age."""
    return tuple(sorted(runs, key=lambda one: one.started > now + _AHEAD))


def damaged(deployment: Deployment) -> tuple[Path, ...]:
    """The records that cannot be read."""
    return tuple(found for name in _names(deployment) if isinstance(found := _read(deployment, name), Path))


def _read(deployment: Deployment, name: str) -> Run | Path | None:
    """A run; the path of its record if that is damaged; None if it has none."""
    path = deployment.runs_directory / f"{name}.json"
    try:
        content = read_if_there(path)
    except HostError:
        return path
    if content is None:
        return None
    run = Run.parse(name, content)
    return path if run is None else _as_it_is(deployment, run)


def log_of(deployment: Deployment, run: Run) -> str:
    """What a run printed. Raises HostError, and NotFound if its log was removed."""
    content = read_if_there(_log(deployment, run.id))
    if content is None:
        raise NotFound(f"The log of the run {run.id} was removed.", ("deployer runs",))
    return content.decode(errors="replace")


def _as_it_is(deployment: Deployment, run: Run) -> Run:
    """A run without an end is running only while its log is locked."""
    if run.result is not RunResult.RUNNING or _is_locked(_log(deployment, run.id)):
        return run
    return replace(run, result=RunResult.INTERRUPTED, sentence=_KILLED)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _names(deployment: Deployment) -> list[str]:
    """The names of the recorded runs, the newest first."""
    try:
        files = [path.name for path in deployment.runs_directory.iterdir()]
    except OSError:
        return []
    return sorted({found[1] for name in files if (found := _FILE.fullmatch(name))}, reverse=True)


def _clear(deployment: Deployment, now: datetime) -> None:
    """Remove the oldest runs, so that with a new one there are at most MOST.

    None goes because of its age: the clock may be years ahead.
    """
    ahead = f"{now + _AHEAD:%Y%m%dT%H%M%SZ}"
    # Those of a clock that was wrong go first: they would keep a place for as long as it was ahead.
    names = sorted(_names(deployment), key=lambda name: (name < ahead, name), reverse=True)
    for name in names[MOST - 1 :]:
        for path in (deployment.runs_directory / f"{name}.json", _log(deployment, name)):
            # A run must not fail because an old one cannot be removed.
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _log(deployment: Deployment, name: str) -> Path:
    return deployment.runs_directory / f"{name}.log"
