"""The commands that can be scheduled."""

from enum import StrEnum


class Job(StrEnum):
    """The commands that can be scheduled, in the order in which they run if several are due."""

    BACKUP = "backup"
    PRUNE = "prune"
    GC = "gc"
    CHECK = "check"
