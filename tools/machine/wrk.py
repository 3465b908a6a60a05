"""The wrk of the benchmarks, which counts requests a second."""

from __future__ import annotations

import shutil

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.packages import Packages
from tools.machine.words import say


def ensure_wrk() -> None:
    """Make wrk available to the benchmarks of login."""
    if shutil.which("wrk"):
        return
    if not probe_host().installs:
        raise RefusalError("The benchmarks need wrk: install it, then run this again.")
    say("The benchmarks need wrk.")
    Packages().install("wrk")
