"""Volumes without a name, which no container uses any more once theirs has gone, though nothing removes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from deployer.engine.engine import Engine
    from deployer.engine.inventory import AnonymousVolume, Inventory, Wanted


def with_data(there: Inventory) -> tuple[AnonymousVolume, ...]:
    """Those that the project's containers have, without those that are seen to be empty."""
    return tuple(one for one in there.anonymous if not _is_empty(one))


def left_by_up(engine: Engine, there: Inventory, wanted: Wanted, changed: Collection[str]) -> Iterator[str]:
    """Warn of each that Compose does not give to the new container.

    `changed` are the services whose containers are replaced or removed. Raises EngineError.
    """
    for one in with_data(there):
        if one.service in changed and not _is_inherited(engine, one, wanted):
            yield (
                f"{one.target} of {one.container} is on the anonymous volume {one.volume}. No container will "
                "use it anymore, and `docker volume prune` would remove it."
            )


def _is_empty(one: AnonymousVolume) -> bool:
    try:
        return not any(Path(one.folder).iterdir()) if one.folder else False
    except OSError:
        # On another machine, or for root's eyes alone: it may hold anything.
        return False


def _is_inherited(engine: Engine, one: AnonymousVolume, wanted: Wanted) -> bool:
    """Whether the service's next container gets it (docker/compose, pkg/compose/create.go, buildContainerMountOptions).

    It does where the service still asks for a volume without a name there, or its image does and the service for
    nothing else.
    """
    if one.service not in wanted.images:
        return False
    source = wanted.places.get((one.service, one.target))
    if source is not None:
        return not source
    places = engine.images.volumes(wanted.images[one.service])
    # What an image asks for that is yet to come is seen when it is here.
    return places is None or one.target in places
