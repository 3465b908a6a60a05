"""The deployments of this machine, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer import suggest
from deployer.engine import inventory
from deployer.errors import NotFound
from deployer.paths import Deployment, deployment_names
from deployer.record import Record
from deployer.settings.model import Settings
from deployer.workflows.checks import preflight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.engine.engine import Engine


def require(deployment: Deployment, environment: Mapping[str, str], engine: Engine | None = None) -> None:
    """Make sure that there is such a deployment on this machine.

    With an engine, one counts too that has only users, or whose files are gone and that has
    containers or volumes. Raises NotFound with the names that are most like it, and PreflightError
    if the engine is another machine's.
    """
    if deployment.is_there or deployment.owned_file.exists():
        return
    if deployment.is_begun and engine is None:
        raise NotFound(
            f"The deployment '{deployment.name}' has not been started yet.", (f"deployer up --name {deployment.name}",)
        )
    if deployment.is_begun:
        return
    if engine is not None:
        preflight.check_here(engine)
        if engine.containers.of_project(deployment.name) or inventory.has_volumes(engine, deployment.name):
            return
    known = deployment_names(environment)
    near = suggest.near(deployment.name, known, likeness=0.5)
    if near:
        first = f"Did you mean {' or '.join(f'--name {name}' for name in near)}?"
    else:
        first = f"Existing deployments: {', '.join(known)}." if known else f"deployer up --name {deployment.name}"
    raise NotFound(
        f"No deployment named '{deployment.name}' on this machine.",
        (first, "For a registry on another machine, use --host and --port."),
    )


def is_here(deployment: Deployment, settings: Settings) -> bool:
    """Whether an address is that of the deployment on this machine; if not, it is of a registry elsewhere."""
    record = Record.read(deployment.record_file)
    if record is None:
        return deployment.is_begun
    return (record.host, record.port) == (settings.host, settings.port)


def refuse_other(deployment: Deployment, settings: Settings, environment: Mapping[str, str]) -> None:
    """Make sure that settings which mean no deployment of this machine have not the address of another.

    So it is where the file that describes that one is not found from here. Raises NotFound.
    """
    if deployment.is_there:
        return
    for name in deployment_names(environment):
        record = Record.read(Deployment.of(name, environment).record_file)
        if record is not None and (record.host, record.port) == (settings.host, settings.port):
            raise NotFound(
                f"No deployment named '{deployment.name}' on this machine; {settings.address} belongs to '{name}'.",
                (
                    f"To use that one: --name {name}",
                    "Or run the command in the directory of its deployer.yaml, or with --config.",
                ),
            )


def require_address(
    deployment: Deployment,
    settings: Settings,
    environment: Mapping[str, str],
    engine: Engine | None,
    *,
    may_be_new: bool = False,
) -> None:
    """Make sure that an address which was given by itself is that of the deployment on this machine.

    For commands that read only this machine: with the address of a registry elsewhere they would report one
    deployment by the address of another, or take it down. One without an address is in its place if it has files, or
    containers on the engine, or if it `may_be_new`, for what works before the first `up`. Raises NotFound.
    """
    record = Record.read(deployment.record_file)
    if record is not None and (record.host, record.port) == (settings.host, settings.port):
        return
    if record is None and (may_be_new or deployment.is_begun or _has_containers(deployment, engine)):
        return
    refuse_others_address(settings, environment)
    elsewhere = (
        f"deployer doctor   (checks {settings.address} from this machine)",
        f"deployer catalog   (lists the repositories at {settings.address})",
    )
    if record is None:
        raise NotFound(
            f"No deployment at {settings.address} on this machine; this command works only on the machine that runs "
            "the registry.",
            (*elsewhere, "deployer up   (to start it here)"),
        )
    own = Settings(host=record.host, port=record.port).address
    raise NotFound(
        f"The deployment '{deployment.name}' on this machine is at {own}, not at {settings.address}.",
        (*elsewhere, f"To use '{deployment.name}', omit --host and --port."),
    )


def refuse_unapplied_address(deployment: Deployment, settings: Settings) -> None:
    """Make sure that the settings are those of the deployment on this machine, as far as its address tells.

    Raises NotFound. They may be the next ones, which `up` has not applied yet, or those of a registry elsewhere.
    """
    record = Record.read(deployment.record_file)
    if record is None or (record.host, record.port) == (settings.host, settings.port):
        return
    own = Settings(host=record.host, port=record.port).address
    raise NotFound(
        f"The deployment '{deployment.name}' on this machine is at {own}, but the settings say {settings.address}.",
        (
            f"If {settings.address} is another registry, run this on the machine that runs it.",
            f"deployer up   (to change the address of '{deployment.name}')",
        ),
    )


def _has_containers(deployment: Deployment, engine: Engine | None) -> bool:
    """Whether there are containers that were made from its folder, and not from another user's of the same name."""
    if engine is None:
        return False
    found = engine.containers.of_project(deployment.name)
    return any(container.directory == str(deployment.directory) for container in found)


def refuse_others_address(settings: Settings, environment: Mapping[str, str]) -> None:
    """Make sure that the address is not that of another deployment of this machine. Raises NotFound."""
    for name in deployment_names(environment):
        record = Record.read(Deployment.of(name, environment).record_file)
        if (
            name != settings.name
            and record is not None
            and (record.host, record.port) == (settings.host, settings.port)
        ):
            raise NotFound(
                f"{settings.address} is the address of the deployment '{name}' on this machine.",
                (f"To use that one: --name {name}",),
            )
