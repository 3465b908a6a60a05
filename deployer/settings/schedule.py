"""The settings of `schedule`: which commands run, when, and with which options."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar

from deployer.jobs import Job
from deployer.settings.retention import RetentionRule
from deployer.settings.setting import checked, section
from deployer.settings.values import checks
from deployer.settings.values.size import rate_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SUNDAY = WEEKDAYS.index("sun")

_WRITTEN = re.compile(r"(?:(?P<word>[a-z]+) *)?(?:(?P<hour>\d{1,2}):(?P<minute>\d{2}))?")
_SERVER = re.compile(r"[^/~.][^/]*:")
_KEEP = re.compile(r"(\d{1,4})([hdwmy]?)")
_PERIODS = {"": "last", "h": "hourly", "d": "daily", "w": "weekly", "m": "monthly", "y": "yearly"}


class RunnerChoice(StrEnum):
    """What starts them; the values are those of deployer.yaml."""

    AUTO = "auto"
    SYSTEMD = "systemd"
    SERVICE = "service"
    NONE = "none"


class Cadence(StrEnum):
    """How often something runs."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class When:
    """When something runs, in local time: each day, one day of each week (0 is Monday), or the first of each month."""

    cadence: Cadence
    hour: int
    minute: int
    weekday: int = SUNDAY

    def __str__(self) -> str:
        time = f"{self.hour:02}:{self.minute:02}"
        if self.cadence is Cadence.WEEKLY:
            return f"{WEEKDAYS[self.weekday]} {time}"
        return f"{self.cadence} {time}"


def when_of(text: str, hour: int, minute: int) -> When:
    """What a setting says, with this time of day if it says none. Raises ValueError with a sentence."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    word = (found["word"] or "daily") if found and text.strip() else ""
    if found is None or not (word in WEEKDAYS or word in {*Cadence, "nightly"}):
        raise ValueError(
            f"{checks.shown(text)} is not a valid time: use HH:MM, nightly, daily, weekly, monthly or a weekday (mon "
            "to sun), each also with a time, such as sun 04:00"
        )
    if found["hour"]:
        hour, minute = int(found["hour"]), int(found["minute"])
        if hour > 23 or minute > 59:
            raise ValueError(f"{checks.shown(text)} is not a valid time: the hours are 00 to 23, the minutes 00 to 59")
    if word in WEEKDAYS:
        return When(Cadence.WEEKLY, hour, minute, WEEKDAYS.index(word))
    return When(Cadence.DAILY if word == "nightly" else Cadence(word), hour, minute)


def when(value: object) -> object:
    """Take a time, in one way of writing it."""
    if not isinstance(value, str):
        raise ValueError(f"{checks.shown(value)} is not a valid time: use for example 02:30 or weekly")  # noqa: TRY004
    when_of(value, 0, 0)
    return " ".join(value.lower().split())


def keep_rules(text: str) -> dict[str, int]:
    """How many backups are kept, by restic's names of periods: "7d,4w" is daily 7, weekly 4. Raises ValueError."""
    found: dict[str, int] = {}
    for one in text.split(","):
        match = _KEEP.fullmatch(one.strip())
        if match is None or int(match[1]) == 0 or _PERIODS[match[2]] in found:
            raise ValueError(
                f"'{text}' is not a valid list: use for example 7d,4w,12m (days, weeks, months; also h and y)"
            )
        found[_PERIODS[match[2]]] = int(match[1])
    return found


def keep(value: object) -> object:
    """Take a list of how many backups are kept."""
    text = str(value)
    keep_rules(text)
    return text


def names_server(written: str) -> bool:
    """Whether a target is on a server, in one of restic's forms or another's: a word and a colon before any slash.

    A directory with such a name has to be written as ./NAME.
    """
    return _SERVER.match(written) is not None


def target(value: object) -> object:
    """Take a place for backups."""
    if not isinstance(value, str) or not value.strip() or any(ord(character) < 32 for character in value):
        raise ValueError(f"{checks.shown(value)} is not a valid backup target: use for example /mnt/nas/registry")
    return value.strip()


def rate(value: object) -> object:
    """Take how much is read in a second."""
    if not isinstance(value, str):
        raise ValueError(f"{checks.shown(value)} is not a valid size: use for example 50MB")  # noqa: TRY004
    rate_of(value)
    return value


_WHEN = (
    "When it runs: `HH:MM` (every day), `nightly`, `daily`, `weekly`, `monthly` or a weekday, each of them also with a "
    "time: `sun 04:00`. A plain value of `{}` sets this. Without a time, {}."
)


class Scheduled:
    """What all scheduled commands have; `time` is the hour and minute if the setting says none."""

    time: ClassVar[tuple[int, int]]
    when: str

    @property
    def is_on(self) -> bool:
        """Whether it is scheduled."""
        return bool(self.when)

    @property
    def at(self) -> When:
        """When it runs."""
        return when_of(self.when, *self.time)

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        return "" if self.is_on else "`when` is missing, such as when: nightly"


@dataclass(frozen=True)
class ScheduledBackup(Scheduled):
    """The options of `backup`."""

    time: ClassVar[tuple[int, int]] = (2, 30)

    when: str = checked(when, "", _WHEN.format("backup", "02:30"))
    to: str = checked(
        target, "", "Required: the target, a directory, `sftp:USER@HOST:/PATH`, `s3:https://HOST/BUCKET` or `rest:URL`."
    )
    keep: str = checked(keep, "", "Which older backups are kept, such as `7d,4w,12m`. Default: all.")
    without_secrets: bool = checked(checks.yes_or_no, False, "Leave out users, certificates and other secrets.")
    env_file: str = checked(
        checks.file, "", "A file with `NAME=value` lines, such as the keys of an S3 bucket: AWS_ACCESS_KEY_ID."
    )

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        if self.is_on and not self.to:
            return f'`to` is missing, the target of the backups: {{when: "{self.when}", to: /mnt/nas/registry}}'
        return super().complaint()


@dataclass(frozen=True)
class ScheduledPrune(RetentionRule, Scheduled):
    """The options of `prune`, as those of a rule; without any, the rules under `retention` apply."""

    SAYS_NOTHING: ClassVar[str] = "there are no rules under retention: write some, or set keep, older_than, match"
    time: ClassVar[tuple[int, int]] = (4, 30)

    when: str = checked(when, "", _WHEN.format("prune", "04:30"))

    @property
    def says_what(self) -> bool:
        """Whether it has its own conditions."""
        return self.takes_tags or self.untagged

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        differs = any(getattr(self, one.name) != one.default for one in fields(RetentionRule))
        return Scheduled.complaint(self) or (RetentionRule.complaint(self) if differs else "")


# Seconds in which a push is over, see deployer.workflows.upkeep.survey.pushes_in_progress.
_SHORTEST_IDLE = 3600


@dataclass(frozen=True)
class ScheduledGc(Scheduled):
    """The options of `gc`."""

    time: ClassVar[tuple[int, int]] = (3, 30)

    when: str = checked(when, "", _WHEN.format("gc", "03:30"))
    untagged: bool = checked(checks.yes_or_no, False, "Also remove untagged manifests.")
    older_than: int | None = checked(checks.age, None, "With `untagged`: only those older than this, such as `30d`.")
    uploads: int | None = checked(
        checks.age, None, "Also remove uploads of interrupted pushes, last written longer ago than this, such as `1d`."
    )

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        if self.older_than is not None and not self.untagged:
            return "older_than requires untagged: true"
        if self.uploads is not None and self.uploads < _SHORTEST_IDLE:
            return "uploads must be at least 1h: pushes may be in progress"
        return super().complaint()


@dataclass(frozen=True)
class ScheduledCheck(Scheduled):
    """The options of `check`."""

    time: ClassVar[tuple[int, int]] = (5, 30)

    when: str = checked(when, "", _WHEN.format("check", "05:30"))
    full: bool = checked(checks.yes_or_no, False, "Read all content and compare it with its digests.")
    rate: str = checked(rate, "", "With `full`: read at most this much per second, such as `50MB`.")

    def complaint(self) -> str:
        """Why the settings contradict each other, "" if they do not."""
        if self.rate and not self.full:
            return "rate requires full: true"
        return super().complaint()


@dataclass(frozen=True)
class ScheduleSettings:
    """What is scheduled, and what starts it."""

    backup: ScheduledBackup = section(ScheduledBackup, "`deployer backup`.", short="when")
    prune: ScheduledPrune = section(
        ScheduledPrune, "`deployer prune`, with these options or by the rules under `retention`.", short="when"
    )
    gc: ScheduledGc = section(ScheduledGc, "`deployer gc`.", short="when")
    check: ScheduledCheck = section(ScheduledCheck, "`deployer check`.", short="when")
    runner: RunnerChoice = checked(
        checks.one_of(RunnerChoice),
        RunnerChoice.AUTO,
        "What starts them: `systemd` (timers), `service` (a container), `auto` (timers if systemd runs, otherwise "
        "the container), or `none`: run `deployer run-scheduled` every few minutes yourself.",
    )

    def of(self, job: Job) -> Scheduled:
        """The settings of a command."""
        found: Scheduled = getattr(self, job)
        return found

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The scheduled commands."""
        return tuple(job for job in Job if self.of(job).is_on)
