"""Debian's packages."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from tools.machine.errors import RefusalError
from tools.machine.programs import quietly
from tools.machine.versions import version_of
from tools.machine.words import last_lines, say

if TYPE_CHECKING:
    from tools.machine.versions import Version

LOCK_SECONDS = 300


class Packages:
    """Debian's packages; the lists are fetched once, before the first question about them."""

    def __init__(self) -> None:
        self._fetched = False

    def candidates(self, *names: str) -> dict[str, Version]:
        """Return the versions that could be installed, of those packages that there are."""
        self._fetch()
        _, policy = quietly("apt-cache", "policy", *names, variables={"LC_ALL": "C"})
        found = re.findall(r"^(\S+):\n(?:  .*\n)*?  Candidate: (\d\S*)$", policy, re.MULTILINE)
        return {name: version_of(version) for name, version in found}

    def install(self, *names: str) -> None:
        """Install packages, saying so first, without what they merely recommend."""
        self._fetch()
        say(f"Installing {' '.join(names)} with apt-get.")
        status, output = self._apt_get("install", "--no-install-recommends", *names)
        if status and "dpkg --configure -a" in output:
            quietly("dpkg", "--configure", "-a", variables={"DEBIAN_FRONTEND": "noninteractive"})
            status, output = self._apt_get("install", "--no-install-recommends", *names)
        if status:
            raise RefusalError(f"apt-get could not install {' '.join(names)}:\n{last_lines(output)}")

    def _fetch(self) -> None:
        """Fetch the lists, waiting for another apt-get; one unreachable source need not stop us."""
        if self._fetched:
            return
        self._fetched = True
        deadline = time.monotonic() + LOCK_SECONDS
        status, output = self._apt_get("update")
        while status and "Could not get lock" in output and time.monotonic() < deadline:
            time.sleep(2)
            status, output = self._apt_get("update")
        if status:
            say(f"apt-get update failed, going on with the lists that are here:\n{last_lines(output, 5)}")

    @staticmethod
    def _apt_get(*arguments: str) -> tuple[int, str]:
        """Run apt-get so that it never asks, keeps changed files, and waits for another one to finish."""
        return quietly(
            *("apt-get", "-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}"),
            *("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"),
            *arguments,
            variables={"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        )
