"""What the user's Compose file puts in the place of what the services run and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployer.engine.inventory import Wanted
from deployer.paths import Deployment
from deployer.workflows.checks.service_program import replaced

DEPLOYMENT = Deployment("team", Path("/deployments/team"))
RENDERED = b"""
services:
  registry: {entrypoint: [registry, serve, /etc/deployer/config.yaml], command: []}
  frontend: {entrypoint: [sh, -c, "echo $$HOME"], command: []}
"""


def said(registry: dict[str, Any] | None = None, frontend: dict[str, Any] | None = None) -> list[str]:
    def mount(service: str) -> dict[str, str]:
        return {"type": "bind", "source": f"/deployments/team/{service}", "target": "/etc/deployer"}

    services: dict[str, dict[str, Any]] = {
        "registry": {
            "entrypoint": ["registry", "serve", "/etc/deployer/config.yaml"], "command": None,
            "volumes": [mount("registry"), {"type": "volume", "source": "data", "target": "/etc/deployer2"}],
        },
        "frontend": {"entrypoint": ["sh", "-c", "echo $HOME"], "command": [], "volumes": [mount("frontend")]},
        "mine": {"command": ["x"], "volumes": [{"type": "bind", "source": "/x", "target": "/etc/deployer"}]},
    }  # fmt: skip
    services["registry"] |= registry or {}
    services["frontend"] |= frontend or {}
    return list(replaced(RENDERED, Wanted.of({"name": "team", "services": services}, "/data"), DEPLOYMENT))


def test_what_is_as_it_was_rendered_is_not_said() -> None:
    assert said() == []


@pytest.mark.parametrize("change", [{"entrypoint": ["sh"]}, {"command": ["--debug"]}, {"entrypoint": None}])
def test_another_program_is_said(change: dict[str, Any]) -> None:
    (sentence,) = said(frontend=change)
    assert sentence.startswith(f"{DEPLOYMENT.override_file} replaces the frontend's entrypoint or command")


@pytest.mark.parametrize("target", ["/etc/deployer", "/etc/deployer/config.yaml"])
def test_another_file_in_the_place_of_the_configuration_is_said(target: str) -> None:
    (sentence,) = said(registry={"volumes": [{"type": "bind", "source": "/mine", "target": target}]})
    assert sentence == (
        f"{DEPLOYMENT.override_file} mounts /mine at {target} in the registry, over what deployer writes there."
    )
