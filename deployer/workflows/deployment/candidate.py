"""The files that `up` would write, as Compose reads them together with the user's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from deployer import layout
from deployer.engine import inventory
from deployer.errors import EngineError, EngineUnavailable, UnsetVariables
from deployer.host import scratch
from deployer.host.files import read_if_there
from deployer.rendering import snippets
from deployer.workflows.checks import service_environment, service_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.engine.values import Project
    from deployer.layout import Service
    from deployer.rendering.templates import File
    from deployer.workflows.deployment.stack import Stack

Answer = TypeVar("Answer")

# What the user's file may say of volumes and networks, itself or in another file.
_RESOURCES = re.compile(rb"volumes|networks|include|extends")
# What may give a service variables; a backslash may hide it.
_VARIABLES = re.compile(rb"environment|env_file|include|extends|\\")
# What may change what a service runs, or what it reads.
_PROGRAMS = re.compile(rb"entrypoint|command|volumes|configs|secrets|include|extends|\\")


def with_candidate(stack: Stack, rendered: tuple[File, ...], ask: Callable[[Project], Answer]) -> Answer:
    """What Compose answers of the project as it would be, which also proves that it accepts the files."""
    with scratch.folder("compose") as folder:
        candidate = folder / "compose.yaml"
        candidate.write_bytes(next(file.content for file in rendered if file.path == "compose.yaml"))
        try:
            return ask(stack.project(candidate))
        except (EngineUnavailable, UnsetVariables):
            raise
        except EngineError as error:
            if read_if_there(stack.deployment.override_file) in {None, snippets.override().content}:
                raise
            advice = (f"Correct {stack.deployment.override_file}, which you created, or remove it.",)
            raise EngineError("Compose does not accept the files.", advice, error.original) from error


def wanted_of(stack: Stack, rendered: tuple[File, ...]) -> inventory.Wanted:
    """What the files ask for: volumes, networks, and what each service gets."""
    return with_candidate(stack, rendered, lambda project: inventory.wanted(stack.engine, project, layout.STORAGE))


def overridden(
    stack: Stack, rendered: tuple[File, ...], images: Mapping[Service, str]
) -> tuple[service_environment.Conflict, ...]:
    """What the variables that these images, and the user's files, give to the services undo."""
    known = stack.engine.images.environments(images.values()) if images else {}
    given: dict[str, Mapping[str, str]] = {service: known[image] for service, image in images.items()}
    if _VARIABLES.search(read_if_there(stack.deployment.override_file) or b""):
        said = wanted_of(stack, rendered).environments
        given |= {service: {**given.get(service, {}), **said[service]} for service in said}
    return service_environment.conflicts(given)


def replaced(stack: Stack, rendered: tuple[File, ...]) -> tuple[str, ...]:
    """What the user's files put in the place of the services' programs and their configuration."""
    if not _PROGRAMS.search(read_if_there(stack.deployment.override_file) or b""):
        return ()
    compose_file = next(file.content for file in rendered if file.path == "compose.yaml")
    return tuple(service_program.replaced(compose_file, wanted_of(stack, rendered), stack.deployment))


def names_resources(stack: Stack) -> bool:
    """Whether the user's file may say something of volumes and networks."""
    return _RESOURCES.search(read_if_there(stack.deployment.override_file) or b"") is not None
