"""A registry's own CA is installed where this machine's container tools look, or removed again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.host import files
from deployer.host.daemon import file as daemon_file
from deployer.host.daemon.kind import EngineKind
from deployer.layout import CA_NAME
from deployer.rendering import snippets
from deployer.tls import certificate, system_store
from deployer.tls import places as trust_places
from deployer.workflows.trust.decision import Installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from deployer.host.daemon.file import DaemonFile
    from deployer.tls.certificate import CertificateFacts
    from deployer.tls.places import CertificatePlace, ClientPaths, TrustTarget
    from deployer.tls.system_store import Store
    from deployer.workflows.trust.engine_view import EngineLocation


class FileChange(StrEnum):
    """What becomes of a file."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"
    NONE = "none"


SYSTEM = "the system"

_NEW_FOLDER_MODE = 0o755


@dataclass(frozen=True)
class Item:
    """One file: whose it is, as it was read, and as it is to be; None for gone."""

    client: str
    file: DaemonFile
    content: bytes | None
    remark: str = ""
    backup: Path | None = None

    @property
    def change(self) -> FileChange:
        """What becomes of it."""
        before = self.file.content
        if before == self.content:
            return FileChange.NONE
        if self.content is None:
            return FileChange.REMOVE
        return FileChange.ADD if before is None else FileChange.REPLACE

    @property
    def is_ca(self) -> bool:
        """Whether it holds the CA itself."""
        return self.file.path.suffix == ".crt"

    @property
    def before(self) -> CertificateFacts | None:
        """The CA that is there, None for none that can be read."""
        try:
            return certificate.describe(self.file.content or b"")
        except HostError:
            return None

    @property
    def keeps_backup(self) -> bool:
        """Whether a copy of the CA is kept: removed without one is only what deployer itself put there.

        A registry's own CA has a name that deployer gave it, and in the system's folder the file has.
        """
        if self.change is FileChange.REPLACE:
            return self.is_ca
        removes = self.change is FileChange.REMOVE and self.is_ca
        return removes and self.client != SYSTEM and not _is_registrys_own(self.file.content or b"")


@dataclass(frozen=True)
class PlacementPlan:
    """What becomes of which files, and what should be reported.

    `refresh` is the system's store, where it has to take the change over.
    """

    address: str
    items: tuple[Item, ...]
    refresh: Store | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def changes(self) -> tuple[Item, ...]:
        """The files that change."""
        return tuple(item for item in self.items if item.change is not FileChange.NONE)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.changes or self.refresh)


@dataclass(frozen=True)
class Places:
    """Where a CA belongs on this machine, and the limits of that."""

    found: tuple[CertificatePlace, ...]
    warnings: tuple[str, ...] = ()


def places(target: TrustTarget, engine: EngineLocation) -> Places:
    """Where the CA belongs on this machine, and warnings about its limits.

    Raises HostError if it belongs on another machine alone.
    """
    found = (trust_places.podman(target), trust_places.containerd(target))
    others = tuple(place for place in found if place is not None)
    unreached = ""
    if engine.is_elsewhere:
        unreached = f"The Docker engine in use is on another machine ({engine.endpoint}); run this command there too."
    elif engine.kind is EngineKind.DESKTOP and "WSL_DISTRO_NAME" in target.paths.environment:
        unreached = (
            "Docker Desktop looks on the Windows side, not in this distribution: "
            "import the CA there, as a trusted root, and restart Docker Desktop."
        )
    if unreached and not others:
        raise HostError(unreached, ("deployer configure-daemon --system   (for other programs on this machine)",))
    if unreached:
        return Places(others, (unreached,))
    if others and not trust_places.has_docker(target.paths) and engine.daemon is None:
        return Places(others)
    return Places((_docker(target, engine), *others))


def installed(target: TrustTarget, engine: EngineLocation) -> tuple[Installed, ...]:
    """The CAs that are trusted for the address, in any place where a tool looks. Raises HostError."""
    files = [place.file for place in _everywhere(target, engine)]
    store = system_store.store(target)
    found = []
    for path in [*files, *([store.file] if store else [])]:
        content = daemon_file.read(path).content
        with contextlib.suppress(HostError):
            found += [Installed(path, pem) for pem in certificate.bare_all(content or b"")]
    return tuple(found)


def plan(address: str, pem: bytes, wanted: Places, store: Store | None = None, *, held: bool = False) -> PlacementPlan:
    """What installing the CA changes; with `store` in the system's too, which `held` says it is in already.

    Raises HostError if a file cannot be read.
    """
    items: list[Item] = []
    warnings = []
    hosts = snippets.containerd_hosts(address)
    for place in wanted.found:
        beside = daemon_file.read(place.hosts) if place.hosts else None
        if beside is not None and beside.content not in {None, hosts}:
            warnings.append(
                f"{beside.path} was not created by deployer and is kept; add the CA for {place.client} to it: ca "
                '= "/path/to/ca.crt"'
            )
            continue
        items.append(Item(place.client, daemon_file.read(place.file), pem, place.remark))
        if beside is not None:
            items.append(Item(place.client, beside, hosts))
    refresh = None
    if store is not None:
        item = Item(SYSTEM, daemon_file.read(store.file), pem)
        items.append(item)
        refresh = store if item.change is not FileChange.NONE or not held else None
    return PlacementPlan(address, tuple(items), refresh, (*warnings, *wanted.warnings))


def plan_removal(target: TrustTarget, engine: EngineLocation) -> PlacementPlan:
    """What removing the CA changes, in every place where a tool looks. Raises HostError."""
    items: list[Item] = []
    warnings = []
    hosts = snippets.containerd_hosts(target.address)
    for place in _everywhere(target, engine):
        beside = daemon_file.read(place.hosts) if place.hosts else None
        if beside is not None and beside.content not in {None, hosts}:
            warnings.append(f"{beside.path} was not created by deployer and is kept, with the files next to it.")
            continue
        # First what names the CA: a name without its file is an error for containerd.
        present = (beside, daemon_file.read(place.file))
        items += [Item(place.client, file, None) for file in present if file is not None and file.content is not None]
    refresh = None
    store = system_store.store(target)
    if store is not None:
        own = Item(SYSTEM, daemon_file.read(store.file), None)
        # The others go last: by them a run that was interrupted knows what the system may still hold.
        items.insert(0, own)
        held = any(_is_held(target.paths, item) for item in items if item.is_ca)
        refresh = store if own.change is not FileChange.NONE or held else None
    return PlacementPlan(target.address, tuple(items), refresh, tuple(warnings))


def apply(drafted: PlacementPlan, client_paths: ClientPaths, now: datetime) -> PlacementPlan:
    """Do it, and return the plan with the backups that were made.

    Each file is the old one or the new one at any moment, and repeating the command finishes what
    was interrupted. Raises NoPermission before anything was changed, HostError.
    """
    require_permission(drafted)
    done = []
    for item in drafted.items:
        done.append(item if item.change is FileChange.NONE else _carried_out(item, now))
        if drafted.refresh and item.client == SYSTEM:
            client_paths.run([drafted.refresh.program])
    return replace(drafted, items=tuple(done))


def require_permission(drafted: PlacementPlan) -> None:
    """Make sure that this user may do it. Raises NoPermission."""
    for item in drafted.items:
        if item.change is FileChange.NONE and not (drafted.refresh and item.client == SYSTEM):
            continue
        daemon_file.require_permission(item.file.path)


def left_beside(drafted: PlacementPlan) -> tuple[Path, ...]:
    """What still is in the folders of the files that were removed, without the backups that were made."""
    folders = {item.file.path.parent for item in drafted.items if item.client != SYSTEM}
    found = {entry for folder in folders if folder.is_dir() for entry in folder.iterdir()}
    return tuple(sorted(found - {item.backup for item in drafted.items}))


def _docker(target: TrustTarget, engine: EngineLocation) -> CertificatePlace:
    if engine.kind is EngineKind.DESKTOP:
        return trust_places.docker_desktop(target)
    if engine.kind is EngineKind.ROOTLESS:
        environment = engine.daemon.environment if engine.daemon else target.paths.environment
        return trust_places.docker_rootless(target, environment)
    return trust_places.docker_system(target)


def _everywhere(target: TrustTarget, engine: EngineLocation) -> Iterator[CertificatePlace]:
    """Every place where a tool may look, each once, whether the tool is here now or not."""
    known = (
        _docker(target, engine),
        trust_places.docker_system(target),
        trust_places.docker_rootless(target, target.paths.environment),
        trust_places.docker_desktop(target),
        trust_places.podman_system(target),
        trust_places.podman_own(target),
        trust_places.containerd(target),
    )
    yield from {place.file: place for place in reversed(known) if place is not None}.values()


def _is_registrys_own(content: bytes) -> bool:
    try:
        found = certificate.describe_all(content)
    except HostError:
        return False
    return len(found) == 1 and found[0].is_root and found[0].subject.startswith(f"CN={CA_NAME} ")


def _is_held(client_paths: ClientPaths, item: Item) -> bool:
    try:
        return system_store.holds(client_paths.root, item.file.content or b"")
    except HostError:
        return False


def _carried_out(item: Item, now: datetime) -> Item:
    path = item.file.path
    # Of a link it is the link that is replaced: what it leads to may serve others.
    backup = daemon_file.back_up(replace(item.file, target=path), now) if item.keeps_backup else None
    if item.content is None:
        _remove(path, folder_goes=item.client != SYSTEM)
        return replace(item, backup=backup)
    _make_folder(path.parent)
    files.write_atomically(path, item.content, files.PUBLIC)
    return replace(item, backup=backup)


def _make_folder(folder: Path) -> None:
    """Make a folder that everyone may enter: the tools run as other users too."""
    try:
        for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            missing.mkdir(exist_ok=True)
            missing.chmod(_NEW_FOLDER_MODE)
    except OSError as error:
        raise HostError(f"{folder} cannot be created: {error.strerror}.") from error


def _remove(path: Path, *, folder_goes: bool) -> None:
    try:
        path.unlink(missing_ok=True)
        # What a killed run left half-written.
        for left in path.parent.glob(f".{path.name}.*"):
            left.unlink(missing_ok=True)
    except OSError as error:
        raise HostError(f"{path} cannot be removed: {error.strerror}.") from error
    if folder_goes:
        with contextlib.suppress(OSError):
            path.parent.rmdir()
