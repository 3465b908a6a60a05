"""The memory of backups and checks at a million links: of the command, and of its container."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks.durability.content import add_links
from benchmarks.measure import Figure
from benchmarks.storage import StorageFolder, deployed_on_folder
from deployer.engine.containers import HELPER_LABEL
from tests.support.engine_api import containers

if TYPE_CHECKING:
    from tests.support.stack import DeployedStack

_LINKS = 1_000_000
_FEWER = 100_000
_MOST = 150.0
_MEGABYTES = "{:,.0f} MB"
_PAUSE_SECONDS = 0.05
_GROUPS = Path("/sys/fs/cgroup")
# Anonymous memory, and files in memory: what the kernel cannot take back. The cgroup's versions 1 and 2.
_HELD = {
    "memory/docker/{}/memory.stat": ("total_rss", "total_shmem"),
    "system.slice/docker-{}.scope/memory.stat": ("anon", "shmem"),
    "docker/{}/memory.stat": ("anon", "shmem"),
}


def memory_figures(folder: Path) -> list[Figure]:
    """The peaks at 1,000,000 links against those at 100,000."""
    storage = StorageFolder(folder / "memory" / "images")
    target = folder / "target"
    target.mkdir()
    commands = {
        "`deployer backup`": ("backup", str(target)),
        "`deployer check`": ("check",),
        "`deployer check --full`": ("check", "--full"),
    }
    peaks = []
    with deployed_on_folder(folder / "memory", "memory") as stack:
        done = 0
        for links in (_FEWER, _LINKS):
            add_links(storage, done, links)
            done = links
            peaks.append({name: peak_of(stack, *words) for name, words in commands.items()})
    return [
        Figure(
            f"{name}, memory of the {where} at 1,000,000 links", most, fewer, "100,000 links", "≤ 150 MB",
            most <= _MOST, _MEGABYTES,
        )
        for name in commands
        for where, fewer, most in zip(
            ("command", "container"), peaks[0][name], peaks[1][name], strict=True
        )
    ]  # fmt: skip


def peak_of(stack: DeployedStack, *words: str) -> tuple[float, float]:
    """The most memory that a command held, and its container; in MB."""
    with _Container(stack) as container:
        command = subprocess.Popen(
            stack.command(*words), env=stack.environment, cwd=stack.folder, stdout=subprocess.DEVNULL
        )
        # Also of the Docker clients that it runs, each by itself.
        _, status, used = os.wait4(command.pid, 0)
        command.returncode = os.waitstatus_to_exitcode(status)
    if command.returncode:
        raise SystemExit(f"deployer {' '.join(words)}: exit {command.returncode}")
    return used.ru_maxrss / 1000, container.most / 1_000_000


@dataclass
class _Container:
    """The container in which a command works on the storage, watched in the background."""

    stack: DeployedStack
    most: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        registry = self.stack.containers()["registry"]
        while not self._over.is_set():
            helpers = [one["Id"] for one in containers(HELPER_LABEL) if _is_beside(one, self.stack, registry)]
            for _ in range(20):
                self.most = max((self.most, *map(_held, helpers)))
                time.sleep(_PAUSE_SECONDS)


def _is_beside(container: dict[str, object], stack: DeployedStack, registry: str) -> bool:
    """Whether it is a helper with this registry's storage mounted."""
    mounts = container.get("Mounts")
    sources = [one.get("Source") for one in mounts] if isinstance(mounts, list) else []
    return container["Id"] != registry and str(stack.folder / "images") in sources


def _held(container: str) -> int:
    """Bytes that a container holds now; 0 once it is gone."""
    for place, names in _HELD.items():
        try:
            lines = (_GROUPS / place.format(container)).read_text().splitlines()
        except OSError:
            continue
        found = dict(line.split(" ", 1) for line in lines)
        return sum(int(found[name]) for name in names)
    return 0
