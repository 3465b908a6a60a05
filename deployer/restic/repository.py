"""restic's repository at a backup target: the commands of restic, run in its container.

A snapshot of restic is called a part here: one backup of a deployment has several.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from deployer.errors import BackupError, EngineError, NoBackups
from deployer.rendering.snippets import backup_script, storage_script
from deployer.restic.messages import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from deployer.engine.engine import Engine
    from deployer.registry.connection.proxy import Proxy
    from deployer.restic.target import Target

_DIRECTORY = "/backup"
_READING = frozenset({"cat", "check", "dump", "list", "restore", "snapshots"})


class Found(Enum):
    """What is at a target before the first backup."""

    BACKUPS = "repository"
    NOTHING = "empty"
    OTHER = "other"


@dataclass(frozen=True)
class Part:
    """One of restic's snapshots; its tags of the form `key=value`."""

    id: str
    time: datetime
    host: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Stored:
    """The part that a run of restic stored: how large it is, and how much of it was new; in bytes."""

    id: str
    size: int
    added: int


@dataclass(frozen=True)
class Progress:
    """How far restic has come, in bytes."""

    done: int
    total: int


@dataclass(frozen=True)
class StoredFile:
    """A file in a part: its path and its size in bytes."""

    path: str
    size: int


@dataclass
class Repository:
    """The backups at a target, through the container in which restic runs. Methods raise BackupError or EngineError."""

    engine: Engine
    container: str
    target: Target
    _id: str = field(default="", init=False)
    _proxy: Proxy | None = field(default=None, init=False)

    def open(self, password: str, environment: Mapping[str, str]) -> None:
        """Give restic its password and settings; to be called first."""
        self._proxy = self.target.proxy(environment)
        self._run_script("open", stdin=self.target.variables(password, environment))

    def look(self) -> Found:
        """What is at the target; a server is only asked whether there are backups."""
        if self.target.directory is not None:
            return Found(self._run_script("look", _DIRECTORY).decode().strip())
        return Found.BACKUPS if self.id else Found.NOTHING

    def expect_writable(self) -> None:
        """Make sure that files can be created in the target directory. Raises BackupError."""
        if self.target.directory is not None:
            self._run_script("write", _DIRECTORY)

    @property
    def id(self) -> str:
        """The ID of restic's repository; "" if there is none yet."""
        if not self._id:
            with suppress(NoBackups):
                self._id = str(json.loads(self._run("cat", "config"))["id"])
        return self._id

    def create(self) -> None:
        """Create restic's repository; an incomplete one is created again."""
        if self.target.directory is not None:
            self._run_script("clear", _DIRECTORY)
        self._run("init")

    def parts(self, *hosts: str) -> tuple[Part, ...]:
        """The parts of all backups, or of those of these deployments; the oldest first."""
        printed = self._run("snapshots", "--json", *_of_hosts(hosts))
        found = [
            Part(
                str(one["id"]),
                datetime.fromisoformat(one["time"]),
                str(one["hostname"]),
                dict(_pairs(one.get("tags") or ())),
            )
            for one in json.loads(printed) or ()
        ]
        return tuple(sorted(found, key=lambda part: part.time))

    def store_links(self, root: str, name: str, about: About) -> Stored:
        """Store the list of the links below a registry's root, under this name."""
        script = storage_script("digest") + backup_script("links")
        return _stored(self._run_script("store-links", script, root, *_backup(about, name)))

    def store_bytes(self, content: bytes, name: str, about: About) -> Stored:
        """Store a file of this content."""
        return _stored(self._run(*_backup(about, name), stdin=content))

    def has_folder(self, path: str) -> bool:
        """Whether a folder exists where restic runs."""
        return bool(self._run_script("has", path))

    def store_tree(self, path: str, about: About, on_progress: Callable[[Progress], None]) -> Stored:
        """Store all files below a folder, but for those that cannot be read there: restic then stores the others."""
        summary: list[str] = []

        def watch(line: str) -> None:
            found = _message(line)
            if found.get("message_type") == "status":
                on_progress(Progress(int(found.get("bytes_done", 0)), int(found.get("total_bytes", 0))))
            elif found.get("message_type") == "summary":
                summary.append(line)

        try:
            self._follow("restic", *_backup(about), path, on_line=watch)
        except BackupError:
            # It says what it stored once that is stored.
            if not summary:
                raise
        return _stored("\n".join(summary).encode())

    def read(self, part: str, name: str) -> bytes:
        """The content of a file in a part."""
        return self._run("dump", part, f"/{name.lstrip('/')}")

    def each_line(self, part: str, name: str, on_line: Callable[[str], None], *, once: bool = False) -> None:
        """Read a file of text in a part, line by line. Reading it again costs little, unless it is read `once`."""
        path = f"/{name.lstrip('/')}"
        if once:
            self._follow("restic", "dump", "--no-lock", part, path, on_line=on_line)
        else:
            self._follow("text", part, path, on_line=on_line)

    def each_file(self, part: str, on_file: Callable[[StoredFile], None]) -> None:
        """List the files of a part."""

        def watch(line: str) -> None:
            found = _message(line)
            if found.get("type") == "file":
                on_file(StoredFile(str(found["path"]), int(found.get("size", 0))))

        self._follow("restic", "ls", "--json", "--no-lock", part, on_line=watch)

    def restore(self, part: str, into: str, paths: Iterable[str]) -> None:
        """Write the files and folders at these paths of a part below a folder, with their whole paths."""
        self._run("restore", part, "--target", into, *(word for path in paths for word in ("--include", path)))

    def check(self) -> None:
        """Make sure that every file that restic lists exists, without reading them all.

        Without a lock: other backups may be in progress at the same target.
        """
        self._run("check", "--quiet")

    def kept(self, hosts: Iterable[str], tag: str, policy: Iterable[str]) -> frozenset[str]:
        """Which of the parts with this tag restic's own rules, such as `--keep-daily 7`, would keep.

        The parts of several hosts count together, as those of one that was renamed.
        """
        printed = self._run(
            "forget", "--dry-run", "--no-lock", "--json", *_of_hosts(hosts), "--tag", tag, "--group-by", "", *policy
        )
        # Without any such part it prints nothing.
        groups = json.loads((printed.decode().splitlines() or [""])[0] or "[]") or ()
        return frozenset(str(one["id"]) for group in groups for one in group["keep"] or ())

    def forget(self, parts: Iterable[str], *, prune: bool) -> None:
        """Remove parts, and with `prune` what only they needed."""
        self._run("forget", *(("--prune",) if prune else ()), *parts)

    def locked_by(self) -> tuple[str, ...]:
        """The host names of the programs that have locked the repository, also of killed ones."""
        if self.target.directory is not None and not self._run_script("locks", _DIRECTORY):
            return ()
        found = []
        for lock in self._run("list", "locks").decode().split():
            # A lock that was released in the meantime cannot be read.
            with suppress(BackupError):
                found.append(str(json.loads(self._run("cat", "lock", lock))["hostname"]))
        return tuple(found)

    def unlock(self, *, remove_all: bool) -> None:
        """Remove the locks that restic considers stale, or all, even those of running programs."""
        self._run("unlock", *(("--remove-all",) if remove_all else ()))

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        # Reading leaves no lock behind, and works on a disk that is mounted read-only.
        lock = ("--no-lock",) if arguments[0] in _READING else ()
        return self._run_script("restic", *arguments, *lock, stdin=stdin)

    def _run_script(self, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        with self._translated():
            return self.engine.containers.run_script(self.container, backup_script(script), *arguments, stdin=stdin)

    def _follow(self, script: str, *arguments: str, on_line: Callable[[str], None]) -> None:
        with self._translated():
            self.engine.containers.follow_script(self.container, backup_script(script), *arguments, on_line=on_line)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except EngineError as error:
            raise in_words(error, self.target, self._proxy) from error


@dataclass(frozen=True)
class About:
    """What identifies a part: its deployment, and its tags."""

    host: str
    tags: Mapping[str, str]


def _backup(about: About, name: str = "") -> list[str]:
    """The command that stores a folder, or with a name, its standard input."""
    stdin = ["--stdin", "--stdin-filename", name] if name else []
    tags = [word for key, value in about.tags.items() for word in ("--tag", f"{key}={value}")]
    return ["backup", "--json", "--host", about.host, *tags, *stdin]


def _of_hosts(hosts: Iterable[str]) -> list[str]:
    return [word for host in hosts for word in ("--host", host)]


def _pairs(tags: Iterable[str]) -> Iterator[tuple[str, str]]:
    for tag in tags:
        key, _, value = tag.partition("=")
        yield key, value


def _message(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stored(printed: bytes) -> Stored:
    for line in reversed(printed.decode(errors="replace").splitlines()):
        found = _message(line)
        if found.get("message_type") == "summary":
            return Stored(str(found["snapshot_id"]), int(found["total_bytes_processed"]), int(found["data_added"]))
    raise BackupError("Restic did not say what it stored.", (), printed.decode(errors="replace")[-2000:])
