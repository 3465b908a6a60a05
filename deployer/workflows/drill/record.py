"""What drills of a deployment's backups found, as it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from deployer.host.files import PUBLIC, read_if_there, write_atomically

if TYPE_CHECKING:
    from deployer.paths import Deployment

_MOST_RESULTS = 200


@dataclass(frozen=True)
class DrillResult:
    """The last drill of a backup; `problem` is why it failed, "" if it did not."""

    target: str
    backup: str
    time: datetime
    problem: str = ""


def read(deployment: Deployment) -> tuple[DrillResult, ...]:
    """The last drill of each backup, the newest last; none for a file that cannot be read."""
    try:
        raw = json.loads(read_if_there(deployment.drill_results_file) or b"[]")
        found = [DrillResult(**{**one, "time": datetime.fromisoformat(one["time"])}) for one in raw]
        return tuple(sorted(found, key=lambda one: one.time))
    except (ValueError, TypeError, KeyError):
        return ()


def keep(deployment: Deployment, result: DrillResult) -> None:
    """Remember a drill in place of the one before it of the same backup. Raises HostError."""
    known = (result.target, result.backup)
    others = [one for one in read(deployment) if (one.target, one.backup) != known]
    written = [{**asdict(one), "time": one.time.isoformat()} for one in (*others, result)[-_MOST_RESULTS:]]
    write_atomically(deployment.drill_results_file, (json.dumps(written, indent=1) + "\n").encode(), PUBLIC)
