"""Options of the engine with which a deployment cannot run, or runs in another way than its user may think."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import PreflightError
from deployer.host.daemon.kind import EngineKind
from deployer.layout import REGISTRY_FOLDER
from deployer.settings.values import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.engine.values import EngineFacts
    from deployer.settings.model import Settings

# moby/moby 23.0.0: reference parsing takes "[::1]:5000/name".
_FIRST_WITH_IPV6_NAMES = 23
# Each container of theirs has its own kernel, and a Unix socket in a volume joins no two of them.
_SANDBOXES = re.compile(r"runsc|gvisor|kata", re.IGNORECASE)
_PRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def refuse(settings: Settings, facts: EngineFacts) -> None:
    """Make sure that the engine can do what the settings want. Raises PreflightError."""
    if facts.kind is EngineKind.ROOTLESS:
        _refuse_low_ports(settings)
        _refuse_foreign_data(settings)


def remarks(settings: Settings, facts: EngineFacts) -> tuple[str, ...]:
    """What its user should know of the engine, a sentence each."""
    return tuple(_remarks(settings, facts))


def check_name(settings: Settings, version: str) -> None:
    """Make sure that this engine takes the registry's address in the name of an image. Raises PreflightError."""
    if not takes_name(settings, version):
        raise PreflightError(
            f"This Docker engine ({version}) does not accept IPv6 addresses in image names; version "
            f"{_FIRST_WITH_IPV6_NAMES} and newer do.",
            ("Use a name: --host NAME   (in DNS or in /etc/hosts)",),
        )


def _remarks(settings: Settings, facts: EngineFacts) -> Iterator[str]:
    if not takes_name(settings, facts.version):
        yield (
            f"Docker engines before version {_FIRST_WITH_IPV6_NAMES}, such as this one ({facts.version}), do "
            "not accept IPv6 addresses in image names: they cannot push to this registry or pull from it. Set "
            "`host` to a name to serve them too."
        )
    if _SANDBOXES.search(facts.runtime):
        yield (
            f"The engine runs containers with {facts.runtime}; with it, the frontend may be unable to reach "
            "the registry's socket. If the frontend does not become ready, give both services `runtime: runc` in "
            "compose.override.yaml."
        )


def takes_name(settings: Settings, version: str) -> bool:
    """Whether this engine takes the registry's address in the name of an image."""
    major = re.match(r"\d+", version)
    is_old = major is not None and int(major[0]) < _FIRST_WITH_IPV6_NAMES
    return not (is_old and ":" in settings.host and checks.is_address(settings.host))


def _refuse_low_ports(settings: Settings) -> None:
    first = _first_free_to_all()
    low = [port for port in (settings.port, *settings.acme_ports) if port < first]
    program = shutil.which("rootlesskit")
    if not low or program is None or _may_bind_low_ports(Path(program)):
        return
    raise PreflightError(
        f"The Docker engine is rootless and cannot listen on port {low[0]}: ports below {first} are reserved for root.",
        (
            f"deployer up --port {max(5000, first)}   (or any higher port from {first})",
            f"Or allow it: sudo setcap cap_net_bind_service=ep {program}; systemctl --user restart docker",
        ),
    )


def _first_free_to_all() -> int:
    try:
        return int(_PRIVILEGED.read_text())
    except (OSError, ValueError):
        return 1024


def _may_bind_low_ports(program: Path) -> bool:
    """Whether a program file has its own capabilities; the documented way gives it the one that is needed."""
    try:
        return bool(os.getxattr(program, "security.capability"))
    except OSError:
        return False


def _refuse_foreign_data(settings: Settings) -> None:
    """A rootless engine writes as its user: what belongs to another user it cannot change."""
    data = settings.registry.data_directory
    if data is None:
        return
    for folder in (data / REGISTRY_FOLDER, data):
        if folder.exists():
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise PreflightError(
                    f"The Docker engine is rootless, and its user has no permission to write to {folder}.",
                    (f"sudo chown --recursive $(id --user):$(id --group) {shlex.quote(str(data))}",),
                )
            return
