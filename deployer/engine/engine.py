"""The Docker engine, in parts named as the Docker client groups its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.engine.compose import Compose
from deployer.engine.containers import Containers
from deployer.engine.images import Images
from deployer.engine.resources import Networks, Volumes
from deployer.engine.system import System

if TYPE_CHECKING:
    from deployer.engine.client import Client


class Engine:
    """The engine that a Docker client speaks to.

    Every method of its parts raises EngineError, with the engine's own words underneath.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.system = System(client)
        self.images = Images(client)
        self.containers = Containers(client)
        self.volumes = Volumes(client)
        self.networks = Networks(client)
        self.compose = Compose(client)
