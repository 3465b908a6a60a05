"""What `up` would do: which images, services and files change, and what is to be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from deployer import layout
from deployer.engine import inventory, values
from deployer.errors import EngineError, EngineUnavailable, UnsetVariables
from deployer.host import scratch
from deployer.host.files import read_if_there
from deployer.layout import Service
from deployer.record import Owned, Release
from deployer.rendering import snippets
from deployer.rendering.deployment import RenderInputs, ServiceImages, render_deployment
from deployer.workflows.checks import (
    engine_options,
    identity,
    override,
    preflight,
    rule_changes,
    service_environment,
    service_program,
    storage_id,
)
from deployer.workflows.deployment import access, anonymous_volumes, ca, files, ownership, provision
from deployer.workflows.deployment.service_change import Action, Reason, ServiceChange, again, change_of
from deployer.workflows.schedule import install
from deployer.workflows.schedule.install import SchedulePlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.engine.values import LocalImage, Project, ServiceContainer
    from deployer.permissions.difference import RuleChange
    from deployer.record import Resource
    from deployer.rendering.templates import File
    from deployer.workflows.deployment.stack import Stack

Answer = TypeVar("Answer")

# What the user's file may say of volumes and networks, itself or in another file.
_RESOURCES = re.compile(rb"volumes|networks|include|extends")
# What may give a service variables; a backslash may hide it.
_VARIABLES = re.compile(rb"environment|env_file|include|extends|\\")
# What may change what a service runs, or what it reads.
_PROGRAMS = re.compile(rb"entrypoint|command|volumes|configs|secrets|include|extends|\\")
# What is done with a container that is not made again.
_STAYING = {Action.KEEP, Action.START}
# The services that have a folder of this machine.
_WITH_FOLDER = (Service.REGISTRY, Service.FRONTEND)


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
    rule_changes: tuple[RuleChange, ...] = ()
    # The ID of the frontend's container if it runs, else "".
    frontend: str = ""
    # Those of the remarks that say what the user's files put in the place of deployer's.
    replaced: tuple[str, ...] = ()

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
    services = _service_changes(stack, rendered, containers, _by_service(ids))
    # An image that is still to come is looked at when it is here.
    own = dict(zip(_WITH_FOLDER, ids, strict=False))
    found = overridden(stack, rendered, {service: image for service, image in own.items() if image})
    service_environment.refuse(found, stack.deployment)
    replaced = _replaced(stack, rendered)
    remarks += service_environment.remarks(found) + replaced
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
        _rule_changes(stack, inputs, containers, changes), frontend.id if frontend else "", replaced,
    )  # fmt: skip


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
        and not _names_resources(stack)
    ):  # fmt: skip
        return None
    wanted = _wanted(stack, rendered)
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


def _service_changes(
    stack: Stack,
    rendered: tuple[File, ...],
    containers: tuple[ServiceContainer, ...],
    ids: Mapping[str, str],
) -> tuple[ServiceChange, ...]:
    override.refuse_variables(stack.project())
    hashes = _with_candidate(stack, rendered, stack.engine.compose.config_hashes)
    deployed = {container.service: container for container in containers}
    outdated = _outdated(stack, rendered, deployed)
    wanted = [
        change_of(service, hashes[service], ids.get(service), deployed.get(service), outdated=service in outdated)
        for service in hashes
    ]
    # A container keeps the folder that it was given, even when another has taken its place.
    if not all((stack.deployment.directory / service).is_dir() for service in _WITH_FOLDER):
        wanted = [again(change, Reason.FILES_GONE) if change.service in _WITH_FOLDER else change for change in wanted]
    elif _has_other_storage(stack, deployed.get(Service.REGISTRY)):
        wanted = [again(change, Reason.STORAGE) if change.service in _WITH_FOLDER else change for change in wanted]
    lost = _without_network(stack, deployed, wanted)
    wanted = [again(change, Reason.NETWORK) if change.service in lost else change for change in wanted]
    moved = _with_other_resources(stack, rendered, deployed, wanted)
    wanted = [again(change, Reason.RESOURCES) if change.service in moved else change for change in wanted]
    unhooked = _unhooked(stack, rendered, wanted)
    wanted = [
        ServiceChange(change.service, Action.RECREATE, Reason.HOOKS) if change.service in unhooked else change
        for change in wanted
    ]
    removed = [ServiceChange(service, Action.REMOVE) for service in deployed if service not in hashes]
    return tuple(wanted + removed)


def _without_network(
    stack: Stack, deployed: Mapping[str, ServiceContainer], changes: list[ServiceChange]
) -> frozenset[str]:
    """The services that would stay or be started, whose containers are not in the project's network any more.

    A stopped one is in it by the network's ID, and cannot be started where there is another of that name.
    """
    there = {change.service: deployed[change.service] for change in changes if change.action in _STAYING}
    lost = {service for service, container in there.items() if container.is_disconnected}
    stopped = {service: one for service, one in there.items() if not one.is_running and one.networks}
    if stopped:
        known = {network.id for network in stack.engine.networks.all()}
        lost |= {service for service, one in stopped.items() if not known.issuperset(one.networks.values())}
    return frozenset(lost)


def overridden(
    stack: Stack, rendered: tuple[File, ...], images: Mapping[Service, str]
) -> tuple[service_environment.Conflict, ...]:
    """What the variables that these images, and the user's files, give to the services undo."""
    known = stack.engine.images.environments(images.values()) if images else {}
    given: dict[str, Mapping[str, str]] = {service: known[image] for service, image in images.items()}
    if _VARIABLES.search(read_if_there(stack.deployment.override_file) or b""):
        said = _wanted(stack, rendered).environments
        given |= {service: {**given.get(service, {}), **said[service]} for service in said}
    return service_environment.conflicts(given)


def _replaced(stack: Stack, rendered: tuple[File, ...]) -> tuple[str, ...]:
    """What the user's files put in the place of the services' programs and their configuration."""
    if not _PROGRAMS.search(read_if_there(stack.deployment.override_file) or b""):
        return ()
    compose_file = next(file.content for file in rendered if file.path == "compose.yaml")
    return tuple(service_program.replaced(compose_file, _wanted(stack, rendered), stack.deployment))


def _wanted(stack: Stack, rendered: tuple[File, ...]) -> inventory.Wanted:
    return _with_candidate(stack, rendered, lambda project: inventory.wanted(stack.engine, project, layout.STORAGE))


def _names_resources(stack: Stack) -> bool:
    return _RESOURCES.search(read_if_there(stack.deployment.override_file) or b"") is not None


def _rule_changes(
    stack: Stack, inputs: RenderInputs, containers: tuple[ServiceContainer, ...], changes: tuple[files.FileChange, ...]
) -> tuple[RuleChange, ...]:
    """What users gain and lose by other rules."""
    if not any(change.path == layout.GRANTS for change in changes):
        return ()
    existing = partial(rule_changes.existing, stack.engine, containers)
    before = rule_changes.in_effect(stack.deployment)
    return rule_changes.compare(before, stack.settings, inputs.accounts, existing, stack.now())


def _with_other_resources(
    stack: Stack, rendered: tuple[File, ...], deployed: Mapping[str, ServiceContainer], changes: list[ServiceChange]
) -> frozenset[str]:
    """The services that would stay on other volumes or networks than the files say.

    Compose's hash of a service has only the keys of these, not what the override makes of them.
    """
    there = {change.service: deployed[change.service] for change in changes if change.action in _STAYING}
    if not there or not _names_resources(stack):
        return frozenset()
    wanted = _wanted(stack, rendered)
    return frozenset(
        service
        for service, container in there.items()
        if any(container.volumes.get(place) != name for place, name in wanted.mounted.get(service, {}).items())
        or not wanted.connected.get(service, frozenset()).issubset(container.networks)
    )


def _unhooked(stack: Stack, rendered: tuple[File, ...], changes: list[ServiceChange]) -> frozenset[str]:
    """The services that would stay, though an `up` that started them did not come to the end of their hooks."""
    staying = files.starting(stack.deployment).intersection(
        change.service for change in changes if change.action is Action.KEEP
    )
    if not staying:
        return staying
    wanted = _wanted(stack, rendered)
    return staying & wanted.post_start


def _has_other_storage(stack: Stack, registry: ServiceContainer | None) -> bool:
    """Whether the registry was started with another directory than that of the images, which is there by now."""
    owned = Owned.read(stack.deployment.owned_file)
    if owned is None or not owned.storage_id or registry is None or not registry.is_running:
        return False
    return storage_id.is_other_in_container(owned, storage_id.in_container(stack.engine, registry.id))


def _outdated(stack: Stack, rendered: tuple[File, ...], running: Mapping[str, ServiceContainer]) -> frozenset[str]:
    """The services that may run on another content of their file than the one rendered."""
    files_of = {file.path: file for file in rendered}
    return frozenset(
        service
        for service, path in layout.SERVICE_FILES.items()
        if service in running and files.outdates(stack.deployment, files_of[path], running[service].started)
    )


def _with_candidate(stack: Stack, rendered: tuple[File, ...], ask: Callable[[Project], Answer]) -> Answer:
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
