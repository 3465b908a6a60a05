"""The Node.js of the web page's unit tests."""

from __future__ import annotations

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.packages import Packages
from tools.machine.programs import version_from
from tools.machine.versions import OLDEST_NODE
from tools.machine.words import say


def ensure_node() -> None:
    """Make Node.js available to the web page's unit tests."""
    version = version_from("node", "--version")
    if version >= OLDEST_NODE:
        return
    host = probe_host()
    if not version and host.installs:
        say("The web page's unit tests need Node.js.")
        Packages().install("nodejs")
        version = version_from("node", "--version")
    if version < OLDEST_NODE:
        raise RefusalError(
            f"The web page's unit tests need Node.js {OLDEST_NODE[0]} or newer: install it, then run this again."
        )
