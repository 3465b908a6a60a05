"""Whether this machine, the engine and the registry agree on the time.

Certificates are refused by a wrong clock, and ages that retention and garbage collection go by are wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deployer.workflows.diagnosis.examined import Examined

# What answers take at worst, and the harmless difference of unsynchronized clocks.
_TOLERANCE = timedelta(minutes=2)
# The connection check has waited for longer.
_PATIENCE_SECONDS = 5.0
_FIX = "timedatectl   (on both machines; shows the clock, and whether it is synchronized over the network)"


def engine(examined: Examined) -> Iterator[Finding]:
    """Compare this machine's clock with the engine's, and with the files that deployer wrote here."""
    stack = examined.stack
    # Asked for again: the earlier answer is outdated.
    told = stack.engine.system.info().report.time
    now = stack.now()
    yield from _compared("the Docker engine", told, now)
    newest = max((file.stat().st_mtime for file in _files(examined)), default=0.0)
    written = datetime.fromtimestamp(newest, UTC)
    if written - now > _TOLERANCE:
        yield Finding(
            FindingState.WRONG,
            f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC, but deployer wrote files at "
            f"{written:%Y-%m-%d %H:%M}: the clock was set back, or was ahead.",
            ("timedatectl   (shows the clock, and whether it is synchronized over the network)",),
        )


def registry(examined: Examined) -> Iterator[Finding]:
    """Compare this machine's clock with the registry's."""
    stack = examined.stack
    try:
        with examined.client(patience=_PATIENCE_SECONDS) as client:
            time = client.time()
    except DeployerError:
        # A missing answer is reported by the connection check.
        return
    yield from _compared(stack.settings.address, time, stack.now())


def _compared(whose: str, time: datetime | None, now: datetime) -> Iterator[Finding]:
    if time is None or abs(time - now) <= _TOLERANCE:
        return
    yield Finding(
        FindingState.WRONG,
        f"The clock of {whose} says {time:%Y-%m-%d %H:%M} UTC, but this machine's says {now:%Y-%m-%d %H:%M}; "
        "certificates and image ages depend on them.",
        (_FIX,),
    )


def _files(examined: Examined) -> Iterator[Path]:
    deployment = examined.stack.deployment
    yield from (file for file in (deployment.compose_file, deployment.record_file) if file.is_file())
