"""What a run of the tests made, removed at its end: also what a worker left that was killed or interrupted."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.support.run import LABEL, OF_ANY_WORKER, alone, ports_file

OWN_IMAGES = ("deployer-registry", "deployer-frontend", "deployer-base")


def images_before() -> Path:
    """Where the names of deployer's own images are written down that were here before the run needed any."""
    return Path(tempfile.gettempdir()) / f"{OF_ANY_WORKER}images"


def note_images() -> None:
    """Write them down, once for the whole run."""
    with alone("images"):
        if not images_before().exists():
            images_before().write_text("\n".join(own_images()))


def own_images() -> list[str]:
    """The names of deployer's own images that the engine has."""
    return [name for name in _listed("image", "ls", "--format", "{{.Repository}}:{{.Tag}}") if _is_own(name)]


def sweep() -> None:
    """Remove all that this run made and that is still there; nothing if it never needed an engine."""
    if images_before().exists():
        _remove("container", "--filter", f"name={OF_ANY_WORKER}")
        _remove("container", "--filter", f"label={LABEL}")
        for kind in ("volume", "network"):
            _remove(kind, "--filter", f"name={OF_ANY_WORKER}")
        before = images_before().read_text().splitlines()
        _call("image", "rm", *_images_by_port(), *_images_by_name(), *(set(own_images()) - set(before)))
        _call("image", "rm", "--force", *_listed("image", "ls", "--quiet", "--filter", f"label={LABEL}"))
    for folder in Path("/tmp").glob(f"{OF_ANY_WORKER}*/"):
        _stop_daemon(folder / "docker.pid")
        shutil.rmtree(folder, ignore_errors=True)
    for namespace in Path("/run/netns").glob(f"{OF_ANY_WORKER}*"):
        subprocess.run(["ip", "netns", "delete", namespace.name], check=False, capture_output=True)
    for file in (images_before(), ports_file()):
        file.unlink(missing_ok=True)


def _images_by_name() -> set[str]:
    """The local names that have the name of a deployment of this run in them, as of images that it keeps."""
    return {name for name in _listed("image", "ls", "--format", "{{.Repository}}:{{.Tag}}") if OF_ANY_WORKER in name}


def _images_by_port() -> set[str]:
    """The local names of images that were pushed to, or pulled from, a registry of this run."""
    given = ports_file().read_text().split() if ports_file().exists() else []
    ours = re.compile(rf"(localhost|127\.[\d.]+):({'|'.join(given) or 'none'})/")
    return {name for name in _listed("image", "ls", "--format", "{{.Repository}}:{{.Tag}}") if ours.match(name)}


def _is_own(name: str) -> bool:
    return name.startswith(OWN_IMAGES)


def _remove(kind: str, *listing: str) -> None:
    every = ("--all",) if kind == "container" else ()
    force = ("--force", "--volumes") if kind == "container" else ("--force",)
    _call(kind, "rm", *force, *_listed(kind, "ls", "--quiet", *every, *listing))


def _listed(*listing: str) -> list[str]:
    done = subprocess.run(["docker", *listing], check=False, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def _call(kind: str, verb: str, *words: str) -> None:
    if any(not word.startswith("-") for word in words):
        subprocess.run(["docker", kind, verb, *words], check=False, capture_output=True)


def _stop_daemon(pid_file: Path) -> None:
    """End a dockerd whose test could not, and wait until its folder is its own no more."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
