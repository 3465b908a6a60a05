"""Restoring: a whole deployment on a machine that has none of that name, or images into one that runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.engine.values import of_service
from deployer.errors import BackupError, EngineError, UsageError
from deployer.host.files import PRIVATE, PUBLIC, read_if_there, write_atomically
from deployer.layout import FRONTEND_DATA, Service
from deployer.restic.repository import Repository
from deployer.settings.dump import dump
from deployer.settings.load import Assumed, Flags, load
from deployer.settings.values import account
from deployer.workflows.backup import password, record
from deployer.workflows.backup.archive import ARCHIVE, Archive, Kept, files_of
from deployer.workflows.backup.catalog import PartKind
from deployer.workflows.backup.record import BegunRestore, LastBackup
from deployer.workflows.checks import readiness
from deployer.workflows.deployment import ca, up
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.restore.images import Restored, restore_images
from deployer.workflows.restore.plan import plan
from deployer.workflows.upkeep.maintenance import upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.paths import Deployment
    from deployer.restic.repository import Progress
    from deployer.restic.target import Target
    from deployer.settings.load import Loaded
    from deployer.workflows.backup.catalog import Backup
    from deployer.workflows.backup.create import Machine
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.deployment.up import UserPrompts
    from deployer.workflows.restore.plan import RestorePlan
    from deployer.workflows.restore.selection import Selection
    from deployer.workflows.upkeep.gate import DrainPolicy

_UP_SECONDS = 120.0
_MODES = {Kept.OVERRIDE: PUBLIC, Kept.CERTIFICATE: PUBLIC, Kept.AUTHORITY: PUBLIC, Kept.SETTINGS: PUBLIC}


@dataclass(frozen=True)
class FilesToRestore:
    """The files that are written before `up`, by their paths; `kept` ones already exist and are not changed."""

    written: dict[Path, Kept]
    kept: tuple[Path, ...]


def archive_of(repository: Repository, backup: Backup) -> Archive:
    """The deployment's own files in a backup. Raises BackupError or EngineError."""
    return Archive.unpack(repository.read(backup.parts[PartKind.SEAL], ARCHIVE))


def unfinished_restore(deployment: Deployment) -> tuple[Finding, ...]:
    """What to say of a restore that was interrupted."""
    begun = BegunRestore.of(deployment)
    if begun is None:
        return ()
    return (Finding(FindingState.WRONG, begun.sentence, begun.advice),)


def begun_backup(deployment: Deployment | None, target: Target) -> str:
    """The ID of the backup with which a restore of a deployment from this target has begun; "" for none."""
    begun = BegunRestore.of(deployment) if deployment else None
    return begun.backup if begun and begun.target == str(target) else ""


def expect_none(deployment: Deployment, target: Target) -> None:
    """Make sure that no deployment of that name exists. Raises UsageError."""
    if deployment.is_begun and BegunRestore.of(deployment) is None:
        raise UsageError(
            f"A deployment named '{deployment.name}' already exists on this machine; it is not overwritten.",
            (
                f"deployer restore {target.quoted} --only '*'   (restores images into it)",
                f"deployer restore {target.quoted} --name OTHER --port PORT   (restores the deployment beside it)",
            ),
        )


def files_to_restore(archive: Archive, loaded: Loaded, deployment: Deployment) -> FilesToRestore:
    """Which files a restore writes, and which it keeps."""
    own = {
        deployment.override_file: Kept.OVERRIDE,
        deployment.users_file: Kept.USERS,
        deployment.secrets_file: Kept.SECRETS,
    }
    named = {Path(path): kept for kept, path in files_of(loaded.settings).items()}
    configuration = {loaded.source: Kept.SETTINGS} if loaded.source else {}
    wanted = {path: kept for path, kept in {**own, **named, **configuration}.items() if kept in archive.files}
    written = {path: kept for path, kept in wanted.items() if path in own or not path.exists()}
    kept_files = (
        path
        for path, one in wanted.items()
        if path not in written and read_if_there(path) not in {archive.files[one], dump(loaded.settings)}
    )
    return FilesToRestore(written, tuple(kept_files))


def settings_of(archive: Archive) -> bytes:
    """The deployer.yaml in a backup."""
    return archive.files[Kept.SETTINGS]


def with_settings(archive: Archive, loaded: Loaded) -> Archive:
    """The same with a deployer.yaml of the settings that are in effect, where flags or variables change them."""
    if loaded.source is None or loaded.source.exists():
        return archive
    alone = load(Flags(), {}, loaded.source.parent, assumed=Assumed(loaded.source, settings_of(archive)))
    if alone.settings == loaded.settings:
        return archive
    return replace(archive, files={**archive.files, Kept.SETTINGS: dump(loaded.settings)})


def count_users(archive: Archive) -> int:
    """How many users the backup has."""
    accounts, _bad = account.parse(archive.files.get(Kept.USERS, b"").decode(errors="replace"))
    return len(accounts)


def begin(deployment: Deployment, images: ImageRestore) -> None:
    """Note that a deployment is being restored, and keep the password of its backups. Raises HostError."""
    begun = BegunRestore(str(images.target), images.backup.id)
    write_atomically(deployment.restore_pending_file, begun.content, PRIVATE)
    password.keep(deployment, password.Password(images.password))


def restore(stack: Stack, content: RestoredContent, machine: Machine, talk: CreationPrompts) -> Restored:
    """Create a deployment from a backup: its files, the services, the CA, the images.

    Raises what `up` raises, and BackupError, StorageError, EngineError or GateError.
    """
    for path, kept in content.files.items():
        write_atomically(path, content.archive.files[kept], _MODES.get(kept, PRIVATE))
    up.up(stack, rebuild=False, timeout=_UP_SECONDS, prompts=talk.up, quiet=talk.quiet)
    _put_certificates(stack, content.archive)
    return put_images(stack, content.images, machine, talk.images)


def _put_certificates(stack: Stack, archive: Archive) -> None:
    """Give the frontend the CA and the certificates of the backup, and start it again with them.

    Raises EngineError and NotReady.
    """
    content = archive.files.get(Kept.FRONTEND)
    frontend = of_service(stack.containers(), Service.FRONTEND)
    if content is None or frontend is None:
        return
    # Without what Caddy created since its start: it would keep serving a certificate of a CA that no longer exists.
    script = 'rm -rf "$1"/* && tar -x -o -C "$1"'
    try:
        stack.engine.containers.run_script(frontend.id, script, FRONTEND_DATA, stdin=content)
    except EngineError as error:
        raise BackupError("The certificates cannot be restored.", (), error.original) from error
    stack.engine.containers.restart(frontend.id)
    readiness.wait(stack.settings, stack.engine, stack.deployment.name, _UP_SECONDS)
    if stack.settings.tls.is_internal:
        ca.keep(stack.engine, stack.deployment)


@dataclass(frozen=True)
class ImageRestore:
    """What is restored into a running registry, and from where."""

    target: Target
    backup: Backup
    selection: Selection
    password: str = field(repr=False)


@dataclass(frozen=True)
class RestoredContent:
    """What a deployment is created from: the files of an archive, by the paths they get, and its images."""

    archive: Archive
    files: Mapping[Path, Kept]
    images: ImageRestore


@dataclass(frozen=True)
class RestorePrompts:
    """The messages and questions of a restore.

    `agree` is asked before an image is changed: it returns what is to be done of the plan, or raises.
    """

    drain: DrainPolicy
    agree: Callable[[RestorePlan], RestorePlan]
    on_progress: Callable[[Progress], None]


@dataclass(frozen=True)
class CreationPrompts:
    """The messages and questions of the restore of an entire deployment; `quiet` leaves out Compose's own lines."""

    up: UserPrompts
    images: RestorePrompts
    quiet: bool


def put_images(stack: Stack, wanted: ImageRestore, machine: Machine, prompts: RestorePrompts) -> Restored:
    """Restore images into a running registry.

    Raises BackupError, StorageError, EngineError or GateError.
    """
    with upkeep(stack, "restore", machine.tools(wanted.target, stack.deployment.name)) as work:
        repository = Repository(stack.engine, work.helper.name, wanted.target)
        repository.open(wanted.password, machine.environment)
        found = prompts.agree(plan(repository, wanted.backup, wanted.selection, work.storage.snapshot()))
        if found.is_empty:
            return Restored(found)
        return restore_images(repository, work, found, prompts.drain, prompts.on_progress)


def finish(deployment: Deployment, target: Target, repository_id: str, backup: Backup) -> None:
    """Record that a deployment is completely restored, and where its backups are."""
    record.keep(deployment, LastBackup(str(target), repository_id, backup.id, backup.time, backup.host))
    deployment.restore_pending_file.unlink(missing_ok=True)
