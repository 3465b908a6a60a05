"""What of a deployment `up` made and what it found there: told and asked about before it is used."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine import inventory as inventories
from deployer.engine.values import running
from deployer.errors import PreflightError
from deployer.host.files import PUBLIC, is_directory, read_if_there, write_atomically
from deployer.layout import REGISTRY_FOLDER, STORAGE, STORAGE_ID, Service
from deployer.phrases import containers_in_words
from deployer.record import Owned, Resource, ResourceKind
from deployer.workflows.checks import identity, storage_id
from deployer.workflows.deployment import files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.engine.engine import Engine
    from deployer.engine.inventory import Inventory, Wanted
    from deployer.engine.values import EngineFacts, Project
    from deployer.paths import Deployment

# Where distribution keeps images below a storage's root (storage/driver, paths.go).
# The root of a fresh file system has it, and it is nobody's.
_NOBODYS = {"lost+found"}
_NAMED = 3
_IMAGES = "contains a registry's images"


@dataclass(frozen=True)
class Adoption:
    """What `up` would use though it did not make it; and what is remembered once that is agreed to.

    `replaced` are files of others that it would write over. `warnings` say both, and where images would be out of
    sight. `storage` is where the registry would keep images, None if the files do not say.
    """

    owned: Owned
    found: tuple[Resource, ...] = ()
    replaced: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    storage: Resource | None = None


def inventory(engine: Engine, deployment: Deployment, wanted: Wanted) -> Inventory:
    """What there is of all that `up` is to use, or has used. Raises EngineError."""
    before = Owned.read(deployment.owned_file) or Owned()
    known = {resource.name for resource in wanted.resources | before.made | before.found}
    return inventories.read(engine, deployment.name, known | wanted.external | wanted.external_networks)


def remove_idle_networks(engine: Engine, deployment: Deployment, project: Project) -> None:
    """Remove the networks that `up` made and the files no longer ask for, and that no container is in.

    Compose keeps them. Raises EngineError.
    """
    made = (Owned.read(deployment.owned_file) or Owned()).made
    used = inventories.wanted(engine, project, STORAGE).networks
    there = inventories.read(engine, deployment.name)
    busy = {name for container in there.containers for name in container.networks}
    for network in there.networks:
        if Resource(ResourceKind.NETWORK, network.name) in made and network.name not in {*used, *busy}:
            engine.networks.remove(network.id)


def examine(deployment: Deployment, wanted: Wanted, there: Inventory, changes: Iterable[files.FileChange],
            rendered: Iterable[str]) -> Adoption:  # fmt: skip
    """Compare what `up` is to use with what there is. Raises PreflightError for what cannot be used."""
    check_names(deployment, wanted, there)
    _check_external(deployment, wanted, there)
    before = Owned.read(deployment.owned_file) or Owned()
    look = _Look(deployment, there, before, files.is_deployed(deployment))
    used = {
        *wanted.resources,
        *([wanted.storage] if wanted.storage and wanted.storage.kind is ResourceKind.DIRECTORY else []),
    }
    present = {resource for resource in used if look.is_there(resource)}
    new = tuple(sorted(resource for resource in present if not look.is_known(resource)))
    found = {resource for resource in present if resource in new or look.was_found(resource)}
    idle_made, idle_found = (
        {resource for resource in kind - used if look.is_there(resource)} for kind in (before.made, before.found)
    )
    ours = files.is_ours(deployment)
    replaced = tuple(change.path for change in changes
                     if None not in {change.before, change.after} and not ours(change.path))  # fmt: skip
    written = {path for path in files.written(deployment) if ours(path)}
    owned = Owned(
        frozenset((used - found) | idle_made), frozenset(found | idle_found), frozenset(written.union(rendered)),
        before.storage, before.inode, before.storage_id,
    )  # fmt: skip
    warnings = (*_warnings(look, wanted, new, replaced), *_out_of_sight(look, wanted))
    return Adoption(owned, new, replaced, warnings, wanted.storage)


def _out_of_sight(look: _Look, wanted: Wanted) -> Iterable[str]:
    """Warn if the registry would not have the images that it had."""
    before, after = look.before.storage, wanted.storage
    if before is None or after is None:
        return
    if before != after and not look.has_moved_to(after):
        yield (
            f"The existing images stay in {_place(before)} and will not be available, because the registry will "
            f"use {_place(after)}."
        )
    elif look.has_lost(after, wanted):
        what = _in_its_place(after)
        cause = "Is its disk mounted?" if after.kind is ResourceKind.DIRECTORY else "Does it belong to another engine?"
        place = after.name if after.kind is ResourceKind.DIRECTORY else _place(after).capitalize()
        yield f"{place}, which contained the images, {what}; the registry would start without images. {cause}"


def _in_its_place(lost: Resource) -> str:
    if not Path(lost.name).exists():
        return "no longer exists"
    if not _content(Path(lost.name)):
        return "is a different, empty directory"
    return f"is a different directory, as its file {STORAGE_ID} is missing or belongs to another deployment"


def _place(resource: Resource) -> str:
    return resource.name if resource.kind is ResourceKind.DIRECTORY else f"the {resource}"


def keep(deployment: Deployment, owned: Owned) -> None:
    """Remember what was made and what was found. Raises HostError."""
    if read_if_there(deployment.owned_file) != owned.content:
        write_atomically(deployment.owned_file, owned.content, PUBLIC)


def keep_engine(deployment: Deployment, facts: EngineFacts, owned: Owned | None) -> None:
    """Remember by which engine it is run, with what is `owned`; None: with what is remembered. Raises HostError."""
    owned = owned or Owned.read(deployment.owned_file)
    if owned is not None:
        keep(deployment, replace(owned, engine_id=facts.id, engine_endpoint=facts.endpoint))


def keep_storage(deployment: Deployment, engine: Engine, adoption: Adoption | None) -> None:
    """Remember where the images are, once the registry has them; without an adoption, that is known already.

    Raises HostError and EngineError.
    """
    owned = Owned.read(deployment.owned_file)
    if owned is not None and adoption is not None:
        owned = replace(owned, storage=adoption.storage)
    if owned is None or owned.storage is None:
        return
    if owned.storage.kind is not ResourceKind.DIRECTORY:
        keep(deployment, replace(owned, inode=0, storage_id=""))
    elif adoption or not owned.storage_id:
        registry = running(engine.containers.of_project(deployment.name), Service.REGISTRY)
        found = storage_id.ensured(engine, registry.id) if registry else ""
        keep(deployment, replace(owned, inode=_inode(Path(owned.storage.name)), storage_id=found))


@dataclass(frozen=True)
class _Look:
    """What there is, and what is known of it. `is_deployed`: an `up` that remembered nothing may have made it."""

    deployment: Deployment
    inventory: Inventory
    before: Owned
    is_deployed: bool

    def is_there(self, resource: Resource) -> bool:
        if resource.kind is ResourceKind.DIRECTORY:
            return bool(_content(Path(resource.name)))
        pool = self.inventory.volumes if resource.kind is ResourceKind.VOLUME else self.inventory.networks
        return any(one.name == resource.name for one in pool)

    def is_known(self, resource: Resource) -> bool:
        """Whether an `up` has used it already, so that no one need be asked any more."""
        if resource in self.before.found or self._is_in_use(resource):
            return True
        if resource.kind is ResourceKind.DIRECTORY:
            if self.has_moved_to(resource):
                return True
            earlier = self._is_unrecorded and files.deployed_storage(self.deployment) == resource.name
            return resource in self.before.made or earlier
        # One without the project's label has taken the place of the one that was made.
        return self._is_labelled(resource) and (resource in self.before.made or self._is_unrecorded)

    def has_lost(self, storage: Resource, wanted: Wanted) -> bool:
        """Whether the volume or directory that had the images has gone, or is another and empty."""
        if storage.kind is ResourceKind.DIRECTORY:
            if self.before.storage_id:
                return storage_id.on_host(storage) not in {None, self.before.storage_id}
            inode = _inode(Path(storage.name))
            return not self.is_there(storage) and self.before.inode not in {0, inode}
        return storage in wanted.resources and not self.is_there(storage)

    def has_moved_to(self, storage: Resource) -> bool:
        """Whether a directory is the one that had the images before, by its ID, and no copy of it."""
        before = self.before
        if not before.storage_id or storage_id.on_host(storage) != before.storage_id:
            return False
        # A copy has the same ID, and perhaps older images.
        return storage_id.on_host(before.storage) != before.storage_id or _is_same(before.storage, storage)

    def was_found(self, resource: Resource) -> bool:
        """Whether it was there before the `up` that used it first."""
        return resource in self.before.found or (
            resource.kind is ResourceKind.VOLUME and not self._is_labelled(resource)
        )

    @property
    def _is_unrecorded(self) -> bool:
        return self.is_deployed and self.before == Owned()

    def _is_labelled(self, resource: Resource) -> bool:
        pool = self.inventory.volumes if resource.kind is ResourceKind.VOLUME else self.inventory.networks
        return any(one.name == resource.name and one.project == self.inventory.project for one in pool)

    def _is_in_use(self, resource: Resource) -> bool:
        own = [one for one in self.inventory.own if one.directory == str(self.deployment.directory)]
        if resource.kind is ResourceKind.DIRECTORY:
            return any(resource.name in container.folders for container in own)
        return any(
            resource.name in (one.volumes if resource.kind is ResourceKind.VOLUME else one.networks) for one in own
        )


def _warnings(look: _Look, wanted: Wanted, found: tuple[Resource, ...], replaced: tuple[str, ...]) -> Iterable[str]:
    named = [_described(resource, look) for resource in found] + [*_on_devices(look, wanted)]
    if named:
        these, their = (
            ("This already exists and was", "Its") if len(named) == 1 else ("These already exist and were", "Their")
        )
        yield f"{these} not created by this deployment: {', '.join(named)}. {their} contents will be used as they are."
    if replaced:
        more = len(replaced) - _NAMED
        listed = ", ".join(replaced[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        these, were, they = ("This file", "was", "It") if len(replaced) == 1 else ("These files", "were", "They")
        where = look.deployment.directory
        yield f"{these} in {where} {were} not written by deployer: {listed}. {they} will be replaced."


def _on_devices(look: _Look, wanted: Wanted) -> Iterable[str]:
    """What is already where a volume that is still to be made would have its content."""
    there = {volume.name for volume in look.inventory.volumes}
    for volume in wanted.volumes:
        device = volume.options.get("device", "")
        if device.startswith("/") and not volume.is_external and volume.name not in there and _content(Path(device)):
            directory = Resource(ResourceKind.DIRECTORY, device)
            yield f"{_described(directory, look)} as the device of the volume {volume.name}"


def _described(resource: Resource, look: _Look) -> str:
    remarks = []
    directory = str(look.deployment.directory)
    others = set(look.inventory.others_using(resource, directory))
    places = _places_of(resource, look.inventory)
    if resource.kind is ResourceKind.DIRECTORY:
        remarks.append(_holds(Path(resource.name)))
    elif any(is_directory(Path(place) / REGISTRY_FOLDER) for place in places):
        remarks.append(_IMAGES)
    others.update(look.inventory.others_at(places, directory, STORAGE) if places else ())
    if others:
        remarks.append(f"also used by {containers_in_words(sorted(others))}")
    return f"the {resource}" + (f" ({'; '.join(remarks)})" if remarks else "")


def _places_of(resource: Resource, inventory: Inventory) -> tuple[str, ...]:
    """Where its content is on this machine."""
    if resource.kind is ResourceKind.DIRECTORY:
        return (resource.name,)
    volumes = inventory.volumes if resource.kind is ResourceKind.VOLUME else ()
    found = (place for one in volumes if one.name == resource.name for place in (one.folder, one.elsewhere))
    return tuple(place for place in found if place.startswith("/"))


def _holds(folder: Path) -> str:
    if (folder / REGISTRY_FOLDER).is_dir():
        return _IMAGES
    names = _content(folder)
    shown = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"contains {shown}{f' and {more} more' if more > 0 else ''} but no registry's images"


def _is_same(one: Resource | None, other: Resource) -> bool:
    """Whether two paths lead to one directory, as through a symbolic link."""
    try:
        return one is not None and Path(one.name).samefile(other.name)
    except OSError:
        return False


def _inode(folder: Path) -> int:
    try:
        return folder.stat().st_ino
    except OSError:
        return 0


def _content(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.name not in _NOBODYS)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        # What cannot be read may hold anything.
        return ["files that cannot be listed"]


def _free_container_name(name: str, taken: set[str]) -> str:
    names = itertools.chain([f"{name}-old"], (f"{name}-old{number}" for number in itertools.count(2)))
    return next(one for one in names if one not in taken)


def check_names(deployment: Deployment, wanted: Wanted, inventory: Inventory) -> None:
    """Make sure that Compose will take the names that it is to use. Raises PreflightError."""
    other = identity.free_name(deployment, (container.project for container in inventory.containers))
    elsewhere = f"deployer up --name {other}   (another name, and --port for another port)"
    taken = {container.name for container in inventory.containers}
    # The helper of upkeep commands has its own name.
    names = {*wanted.containers, f"{deployment.name}-upkeep"}
    for container in inventory.containers:
        foreign = container.project != inventory.project and container.helper_of != str(deployment.directory)
        if container.name in names and foreign:
            raise PreflightError(
                f"A container named '{container.name}' already exists and does not belong to this deployment.",
                (f"docker rename {container.name} {_free_container_name(container.name, taken)}", elsewhere),
            )
    for network in inventory.networks:
        # Compose refuses one that carries no label of its own, and shares one that is another project's.
        if network.name in wanted.networks and network.project != inventory.project:
            raise PreflightError(
                f"A network named '{network.name}' already exists and does not belong to this deployment.",
                (elsewhere, f"Or, if it is not needed: docker network rm {network.name}"),
            )
    there = {volume.name: volume for volume in inventory.volumes if volume.project == inventory.project}
    for volume in wanted.volumes:
        if not volume.is_external and volume.name in there and volume.differs(there[volume.name]):
            raise PreflightError(
                f"The volume {volume.name} exists with different options than the files specify; Compose would "
                "remove it with all its contents and create it again.",
                (
                    f"Restore its previous options in {deployment.override_file}.",
                    "Or give the new volume another name there; the old one is then kept.",
                ),
            )


def _check_external(deployment: Deployment, wanted: Wanted, inventory: Inventory) -> None:
    """Make sure that there is what the files use of others: Compose does not create it. Raises PreflightError."""
    mounted = {name for places in wanted.mounted.values() for name in places.values()}
    used = {
        ResourceKind.VOLUME: (wanted.external & mounted, {one.name for one in inventory.volumes}),
        ResourceKind.NETWORK: (wanted.external_networks, {one.name for one in inventory.networks}),
    }
    for kind, (names, there) in used.items():
        for name in sorted(names - there):
            raise PreflightError(
                f"{deployment.override_file} uses the external {kind} {name}, which does not exist.",
                (f"docker {kind} create {name}", f"Or correct its name in {deployment.override_file}."),
            )
