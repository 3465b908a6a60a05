"""A full check against sha256sum on all processors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.durability.content import add_large_images
from benchmarks.measure import Command, Figure, in_turn
from benchmarks.storage import deployed_on_folder

if TYPE_CHECKING:
    from pathlib import Path

_RUNS = 3


def check_figure(folder: Path) -> Figure:
    """`deployer check --full` of 2 GB against reading the same files."""
    storage = add_large_images(folder / "check" / "images")
    with deployed_on_folder(folder / "check", "check") as stack:
        read = 'find "$1" -name data -type f -print0 | xargs -0 -n 3 -P "$(nproc)" sha256sum > /dev/null'
        ours, peer = in_turn(
            Command(stack.command("check", "--full"), stack.environment, stack.folder),
            Command(["sh", "-c", read, "sh", str(storage.root / "blobs")]),
            runs=_RUNS,
        )
    return Figure("`deployer check --full`, 2 GB", ours, peer, "`sha256sum`, both cores", "≤ 1.1", ours / peer <= 1.1)
