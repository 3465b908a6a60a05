"""The backups at a target, opened for looking: restic runs in a container of its own, beside no deployment."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deployer.engine.values import HelperContainer
from deployer.errors import NoBackups
from deployer.rendering import snippets
from deployer.restic.repository import Found, Repository
from deployer.storage.helper import short_lived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployer.engine.engine import Engine
    from deployer.restic.target import Target
    from deployer.workflows.backup.create import Machine

_SCRATCH = "/tmp"  # noqa: S108 - inside the container


@contextmanager
def opened(engine: Engine, target: Target, machine: Machine, password: Callable[[], str]) -> Iterator[Repository]:
    """The backups at a target, of which `expect_directory` holds. `password` is asked for it once there are any.

    Raises BackupError if there are none, or the password is not theirs.
    """
    name = f"deployer-backup-{secrets.token_hex(4)}"
    mounts = target.mounts(machine.environment)
    wanted = HelperContainer(
        name=name,
        label=name,
        image=machine.image,
        beside="",
        mounts=mounts,
        script=snippets.storage_script("guard"),
        arguments=(_SCRATCH,),
        network=target.network,
        reads_anywhere=bool(mounts),
    )
    with short_lived(engine, wanted):
        repository = Repository(engine, name, target)
        if target.directory is not None:
            repository.open("", machine.environment)
            if repository.look() is not Found.BACKUPS:
                raise NoBackups(f"There are no backups at {target}.", ("Check that the disk is mounted.",))
        repository.open(password(), machine.environment)
        if not repository.id:
            raise NoBackups(f"There are no backups at {target}.")
        yield repository


def expect_directory(target: Target) -> None:
    """Make sure that the directory is there, since the engine would make it, or refuse. Raises BackupError."""
    if target.directory is not None and not target.directory.is_dir():
        raise NoBackups(f"There is no directory {target}.", ("Check the path, and that the disk is mounted.",))
