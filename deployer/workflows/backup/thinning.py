"""Retention of backups: how many are kept per day, week and month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import UsageError
from deployer.settings.schedule import keep_rules
from deployer.workflows.backup.catalog import PartKind, unfinished, whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from deployer.restic.repository import Repository
    from deployer.workflows.backup.catalog import Backup

_EXAMPLE = "deployer backup /mnt/nas/registry --keep 7d,4w,12m"


@dataclass(frozen=True)
class KeepPolicy:
    """How many backups are kept: the newest one of each of a number of days, weeks, months.

    `formerly` are the names that the deployment had in earlier backups, such as `registry@machine`: a machine may be
    renamed, or replaced by another. Nothing is concluded from a name alone: two machines may each have a `registry`.
    """

    rules: tuple[tuple[str, int], ...]
    formerly: tuple[str, ...] = ()

    @classmethod
    def parse(cls, written: str, formerly: Iterable[str] = ()) -> KeepPolicy:
        """What `--keep` says, such as "7d,4w,12m"; a plain number keeps the newest ones. Raises UsageError."""
        try:
            return cls(tuple(keep_rules(written).items()), tuple(formerly))
        except ValueError as error:
            raise UsageError(f"--keep: {error}.", (_EXAMPLE,)) from error

    def options(self, beside: int = 0) -> tuple[str, ...]:
        """The same for restic, with `beside` more of each."""
        return tuple(word for period, count in self.rules for word in (f"--keep-{period}", str(count + beside)))

    def hosts(self, host: str) -> tuple[str, ...]:
        """The names of the deployment in backups, with the one that it has today."""
        return tuple(dict.fromkeys((host, *self.formerly)))


def surplus(repository: Repository, host: str, policy: KeepPolicy, now: datetime) -> tuple[Backup, ...]:
    """The backups of a deployment that the policy does not keep. The newest one always stays.

    Those that are dated in the future stay too, without taking the place of others: a clock was wrong, and their
    age is unknown. The newest of the others is then the one that was made last.
    """
    backups = whole(repository.parts(*policy.hosts(host)))
    past = [one for one in backups if one.time <= now]
    kept = repository.kept(policy.hosts(host), f"part={PartKind.SEAL}", policy.options(len(backups) - len(past)))
    return tuple(one for one in past[:-1] if one.parts[PartKind.SEAL] not in kept)


def remove(repository: Repository, hosts: tuple[str, ...], going: tuple[Backup, ...]) -> None:
    """Remove backups, and what interrupted ones of these hosts have left. The seals go first: none is whole in part.

    Raises BackupError or EngineError.
    """
    parts = repository.parts(*hosts)
    here = {part.id for part in parts}
    seals = [one.parts[PartKind.SEAL] for one in going if one.parts[PartKind.SEAL] in here]
    if seals:
        repository.forget(seals, prune=False)
    rest = unfinished(repository.parts(*hosts))
    if rest:
        repository.forget(rest, prune=True)


def take_over_locks(repository: Repository, hostname: str) -> None:
    """Remove restic's locks that a killed command of this deployment left; call only with the deployment's own lock.

    restic itself considers such a lock valid until it is half an hour old. Locks of other machines that are valid
    for restic are kept: they prevent the removal of old backups, but not a new one.
    """
    holders = repository.locked_by()
    if holders:
        repository.unlock(remove_all=all(one == hostname for one in holders))
