"""The Docker engine: making one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.machine.compose import install_compose
from tools.machine.daemon import daemon_pid, is_supervised, start_daemon, wait_for_engine
from tools.machine.errors import RefusalError
from tools.machine.facts import Engine, gather, lacks_apparmor
from tools.machine.packages import Packages
from tools.machine.plan import LOCAL_ENDPOINTS, Step, plan
from tools.machine.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.machine.facts import Facts
    from tools.machine.versions import Version


def ensure_engine() -> int | None:
    """Make an engine answer; return the daemon's process if this call started it by hand."""
    running = daemon_pid()
    facts = gather()
    if running and facts.engine is Engine.SILENT and facts.endpoint in LOCAL_ENDPOINTS:
        facts = gather_once_up(running)
    steps = plan(facts)
    if not steps:
        return None
    missing = "No Docker engine answers" if Step.START in steps else "Compose v2 is missing"
    say(f"{missing}. Next: {', '.join(step.value for step in steps)}.")
    packages = Packages()
    if Step.ENGINE in steps:
        install_engine(packages, facts)
    if Step.COMPOSE in steps:
        install_compose(packages)
    return ensure_daemon() if Step.START in steps else None


def gather_once_up(running: int) -> Facts:
    """Wait for a daemon that runs already, perhaps only just started, and look again."""
    if wait_for_engine(lambda: daemon_pid() is None) or daemon_pid() is None:
        return gather()
    raise RefusalError(
        f"The Docker daemon runs, as process {running}, but does not answer: see its log, stop it with "
        f"`kill {running}`, then run this again."
    )


def ensure_daemon() -> int | None:
    """Start the daemon, unless installing it has; return its process if nothing but this call is behind it."""
    if wait_for_engine(lambda: daemon_pid() is None):
        return None if is_supervised() else daemon_pid()
    return start_daemon()


def install_engine(packages: Packages, facts: Facts) -> None:
    """Install the daemon, and the client where it is missing."""
    packages.install(
        *engine_packages(client=facts.client, apparmor=lacks_apparmor(), candidates=packages.candidates("docker-cli"))
    )


def engine_packages(*, client: bool, apparmor: bool, candidates: Mapping[str, Version]) -> list[str]:
    """Return the packages of the engine: what Debian merely recommends, but images and containers need.

    Debian 13 split the client off into docker-cli. A kernel with AppArmor refuses containers while its
    parser is missing.
    """
    packages = ["docker.io", "ca-certificates"]
    if not client and candidates.get("docker-cli"):
        packages.append("docker-cli")
    if apparmor:
        packages.append("apparmor")
    return packages
