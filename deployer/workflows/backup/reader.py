"""The backups at a target, opened for reading: restic runs in its own container, without a deployment."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from deployer.errors import NoBackups
from deployer.restic.repository import Found, Repository
from deployer.storage.helper import HelperTools, looking, short_lived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployer.engine.engine import Engine
    from deployer.restic.target import Target
    from deployer.workflows.backup.create import Machine


@contextmanager
def opened(engine: Engine, target: Target, machine: Machine, password: Callable[[], str]) -> Iterator[Repository]:
    """The backups at a target that passed `expect_directory`. `password` is called only if there are any.

    Raises BackupError if there are none, or the password is not theirs.
    """
    tools = HelperTools(machine.image, target.mounts(machine.environment), target.network)
    with short_lived(engine, looking("backup", tools)) as name:
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
    """Make sure that the directory exists: the engine would create it, or refuse. Raises BackupError."""
    if target.directory is not None and not target.directory.is_dir():
        raise NoBackups(f"There is no directory {target}.", ("Check the path, and that the disk is mounted.",))
