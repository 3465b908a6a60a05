"""The deployment's folder: its secret, its rendered files, and what would change in them."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import secrets
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import yaml

from deployer import layout
from deployer.errors import HostError
from deployer.host.files import PRIVATE, PUBLIC, read_if_there, write_atomically
from deployer.layout import Service
from deployer.record import Owned, Record
from deployer.rendering import snippets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deployer.paths import Deployment
    from deployer.rendering.templates import File

# The folders whose files are all rendered, but for the marks of the gate, and what ran.
FOLDERS = (Service.REGISTRY, Service.FRONTEND, "schedule", "runs")
# What is removed if the settings ask for no such file any more: of the page, and of the schedule.
_OPTIONAL = ("frontend/page/", "frontend/overview/", "schedule/")
OWN_HEADER = b"# Written by deployer"
"""How the Compose file that deployer writes begins."""
_SECRET = re.compile(r'^\s*secret: "?([0-9a-zA-Z]+)"?$', re.MULTILINE)


@dataclass(frozen=True)
class FileChange:
    """A file as it is deployed and as it would be; None if there is none."""

    path: str
    before: bytes | None
    after: bytes | None


def secret_of(deployment: Deployment) -> str | None:
    """The secret that signs uploads, or None before the first `up`. Raises HostError if it is unreadable."""
    content = read_if_there(deployment.secrets_file)
    if content is None:
        return None
    try:
        return str(json.loads(content)["http"])
    except (ValueError, KeyError, TypeError) as error:
        remove = f"rm {shlex.quote(str(deployment.secrets_file))}"
        raise HostError(
            f"{deployment.secrets_file} is damaged.",
            (f"{remove}   (`up` creates a new one; uploads in progress start over)",),
        ) from error


def new_secret() -> str:
    """A secret no one can guess."""
    return secrets.token_hex(32)


def keep_secret(deployment: Deployment, secret: str) -> None:
    """Write the secret where only its owner reads it."""
    write_atomically(deployment.secrets_file, (json.dumps({"http": secret}) + "\n").encode(), PRIVATE)


def keep_record(deployment: Deployment, record: Record) -> None:
    """Remember where the deployment is reached."""
    if read_if_there(deployment.record_file) != record.content:
        write_atomically(deployment.record_file, record.content, PUBLIC)


def keep_starting(deployment: Deployment, services: Iterable[str]) -> None:
    """Remember which services are about to be started, until `keep_started`. Raises HostError."""
    write_atomically(deployment.start_pending_file, "\n".join(services).encode(), PRIVATE)


def keep_started(deployment: Deployment) -> None:
    """Remember that those were started, with their hooks."""
    deployment.start_pending_file.unlink(missing_ok=True)


def starting(deployment: Deployment) -> frozenset[str]:
    """The services that an `up` was about to start, and of which is not known whether it did. Raises HostError."""
    return frozenset((read_if_there(deployment.start_pending_file) or b"").decode(errors="replace").splitlines())


def deployed_storage(deployment: Deployment) -> str | None:
    """Where the deployed Compose file keeps images: a directory, "data" for the volume, None for no file."""
    content = read_if_there(deployment.compose_file)
    if content is None:
        return None
    try:
        mounts = yaml.safe_load(content)["services"][Service.REGISTRY]["volumes"]
        return str(next(mount["source"] for mount in mounts if mount["target"] == layout.STORAGE)).replace("$$", "$")
    except (yaml.YAMLError, KeyError, TypeError, StopIteration):
        # Damaged by hand: `up` writes it again, and the volume or directory is where it was.
        return None


def deployed_tls(deployment: Deployment) -> bool:
    """Whether the deployment was last brought up with TLS."""
    record = Record.read(deployment.record_file)
    return record is not None and bool(record.tls.get("certificate") or record.tls.get("mode", "off") != "off")


def changes(deployment: Deployment, files: Iterable[File]) -> tuple[FileChange, ...]:
    """What writing these files would change, leftovers of an earlier page included."""
    wanted = {file.path: file for file in files}
    found: list[FileChange] = []
    for path, file in wanted.items():
        before = read_if_there(deployment.directory / path)
        if before != file.content:
            found.append(FileChange(path, before, file.content))
    ours = is_ours(deployment)
    left = [path for path in written(deployment) if path not in wanted and path.startswith(_OPTIONAL) and ours(path)]
    found += [FileChange(path, (deployment.directory / path).read_bytes(), None) for path in left]
    return tuple(found)


def is_empty(deployment: Deployment) -> bool:
    """Whether its folder has nothing but the lock, as one that was just made."""
    return all(path == deployment.lock_file for path in deployment.directory.iterdir())


def is_deployed(deployment: Deployment) -> bool:
    """Whether the Compose file in the folder is deployer's."""
    return (read_if_there(deployment.compose_file) or b"").startswith(OWN_HEADER)


def is_ours(deployment: Deployment) -> Callable[[str], bool]:
    """A function: whether deployer wrote the file at a path below `registry` or `frontend`.

    An `up` of before that was remembered wrote everything in them.
    """
    owned = Owned.read(deployment.owned_file)
    if owned is None:
        deployed = is_deployed(deployment)
        return lambda _: deployed
    known = owned.files
    return known.__contains__


def written(deployment: Deployment) -> tuple[str, ...]:
    """The paths of the files in the folders that deployer writes to, no matter who wrote them."""
    return tuple(
        path.relative_to(deployment.directory).as_posix()
        for name in FOLDERS
        for path in sorted((deployment.directory / name).rglob("*"))
        if path.is_symlink() or path.is_file()
    )


def outdates(deployment: Deployment, file: File, started: datetime) -> bool:
    """Whether a service that read this file when it was started may run on another content.

    So it is where the file is not as rendered, and where it was written since: a hand's change
    that was undone, or one that a killed `up` fixed in the file alone.
    """
    path = deployment.directory / file.path
    if read_if_there(path) != file.content:
        return True
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) > started


def write(deployment: Deployment, files: Iterable[File]) -> None:
    """Bring the folder to these files, each in one step; the user's override file is only ever created."""
    kept = tuple(files)
    deployment.directory.mkdir(parents=True, exist_ok=True)
    for change in changes(deployment, kept):
        if change.after is None:
            (deployment.directory / change.path).unlink(missing_ok=True)
    for file in kept:
        target = deployment.directory / file.path
        if read_if_there(target) != file.content or (target.stat().st_mode & 0o777) != file.mode:
            write_atomically(target, file.content, file.mode)
    if not deployment.override_file.exists():
        mine = snippets.override()
        write_atomically(deployment.override_file, mine.content, mine.mode)


def diff(change: FileChange, hidden: Iterable[str] = ()) -> str:
    """A change as a unified diff, secrets hidden."""

    def lines(content: bytes | None) -> list[str]:
        if change.path in layout.HIDDEN and content:
            # A digest in its place, so that a difference is seen.
            return [f"{layout.HIDDEN[change.path]} {hashlib.sha256(content).hexdigest()[:8]}\n"]
        text = (content or b"").decode(errors="replace")
        for secret in (*hidden, *_SECRET.findall(text)):
            text = text.replace(secret, layout.HIDDEN_SECRET)
        return text.splitlines(keepends=True)

    return "".join(
        difflib.unified_diff(
            lines(change.before),
            lines(change.after),
            fromfile=f"deployed/{change.path}" if change.before is not None else "/dev/null",
            tofile=f"rendered/{change.path}" if change.after is not None else "/dev/null",
        )
    )
