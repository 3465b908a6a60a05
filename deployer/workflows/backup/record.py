"""The record of a deployment's backups: their targets, and when the last one at each was made."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from deployer.host.files import PUBLIC, read_if_there, write_atomically
from deployer.host.timestamps import timestamp_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from deployer.paths import Deployment


@dataclass(frozen=True)
class LastBackup:
    """The last complete backup at a target. `repository` is the ID of restic's repository there.

    `host` is the deployment and machine that it is of, as in the list of backups; "" if it was not recorded.
    """

    target: str
    repository: str
    backup: str
    time: datetime
    host: str = ""


def read(deployment: Deployment) -> tuple[LastBackup, ...]:
    """The last backup at each target, the one that was made last at the end; none for a file that cannot be read.

    They are in the order in which they were made, whatever the clock said then.
    """
    try:
        raw = json.loads(read_if_there(deployment.backups_file) or b"[]")
        return tuple(_parsed(one) for one in raw)
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()


def _parsed(raw: Mapping[str, object]) -> LastBackup:
    words = {name: str(value) for name, value in raw.items() if name != "time"}
    return LastBackup(**words, time=timestamp_of(raw["time"]))


def keep(deployment: Deployment, last: LastBackup) -> None:
    """Remember a backup in place of the one before it at the same target. Raises HostError."""
    others = [one for one in read(deployment) if one.target != last.target]
    written = [{**asdict(one), "time": one.time.isoformat()} for one in (*others, last)]
    write_atomically(deployment.backups_file, (json.dumps(written, indent=1) + "\n").encode(), PUBLIC)


def known(deployment: Deployment, target: str) -> LastBackup | None:
    """The last backup at a target."""
    return next((one for one in read(deployment) if one.target == target), None)


@dataclass(frozen=True)
class BegunRestore:
    """A restore of a deployment that has not ended: from where, and with which backup."""

    target: str
    backup: str

    @classmethod
    def of(cls, deployment: Deployment) -> BegunRestore | None:
        """The one that was interrupted; None if there is none."""
        content = read_if_there(deployment.restore_pending_file)
        if content is None:
            return None
        target, _, backup = content.decode(errors="replace").strip().partition("\n")
        return cls(target, backup)

    @property
    def content(self) -> bytes:
        """The same as its file holds it."""
        return f"{self.target}\n{self.backup}\n".encode()

    @property
    def sentence(self) -> str:
        """What to say of it."""
        return f"A restore from {self.target} was interrupted; some images may be missing."

    @property
    def advice(self) -> tuple[str, ...]:
        """How to continue it."""
        return (f"deployer restore {shlex.quote(self.target)}",)
