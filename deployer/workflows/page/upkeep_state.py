"""What the page shows of scheduled runs and of backups: a file that the frontend serves.

The page asks no service of deployer's, since there is none: each command that changes some of it writes the file.
No logs, sentences or targets are in it: they may name servers, users and paths of the machine.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from deployer.host.files import PRIVATE, is_directory, read_if_there, write_atomically
from deployer.layout import Service
from deployer.workflows.backup import record
from deployer.workflows.drill import record as drill_record
from deployer.workflows.schedule import calendar, installed, records
from deployer.workflows.schedule.due import missed
from deployer.workflows.schedule.records import RunResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

    from deployer.paths import Deployment
    from deployer.workflows.backup.record import LastBackup
    from deployer.workflows.schedule.records import Run

# The newest runs, and the last one of each command, however old.
_MOST_RUNS = 20


def publish(deployment: Deployment, now: datetime, zone: tzinfo | None = None) -> None:
    """Write the file, unless it says the same already; remove it if there is nothing to say. Raises HostError."""
    if not is_directory(deployment.directory / Service.FRONTEND):
        # Nothing serves it.
        return
    told = told_of(deployment, now, zone or calendar.zone_of_machine())
    file = deployment.upkeep_state_file
    if told is None:
        file.unlink(missing_ok=True)
        return
    content = (json.dumps({"upkeep": told}, separators=(",", ":")) + "\n").encode()
    if read_if_there(file) != content:
        write_atomically(file, content, PRIVATE)


def told_of(deployment: Deployment, now: datetime, zone: tzinfo) -> dict[str, Any] | None:
    """What the file says; None if nothing is scheduled, has run or was backed up."""
    there = installed.read(deployment)
    runs = records.newest_first(records.read(deployment), now)
    backups = record.read(deployment)
    if not (there or runs or backups):
        return None
    late = missed(there, runs, now, zone) if there else {}
    return {
        "jobs": [
            {
                "job": job.value,
                "when": str(one.when),
                "next": _seconds(calendar.following(one.when, now, zone)),
                "missed": _seconds(late.get(job)),
            }
            for job, one in (there.jobs.items() if there else ())
        ],
        "runs": [_run(one) for one in _shown(runs)],
        # One that is killed cannot tell that it does not run: the page sees that it is not heard of.
        "alive": _seconds(now) if any(one.result is RunResult.RUNNING for one in runs) else None,
        "backup": _seconds(backups[-1].time) if backups else None,
        "drill": _drill(deployment, backups[-1]) if backups else None,
    }


def _shown(runs: Sequence[Run]) -> Iterator[Run]:
    seen = set()
    for number, one in enumerate(runs):
        if number < _MOST_RUNS or one.job not in seen:
            yield one
        seen.add(one.job)


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "job": run.job.value,
        "started": _seconds(run.started),
        "ended": _seconds(run.ended),
        "result": run.result.value,
        "bytes": run.moved,
    }


def _drill(deployment: Deployment, backup: LastBackup) -> dict[str, Any] | None:
    """The last drill of a backup where the last one is."""
    found = drill_record.last_of(deployment, backup)
    return {"at": _seconds(found.time), "passed": not found.problem} if found else None


def _seconds(moment: datetime | None) -> int | None:
    """Seconds since 1970, as in what else the page is told."""
    return None if moment is None else int(moment.timestamp())
