"""What becomes of each service: its container compared with the files that `up` would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer import layout
from deployer.layout import Service
from deployer.record import Owned
from deployer.workflows.checks import override, storage_id
from deployer.workflows.deployment import files
from deployer.workflows.deployment.candidate import names_resources, wanted_of, with_candidate
from deployer.workflows.deployment.service_change import Action, Reason, ServiceChange, again, change_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.engine.values import ServiceContainer
    from deployer.rendering.templates import File
    from deployer.workflows.deployment.stack import Stack

# What is done with a container that is not made again.
_STAYING = {Action.KEEP, Action.START}
WITH_FOLDER = (Service.REGISTRY, Service.FRONTEND)
"""The services that have a folder of this machine."""


def service_changes(
    stack: Stack,
    rendered: tuple[File, ...],
    containers: tuple[ServiceContainer, ...],
    ids: Mapping[str, str],
) -> tuple[ServiceChange, ...]:
    """What `up` does with each service; `ids` are the images' IDs by service. Raises EngineError."""
    override.refuse_variables(stack.project())
    hashes = with_candidate(stack, rendered, stack.engine.compose.config_hashes)
    deployed = {container.service: container for container in containers}
    outdated = _outdated(stack, rendered, deployed)
    wanted = [
        change_of(service, hashes[service], ids.get(service), deployed.get(service), outdated=service in outdated)
        for service in hashes
    ]
    # A container keeps the folder that it was given, even when another has taken its place.
    if not all((stack.deployment.directory / service).is_dir() for service in WITH_FOLDER):
        wanted = [again(change, Reason.FILES_GONE) if change.service in WITH_FOLDER else change for change in wanted]
    elif _has_other_storage(stack, deployed.get(Service.REGISTRY)):
        wanted = [again(change, Reason.STORAGE) if change.service in WITH_FOLDER else change for change in wanted]
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


def _with_other_resources(
    stack: Stack, rendered: tuple[File, ...], deployed: Mapping[str, ServiceContainer], changes: list[ServiceChange]
) -> frozenset[str]:
    """The services that would stay on other volumes or networks than the files say.

    Compose's hash of a service has only the keys of these, not what the override makes of them.
    """
    there = {change.service: deployed[change.service] for change in changes if change.action in _STAYING}
    if not there or not names_resources(stack):
        return frozenset()
    wanted = wanted_of(stack, rendered)
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
    wanted = wanted_of(stack, rendered)
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
