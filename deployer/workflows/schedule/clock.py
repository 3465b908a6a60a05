"""Whether a run that removes by age, and that no one watches, can trust the machine's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.workflows.schedule.records import RunResult

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from deployer.workflows.schedule.records import Run

# Twice the longest time between two runs of a schedule.
_LONGEST_PAUSE = timedelta(days=62)


def expect_steady(runs: Iterable[Run], now: datetime) -> None:
    """Make sure that the clock has not jumped ahead since the last run: everything would be old then. Raises HostError.

    That is said once: the run that says it is recorded at the new time, so that a machine that was off goes on with
    the next one.
    """
    earlier = [one.started for one in runs if one.result is not RunResult.RUNNING and one.started <= now]
    if earlier and now - max(earlier) > _LONGEST_PAUSE:
        days = (now - max(earlier)).days
        raise HostError(
            f"By this machine's clock, the last scheduled run was {days} days ago. In case the clock is wrong, nothing "
            "was removed by age this time; the next run removes it.",
            ("date   (shows the clock)",),
        )
