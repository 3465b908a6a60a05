"""Backups and restores against plain restic, and what a push notices of a backup."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.durability.clients import Pushes
from benchmarks.durability.content import add_large_images, add_repositories
from benchmarks.durability.plain_restic import PlainRestic
from benchmarks.measure import Command, Figure, medians
from benchmarks.storage import deployed_on_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.stack import DeployedStack

_RUNS = 2
_RUNS_AGAIN = 3
_UNDISTURBED_SECONDS = 10
_RESTIC = "restic by itself"


def first_backup_figures(folder: Path) -> list[Figure]:
    """The first backup of 2 GB against restic and tar, and bringing it back."""
    storage = add_large_images(folder / "first" / "images")
    with deployed_on_folder(folder / "first", "first") as stack:
        new = _Targets(folder)
        archive = ["sh", "-c", 'tar -c -C "$1" . | zstd -q -T0 > "$2"', "sh", str(storage.folder), str(folder / "tar")]
        found = medians(
            {
                "ours": lambda: _backup(stack, new.next()).run(),
                "restic": lambda: PlainRestic(storage.folder, new.next()).first_backup().run(),
                "tar": Command(archive).run,
            },
            _RUNS,
        )
        ours, restic, tar = found["ours"], found["restic"], found["tar"]
        restored = _restore(stack, storage.folder, new)
    return [
        Figure("`deployer backup`, first, 2 GB", ours, restic, _RESTIC, "≤ 1.1", ours / restic <= 1.1),
        Figure("…", ours, tar, "`tar \\| zstd`", "", reached=True),
        restored,
    ]


def _restore(stack: DeployedStack, storage: Path, new: _Targets) -> Figure:
    """Bring 2 GB back into an empty registry."""
    ours, plain = new.next(), PlainRestic(storage, new.next())
    _backup(stack, ours).run()
    plain.first_backup().run()

    def emptied(command: Command) -> float:
        # What restic writes belongs to root, as whom the benchmarks may not run.
        for folder in (storage / "docker", plain.target / "restored"):
            subprocess.run(["rm", "-rf", str(folder)], check=True)
        return command.run()

    restore = Command(stack.command("restore", str(ours), "--only", "*", "--yes"), stack.environment, stack.folder)
    found = medians({"ours": lambda: emptied(restore), "restic": lambda: emptied(plain.restore())}, _RUNS)
    seconds, restic = found["ours"], found["restic"]
    return Figure("`deployer restore`, 2 GB", seconds, restic, _RESTIC, "≤ 1.2", seconds / restic <= 1.2)


def next_backup_figures(folder: Path) -> list[Figure]:
    """A backup with nothing new at 10,000 repositories, and pushes during it."""
    storage = add_repositories(folder / "next" / "images")
    with deployed_on_folder(folder / "next", "next") as stack:
        new = _Targets(folder)
        plain = PlainRestic(storage.folder, new.next())
        ours = _backup(stack, new.next())
        ours.run()
        plain.first_backup().run()
        found = medians({"ours": ours.run, "restic": plain.backup().run}, _RUNS_AGAIN)
        with Pushes(stack, _UNDISTURBED_SECONDS) as undisturbed:
            undisturbed.wait()
        with Pushes(stack) as disturbed:
            ours.run()
    seconds, restic = found["ours"], found["restic"]
    more = disturbed.longest - undisturbed.longest
    return [
        Figure(
            "`deployer backup`, nothing new, 10,000 repositories", seconds, restic, _RESTIC, "≤ 1.2",
            seconds / restic <= 1.2,
        ),
        Figure(
            "… longest push during this time",
            disturbed.longest,
            undisturbed.longest,
            "no backup running",
            "≤ 1 s more",
            more <= 1,
        ),
    ]  # fmt: skip


def _backup(stack: DeployedStack, target: Path) -> Command:
    return Command(stack.command("backup", str(target)), stack.environment, stack.folder)


@dataclass
class _Targets:
    """Directories for backups, of which only the last two take up space."""

    folder: Path

    def __post_init__(self) -> None:
        self._numbers: Iterator[int] = count()

    def next(self) -> Path:
        """A new, empty one."""
        number = next(self._numbers)
        subprocess.run(["rm", "-rf", str(self.folder / f"target-{number - 2}")], check=True)
        made = self.folder / f"target-{number}"
        made.mkdir()
        return made
