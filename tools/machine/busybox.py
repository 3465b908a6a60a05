"""The BusyBox of the tests: the shell and programs that the official registry image has."""

from __future__ import annotations

import shutil

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.packages import Packages
from tools.machine.words import say


def ensure_busybox() -> None:
    """Make BusyBox available to the tests of the storage scripts."""
    if shutil.which("busybox"):
        return
    if not probe_host().installs:
        raise RefusalError("The tests need BusyBox: install it, then run this again.")
    say("The tests need BusyBox.")
    Packages().install("busybox")
