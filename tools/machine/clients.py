"""The clients of the tests besides Docker's: podman and skopeo."""

from __future__ import annotations

import shutil

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.packages import Packages
from tools.machine.words import say

CLIENTS = ("podman", "skopeo")


def ensure_clients() -> None:
    """Make the other clients available to the tests of logging in with them."""
    missing = [name for name in CLIENTS if shutil.which(name) is None]
    if not missing:
        return
    words = " and ".join(missing)
    if not probe_host().installs:
        raise RefusalError(f"The tests need {words}: install what is missing, then run this again.")
    say(f"The tests need {words}.")
    Packages().install(*missing)
