"""How a scheduled command is run: with the settings, the environment and the user of `up`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine.environment import PROXIES
from deployer.paths import user_home
from deployer.rendering.schedule import MachineUser, ScheduleInputs
from deployer.settings.build import paths
from deployer.settings.schedule import RunnerChoice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.paths import Deployment
    from deployer.settings.model import Settings

# sd_booted(3).
BOOTED = Path("/run/systemd/system")
_SEARCHED = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
# Where files, the engine and proxies are. Variables of a session would differ with each `up`.
_PASSED = (
    *("XDG_DATA_HOME", "XDG_CONFIG_HOME"),
    *("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS", "DOCKER_TLS_VERIFY"),
    *("DOCKER_CUSTOM_HEADERS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *PROXIES,
)
# Given as flags: the commands are for the deployment that `up` started, whatever the file says later.
_FLAGS = {"name", "host", "port"}


def runner_of(settings: Settings, booted: Path = BOOTED) -> RunnerChoice:
    """What starts the commands: never `auto`, and `none` if there are none."""
    chosen = settings.schedule.runner
    if not settings.schedule.jobs:
        return RunnerChoice.NONE
    if chosen is RunnerChoice.AUTO:
        return RunnerChoice.SYSTEMD if booted.is_dir() else RunnerChoice.SERVICE
    return chosen


def inputs_of(
    settings: Settings, deployment: Deployment, environment: Mapping[str, str], source: Path | None
) -> ScheduleInputs | None:
    """How the commands are run; None if there are none. `source` is the file with the settings, None for none."""
    if not settings.schedule.jobs:
        return None
    flags = ["--name", settings.name, "--host", settings.host, "--port", str(settings.port)]
    flags += ["--config", str(source)] if source else []
    return ScheduleInputs(
        sys.executable,
        tuple(flags),
        deployment.directory,
        _environment(environment),
        _this_user() if runner_of(settings) is RunnerChoice.SERVICE else None,
    )


def _environment(user: Mapping[str, str]) -> dict[str, str]:
    known = {f"DEPLOYER_{path.replace('.', '_').upper()}" for path in paths() if path not in _FLAGS}
    passed = {name: value for name, value in user.items() if value and (name in _PASSED or name in known)}
    home = user_home(user)
    client = shutil.which("docker", path=user.get("PATH"))
    # The same from every shell, unless the client is elsewhere.
    folders = dict.fromkeys([*([str(Path(client).parent)] if client else []), *_SEARCHED])
    return {**passed, **({"HOME": str(home)} if home else {}), "PATH": ":".join(folders)}


def _this_user() -> MachineUser:
    return MachineUser(os.geteuid(), os.getegid(), tuple(sorted(os.getgroups())))
