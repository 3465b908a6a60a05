"""The backup password of a deployment: created once, and stored so that only its owner can read it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.errors import BackupError, HostError, UsageError
from deployer.host.files import PRIVATE, read_if_there, read_whole, write_atomically
from deployer.restic.repository import Found
from deployer.workflows.backup import record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployer.paths import Deployment
    from deployer.restic.target import Target

# New ones beside them, with another password, restic does not make; and they may be needed if it is found.
IF_LOST = (
    "If the password is lost, nothing opens these backups. Start new ones in another place: deployer backup "
    "ANOTHER_TARGET"
)
VARIABLE = "DEPLOYER_BACKUP_PASSWORD"


@dataclass(frozen=True)
class Password:
    """The password; `is_new` if the user has not seen it yet."""

    value: str = field(repr=False)
    is_new: bool = False


def given(file: Path | None, environment: Mapping[str, str]) -> str:
    """The password in a file that the user names, or in the environment; "" if neither is given. Raises UsageError."""
    if file is None:
        return environment.get(VARIABLE, "")
    try:
        found = _line(read_whole(file))
    except OSError as error:
        raise UsageError(f"The password cannot be read from {file}.", (), str(error)) from error
    if not found:
        raise UsageError(f"{file} does not contain a password on a single line.")
    return found


def _line(content: bytes) -> str:
    """The one line of text that a file holds, "" if it holds something else."""
    try:
        found = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return ""
    return "" if "\n" in found or "\0" in found else found


def kept(deployment: Deployment) -> str:
    """The password that this deployment's backups have had until now; "" for none. Raises HostError."""
    content = read_if_there(deployment.backup_password_file)
    if content is None:
        return ""
    found = _line(content)
    if not found:
        raise HostError(
            f"{deployment.backup_password_file} is damaged.",
            ("Write the password that `deployer backup` showed into it, on one line.",),
        )
    return found


def choose(deployment: Deployment, target: Target, found: Found, said: str) -> Password:
    """The password for a target: the given one (`said`), the stored one, or a new one. Raises BackupError."""
    known = said or kept(deployment)
    if known:
        # If the first backup failed, it stored the password without showing it.
        return Password(known, is_new=not said and not record.read(deployment))
    if found is Found.BACKUPS:
        raise unknown(target)
    return Password(secrets.token_urlsafe(24), is_new=True)


def unknown(target: Target) -> BackupError:
    """What is said of backups whose password is not known here, which `--new` does not change."""
    return BackupError(
        f"There are backups at {target} already, and their password is not on this machine.",
        (f"deployer backup {target.quoted} --password-file FILE", IF_LOST),
    )


def keep(deployment: Deployment, password: Password) -> None:
    """Store it so that only its owner can read it. Raises HostError."""
    content = f"{password.value}\n".encode()
    if read_if_there(deployment.backup_password_file) != content:
        write_atomically(deployment.backup_password_file, content, PRIVATE)
