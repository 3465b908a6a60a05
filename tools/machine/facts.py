"""What this machine is, and what is here already."""

from __future__ import annotations

import contextlib
import enum
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.machine.programs import ask, version_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.machine.versions import Version


class Engine(enum.Enum):
    """What `docker info` found."""

    ANSWERS = "answers"
    DENIED = "denied"
    SILENT = "silent"


@dataclass(frozen=True)
class Host:
    """The kind of machine, as far as installing goes."""

    macos: bool
    apt: bool
    root: bool

    @property
    def installs(self) -> bool:
        """Whether we can install packages here."""
        return self.apt and self.root


@dataclass(frozen=True)
class Facts:
    """All that `plan` decides on; `endpoint` is where the client looks, `source` what made it look there."""

    host: Host
    engine: Engine
    compose: Version
    client: bool = False
    daemon: bool = False
    endpoint: str = ""
    source: str = ""


def probe_host() -> Host:
    """Return the kind of machine that this is."""
    release: Mapping[str, str] = {}
    with contextlib.suppress(OSError):
        release = platform.freedesktop_os_release()
    families = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    apt = bool(families & {"debian", "ubuntu"}) and shutil.which("apt-get") is not None
    return Host(macos=platform.system() == "Darwin", apt=apt, root=os.geteuid() == 0)


def probe_engine() -> Engine:
    """Ask Docker's client whether an engine answers, and where none does, whether it is kept from us.

    Some clients exit with 0 also where none answers, and some name the reason only in `docker version`.
    """
    status, output, _ = ask("docker", "info", "--format", "{{.ServerVersion}}")
    if status == 0 and output.strip():
        return Engine.ANSWERS
    _, _, error = ask("docker", "version")
    return Engine.DENIED if "permission denied" in error.lower() else Engine.SILENT


def probe_compose() -> Version:
    """Return the version of the Compose plugin."""
    return version_from("docker", "compose", "version", "--short")


def probe_endpoint(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return where Docker's client looks for its engine, and what makes it look there."""
    if environment.get("DOCKER_HOST"):
        return environment["DOCKER_HOST"], "DOCKER_HOST"
    status, output, _ = ask("docker", "context", "inspect", "--format", "{{.Name}} {{.Endpoints.docker.Host}}")
    name, _, endpoint = output.strip().partition(" ")
    return (endpoint, f"the Docker context {name}") if status == 0 else ("", "")


def gather() -> Facts:
    """Look at the machine; what only matters where no engine answers is only asked there."""
    host, engine = probe_host(), probe_engine()
    if engine is Engine.ANSWERS:
        return Facts(host, engine, probe_compose(), client=True)
    endpoint, source = probe_endpoint(os.environ)
    return Facts(
        host,
        engine,
        probe_compose(),
        client=shutil.which("docker") is not None,
        daemon=shutil.which("dockerd") is not None,
        endpoint=endpoint,
        source=source,
    )


def lacks_apparmor() -> bool:
    """Tell whether the kernel enforces AppArmor while its parser is missing."""
    try:
        enabled = Path("/sys/module/apparmor/parameters/enabled").read_text().startswith("Y")
    except OSError:
        return False
    return enabled and shutil.which("apparmor_parser") is None
