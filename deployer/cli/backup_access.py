"""What the commands about backups share: where those are, and the password that opens them."""

from __future__ import annotations

import platform
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli import ask_password as asking
from deployer.errors import ConfirmationNeeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.cli.session import Session
    from deployer.restic.repository import Repository
    from deployer.restic.target import Target
    from deployer.workflows.backup.catalog import Backup
    from deployer.workflows.backup.create import Machine

TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="Where backups are stored: a directory, such as a mounted network disk, sftp:USER@HOST:/PATH, "
        "s3:https://HOST/BUCKET, or rest:URL.",
        show_default=False,
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="File with the backup password.  [default: $DEPLOYER_BACKUP_PASSWORD, or else the deployment's own]",
        show_default=False,
    ),
]

BackupOption = Annotated[
    str,
    typer.Option(
        "--backup",
        metavar="ID",
        help="ID of the backup, or its beginning; NAME@MACHINE:ID if two machines have the same.  "
        "[default: the newest]",
    ),
]


@dataclass(frozen=True)
class OpenBackups:
    """The backups at a target, opened for looking, and the password that opened them."""

    target: Target
    repository: Repository
    password: str = field(repr=False)


def machine_of(session: Session) -> Machine:
    """This machine, with an image in which restic runs. Raises EngineError or HostError."""
    from deployer.workflows.backup.create import Machine
    from deployer.workflows.deployment.provision import backup_image

    image = backup_image(session.settings, session.engine, session.out.note, partial(session.confirm))
    return Machine(platform.node() or "machine", session.environment, image)


@contextmanager
def opened(session: Session, target: str, password_file: Path | None) -> Iterator[OpenBackups]:
    """Open the backups at a target. The password is asked for if it is not known here.

    Raises BackupError if there are none, and ConfirmationNeeded if no one can say the password.
    """
    from deployer.restic.target import Target
    from deployer.workflows.backup import password, reader
    from deployer.workflows.checks import preflight

    place = Target.parse(target, session.directory)
    place.check_login(session.environment)
    reader.expect_directory(place)
    # On another machine, the directory would be another one.
    preflight.check_here(session.engine)
    said: list[str] = [password.given(password_file, session.environment)]

    def find() -> str:
        deployment = session.known_deployment
        known = said[0] or (password.kept(deployment) if deployment else "")
        try:
            said[0] = known or asking.present(session.out, f"the backups at {place}", from_stdin=False)
        except ConfirmationNeeded as error:
            error.advice = ("Run the command again with --password-file FILE.",)
            raise
        return said[0]

    with reader.opened(session.engine, place, machine_of(session), find) as found:
        yield OpenBackups(place, found, said[0])


def chosen(session: Session, found: OpenBackups, wanted: str) -> Backup:
    """The backup with this ID, or the newest for ""; says why it is not another one.

    Raises BackupError or UsageError.
    """
    from deployer.workflows.backup.catalog import choose

    choice = choose(found.repository, found.target, wanted, session.settings.name, datetime.now(UTC))
    if choice.remark:
        session.out.warn(choice.remark)
    return choice.backup
