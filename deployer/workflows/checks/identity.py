"""Whether what runs under a deployment's name is that deployment: of this user's files, on this engine."""

from __future__ import annotations

import itertools
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import AnotherDeployment
from deployer.host import ports
from deployer.record import Owned
from deployer.settings.model import DEFAULT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.engine.values import EngineFacts, ServiceContainer
    from deployer.paths import Deployment


def check(deployment: Deployment, facts: EngineFacts, containers: tuple[ServiceContainer, ...]) -> None:
    """Make sure of both: whose containers these are, and where there are none, which engine has them.

    Raises AnotherDeployment.
    """
    check_conflict(deployment, containers)
    _check_same_engine(deployment, facts, containers)


def check_conflict(deployment: Deployment, containers: tuple[ServiceContainer, ...]) -> None:
    """Make sure that containers of this project name are this deployment's. Raises AnotherDeployment."""
    for container in containers:
        # Every container of ours has the folder in a label; one without is another tool's.
        if not container.directory or Path(container.directory) != deployment.directory:
            _refuse_other_path(deployment, container)
            port = ports.free_near(DEFAULT_PORT, ("",))
            origin = (
                f"from {container.directory}"
                if container.directory
                else f"by another tool (container {container.name})"
            )
            away = f"Or, if it is not needed: docker rm --force {container.name}"
            if any(one.directory and Path(one.directory) == deployment.directory for one in containers):
                # Under another name it would be another registry, and an empty one.
                raise AnotherDeployment(
                    f"The container {container.name} is in this deployment's Compose project '{deployment.name}' "
                    f"but was created {f'from {container.directory}' if container.directory else 'by another tool'}.",
                    (
                        (
                            "Give that tool's project another name (docker compose --project-name), and remove "
                            "the container from this one."
                        ),
                        away,
                    ),
                )
            raise AnotherDeployment(
                f"A Compose project named '{deployment.name}' already exists, created {origin}.",
                (
                    *_as_its_user(container, deployment.name),
                    f"deployer up --name {free_name(deployment)} --port {port}   (another name and port)",
                    away,
                ),
            )


def _refuse_other_path(deployment: Deployment, container: ServiceContainer) -> None:
    """Say of the same directory by another path, such as through a symbolic link, how to use the path that it has."""
    theirs = Path(container.directory)
    try:
        is_same = bool(container.directory) and theirs.samefile(deployment.directory)
    except OSError:
        return
    if is_same and _is_ours(theirs, deployment.name):
        home = shlex.quote(str(theirs.parent.parent))
        raise AnotherDeployment(
            f"'{deployment.name}' was started from {theirs}, which is the same directory as {deployment.directory}; "
            "Compose tells deployments apart by the path.",
            (f"export XDG_DATA_HOME={home}   (then run the command again)",),
        )


def _is_ours(folder: Path, name: str) -> bool:
    return folder.parts[-2:] == ("deployer", name)


def _as_its_user(container: ServiceContainer, name: str) -> tuple[str, ...]:
    """How to work with a deployment that another user has started, such as before `sudo` gave another home."""
    folder = Path(container.directory)
    if not _is_ours(folder, name):
        return ()
    try:
        user = f"the user {folder.owner()}"
    except (OSError, KeyError):
        user = "the user who started it"
    return (f"To work with that deployment, run the command as {user}   (sudo uses the home directory of root)",)


def _check_same_engine(deployment: Deployment, facts: EngineFacts, containers: tuple[ServiceContainer, ...]) -> None:
    """Make sure that a deployment without containers here was not started on another engine. Raises AnotherDeployment.

    It may run there, and whatever is said or removed of it here would be wrong.
    """
    for where in of_other_engine(deployment, facts, containers):
        raise AnotherDeployment(
            where,
            (
                "Use that engine; DOCKER_HOST, DOCKER_CONTEXT and `docker context use` select it.",
                "If that engine no longer exists: deployer up   (starts the registry on this one)",
            ),
        )


def of_other_engine(
    deployment: Deployment, facts: EngineFacts, containers: tuple[ServiceContainer, ...]
) -> tuple[str, ...]:
    """That a deployment was started on another engine than this one, in a sentence; none if it was not."""
    owned = Owned.read(deployment.owned_file)
    if containers or owned is None or not (owned.engine_id and facts.id) or owned.engine_id == facts.id:
        return ()
    told = f"'{deployment.name}' was started on another Docker engine"
    if owned.engine_endpoint == facts.endpoint:
        return (f"{told}: the data directory of the engine at {facts.endpoint} has been replaced since.",)
    return (f"{told}, at {owned.engine_endpoint}; the current one is at {facts.endpoint}.",)


def free_name(deployment: Deployment, projects: Iterable[str] = ()) -> str:
    """A name near a deployment's that no other deployment on this machine has, and none of these Compose projects."""
    taken = set(projects)
    names = (f"{deployment.name}{number}" for number in itertools.count(2))
    return next(
        name for name in names if name not in taken and not os.path.lexists(deployment.directory.with_name(name))
    )
