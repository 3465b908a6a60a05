"""Taking a deployment down, and, when asked for, everything it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer import render
from deployer.engine_values import Project
from deployer.host.files import read_if_there
from deployer.host.lock import exclusive
from deployer.storage.helper import remove_leftover
from deployer.workflows import preflight

if TYPE_CHECKING:
    from deployer.workflows.stack import Stack

_PROGRAM_FILES = (
    "compose.yaml", "address.json", "secrets", "users", "ca.crt", "registry", "frontend",
    ".unread", ".unfinished", ".lock",
)  # fmt: skip


@dataclass(frozen=True)
class DownPlan:
    """What `down` removes: containers, volumes and files by name; and where images are kept.

    `users`: how many lose their passwords.
    """

    containers: tuple[str, ...]
    volumes: tuple[str, ...]
    files: tuple[str, ...]
    kept: tuple[str, ...]
    loses_images: bool
    loses_authority: bool = False
    users: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not (self.containers or self.volumes or self.files)


def plan(stack: Stack, *, volumes: bool) -> DownPlan:
    """What `down` would remove. Raises EngineError or PreflightError."""
    preflight.check_engine(stack.engine)
    containers = stack.engine.containers(stack.deployment.name)
    preflight.check_conflict(stack.deployment, containers)
    there = stack.engine.volumes(stack.deployment.name)
    directory = stack.settings.registry.data_directory
    kept = [] if volumes else [f"volume {name}" for name in there if name == stack.data_volume]
    if directory is not None and directory.exists():
        kept.append(f"directory {directory}")
    return DownPlan(
        containers=tuple(container.name for container in containers),
        volumes=there if volumes else (),
        files=_files(stack) if volumes else (),
        kept=tuple(kept),
        loses_images=volumes and stack.data_volume in there,
        loses_authority=volumes and stack.deployment.authority_file.exists(),
        users=len((read_if_there(stack.deployment.users_file) or b"").splitlines()) if volumes else 0,
    )


def apply(stack: Stack, wanted: DownPlan, *, quiet: bool) -> None:
    """Remove what the plan names. Raises EngineError or HostError."""
    if wanted.is_empty:
        return
    with exclusive(stack.deployment.lock_file, "down"):
        # By the project's name alone where its files are gone: containers can always be removed.
        deployed = stack.deployment.compose_file.exists()
        project = stack.project() if deployed else Project(stack.deployment.name, stack.deployment.directory, ())
        # Its hold on a volume would keep that from going.
        remove_leftover(stack.engine, stack.deployment)
        stack.engine.down(project, volumes=bool(wanted.volumes), quiet=quiet)
        # That of a page whose service an `up` took out, and was cut off.
        stack.engine.remove_unused_networks(stack.deployment.name)
        for volume in wanted.volumes:
            stack.engine.remove_volume(volume)
        for path in wanted.files:
            (stack.deployment.directory / path).unlink(missing_ok=True)
    if wanted.files:
        _remove_empty_folders(stack)


def _files(stack: Stack) -> tuple[str, ...]:
    """The files that deployer wrote; the override file only while it is as it was created."""
    root = stack.deployment.directory
    found = [
        path
        for name in _PROGRAM_FILES
        for path in ((root / name).rglob("*") if (root / name).is_dir() else [root / name])
    ]
    if read_if_there(stack.deployment.override_file) == render.override().content:
        found.append(stack.deployment.override_file)
    return tuple(path.relative_to(root).as_posix() for path in found if path.is_file())


def _remove_empty_folders(stack: Stack) -> None:
    root = stack.deployment.directory
    folders = sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True)
    for folder in (*folders, root):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
