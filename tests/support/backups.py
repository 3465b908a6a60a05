"""Backups without an engine: restic's answers as given, and parts of a backup that are held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine.containers import Containers
from deployer.errors import EngineError
from deployer.layout import REGISTRY_ROOT
from deployer.rendering.snippets import backup_script
from deployer.restic.repository import Part, Repository, StoredFile
from deployer.restic.target import Target
from deployer.workflows.backup.catalog import Backup, Contents, PartKind, tags_of, tags_of_seal
from tests.support.fake_engine import FakeEngine, NoClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = Target("/backups", Path("/backups"))
_SCRIPTS = ("open", "look", "write", "locks", "restic", "text", "store-links", "space", "place", "unstage", "put-links")


@dataclass(frozen=True)
class Call:
    """One run in restic's container."""

    script: str
    words: tuple[str, ...]
    stdin: bytes = b""


@dataclass
class ResticContainers(Containers):
    """Answers by the first word that restic is run with, or by the name of the script; a text is a complaint."""

    client: NoClient = field(default_factory=NoClient)
    answers: dict[str, bytes | str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def run_script(self, container: str, script: str, *arguments: str, stdin: bytes = b"") -> bytes:
        name = next(one for one in _SCRIPTS if backup_script(one) == script)
        self.calls.append(Call(name, arguments, stdin))
        answer = self.answers.get(arguments[0] if name == "restic" else name, b"")
        if isinstance(answer, str):
            raise EngineError("failed", original=answer)
        return answer

    def follow_script(self, container: str, script: str, *arguments: str, on_line: Callable[[str], None]) -> None:
        for line in self.run_script(container, script, *arguments).decode().splitlines():
            on_line(line)


def restic(target: Target = TARGET, **answers: bytes | str) -> tuple[Repository, ResticContainers]:
    """A repository whose restic gives these answers, and what was asked of it."""
    containers = ResticContainers(answers={name.replace("_", "-"): answer for name, answer in answers.items()})
    return Repository(FakeEngine(containers=containers), "container", target), containers


def parts_of(
    number: int, kinds: Iterable[PartKind] = PartKind, host: str = "registry@machine", contents: Contents | None = None
) -> tuple[Part, ...]:
    """The parts of a backup that was made this many hours after `MOMENT`: all, or those of an interrupted one."""
    moment = MOMENT + timedelta(hours=number)
    name = f"{moment:%Y%m%dT%H%M%SZ}"
    return tuple(
        Part(
            f"{kind}-{number}-{host}",
            moment + timedelta(minutes=place),
            host,
            tags_of_seal(name, contents or Contents(), has_secrets=True)
            if kind is PartKind.SEAL
            else tags_of(name, kind),
        )
        for place, kind in enumerate(kinds)
    )


BACKUP = Backup("20260101T000000Z", MOMENT, "registry@machine", Contents(), {kind: kind.value for kind in PartKind})


@dataclass
class StoredParts(Repository):
    """The parts of `BACKUP`: its links as lines, its blobs by digest."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    container: str = "container"
    target: Target = TARGET
    lines: list[str] = field(default_factory=list)
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    def each_line(self, part: str, name: str, on_line: Callable[[str], None], *, once: bool = False) -> None:
        for line in self.lines:
            on_line(line)

    def each_file(self, part: str, on_file: Callable[[StoredFile], None]) -> None:
        for digest, content in self.blobs.items():
            algorithm, _, value = digest.partition(":")
            on_file(StoredFile(f"{REGISTRY_ROOT}/blobs/{algorithm}/{value[:2]}/{value}/data", len(content)))

    def read(self, part: str, name: str) -> bytes:
        return self.blobs[f"sha256:{name.split('/')[-2]}"]
