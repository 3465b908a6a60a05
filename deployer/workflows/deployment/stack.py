"""A deployment with all that commands need for it: its settings, its folder, the engine, the clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from deployer.engine.values import Project
from deployer.errors import DeployerError
from deployer.workflows.checks import identity, preflight
from deployer.workflows.deployment import access
from deployer.workflows.schedule.launcher import inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from deployer.engine.engine import Engine
    from deployer.engine.values import EngineFacts, ServiceContainer
    from deployer.paths import Deployment
    from deployer.rendering.deployment import RenderInputs
    from deployer.settings.model import Settings


@dataclass(frozen=True)
class Stack:
    """One deployment, its settings, the engine that runs it, and the clock.

    `source` is the file that the settings came from, None if they came from none.
    """

    settings: Settings
    deployment: Deployment
    engine: Engine
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    source: Path | None = None

    def project(self, compose_file: Path | None = None) -> Project:
        """The Compose project, with the deployed Compose file or another in its place."""
        override = self.deployment.override_file
        main = compose_file or self.deployment.compose_file
        return Project(
            self.deployment.name, self.deployment.directory, (main, *([override] if override.exists() else []))
        )

    def containers(self) -> tuple[ServiceContainer, ...]:
        """The deployment's containers, running or not.

        Raises AnotherDeployment if they are not its own, or if another engine runs it, and EngineError.
        """
        self.check_engine()
        found = self.engine.containers.of_project(self.deployment.name)
        identity.check(self.deployment, self.facts, found)
        return found

    @property
    def data_volume(self) -> str:
        """The volume that holds the images, unless a directory does."""
        return f"{self.deployment.name}_data"

    def inputs(self) -> RenderInputs:
        """What the rendered files hold beside the settings. Raises HostError and ConfigurationError."""
        inputs = access.render_inputs(self.settings, self.deployment)
        access.check(self.settings, inputs.accounts)
        schedule = inputs_of(self.settings, self.deployment, self.environment, self.source)
        return replace(inputs, user_namespaces=self.remaps_users, schedule=schedule)

    @property
    def environment(self) -> Mapping[str, str]:
        """The user's environment, as the Docker client gets it."""
        return self.engine.client.environment

    @cached_property
    def facts(self) -> EngineFacts:
        """What the engine says of itself. Raises EngineError if it will not do, and PreflightError."""
        return preflight.check_engine(self.engine)

    def check_engine(self) -> None:
        """Make sure of the engine, at most once. Raises EngineError if it will not do, and PreflightError."""
        _ = self.facts

    @property
    def remaps_users(self) -> bool:
        """Whether the engine makes root in containers another user of the machine; False if none answers."""
        try:
            return self.facts.user_namespaces
        except DeployerError:
            # What is rendered without an engine is for one with no such option.
            return False
