"""Which backups are at a target: each has several parts (snapshots of restic), and is complete only with its seal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer import __version__
from deployer.errors import BackupError, UsageError
from deployer.phrases import listed
from deployer.registry.content.moments import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from deployer.restic.repository import Part, Repository
    from deployer.restic.target import Target

# The format of the seal's tags; a newer deployer may write one that this one does not read.
FORMAT = 1
_SECRETS = "secrets"
_ID = "%Y%m%dT%H%M%SZ"


class PartKind(StrEnum):
    """The parts of one backup, in the order in which they are stored."""

    LINKS = "links"
    BLOBS = "blobs"
    # The deployment's own files; it is stored once the others have been checked.
    SEAL = "seal"


@dataclass(frozen=True)
class Contents:
    """How much a backup holds; `size` in bytes. `damaged` blobs are linked and were missing when it was made."""

    repositories: int = 0
    tags: int = 0
    blobs: int = 0
    size: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class Backup:
    """One complete backup. `host` is its deployment and machine: `registry@machine`.

    `has_secrets` is None for one of an earlier version: only its content shows it.
    """

    id: str
    time: datetime
    host: str
    contents: Contents
    parts: Mapping[PartKind, str]
    format: int = FORMAT
    has_secrets: bool | None = None

    @property
    def deployment(self) -> str:
        """The name of the deployment that it is of."""
        return self.host.partition("@")[0]

    def is_in_future(self, now: datetime) -> bool:
        """Whether it is dated in the future, beyond what two clocks may differ by: then one was wrong."""
        return self.time > now + TOLERANCE


@dataclass(frozen=True)
class Choice:
    """The backup that is used, and what to say of those that a wrong clock has dated in the future."""

    backup: Backup
    remark: str = ""


def tags_of(backup: str, kind: PartKind) -> dict[str, str]:
    """The tags of a part."""
    return {"deployer": str(FORMAT), "backup": backup, "part": kind.value}


def tags_of_seal(backup: str, contents: Contents, *, has_secrets: bool) -> dict[str, str]:
    """The tags of the part that makes a backup complete."""
    counted = {key: str(value) for key, value in vars(contents).items()}
    return {**tags_of(backup, PartKind.SEAL), **counted, _SECRETS: str(int(has_secrets))}


def whole(parts: Iterable[Part]) -> tuple[Backup, ...]:
    """The complete backups among the parts, the oldest first."""
    # Two deployments may begin in the same second.
    found: dict[tuple[str, str], dict[PartKind, Part]] = {}
    for part in parts:
        if "deployer" in part.tags and part.tags.get("part") in {kind.value for kind in PartKind}:
            found.setdefault((part.host, part.tags.get("backup", "")), {})[PartKind(part.tags["part"])] = part
    backups = (
        Backup(
            id=name,
            time=_moment(name) or kinds[PartKind.LINKS].time,
            host=host,
            contents=_contents(kinds[PartKind.SEAL].tags),
            parts={kind: part.id for kind, part in kinds.items()},
            format=_number(kinds[PartKind.SEAL].tags, "deployer"),
            has_secrets=bool(_number(kinds[PartKind.SEAL].tags, _SECRETS))
            if _SECRETS in kinds[PartKind.SEAL].tags
            else None,
        )
        for (host, name), kinds in found.items()
        if len(kinds) == len(PartKind)
    )
    return tuple(sorted(backups, key=lambda backup: backup.time))


def unfinished(parts: Iterable[Part]) -> tuple[str, ...]:
    """The parts of backups that were interrupted; what a newer deployer has stored may be whole without this one's."""
    known = tuple(parts)
    sealed = {part for backup in whole(known) for part in backup.parts.values()}
    own = (part for part in known if 0 < _number(part.tags, "deployer") <= FORMAT)
    return tuple(part.id for part in own if part.id not in sealed)


def choose(repository: Repository, target: Target, wanted: str, deployment: str, now: datetime) -> Choice:
    """The backup with this ID, or with this prefix; for "" the newest, of this deployment if it has any there.

    One that is dated in the future counts as the newest only if all are. Several machines may have begun one in the
    same second: `registry@machine:ID` is that of one of them. Raises BackupError or UsageError.
    """
    backups = whole(repository.parts())
    if not backups:
        raise BackupError(f"There is no complete backup at {target}.", (f"deployer backup {target.quoted}",))
    listing = (f"deployer backup list {target.quoted}   (then choose one with --backup ID)",)
    host, _, beginning = wanted.rpartition(":")
    found = tuple(one for one in backups if one.id.startswith(beginning) and host in {"", one.host})
    own = tuple(one for one in found if one.deployment == deployment)
    names = sorted({one.deployment for one in found})
    if not found:
        raise UsageError(f"No backup ID at {target} begins with '{wanted}'.", listing)
    if not own and len(names) > 1:
        raise UsageError(f"{target} has backups of several deployments: {', '.join(names)}.", listing)
    left = own or found
    if wanted and len(left) > 1:
        same = len({one.id for one in left}) == 1
        of_each = tuple(f"--backup {one.host}:{one.id}" for one in left)
        raise UsageError(f"More than one backup ID at {target} begins with '{wanted}'.", of_each if same else listing)
    chosen = Choice(left[0]) if wanted else _newest(left, now)
    if chosen.backup.format > FORMAT:
        raise BackupError(
            f"The backup {chosen.backup.id} was made by a newer deployer; this is {__version__}.",
            ("Install the newest version, then run the command again.", *listing),
        )
    return chosen


def _newest(backups: Sequence[Backup], now: datetime) -> Choice:
    """The newest one that is not dated in the future; of such alone, the newest."""
    past = [one for one in backups if not one.is_in_future(now)]
    future = [one.id for one in backups if one.is_in_future(now)]
    if not future:
        return Choice(past[-1])
    if not past:
        return Choice(
            backups[-1],
            f"The newest backup, {backups[-1].id}, is dated in the future, and so are all others: the clock here may "
            f"be wrong. It says {now:%Y-%m-%d %H:%M} UTC.",
        )
    return Choice(
        past[-1],
        f"Not chosen, because the clock was wrong when it was made, or is wrong here: {listed(future)}, dated in the "
        "future. To use it: --backup ID",
    )


def new_id(moment: datetime, number: int = 1) -> str:
    """The ID of a backup that begins at a moment; a further one of the same second has a number."""
    return moment.astimezone(UTC).strftime(_ID) + (f"-{number}" if number > 1 else "")


def _moment(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.partition("-")[0], _ID).replace(tzinfo=UTC)
    except ValueError:
        return None


def _contents(tags: Mapping[str, str]) -> Contents:
    return Contents(**{key: _number(tags, key) for key in vars(Contents())})


def _number(tags: Mapping[str, str], key: str) -> int:
    return int(tags[key]) if tags.get(key, "").isdecimal() else 0
