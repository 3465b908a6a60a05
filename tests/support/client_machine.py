"""A client machine: its own network namespace and Docker daemon, and the registry across a wire."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.dockerd import Dockerd, temporary_dockerd
from tests.support.run import OWN

if TYPE_CHECKING:
    from collections.abc import Iterator

# A link of the tests' own: TEST-NET-2 (RFC 5737) is nobody's.
SERVER, CLIENT = "198.51.100.1", "198.51.100.2"

# What the client has of its own instead of this machine's: empty, or a copy.
_EMPTY = ("/etc/docker", "/etc/containerd", "/etc/containers")
_COPIED = ("/etc/ssl/certs", "/usr/local/share/ca-certificates")


def ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


@contextmanager
def client_machine(*, own_files: bool = False) -> Iterator[Dockerd]:
    """The client's daemon, not yet started; with `own_files` it sees system its own folders."""
    # An interface's name has 15 characters at most.
    namespace, ours, theirs = f"{OWN}-client", *(f"{kind}{os.getpid() % 10**6}" for kind in ("dps", "dpc"))
    ip("netns", "add", namespace)
    try:
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
        ip("link", "set", theirs, "netns", namespace)
        ip("addr", "add", f"{SERVER}/30", "dev", ours)
        ip("link", "set", ours, "up")
        ip("-n", namespace, "addr", "add", f"{CLIENT}/30", "dev", theirs)
        ip("-n", namespace, "link", "set", theirs, "up")
        ip("-n", namespace, "link", "set", "lo", "up")
        with temporary_dockerd("client") as daemon:
            enter = ("nsenter", f"--net=/run/netns/{namespace}", "--")
            made = replace(daemon, enter=(*enter, *(_with_own_files(daemon.folder) if own_files else ())))
            try:
                yield made
            finally:
                made.stop()
    finally:
        ip("link", "delete", ours, check=False)
        ip("netns", "delete", namespace, check=False)


def _with_own_files(folder: Path) -> tuple[str, ...]:
    """What makes the folders and enters a mount namespace that has them in the places of the machine's."""
    mounts = []
    for place in (*_EMPTY, *_COPIED):
        own = folder / "own" / place.lstrip("/")
        Path(place).mkdir(parents=True, exist_ok=True)
        if place in _COPIED:
            shutil.copytree(place, own, symlinks=True)
        else:
            own.mkdir(parents=True)
        mounts.append(f"mount --bind {own} {place}")
    return ("unshare", "--mount", "sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh")
