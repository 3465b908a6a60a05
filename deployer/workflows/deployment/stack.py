"""Bringing the registry and its frontend up, and down again."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from deployer.engine import inventory
from deployer.engine.values import Project
from deployer.errors import DeployerError, EngineError, EngineUnavailable, UnsetVariables
from deployer.host.files import read_if_there, write_atomically
from deployer.host.lock import exclusive
from deployer.record import Owned, Record
from deployer.rendering import render
from deployer.rendering.render import PRIVATE, ServiceImages
from deployer.workflows.checks import engine_options, preflight, readiness
from deployer.workflows.deployment import access, authority, files, ownership, provision, unnamed
from deployer.workflows.deployment.service_change import (
    FILE_CHANGED,
    FILES_GONE,
    Action,
    ServiceChange,
    again,
    change_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.engine.client import Engine
    from deployer.engine.values import EngineFacts, ServiceContainer
    from deployer.paths import Deployment
    from deployer.record import Thing
    from deployer.rendering.render import Inputs
    from deployer.settings.model import Settings

Answer = TypeVar("Answer")

# The services in the order of their images; the last is there for some pages only.
SERVICES = ("registry", "frontend", "page")
# Those of them that have a folder of this machine.
_WITH_FOLDER = ("registry", "frontend")

_ACCESS_CHANGED = "its users, rules or certificate changed"


@dataclass(frozen=True)
class UpPlan:
    """Everything that `up` would do.

    `warnings` are of what would be lost, or used though it is another's, and are asked about;
    `remarks` are only told. `takeover` is None where nothing is used that was not before.
    """

    images: tuple[provision.Choice, ...]
    services: tuple[ServiceChange, ...]
    files: tuple[files.FileChange, ...]
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    takeover: ownership.Takeover | None = None

    @property
    def found(self) -> tuple[Thing, ...]:
        """What would be used and was not made by an `up`."""
        return self.takeover.found if self.takeover else ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all would change."""
        return (
            not self.files
            and all(change.action is Action.KEEP for change in self.services)
            and all(choice.source is provision.Source.HERE for choice in self.images)
        )


@dataclass(frozen=True)
class Dialogue:
    """How `up` speaks with its user.

    `say` is told each step; `may_install` is asked before a package is installed, and `may_lose`
    before images would be left behind or rules dropped. Those two raise where the answer is no.
    """

    say: Callable[[str], None]
    may_install: Callable[[str], None]
    may_lose: Callable[[str], None]


@dataclass(frozen=True)
class Stack:
    """One deployment, its settings, the engine that runs it, and the clock."""

    settings: Settings
    deployment: Deployment
    engine: Engine
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def project(self, compose_file: Path | None = None) -> Project:
        """The Compose project, with the deployed Compose file or another in its place."""
        override = self.deployment.override_file
        main = compose_file or self.deployment.compose_file
        return Project(
            self.deployment.name, self.deployment.directory, (main, *([override] if override.exists() else []))
        )

    @property
    def data_volume(self) -> str:
        """The volume that holds the images, unless a directory does."""
        return f"{self.deployment.name}_data"

    def plan(self, *, rebuild: bool = False) -> UpPlan:
        """What `up` would do, having looked for everything that stands in its way.

        Changes nothing. Raises EngineError, PreflightError or HostError.
        """
        facts = self.facts
        engine_options.refuse(self.settings, facts)
        containers = self.engine.containers(self.deployment.name)
        preflight.check_conflict(self.deployment, containers)
        preflight.check_paused(containers)
        remarks = preflight.check_certificate(self.settings, self.now()) + engine_options.remarks(self.settings, facts)
        image = cache(self.engine.image)
        choices = provision.choose_all(
            self.settings, lambda name: image(name) is not None, deployed_images(containers), rebuild=rebuild
        )
        rendered = render.files(self.settings, provision.named(choices), self.kept())
        # An image that is still to come differs from every one that runs.
        here = [image(choice.name) if choice.source is provision.Source.HERE else None for choice in choices]
        ids = [found.id if found else "" for found in here]
        services = self._service_changes(rendered, containers, dict(zip(SERVICES, ids, strict=False)))
        if any(change.action not in {Action.KEEP, Action.RELOAD} for change in services):
            preflight.check_port(self.settings, self.engine)
            preflight.check_disk(self.settings, facts, self.deployment)
        changes = files.changes(self.deployment, rendered)
        services = self._with_reload(services, changes)
        takeover = self._takeover(rendered, services, changes)
        warnings = (*self._warnings(), *(takeover.warnings if takeover else ()))
        return UpPlan(tuple(choices), services, changes, warnings, remarks, takeover)

    def _takeover(
        self, rendered: tuple[render.File, ...], services: tuple[ServiceChange, ...],
        changes: tuple[files.FileChange, ...],
    ) -> ownership.Takeover | None:  # fmt: skip
        """What would be used though no `up` made it; None where every service stays what it is."""
        stays = all(change.action in {Action.KEEP, Action.RELOAD} for change in services)
        before = Owned.read(self.deployment.owned_file)
        paths = [file.path for file in rendered]
        if stays and before is not None and before.files.issuperset(paths):
            return None
        wanted = self._with_candidate(rendered, lambda project: inventory.wanted(self.engine, project, render.STORAGE))
        replaced = {change.service for change in services if change.action in {Action.RECREATE, Action.REMOVE}}
        there = ownership.inventory(self.engine, self.deployment, wanted)
        found = ownership.examine(self.deployment, wanted, there, changes, paths)
        return replace(found, warnings=(*found.warnings, *unnamed.left_by_up(self.engine, there, wanted, replaced)))

    def up(self, *, rebuild: bool, timeout: float, dialogue: Dialogue, quiet: bool) -> UpPlan:
        """Bring the deployment up and wait until it answers; return what was done. `timeout` in seconds.

        Raises what `plan` raises, and NotReady with the last log lines.
        """
        agreed: set[str] = set()
        if not self.deployment.directory.exists():
            # What stands in the way is told, and what is to be asked is asked, before the folder is made.
            _ask(self.plan(rebuild=rebuild), dialogue, agreed)
        with exclusive(self.deployment.lock_file, "up"):
            plan = self.plan(rebuild=rebuild)
            _ask(plan, dialogue, agreed)
            if plan.takeover is not None:
                # Before anything is made: cut off here, the next `up` still knows what it made and what it found.
                ownership.keep(self.deployment, plan.takeover.owned)
            if plan.is_empty:
                files.keep_record(self.deployment, self._record)
            else:
                self._apply(plan, dialogue, quiet=quiet)
                if plan.takeover is not None:
                    ownership.keep_storage(self.deployment, plan.takeover)
            readiness.wait(self.settings, self.engine, self.deployment.name, timeout)
            if self.settings.tls.mode == "internal" and not (plan.is_empty and self.deployment.authority_file.exists()):
                authority.keep(self.engine, self.deployment)
        return plan

    def _apply(self, plan: UpPlan, dialogue: Dialogue, *, quiet: bool) -> None:
        images = provision.fetch(list(plan.images), self.engine, dialogue.say, dialogue.may_install)
        data = self.settings.registry.data_directory
        if data is not None:
            preflight.make_data_directory(data)
        if files.secret_of(self.deployment) is None:
            files.keep_secret(self.deployment, files.new_secret())
        if self._has_unread(plan.files):
            write_atomically(self.deployment.unfinished_file, b"", PRIVATE)
        files.write(self.deployment, render.files(self.settings, images, self.kept()))
        files.keep_record(self.deployment, self._record)
        # Compose knows nothing of these two reasons, and would keep the containers.
        anew = [change.service for change in plan.services if change.reason in {FILES_GONE, FILE_CHANGED}]
        self.engine.up(self.project(), anew=anew, quiet=quiet)
        if any(change.action is Action.REMOVE for change in plan.services):
            ownership.remove_idle_networks(self.engine, self.deployment, self.project())
        if any(change.action is Action.RELOAD for change in plan.services):
            access.let_read(self.engine, self.deployment)
        # One that was started has read them.
        self.deployment.unread_file.unlink(missing_ok=True)
        self.deployment.unfinished_file.unlink(missing_ok=True)

    def _has_unread(self, changes: tuple[files.FileChange, ...]) -> bool:
        """Whether there is something that a running frontend is to read anew."""
        changed = any(change.path.startswith(render.READ_ANEW) for change in changes)
        return changed or self.deployment.unread_file.exists() or self.deployment.unfinished_file.exists()

    def kept(self) -> Inputs:
        """What the rendered files hold beside the settings. Raises HostError and ConfigurationError."""
        kept = access.kept_of(self.settings, self.deployment)
        access.check(self.settings, kept.accounts)
        return replace(kept, user_namespaces=self._remaps_users)

    @cached_property
    def facts(self) -> EngineFacts:
        """What the engine says of itself. Raises EngineError where it will not do, and PreflightError."""
        return preflight.check_engine(self.engine)

    @property
    def _remaps_users(self) -> bool:
        try:
            return self.facts.user_namespaces
        except DeployerError:
            # What is rendered without an engine is for one with no such option.
            return False

    def _with_reload(
        self, services: tuple[ServiceChange, ...], changes: tuple[files.FileChange, ...]
    ) -> tuple[ServiceChange, ...]:
        """The same, with a frontend that stays told to read what it can read anew, where that changed."""
        if not self._has_unread(changes):
            return services
        return tuple(
            ServiceChange(change.service, Action.RELOAD, _ACCESS_CHANGED)
            if change.service == "frontend" and change.action is Action.KEEP
            else change
            for change in services
        )

    @property
    def _record(self) -> Record:
        tls = {key: value for key, value in asdict(self.settings.tls).items() if value}
        return Record(self.settings.host, self.settings.port, tls)

    def _service_changes(
        self,
        rendered: tuple[render.File, ...],
        containers: tuple[ServiceContainer, ...],
        ids: Mapping[str, str],
    ) -> tuple[ServiceChange, ...]:
        hashes = self._with_candidate(rendered, self.engine.config_hashes)
        running = {container.service: container for container in containers}
        outdated = self._outdated(rendered, running)
        wanted = [
            change_of(service, hashes[service], ids.get(service), running.get(service), outdated=service in outdated)
            for service in hashes
        ]
        if not all((self.deployment.directory / service).is_dir() for service in _WITH_FOLDER):
            # A container keeps the folder that it was given, even when another has taken its place.
            wanted = [again(change) if change.service in _WITH_FOLDER else change for change in wanted]
        removed = [ServiceChange(service, Action.REMOVE) for service in running if service not in hashes]
        return tuple(wanted + removed)

    def _outdated(self, rendered: tuple[render.File, ...], running: Mapping[str, ServiceContainer]) -> frozenset[str]:
        """The services that may run on another content of their file than the one rendered."""
        files_of = {file.path: file for file in rendered}
        return frozenset(
            service
            for service, path in render.SERVICE_FILES.items()
            if service in running and files.outdates(self.deployment, files_of[path], running[service].started)
        )

    def _with_candidate(self, rendered: tuple[render.File, ...], ask: Callable[[Project], Answer]) -> Answer:
        """What Compose answers of the project as it would be, which also proves that it accepts the files."""
        with tempfile.TemporaryDirectory(prefix="deployer-") as folder:
            candidate = Path(folder) / "compose.yaml"
            candidate.write_bytes(next(file.content for file in rendered if file.path == "compose.yaml"))
            try:
                return ask(self.project(candidate))
            except (EngineUnavailable, UnsetVariables):
                raise
            except EngineError as error:
                if read_if_there(self.deployment.override_file) in {None, render.override().content}:
                    raise
                advice = (f"Correct {self.deployment.override_file}, which is yours, or remove it.",)
                raise EngineError("Compose does not accept the files.", advice, error.original) from error

    def _warnings(self) -> tuple[str, ...]:
        """What would be lost from sight, or be open to more people, than today."""
        found = []
        wanted = str(self.settings.registry.data_directory or "data")
        today = files.deployed_storage(self.deployment) or wanted
        remembered = Owned.read(self.deployment.owned_file)
        if today != wanted and not (remembered and remembered.storage):
            before, after = (
                f"the volume {self.data_volume}" if place == "data" else place for place in (today, wanted)
            )
            found.append(
                f"The images pushed so far stay in {before}, and will not be seen: the registry moves to {after}."
            )
        if read_if_there(self.deployment.directory / render.GRANTS) and not self.settings.access:
            found.append("The access rules in force go: then everyone who signs in may do everything.")
        if files.deployed_tls(self.deployment) and not self.settings.tls.is_on:
            found.append("TLS goes: passwords and images then cross the network in the clear.")
        return tuple(found)


def _ask(plan: UpPlan, dialogue: Dialogue, agreed: set[str]) -> None:
    """Ask about each warning that was not agreed to yet."""
    for warning in plan.warnings:
        if warning not in agreed:
            dialogue.may_lose(f"{warning} Go on?")
            agreed.add(warning)


def deployed_images(containers: tuple[ServiceContainer, ...]) -> ServiceImages | None:
    """The images that the services run today, or None where nothing is deployed."""
    images = {container.service: container.image for container in containers}
    return ServiceImages(images.get("registry", ""), images.get("frontend", "")) if images else None
