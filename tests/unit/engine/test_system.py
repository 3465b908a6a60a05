"""What the engine says of itself, from answers that real ones gave to `docker info`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from deployer.engine.client import Client
from deployer.engine.system import System
from deployer.host.daemon.kind import EngineKind

if TYPE_CHECKING:
    from deployer.engine.values import EngineFacts

PLAIN = {
    "ServerVersion": "20.10.24+dfsg1",
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "SecurityOptions": ["name=seccomp,profile=default"],
    "DockerRootDir": "/var/lib/docker",
    "DefaultRuntime": "runc",
}


def facts_of(**answer: Any) -> EngineFacts:
    info = json.dumps({**PLAIN, **answer})
    program = f"import sys; print({info!r} if 'info' in sys.argv else 'unix:///var/run/docker.sock')"
    return System(Client(os.environ, (sys.executable, "-c", program))).describe()


def test_an_ordinary_engine() -> None:
    facts = facts_of()
    assert (facts.version, facts.data_directory, facts.runtime) == ("20.10.24+dfsg1", "/var/lib/docker", "runc")
    assert facts.endpoint == "unix:///var/run/docker.sock"
    assert (facts.kind, facts.user_namespaces) == (EngineKind.SYSTEM, False)


@pytest.mark.parametrize(
    ("options", "kind", "remaps"),
    [
        (None, EngineKind.SYSTEM, False),
        (["name=seccomp,profile=builtin", "name=cgroupns"], EngineKind.SYSTEM, False),
        (["name=apparmor", "name=seccomp,profile=default", "name=userns"], EngineKind.SYSTEM, True),
        (["name=seccomp,profile=default", "name=rootless", "name=cgroupns"], EngineKind.ROOTLESS, False),
        (["name=selinux", "name=no-new-privileges"], EngineKind.SYSTEM, False),
    ],
)
def test_its_security_options(options: list[str] | None, kind: EngineKind, remaps: bool) -> None:
    facts = facts_of(SecurityOptions=options)
    assert (facts.kind, facts.user_namespaces) == (kind, remaps)


def test_the_desktops_engine_and_another_runtime() -> None:
    facts = facts_of(OperatingSystem="Docker Desktop", DefaultRuntime="runsc")
    assert facts.kind is EngineKind.DESKTOP
    assert facts.runtime == "runsc"
