"""The free space on the disk with the images, as the disk guard in the frontend sees it (disk.sh)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.layout import DISK_GUARD, DISK_REFUSAL, Service
from deployer.phrases import size
from deployer.workflows.checks.disk_growth import Sample, days_left
from deployer.workflows.finding import Finding, FindingState, FullDisk

if TYPE_CHECKING:
    from datetime import datetime

    from deployer.engine.engine import Engine

# In the frontend's container, which has its folder there.
_SCRIPT = f"/etc/deployer/{DISK_GUARD.partition('/')[2]}"
_WARN_DAYS = 7
_FREE_SPACE = (
    "deployer gc   (frees the space of deleted images)",
    "deployer prune --older-than 30d --dry-run   (shows which old tags could go)",
)
_SETTING = "Or change the limit: registry.reserve in deployer.yaml, then: deployer up"


@dataclass(frozen=True)
class DiskRoom:
    """The disk with the images: bytes and inodes in all, free ones, and the limits below which uploads are refused.

    A limit of 0 is none. `days_left` is when the limit will be reached at the current rate, None if that is
    unknown.
    """

    bytes: int
    free: int
    limit: int
    inodes: int
    free_inodes: int
    inodes_limit: int
    refused: bool
    days_left: int | None = None

    @property
    def lacks_inodes(self) -> bool:
        """Whether it is inodes rather than bytes that run out."""
        return self.free_inodes * self.limit < self.free * self.inodes_limit


def look(engine: Engine, frontend: str, now: datetime) -> DiskRoom | None:
    """Make the guard check now, which opens or closes it, and return what it found; None if that is unknown."""
    try:
        return read(engine.containers.execute(frontend, "sh", _SCRIPT, "report"), now)
    except DeployerError:
        # A frontend of an earlier version, or one that is stopping.
        return None


def read(printed: str, now: datetime) -> DiskRoom | None:
    """The guard's report: its note, and the history, a line each; None if it is neither."""
    note, *history = printed.splitlines() or [""]
    try:
        found = json.loads(note)["disk"]
        room = DiskRoom(**{name: found[name] for name in DiskRoom.__dataclass_fields__ if name != "days_left"})
        samples = [one for one in map(Sample.of, history) if one]
        left = days_left(samples, max(0, room.free - room.limit), room.bytes, now)
    except (ValueError, KeyError, TypeError):
        return None
    return DiskRoom(**{**room.__dict__, "days_left": left})


def findings(room: DiskRoom | None) -> tuple[Finding, ...]:
    """That pushes are refused, or will be soon: below twice the limit, or within a week at the current rate."""
    if room is None or not room.limit:
        return ()
    if room.refused:
        return (FullDisk(FindingState.WRONG, f"{DISK_REFUSAL.capitalize()} ({_in_words(room)}).", _advice(room)),)
    is_low = room.free < 2 * room.limit or room.free_inodes < 2 * room.inodes_limit
    is_filling = room.days_left is not None and room.days_left < _WARN_DAYS
    if not (is_low or is_filling):
        return ()
    soon = f"; {lasting(room.days_left)}" if room.days_left is not None else ""
    sentence = f"The registry's disk is filling up ({_in_words(room)}): below the limit, pushes will be refused{soon}."
    return (Finding(FindingState.NOTE, sentence, _advice(room)),)


def look_through(engine: Engine, project: str, now: datetime) -> DiskRoom | None:
    """The same as `look`, through the frontend of a deployment that runs; None without one."""
    try:
        frontends = engine.containers.running(project, Service.FRONTEND)
    except DeployerError:
        return None
    return look(engine, frontends[0], now) if frontends else None


def lasting(days: int) -> str:
    """When the limit will be reached, in words."""
    when = "within a day" if days < 1 else f"in about {days} day{'' if days == 1 else 's'}"
    return f"the limit will be reached {when} at the current rate"


def _in_words(room: DiskRoom) -> str:
    if room.lacks_inodes:
        return f"{room.free_inodes} inodes free of {room.inodes}; limit {room.inodes_limit}"
    # Pushes are accepted again only with some more.
    again = (
        f", accepted again from {size(room.limit * 11 // 10)} free" if room.refused and room.free >= room.limit else ""
    )
    return f"{size(room.free)} free of {size(room.bytes)}; limit {size(room.limit)}{again}"


def _advice(room: DiskRoom) -> tuple[str, ...]:
    if room.lacks_inodes:
        return (*_FREE_SPACE, "Or remove small files on this disk, or move the images to another disk.")
    return (*_FREE_SPACE, _SETTING)
