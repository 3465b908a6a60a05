"""What `up` would do: which images, services and files change, and what is to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from deployer import layout
from deployer.engine import values
from deployer.host.files import read_if_there
from deployer.layout import Service
from deployer.record import Owned, Release
from deployer.rendering.deployment import RenderInputs, ServiceImages, render_deployment
from deployer.workflows import rule_changes
from deployer.workflows.checks import (
    engine_options,
    identity,
    preflight,
    service_environment,
    storage_id,
)
from deployer.workflows.deployment import access, anonymous_volumes, ca, files, ownership, provision
from deployer.workflows.deployment.candidate import names_resources, overridden, replaced, wanted_of
from deployer.workflows.deployment.service_change import Action, Reason, ServiceChange
from deployer.workflows.deployment.service_changes import WITH_FOLDER, service_changes
from deployer.workflows.schedule import install
from deployer.workflows.schedule.install import SchedulePlan

if TYPE_CHECKING:
    from deployer.engine.values import LocalImage, ServiceContainer
    from deployer.permissions.difference import RuleChange
    from deployer.record import Resource
    from deployer.rendering.templates import File
    from deployer.workflows.deployment.stack import Stack


@dataclass(frozen=True)
class UpPlan:
    """Everything that `up` would do.

    `warnings` are of what would be lost, or used though it is another's, and are asked about;
    `remarks` are only shown. `adoption` is None if nothing is used that was not before. `inputs` are what the files
    hold beside the settings; before the first `up` the secret is still to be made. `opening` says which of the warnings
    are of a registry that would be open to everyone.
    """

    images: tuple[provision.Choice, ...]
    services: tuple[ServiceChange, ...]
    files: tuple[files.FileChange, ...]
    warnings: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    adoption: ownership.Adoption | None = None
    inputs: RenderInputs = field(default=RenderInputs(""), repr=False)
    schedule: SchedulePlan = SchedulePlan()
    opening: tuple[access.LostLogin, ...] = ()
    # The ID of the frontend's container if it runs, else "".
    frontend: str = ""
    # Those of the remarks that say what the user's files put in the place of deployer's.
    replaced: tuple[str, ...] = ()
    # Only where they are shown: see `with_rule_changes`.
    rule_changes: tuple[RuleChange, ...] = ()

    @property
    def found(self) -> tuple[Resource, ...]:
        """What would be used and was not made by an `up`."""
        return self.adoption.found if self.adoption else ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all would change."""
        return (
            not self.files
            and self.schedule.is_empty
            and all(change.action is Action.KEEP for change in self.services)
            and all(choice.source is provision.Source.HERE for choice in self.images)
        )


def plan_up(stack: Stack, *, rebuild: bool = False, release: Release | None = None) -> UpPlan:
    """What `up` would do, having looked for everything that is in its way.

    The services run the images of `release`, by default those that they ran before. Changes nothing. Raises
    EngineError, PreflightError or HostError.
    """
    facts = stack.facts
    engine_options.refuse(stack.settings, facts)
    containers = stack.engine.containers.of_project(stack.deployment.name)
    identity.check_conflict(stack.deployment, containers)
    schedule = install.plan(stack.settings, stack.deployment, stack.environment, facts, stack.now())
    preflight.check_paused(containers)
    remarks = preflight.check_certificate(stack.settings, stack.now()) + engine_options.remarks(stack.settings, facts)
    remarks += schedule.remarks
    release = _release(stack, release)
    choices, images = choose_images(stack, containers, rebuild=rebuild, release=release)
    if not rebuild:
        remarks += provision.remarks_of_gone(choices, release, images)
    inputs = stack.inputs()
    rendered = render_deployment(stack.settings, provision.named(choices), inputs)
    # An image that is still to come differs from every one that runs.
    here = [
        images[choice.pinned or choice.name] if choice.source is provision.Source.HERE else None for choice in choices
    ]
    ids = [found.id if found else "" for found in here]
    services = service_changes(stack, rendered, containers, _by_service(ids))
    # An image that is still to come is looked at when it is here.
    own = dict(zip(WITH_FOLDER, ids, strict=False))
    found = overridden(stack, rendered, {service: image for service, image in own.items() if image})
    service_environment.refuse(found, stack.deployment)
    in_place = replaced(stack, rendered)
    remarks += service_environment.remarks(found) + in_place
    starts = any(change.action not in {Action.KEEP, Action.RELOAD} for change in services)
    if starts:
        preflight.check_port(stack.settings, stack.engine)
        if data := stack.settings.registry.data_directory:
            preflight.check_data_directory(data)
    changes = files.changes(stack.deployment, rendered)
    services = _with_reload(stack, services, changes)
    adoption = _adoption(stack, rendered, services, changes)
    if starts:
        storage = adoption.storage if adoption else None
        preflight.check_disk(stack.settings, facts, stack.deployment, storage, containers)
    opening = tuple(access.lost_login(stack.engine, stack.deployment, inputs.accounts, containers))
    warnings = (
        *_of_other_engine(stack, containers),
        *_warnings(stack),
        *(lost.warning for lost in opening),
        *(adoption.warnings if adoption else ()),
    )
    frontend = values.running(containers, Service.FRONTEND)
    return UpPlan(
        tuple(choices), services, changes, warnings, remarks, adoption, inputs, schedule, opening,
        frontend.id if frontend else "", in_place,
    )  # fmt: skip


def with_rule_changes(stack: Stack, plan: UpPlan) -> UpPlan:
    """The plan with what users gain and lose by other rules, for which the storage is listed. Raises EngineError."""
    if not any(change.path == layout.GRANTS for change in plan.files):
        return plan
    containers = stack.engine.containers.of_project(stack.deployment.name)
    existing = partial(rule_changes.existing, stack.engine, containers)
    before = rule_changes.in_effect(stack.deployment)
    found = rule_changes.compare(before, stack.settings, plan.inputs.accounts, existing, stack.now())
    return replace(plan, rule_changes=found)


def _by_service(ids: list[str]) -> dict[str, str]:
    """The images' IDs by service; the scheduler has the registry's image."""
    return {**dict(zip(Service, ids, strict=False)), Service.SCHEDULER: ids[0]}


def _of_other_engine(stack: Stack, containers: tuple[ServiceContainer, ...]) -> tuple[str, ...]:
    found = identity.of_other_engine(stack.deployment, stack.facts, containers)
    return tuple(f"{where} If it still runs there, stop it there first." for where in found)


def choose_images(
    stack: Stack, containers: tuple[ServiceContainer, ...], *, rebuild: bool = False, release: Release | None = None
) -> tuple[list[provision.Choice], dict[str, LocalImage | None]]:
    """The images that the services are to run, as `plan_up` has them, and what is here under the names in question."""
    release = _release(stack, release)
    images = stack.engine.images.find_all(
        (*provision.candidates(stack.settings), *(one.id for one in release.images))
    )  # fmt: skip
    here = {one.name for one in release.images if images[one.id] is not None}
    choices = provision.choose_all(
        stack.settings, lambda name: name in here or images[name] is not None, _deployed_images(containers, release),
        rebuild=rebuild,
    )  # fmt: skip
    return choices if rebuild else provision.pinned(choices, stack.deployment.name, release, images), images


def _release(stack: Stack, wanted: Release | None) -> Release:
    """The release whose images are to run: the one that is wanted, or else the one that ran."""
    return wanted or Release.read(stack.deployment.release_file) or Release()


def _deployed_images(containers: tuple[ServiceContainer, ...], release: Release) -> ServiceImages | None:
    """The images that the services run, by the names that asked for them, or None if nothing is deployed."""
    images = {container.service: container.image for container in containers}
    images |= {one.service: one.name for one in release.images}
    return ServiceImages(images.get(Service.REGISTRY, ""), images.get(Service.FRONTEND, "")) if images else None


def _adoption(
    stack: Stack, rendered: tuple[File, ...], services: tuple[ServiceChange, ...],
    changes: tuple[files.FileChange, ...],
) -> ownership.Adoption | None:  # fmt: skip
    """What would be used though no `up` made it; None if every service stays what it is."""
    stays = all(change.action in {Action.KEEP, Action.RELOAD} for change in services)
    before = Owned.read(stack.deployment.owned_file)
    paths = [file.path for file in rendered]
    if (
        stays and before is not None and before.files.issuperset(paths) and not storage_id.is_other(before)
        and not names_resources(stack)
    ):  # fmt: skip
        return None
    wanted = wanted_of(stack, rendered)
    replaced = {change.service for change in services if change.action in {Action.RECREATE, Action.REMOVE}}
    there = ownership.inventory(stack.engine, stack.deployment, wanted)
    found = ownership.examine(stack.deployment, wanted, there, changes, paths)
    anonymous = anonymous_volumes.left_by_up(stack.engine, there, wanted, replaced)
    lost_ca = ca.lost(stack.deployment, wanted, there) if stack.settings.tls.is_internal else ()
    return replace(found, warnings=(*found.warnings, *lost_ca, *anonymous))


def _with_reload(
    stack: Stack, services: tuple[ServiceChange, ...], changes: tuple[files.FileChange, ...]
) -> tuple[ServiceChange, ...]:
    """The same, with an unchanged frontend reloading the files that it can reload, if they changed."""
    if not needs_reload(stack, changes):
        return services
    return tuple(
        ServiceChange(change.service, Action.RELOAD, Reason.ACCESS)
        if change.service == Service.FRONTEND and change.action is Action.KEEP
        else change
        for change in services
    )


def needs_reload(stack: Stack, changes: tuple[files.FileChange, ...]) -> bool:
    """Whether there is something that a running frontend is to read again."""
    changed = any(change.path.startswith(layout.RELOADED) for change in changes)
    return changed or stack.deployment.reload_pending_file.exists() or stack.deployment.apply_pending_file.exists()


def _warnings(stack: Stack) -> tuple[str, ...]:
    """What would be lost from sight, or be open to more people, than today."""
    found = []
    wanted = str(stack.settings.registry.data_directory or "data")
    today = files.deployed_storage(stack.deployment) or wanted
    remembered = Owned.read(stack.deployment.owned_file)
    if today != wanted and not (remembered and remembered.storage):
        before, after = (f"the volume {stack.data_volume}" if place == "data" else place for place in (today, wanted))
        found.append(
            f"The existing images stay in {before} and will not be available, because the registry will use {after}."
        )
    if read_if_there(stack.deployment.directory / layout.GRANTS) and not stack.settings.access:
        found.append("The current access rules are removed; every logged-in user can then do everything.")
    if files.deployed_tls(stack.deployment) and not stack.settings.tls.is_on:
        found.append("TLS is turned off; passwords and images are then sent unencrypted.")
    return tuple(found)
