"""The browser of the browser tests."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.machine.errors import RefusalError
from tools.machine.facts import probe_host
from tools.machine.packages import Packages
from tools.machine.words import say

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
JAPANESE_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def ensure_browser() -> None:
    """Make Chromium available to the browser tests, with a font for their Japanese screenshots."""
    host = probe_host()
    present = any(shutil.which(name) for name in BROWSERS)
    wanted = [] if present else ["chromium"]
    if host.installs and not JAPANESE_FONT.exists():
        wanted.append("fonts-noto-cjk")
    if not wanted:
        return
    packages = Packages()
    # Ubuntu's chromium is a snap, of which a container can make nothing.
    if not present and not (host.installs and packages.candidates("chromium")):
        raise RefusalError(
            "The browser tests need Chromium or Google Chrome: install one (on Ubuntu `snap install chromium`), "
            "then run this again."
        )
    say("The browser tests need " + " and ".join(wanted) + ".")
    packages.install(*wanted)
