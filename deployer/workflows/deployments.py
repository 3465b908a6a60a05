"""The deployments of this machine, by name."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from deployer.errors import NotFound
from deployer.paths import deployment_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.engine import Engine
    from deployer.paths import Deployment


def require(deployment: Deployment, environment: Mapping[str, str], engine: Engine | None = None) -> None:
    """Make sure that there is such a deployment on this machine.

    With an engine, containers or volumes whose files are gone count too. Raises NotFound with the
    names that are most like it.
    """
    if deployment.is_there:
        return
    if engine and (engine.containers(deployment.name) or engine.volumes(deployment.name)):
        return
    known = deployment_names(environment)
    near = difflib.get_close_matches(deployment.name, known, n=3, cutoff=0.5)
    if near:
        first = f"Did you mean {' or '.join(f'--name {name}' for name in near)}?"
    else:
        first = f"There is: {', '.join(known)}." if known else f"deployer up --name {deployment.name}"
    raise NotFound(
        f"There is no deployment named '{deployment.name}' on this machine.",
        (first, "For a registry elsewhere, give --host and --port."),
    )
