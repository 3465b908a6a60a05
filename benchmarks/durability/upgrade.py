"""What clients notice of an upgrade that replaces both services."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.durability.clients import Pushes
from benchmarks.measure import NUMBER, Command, Figure
from deployer.workflows.deployment.provision import BUILT_FRONTEND, BUILT_REGISTRY
from tests.support.run import free_port
from tests.support.stack import DeployedStack, docker

if TYPE_CHECKING:
    from pathlib import Path

_IMAGES = {"registry": BUILT_REGISTRY, "frontend": BUILT_FRONTEND}
_RUNS = 2


def upgrade_figures(folder: Path) -> list[Figure]:
    """For how long requests are refused while pushes go on, and how many that were taken are lost."""
    name = f"deployer-bench-upgrade-{os.getpid()}"
    images = {service: f"{name}-{service}:1" for service in _IMAGES}
    stack = DeployedStack(
        folder / "upgrade", name, free_port(), {f"DEPLOYER_{one.upper()}_IMAGE": images[one] for one in _IMAGES}
    )
    try:
        for service, image in images.items():
            docker("tag", _IMAGES[service], image)
        stack.up()
        refused, lost = 0.0, 0
        for number in range(_RUNS):
            for service, image in images.items():
                newer = f"FROM {_IMAGES[service]}\nLABEL newer={number}\n"
                docker("build", "--quiet", "--tag", image, "-", stdin=newer.encode())
            with Pushes(stack) as pushes:
                Command(stack.command("upgrade", "--yes"), stack.environment, stack.folder).run()
            refused, lost = max(refused, pushes.refused), lost + len(pushes.lost())
    finally:
        stack.remove()
        _remove_images(name)
    title = "`deployer upgrade` of both services, requests refused"
    return [
        Figure(title, refused, None, "", "≤ 5 s", refused <= 5),
        Figure("… pushes lost", lost, None, "", "0", lost == 0, NUMBER),
    ]


def _remove_images(name: str) -> None:
    """Those of this benchmark: under its own names, and under those by which an upgrade keeps them."""
    names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    own = [one for one in names if name in one]
    if own:
        docker("image", "rm", "--force", *own, check=False)
