"""The programs of the tests besides Docker's: podman and skopeo, and rclone as a server for backups."""

from __future__ import annotations

import shutil

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.packages import Packages
from tools.machine.words import say

CLIENTS = ("podman", "skopeo", "rclone")


def ensure_clients() -> None:
    """Make them available to the tests of logging in with other clients, and of backups to a server."""
    missing = [name for name in CLIENTS if shutil.which(name) is None]
    if not missing:
        return
    words = ", ".join(missing)
    if not probe_host().installs:
        raise RefusalError(f"The tests need {words}: install what is missing, then run this again.")
    say(f"The tests need {words}.")
    Packages().install(*missing)
