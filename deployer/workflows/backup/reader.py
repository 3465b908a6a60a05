"""The backups at a target, opened for looking: restic runs in a container of its own, beside no deployment."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.engine.values import HelperContainer
from deployer.errors import NoBackups
from deployer.rendering import snippets
from deployer.restic.repository import Found, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deployer.engine.engine import Engine
    from deployer.restic.target import Target

_SCRATCH = "/tmp"  # noqa: S108 - inside the container


@dataclass(frozen=True)
class ResticImage:
    """The image in which restic runs, and the environment that says how to reach a server."""

    name: str
    environment: Mapping[str, str]


@contextmanager
def opened(engine: Engine, target: Target, image: ResticImage, password: Callable[[], str]) -> Iterator[Repository]:
    """The backups at a target. `password` is asked for it once there are any.

    Raises BackupError if there are none, or the password is not theirs.
    """
    expect_directory(target)
    name = f"deployer-backup-{secrets.token_hex(4)}"
    process = engine.containers.start_helper(
        HelperContainer(
            name=name,
            label=name,
            image=image.name,
            beside="",
            mounts=target.mounts,
            script=snippets.storage_script("guard"),
            arguments=(_SCRATCH,),
            network=target.network,
            reads_anywhere=bool(target.mounts),
        )
    )
    try:
        repository = Repository(engine, name, target)
        if target.directory is not None:
            repository.open("", image.environment)
            if repository.look() is not Found.BACKUPS:
                raise NoBackups(f"There are no backups at {target}.", ("Check that the disk is mounted.",))
        repository.open(password(), image.environment)
        if not repository.id:
            raise NoBackups(f"There are no backups at {target}.")
        yield repository
    finally:
        engine.containers.remove([name])
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def expect_directory(target: Target) -> None:
    """Make sure that the directory is there, since the engine would make it, or refuse. Raises BackupError."""
    if target.directory is not None and not target.directory.is_dir():
        raise NoBackups(f"There is no directory {target}.", ("Check the path, and that the disk is mounted.",))
