"""Figures of gc and prune: against the registry's own collector, and against reading manifests with crane."""

from __future__ import annotations

import json
import statistics
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from benchmarks import peers
from benchmarks.measure import Command, Figure
from benchmarks.storage import StorageFolder, deployed_on_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import DeployedStack

_REPOSITORIES = 10_000
_GARBAGE_BYTES = 1_000_000_000
_RUNS = 3
_PRUNED_REPOSITORIES = 1000
_TAGS = 20
_CRANE_SAMPLE = 400


def gc_figures(folder: Path) -> list[Figure]:
    """`deployer gc` against the registry's own collector: 10,000 repositories, 1 GB of garbage each time."""
    storage = StorageFolder(folder / "gc" / "images")
    for number in range(_REPOSITORIES):
        storage.add_image(f"team{number % 100:02}/app{number:05}", "1", number)
    storage.age()
    with deployed_on_folder(folder / "gc", "gc") as stack:
        ours = Command(stack.command("gc", "--yes", "--json"), stack.environment, stack.folder)
        registry = stack.containers()["registry"]
        own = ["registry", "garbage-collect", "/etc/deployer/config.yaml"]
        peer = Command(["docker", "exec", registry, *own])
        seconds: list[float] = []
        held: list[float] = []
        theirs: list[float] = []
        with _Pulls(stack) as undisturbed:
            time.sleep(5)
        with _Pulls(stack) as disturbed:
            for _ in range(_RUNS):
                storage.add_garbage(_GARBAGE_BYTES)
                seconds.append(ours.run())
                held.append(json.loads(ours.output)["writes_held_seconds"])
                storage.add_garbage(_GARBAGE_BYTES)
                theirs.append(peer.run())
    time_of, hold, collector = (statistics.median(found) for found in (seconds, held, theirs))
    name = "the registry's own collector"
    more = disturbed.longest - undisturbed.longest
    return [
        Figure(
            "`deployer gc`, 10,000 repositories, 1 GB", time_of, collector, name, "≤ 1.2", time_of / collector <= 1.2
        ),
        Figure("… writes paused", hold, collector, f"{name}: all of its run", "as short as can be", reached=True),
        Figure(
            "… longest pull during this time",
            disturbed.longest,
            undisturbed.longest,
            "no gc running",
            "< 2 s more",
            more < 2,
        ),
    ]


def prune_figure(folder: Path) -> Figure:
    """The plan of `deployer prune` against reading as many manifests with crane."""
    crane = peers.crane()
    storage = StorageFolder(folder / "prune" / "images")
    for number in range(_PRUNED_REPOSITORIES * _TAGS):
        storage.add_image(f"app{number // _TAGS:04}", f"t{number % _TAGS}", number)
    storage.age()
    with deployed_on_folder(folder / "prune", "prune") as stack:
        ours = Command(stack.command("prune", "--keep", "5", "--dry-run", "--json"), stack.environment, stack.folder)
        references = [f"{stack.address}/app{number // _TAGS:04}:t{number % _TAGS}" for number in range(_CRANE_SAMPLE)]
        script = f'for image; do "{crane}" manifest --insecure "$image" > /dev/null; done'
        peer = Command(["sh", "-c", script, "sh", *references])
        seconds = statistics.median(ours.run() for _ in range(_RUNS))
        theirs = statistics.median(peer.run() for _ in range(_RUNS)) * _PRUNED_REPOSITORIES * _TAGS / _CRANE_SAMPLE
    return Figure(
        "`deployer prune`, plan for 20,000 tags", seconds, theirs,
        f"`crane manifest` of each, from {_CRANE_SAMPLE}", "≤ 0.5", seconds / theirs <= 0.5,
    )  # fmt: skip


@dataclass
class _Pulls:
    """One image's manifest and layer, pulled over and over in the background; how long the longest took."""

    stack: DeployedStack
    longest: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._pull)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.join()

    def _pull(self) -> None:
        accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
        number = 0
        with self.stack.client as client:
            while not self._over.is_set():
                number = (number + 1) % _REPOSITORIES
                name = f"team{number % 100:02}/app{number:05}"
                begun = time.perf_counter()
                manifest = client.get(f"/v2/{name}/manifests/1", headers=accept)
                for part in (manifest.json()["config"], *manifest.json()["layers"]):
                    client.get(f"/v2/{name}/blobs/{part['digest']}").raise_for_status()
                self.longest = max(self.longest, time.perf_counter() - begun)
                time.sleep(0.02)
