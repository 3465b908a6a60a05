"""What `down` would remove, and, when asked for, everything that a deployment holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deployer import layout
from deployer.engine import inventory
from deployer.engine.inventory import Inventory, Wanted
from deployer.errors import EngineError, EngineUnavailable
from deployer.host.files import read_if_there
from deployer.phrases import containers_in_words
from deployer.record import Owned, Resource, ResourceKind
from deployer.rendering import snippets
from deployer.settings.values import account
from deployer.workflows.checks import identity
from deployer.workflows.deployment import anonymous_volumes, ca, files
from deployer.workflows.schedule import install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployer.engine.inventory import AnonymousVolume, Volume
    from deployer.engine.values import ServiceContainer
    from deployer.paths import Deployment
    from deployer.workflows.deployment.stack import Stack

# The last ones record what is left if a `down` was interrupted.
_PROGRAM_FILES = (
    "secrets", "users", "ca.crt", ".unread", ".unfinished", ".unstarted", ".restoring", ".upgrading", "release.json",
    "schedule.json", "address.json", "compose.yaml", "owned.json", "check.json", ".checked",
)  # fmt: skip
LOCK_FILE = ".lock"
"""The file of the lock, which anyone who takes it makes."""
_NOT_RENDERED = (*layout.NOT_RENDERED, "runs/")
# What a write leaves that was killed, see host/files.py.
_TEMPORARY = re.compile(r"\.(.+)\.[a-z0-9_]{8}")
_WAS_THERE = "existed before `up`"
_UNKNOWN = "possibly not created by `up`"


@dataclass(frozen=True)
class ToRemove:
    """One resource to be removed. By `identity` it is known to be the same still; `remark` is shown next to its name.

    `was_found`: no `up` is known to have made it.
    """

    kind: ResourceKind
    name: str
    identity: str
    remark: str = field(default="", compare=False)
    was_found: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class DownPlan:
    """What `down` removes, and what is kept although a user may expect it to be removed.

    `users`: how many lose their passwords. `anonymous` are volumes without a name that stay and that no container uses
    any more, with the images on one of them where it `hides_images`. `hooks` are the services with pre_stop hooks,
    `services` the containers as they are.
    """

    going: tuple[ToRemove, ...]
    kept: tuple[str, ...]
    loses_images: bool
    loses_ca: bool = False
    users: int = 0
    anonymous: tuple[AnonymousVolume, ...] = ()
    hides_images: bool = False
    hooks: frozenset[str] = frozenset()
    services: tuple[ServiceContainer, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return not self.going

    @property
    def needs_yes(self) -> bool:
        """Whether more goes, or is left without a container, than what `up` makes again as it was."""
        return bool(self.anonymous) or any(
            one.kind in {ResourceKind.VOLUME, ResourceKind.FILE} and one.name != LOCK_FILE for one in self.going
        )

    def of(self, kind: ResourceKind) -> tuple[ToRemove, ...]:
        """What goes of one kind."""
        return tuple(one for one in self.going if one.kind is kind)

    def names(self, kind: ResourceKind) -> tuple[str, ...]:
        """The names of what goes of one kind."""
        return tuple(one.name for one in self.of(kind))

    @property
    def found(self) -> tuple[ToRemove, ...]:
        """What goes though no `up` is known to have made it."""
        return tuple(one for one in self.going if one.was_found)


def plan_down(stack: Stack, *, volumes: bool) -> DownPlan:
    """What `down` would remove. Raises EngineError or PreflightError."""
    stack.check_engine()
    deployment = stack.deployment
    seen = _look(stack)
    identity.check(deployment, stack.facts, seen.there.services)
    hooks = seen.wanted.pre_stop.intersection(one.service for one in seen.there.own)
    going = [
        ToRemove(
            ResourceKind.CONTAINER, one.name, one.id, "runs its pre_stop hooks first" if one.service in hooks else ""
        )
        for one in seen.there.own
    ]
    units = install.removal(deployment, stack.environment)
    going += [ToRemove(ResourceKind.UNIT, one.name, "") for one in units]
    kept: list[str] = []
    for sort in (seen.networks(unknown=volumes), seen.volumes() if volumes else (), _files(stack) if volumes else ()):
        for one in sort:
            going.append(one) if isinstance(one, ToRemove) else kept.append(one)
    volumes_going = {one.name for one in going if one.kind is ResourceKind.VOLUME}
    images = seen.images
    left = () if volumes else anonymous_volumes.with_data(seen.there)
    hides_images = any((one.service, one.target) == (layout.Service.REGISTRY, layout.STORAGE) for one in left)
    if hides_images:
        stays = False
    elif images.kind is ResourceKind.DIRECTORY:
        stays = Path(images.name).exists()
    else:
        stays = not volumes and any(volume.name == images.name for volume in seen.there.volumes)
    if stays:
        kept.append(str(images))
    return DownPlan(
        going=tuple(going),
        kept=tuple(kept),
        loses_images=bool(volumes_going & {images.name, stack.data_volume}),
        loses_ca=ca.volume_of(deployment) in volumes_going and ca.is_served(stack),
        users=_count_users(deployment) if volumes else 0,
        anonymous=left,
        hides_images=hides_images,
        hooks=hooks,
        services=seen.there.services,
    )


def _count_users(deployment: Deployment) -> int:
    """How many users a deployment has; a damaged line of their file is not one."""
    accounts, _bad = account.parse((read_if_there(deployment.users_file) or b"").decode(errors="replace"))
    return len(accounts)


@dataclass(frozen=True)
class _Seen:
    """A deployment's containers, networks and volumes, what its files ask for, and what is known of their makers."""

    there: Inventory
    wanted: Wanted
    owned: Owned
    directory: str
    images: Resource
    is_unrecorded: bool

    def networks(self, *, unknown: bool) -> Iterator[ToRemove | str]:
        """Those that go, and why others stay. One that no `up` is known to have made goes only with `unknown`.

        Without volumes nothing is asked, and a project's label alone says little: another tool may set it too.
        """
        for network in self.there.networks:
            if network.project != self.there.project:
                continue
            resource = Resource(ResourceKind.NETWORK, network.name)
            others = self.there.others_using(resource, self.directory)
            if others:
                yield f"{resource} (used by {containers_in_words(others)})"
            elif not (unknown or self._is_known(resource)):
                yield f"{resource} ({_UNKNOWN}; if it is not needed: docker network rm {network.name})"
            else:
                yield ToRemove(ResourceKind.NETWORK, network.name, network.id, *self._remark(resource, is_ours=True))

    def volumes(self) -> Iterator[ToRemove | str]:
        """Those that go, and why others stay."""
        for volume in self.there.volumes:
            resource = Resource(ResourceKind.VOLUME, volume.name)
            reason = self._keeps(volume, resource)
            if reason:
                yield f"{resource} ({reason})"
            else:
                ours = volume.project == self.there.project or volume.is_anonymous
                yield ToRemove(ResourceKind.VOLUME, volume.name, f"{volume.name} {volume.project}",
                            *self._remark(resource, is_ours=ours, elsewhere=volume.elsewhere))  # fmt: skip

    def _keeps(self, volume: Volume, resource: Resource) -> str:
        """Why a volume stays, "" if it goes."""
        if volume.name in self.wanted.external:
            return "declared as external in a Compose file"
        others = self.there.others_using(resource, self.directory)
        if others:
            return f"used by {containers_in_words(others)}"
        known = resource in self.wanted.resources or resource in self.owned.made | self.owned.found
        if not (known or volume.project == self.there.project or volume.is_anonymous):
            return "does not belong to this deployment"
        return ""

    def _remark(self, resource: Resource, *, is_ours: bool, elsewhere: str = "") -> tuple[str, bool]:
        said = [_WAS_THERE] if not is_ours or resource in self.owned.found else []
        if not said and not self._is_known(resource):
            said = [_UNKNOWN]
        not_made = bool(said)
        if elsewhere:
            said.append(f"its content is in another place: {elsewhere}")
        return "; ".join(said), not_made

    def _is_known(self, resource: Resource) -> bool:
        """Whether an `up` made it: by what is remembered, by use, or since none of its time remembered anything."""
        used = any(resource.name in one.volumes | one.networks for one in self.there.own)
        return used or self.is_unrecorded or resource in self.owned.made


def _look(stack: Stack) -> _Seen:
    deployment = stack.deployment
    remembered = Owned.read(deployment.owned_file)
    owned = remembered or Owned()
    wanted = Wanted()
    if deployment.compose_file.exists():
        try:
            wanted = inventory.wanted(stack.engine, stack.project(), layout.STORAGE)
        except EngineUnavailable:
            raise
        except EngineError:
            # A broken override does not prevent `down`: the engine's report and the record suffice.
            wanted = Wanted()
    resources = wanted.resources | owned.made | owned.found
    there = inventory.read(stack.engine, deployment.name, (resource.name for resource in resources))
    data = stack.settings.registry.data_directory
    settled = Resource(ResourceKind.DIRECTORY, str(data)) if data else Resource(ResourceKind.VOLUME, stack.data_volume)
    return _Seen(
        there,
        wanted,
        owned,
        str(deployment.directory),
        wanted.storage or owned.storage or settled,
        remembered is None and files.is_deployed(deployment),
    )


def _files(stack: Stack) -> Iterator[ToRemove | str]:
    """The files that deployer wrote, the override file only while it is as it was created; and that others stay."""
    deployment = stack.deployment
    root = deployment.directory
    ours = files.is_ours(deployment)
    # An `up` that was interrupted has written none of its files, and may have left its own others.
    in_folders = files.written(deployment)
    going = [path for path in in_folders if ours(path) or path.startswith(_NOT_RENDERED) or _is_temporary(path, ours)]
    stays = len(in_folders) - len(going)
    if deployment.backup_password_file.exists():
        yield f"{deployment.backup_password_file} (needed to restore from backups)"
    if deployment.backups_file.exists():
        yield f"{deployment.backups_file} (where the backups are)"
    if deployment.drill_results_file.exists():
        yield f"{deployment.drill_results_file} (the results of drills of backups)"
    override = read_if_there(deployment.override_file)
    if override == snippets.override().content:
        going.append(deployment.override_file.name)
    elif override is not None:
        yield f"{deployment.override_file} (changed by you; the next `up` uses it)"
    going += [
        path.relative_to(root).as_posix()
        for folder in (deployment.previous_folder, deployment.undo_folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    beside = [path.name for path in root.iterdir() if path.is_file()] if root.is_dir() else []
    going += [name for name in beside if _is_temporary(name, _PROGRAM_FILES.__contains__)]
    there = [name for name in _PROGRAM_FILES if (root / name).is_file()]
    # Before the first `up` one may write a Compose file of your own there.
    foreign = {name for name in (deployment.compose_file.name,) if not ours(name)}
    going += [name for name in there if name not in foreign]
    stays += len(foreign.intersection(there))
    going += [LOCK_FILE] if deployment.lock_file.exists() else []
    for path in going:
        yield ToRemove(ResourceKind.FILE, path, _state(root / path))
    if stays:
        yield f"{stays} file{'s' if stays > 1 else ''} in {root} that deployer did not write"


def _is_temporary(path: str, ours: Callable[[str], bool]) -> bool:
    folder, _, name = path.rpartition("/")
    found = _TEMPORARY.fullmatch(name)
    return found is not None and ours(f"{folder}/{found[1]}" if folder else found[1])


def _state(path: Path) -> str:
    """What distinguishes a file from another that replaced it; for the lock, whose text changes, only its name."""
    if path.name == LOCK_FILE:
        return ""
    state = path.lstat()
    return f"{state.st_ino} {state.st_size} {state.st_mtime_ns}"
