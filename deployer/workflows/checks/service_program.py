"""What the user's Compose file puts in the place of the programs that the services run, and of their configuration.

That may be meant, as with a script that ends in the same program, so it is said and not refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from deployer.layout import CONFIGURATION, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.engine.inventory import Wanted
    from deployer.paths import Deployment


def replaced(rendered: bytes, wanted: Wanted, deployment: Deployment) -> Iterator[str]:
    """What differs from the rendered Compose file, a sentence each."""
    services = yaml.safe_load(rendered)["services"]
    for service in (Service.REGISTRY, Service.FRONTEND):
        where = f"{deployment.override_file} "
        own = tuple(tuple(_plain(services[service].get(key))) for key in ("entrypoint", "command"))
        if service in wanted.programs and wanted.programs[service] != own:
            yield (
                f"{where}replaces the {service}'s entrypoint or command: whether the {service} reads the configuration "
                "that deployer writes depends on that command."
            )
        for (of, place), source in sorted(wanted.places.items()):
            is_own = place == CONFIGURATION and source == str(deployment.directory / service)
            if of == service and (place == CONFIGURATION or place.startswith(f"{CONFIGURATION}/")) and not is_own:
                what = source or "a volume"
                yield f"{where}mounts {what} at {place} in the {service}, over what deployer writes there."


def _plain(words: list[str] | None) -> list[str]:
    # As Compose prints it: two dollar signs stand for one.
    return [word.replace("$$", "$") for word in words or ()]
