"""Upkeep commands that are cut off, and what they leave."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.support.engine_api import containers
from tests.support.run import PATIENCE_SECONDS
from tests.support.warm import Warm

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.stack import DeployedStack
    from tests.support.stored import Stored

NOTHING = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Kept:
    """A copy of what a storage held, with all its times, to begin from again."""

    stored: Stored
    copy: Path

    @classmethod
    def of(cls, stored: Stored, copy: Path) -> Kept:
        shutil.copytree(stored.disk, copy)
        return cls(stored, copy)

    def put_back(self) -> None:
        self.stored.clear()
        shutil.copytree(self.copy, self.stored.disk, dirs_exist_ok=True)


def state(stored: Stored) -> dict[str, bytes]:
    """Every file and folder by its path, with its content, whenever it was written."""
    return {
        str(path.relative_to(stored.disk)): path.read_bytes() if path.is_file() else b""
        for path in stored.disk.rglob("*")
    }


def begin(stack: DeployedStack, *arguments: str) -> Warm:
    """Start a command without a terminal; end it with `finish`."""
    return Warm(arguments, folder=stack.folder, environment=stack.environment)


def finish(process: Warm) -> tuple[int, str]:
    """Wait for a command; its exit code, and what it said on standard error."""
    try:
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, said


def wait_until(reached: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether something came about in that time."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def descendants(process: int) -> set[int]:
    """The processes that a process has started, and those that these have, by their ID."""
    found: set[int] = set()
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = {int(child) for child in listed.read_text().split()}
        except (FileNotFoundError, ProcessLookupError):
            continue
        found |= children.union(*map(descendants, children))
    return found


def started(process: int) -> list[bytes]:
    """The command lines of what a process has started."""
    found = []
    for each in descendants(process):
        try:
            found.append(Path(f"/proc/{each}/cmdline").read_bytes())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def kill_all(process: Warm) -> None:
    """Kill a process with all that it started, as a service manager does."""
    for each in (process.pid, *descendants(process.pid)):
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue


def helpers(stack: DeployedStack) -> list[str]:
    """The helper containers of a deployment, also those that have ended."""
    return [found["Id"] for found in containers(f"deployer.upkeep={stack.directory}")]


def gate(stack: DeployedStack) -> list[str]:
    """The names of the files in a deployment's gate; none while writes are let through."""
    return sorted(path.name for path in (stack.directory / "frontend" / "gate").glob("[!.]*"))


def writes_pass(client: httpx.Client, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether writes of every kind reach the registry by then; none of these changes anything."""
    try:
        return wait_until(lambda: client.patch("/v2/none/blobs/uploads/none").status_code == 404, seconds) and (
            client.delete(f"/v2/none/manifests/{NOTHING}", timeout=seconds).status_code == 404
            and client.post("/v2/none/manifests/none", timeout=seconds).status_code == 405
        )
    except httpx.TimeoutException:
        return False
