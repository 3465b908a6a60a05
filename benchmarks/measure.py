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


@dataclass(frozen=True)
class Figure:
    """Ours against a peer: medians in seconds, and what was aimed at."""

    title: str
    ours: float
    peer: float
    peer_name: str
    aim: str
    reached: bool

    @property
    def ratio(self) -> float:
        """Ours divided by the peer's."""
        return self.ours / self.peer


def in_turn(
    ours: Command, peer: Command, *, runs: int, before: Callable[[], None] = lambda: None
) -> tuple[float, float]:
    """The median seconds of two commands, run in turn after one run each that does not count.

    `before` is called, uncounted, before each run of either.
    """
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(runs + 1):
        for command, kept in zip((ours, peer), samples, strict=True):
            before()
            seconds = command.run()
            if number:
                kept.append(seconds)
    return statistics.median(samples[0]), statistics.median(samples[1])


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table, as the README shows them."""
    lines = ["| what | ours | peer | ratio | aim |", "|---|---|---|---|---|"]
    for figure in figures:
        aim = figure.aim if figure.reached else f"{figure.aim} (missed)"
        lines.append(
            f"| {figure.title} | {figure.ours:.3f} s | {figure.peer:.3f} s ({figure.peer_name}) "
            f"| {figure.ratio:.2f} | {aim} |"
        )
    return "\n".join(lines)
