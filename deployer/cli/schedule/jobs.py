"""The commands that can be scheduled, called with the options of the schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.cli.commands import backup, integrity, upkeep
from deployer.errors import UsageError
from deployer.jobs import Job
from deployer.settings.values import duration
from deployer.workflows.schedule import clock, records

if TYPE_CHECKING:
    from deployer.cli.session import Session


def perform(session: Session, job: Job) -> None:
    """Run a scheduled command. Raises what it raises, and UsageError if it is not in the settings."""
    if not session.settings.schedule.of(job).is_on:
        source = session.loaded.source
        where = f" in {source}" if source else ": there is no deployer.yaml"
        raise UsageError(f"schedule.{job} is not set{where}.", ("deployer up   (removes it from the schedule)",))
    _COMMANDS[job](session)


def _backup(session: Session) -> None:
    wanted = session.settings.schedule.backup
    options = backup.CreateOptions(keep=wanted.keep or None, without_secrets=wanted.without_secrets)
    backup.create(session, wanted.to, options)


def _prune(session: Session) -> None:
    wanted = session.settings.schedule.prune
    if wanted.older_than is not None or any(rule.older_than is not None for rule in session.settings.retention):
        clock.expect_steady(records.read(session.deployment), session.stack.now())
    if not wanted.says_what:
        upkeep.prune(session, upkeep.RuleOptions())
        return
    rule = upkeep.RuleOptions(
        keep=None if wanted.keep is None else str(wanted.keep),
        older_than=_written(wanted.older_than),
        match=wanted.match,
        protect=wanted.protect,
        by=wanted.by,
        untagged=wanted.untagged,
    )
    upkeep.prune(session, rule, list(wanted.repositories))


def _gc(session: Session) -> None:
    wanted = session.settings.schedule.gc
    upkeep.gc(
        session, upkeep.GarbageOptions(wanted.untagged, _written(wanted.older_than), uploads=_written(wanted.uploads))
    )


def _check(session: Session) -> None:
    wanted = session.settings.schedule.check
    integrity.check(session, integrity.CheckFlags(full=wanted.full, rate=wanted.rate or None))


def _written(seconds: int | None) -> str | None:
    return None if seconds is None else duration.written(seconds)


_COMMANDS = {Job.BACKUP: _backup, Job.PRUNE: _prune, Job.GC: _gc, Job.CHECK: _check}
