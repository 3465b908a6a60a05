"""A disk with sectors that cannot be read, as a failing one has them. Needs root."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_BLOCK = 1024
_BLOCKS = 256 * 1024


@contextmanager
def bad_disk(content: Path, unreadable: Sequence[str], image: Path, place: Path) -> Iterator[None]:
    """Mount a disk with the content of a folder, in which some files, by their paths in it, begin at a bad sector.

    Their first blocks are at the end of the disk, which is cut off: the kernel answers EIO there.
    """
    run("mke2fs", "-q", "-t", "ext2", "-b", str(_BLOCK), "-d", str(content), str(image), str(_BLOCKS))
    commands = []
    for number, path in enumerate(unreadable, 1):
        block = _BLOCKS - number
        commands += [f"sif /{path} block[0] {block}", f"setb {block}"]
    script = image.with_suffix(".debugfs")
    script.write_text("\n".join(commands) + "\n")
    run("debugfs", "-w", "-f", str(script), str(image))
    device = run("losetup", "--find", "--show", str(image)).strip()
    try:
        os.truncate(image, (_BLOCKS - len(unreadable)) * _BLOCK)
        place.mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "ext2", device, str(place))
        try:
            yield
        finally:
            run("umount", "--lazy", str(place))
    finally:
        run("losetup", "--detach", device)


def run(*command: str) -> str:
    """Run a program that has to succeed; what it printed."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
