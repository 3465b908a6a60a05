"""Timing whole commands in turn, so that a machine that drifts drifts for both."""

from __future__ import annotations

import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass
class Command:
    """A command line with its folder and environment; `output` is what its last run printed."""

    words: Sequence[str]
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    output: str = ""

    def run(self) -> float:
        """Run it once; return the seconds of wall clock. A failure ends the benchmark with its words."""
        begun = time.perf_counter()
        done = subprocess.run(self.words, env=self.environment, cwd=self.folder, capture_output=True, check=False)
        seconds = time.perf_counter() - begun
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(self.words)}: exit {done.returncode}\n{done.stderr.decode()}")
        self.output = done.stdout.decode()
        return seconds


# How a number is written in the table.
SECONDS = "{:.3f} s"
RATE = "{:,.0f}/s"
THROUGHPUT = "{:,.0f} MB/s"
NUMBER = "{:,.0f}"
KILOBYTES = "{:.1f} kB"
MILLISECONDS = "{:.0f} ms"


@dataclass(frozen=True)
class Figure:
    """Ours against a peer, where there is one: medians, how they are written, and the target set before."""

    title: str
    ours: float
    peer: float | None
    peer_name: str
    target: str
    reached: bool
    form: str = SECONDS

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's."""
        return None if self.peer is None else self.ours / self.peer


def in_turn(
    ours: Command, peer: Command, *, runs: int, before: Callable[[], None] = lambda: None
) -> tuple[float, float]:
    """The median seconds of two commands, run in turn after one run each that does not count.

    `before` is called, uncounted, before each run of either.
    """

    def prepared(command: Command) -> Callable[[], float]:
        def run() -> float:
            before()
            return command.run()

        return run

    found = medians({"ours": prepared(ours), "peer": prepared(peer)}, runs)
    return found["ours"], found["peer"]


def medians(measurements: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """The median of each measurement, made in turn after one of each that does not count."""
    samples: dict[str, list[float]] = {name: [] for name in measurements}
    for number in range(runs + 1):
        for name, measure in measurements.items():
            value = measure()
            if number:
                samples[name].append(value)
    return {name: statistics.median(kept) for name, kept in samples.items()}


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table, as docs/explanation/benchmarks.md shows them."""
    lines = ["| what | deployer | peer | ratio | target |", "|---|---|---|---|---|"]
    for figure in figures:
        target = figure.target if figure.reached else f"{figure.target} (missed)"
        ours = figure.form.format(figure.ours)
        peer, ratio = "", ""
        if figure.peer is not None and figure.ratio is not None:
            peer = f"{figure.form.format(figure.peer)} ({figure.peer_name})"
            ratio = f"{figure.ratio:.2f}" if figure.ratio >= 0.01 else f"{figure.ratio:.1g}"
        lines.append(f"| {figure.title} | {ours} | {peer} | {ratio} | {target} |")
    return "\n".join(lines)
