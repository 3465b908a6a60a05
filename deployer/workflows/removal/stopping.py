"""Stopping a deployment's containers in their order, with the hooks that their user gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import EngineError, EngineUnavailable
from deployer.layout import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.engine.values import ServiceContainer
    from deployer.workflows.deployment.stack import Stack


def remove_containers(
    stack: Stack, going: Sequence[ServiceContainer], hooks: frozenset[str], say: Callable[[str], None]
) -> None:
    """Stop these containers, the frontend first, and remove them. Raises EngineError.

    `hooks` are the services with pre_stop hooks; if one fails, nothing is removed.
    """
    if not going:
        return
    engine = stack.engine
    say(f"Stopping {', '.join(one.name for one in going)} …")
    ids = {one.id for one in going}
    # Compose alone runs hooks. It stops what depends on others before these, the frontend before the registry.
    if any(found.service in hooks and found.is_running for found in going):
        _stop_with_hooks(stack, sorted({found.service for found in going}))
    # What is in progress through the frontend still reaches the registry.
    first = {found.id for found in going if found.service == Service.FRONTEND}
    for group in (first, ids - first):
        if group:
            engine.containers.stop(sorted(group))
    engine.containers.remove(sorted(ids))


def _stop_with_hooks(stack: Stack, services: list[str]) -> None:
    try:
        stack.engine.compose.stop(stack.project(), services)
    except EngineUnavailable:
        raise
    except EngineError as error:
        raise EngineError(
            f"Compose could not stop the services, which have pre_stop hooks: {error.message.rstrip('.')}. "
            "Nothing was removed.",
            (f"Correct pre_stop in {stack.deployment.override_file}, or remove it there, and run the command again.",),
            error.original or error.message,
        ) from error
