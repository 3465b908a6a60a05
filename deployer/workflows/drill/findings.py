"""What `status` says about drills."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deployer.registry.content.moments import TOLERANCE
from deployer.workflows.backup import record
from deployer.workflows.drill.place import DrillPlace
from deployer.workflows.drill.record import last_of
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.paths import Deployment

_DAYS = 30


def findings(deployment: Deployment, now: datetime) -> Iterator[Finding]:
    """That the last drill failed, or that there was none for long, at the target of the last backup.

    And that one was killed: what it has left uses room on the disk.
    """
    backups = record.read(deployment)
    target = backups[-1].target if backups else ""
    command = f"deployer backup drill {shlex.quote(target) if target else 'TARGET'}"
    for left in DrillPlace.of(deployment).left():
        sentence = f"A drill was interrupted, and its copy {left.name} is still on this machine."
        yield Finding(FindingState.NOTE, sentence, (f"{command}   (removes it first)",))
    last = last_of(deployment, backups[-1]) if backups else None
    if last and last.problem:
        sentence = f"The last drill of a backup at {target}, on {last.time:%Y-%m-%d}, failed: {last.problem}"
        yield Finding(FindingState.NOTE, sentence, (command,))
        return
    tested = last.time if last else _first_backup(deployment)
    # One that is dated in the future was made under a wrong clock: it may be of any age.
    if target and tested and not -TOLERANCE <= now - tested < timedelta(days=_DAYS):
        sentence = f"No backup at {target} has had a successful drill in the last {_DAYS} days."
        yield Finding(FindingState.NOTE, sentence, (command,))


def _first_backup(deployment: Deployment) -> datetime | None:
    """Since when there have been backups: their password is written with the first one, and then stays as it is."""
    try:
        return datetime.fromtimestamp(deployment.backup_password_file.stat().st_mtime, UTC)
    except OSError:
        return None
