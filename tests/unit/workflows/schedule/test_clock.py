"""A clock that jumps ahead makes everything old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deployer.errors import HostError
from deployer.jobs import Job
from deployer.workflows.schedule.clock import expect_steady
from deployer.workflows.schedule.records import Run, RunResult

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def run(days: float, result: RunResult = RunResult.DONE) -> Run:
    return Run("id", Job.GC, NOW - timedelta(days=days), result)


@pytest.mark.parametrize(
    "runs",
    [
        [],
        [run(1)],
        [run(400), run(61)],
        # What a clock that was ahead has left says nothing.
        [run(1), run(-900)],
        [run(0, RunResult.RUNNING)],
    ],
)
def test_a_clock_that_goes_on_is_trusted(runs: list[Run]) -> None:
    expect_steady(runs, NOW)


@pytest.mark.parametrize("runs", [[run(63)], [run(900), run(0, RunResult.RUNNING)], [run(900), run(-900)]])
def test_a_clock_that_jumped_is_not(runs: list[Run]) -> None:
    with pytest.raises(HostError, match=r"the last scheduled run was (63|900) days ago"):
        expect_steady(runs, NOW)
    # The refused run is a record too.
    expect_steady([*runs, run(0, RunResult.FAILED)], NOW + timedelta(days=1))
