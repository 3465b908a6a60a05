"""Requests a second, counted by wrk: of a user, and of a user while someone tries passwords."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 4
SECONDS = 5
_SCRIPTS = Path(__file__).parent
_ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class User:
    """Who logs in. The name has five letters, see attack.lua."""

    name: str
    password: str = field(repr=False)

    @property
    def encoded(self) -> str:
        """As Basic login and Docker's configuration write it (RFC 7617)."""
        return _base64(f"{self.name}:{self.password}")


def requests_a_second(url: str, user: User) -> float:
    """How often a second this is answered, over connections that are kept. A refusal ends the benchmark."""
    words = _wrk(url, SECONDS, "user.lua")
    report = subprocess.run(
        words, check=True, stdout=subprocess.PIPE, text=True, input=f"Basic {user.encoded}\n"
    ).stdout
    if _refused(report):
        raise SystemExit(f"{url} refuses its own user:\n{report}")
    return _number(r"Requests/sec:\s+([\d.]+)", report)


def requests_under_attack(url: str, user: User) -> float:
    """The same, while the user's name is tried with wrong passwords, over as many connections."""
    with _attack(url, user):
        return requests_a_second(url, user)


@contextmanager
def _attack(url: str, user: User) -> Iterator[None]:
    words = _wrk(url, SECONDS + 2, "attack.lua", "--header", f"Name: {_base64(f'{user.name}:')}")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as attack:
        try:
            time.sleep(1)
            yield
        except BaseException:
            attack.terminate()
            raise
        report, _ = attack.communicate()
    if _refused(report) != _number(r"(\d+) requests in", report):
        raise SystemExit(f"{url} lets wrong passwords in:\n{report}")


def _wrk(url: str, seconds: int, script: str, *words: str) -> list[str]:
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("The benchmarks of sign-in need wrk on PATH: python3 -m tools.machine wrk")
    load = ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", "--timeout", "30s"]
    return [program, *load, "--script", str(_SCRIPTS / script), "--header", f"Accept: {_ACCEPT}", *words, url]


def _base64(words: str) -> str:
    return base64.b64encode(words.encode()).decode()


def _refused(report: str) -> float:
    return _number(r"Non-2xx or 3xx responses: (\d+)", report, 0)


def _number(pattern: str, report: str, otherwise: float | None = None) -> float:
    found = re.search(pattern, report)
    if found:
        return float(found[1])
    if otherwise is None:
        raise SystemExit(f"wrk says something else than expected:\n{report}")
    return otherwise
