"""What drills of a deployment's backups found, as it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from deployer.host.files import PUBLIC, read_if_there, write_atomically
from deployer.host.timestamps import timestamp_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from deployer.paths import Deployment
    from deployer.workflows.backup.record import LastBackup

_MOST_RESULTS = 200


@dataclass(frozen=True)
class DrillResult:
    """The last drill of a backup; `problem` is why it failed, "" if it did not.

    `host` is the deployment and machine whose backup it was: several may back up to one target.
    """

    target: str
    backup: str
    time: datetime
    problem: str = ""
    host: str = ""


def read(deployment: Deployment) -> tuple[DrillResult, ...]:
    """The last drill of each backup, in the order in which they ran; none for a file that cannot be read."""
    try:
        raw = json.loads(read_if_there(deployment.drill_results_file) or b"[]")
        return tuple(_parsed(one) for one in raw)
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()


def _parsed(raw: Mapping[str, object]) -> DrillResult:
    words = {name: str(value) for name, value in raw.items() if name != "time"}
    return DrillResult(**words, time=timestamp_of(raw["time"]))


def last_of(deployment: Deployment, backup: LastBackup) -> DrillResult | None:
    """The last drill of this deployment's own backups at the target of a backup."""
    # Where it is not recorded whose one of them is, they may be the same.
    own = {backup.host, ""}
    found = [one for one in read(deployment) if one.target == backup.target and (not backup.host or one.host in own)]
    return found[-1] if found else None


def keep(deployment: Deployment, result: DrillResult) -> None:
    """Remember a drill in place of the one before it of the same backup. Raises HostError."""
    known = (result.target, result.host, result.backup)
    others = [one for one in read(deployment) if (one.target, one.host, one.backup) != known]
    written = [{**asdict(one), "time": one.time.isoformat()} for one in (*others, result)[-_MOST_RESULTS:]]
    write_atomically(deployment.drill_results_file, (json.dumps(written, indent=1) + "\n").encode(), PUBLIC)
