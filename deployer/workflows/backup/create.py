"""Making a backup while the registry is in use: first its links, then the content that they refer to.

Links are listed so that everything that a listed tag needs is listed too, and blobs are read afterwards: a push only
adds blobs, and the deployment's lock keeps garbage collection out until the end. So no write has to wait.
The part with the deployment's own files, the seal, is stored last, after the others were read back: without it, as
after a kill, there is no backup. What a killed one left is reused by the next, and removed by `thinning.remove`.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from deployer.engine.values import of_service
from deployer.errors import BackupError, DeployerError, EngineError, StorageError, WrongPassword
from deployer.host.files import refusal
from deployer.layout import BLOBS, FRONTEND_DATA, REGISTRY_ROOT, Service
from deployer.restic.repository import About, Found, Repository
from deployer.storage.helper import HelperTools
from deployer.storage.printed import UNREADABLE
from deployer.storage.removal import blob_file
from deployer.workflows.backup import archive, password, record, thinning
from deployer.workflows.backup.catalog import Backup, Contents, PartKind, new_id, tags_of, tags_of_seal
from deployer.workflows.backup.coverage import Coverage
from deployer.workflows.backup.damage import DamagedImages
from deployer.workflows.backup.links import LINKS
from deployer.workflows.backup.record import BegunRestore, LastBackup
from deployer.workflows.upkeep.maintenance import upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from deployer.paths import Deployment
    from deployer.restic.repository import Progress, Stored
    from deployer.restic.target import Target
    from deployer.settings.load import Loaded
    from deployer.storage.access import Storage
    from deployer.workflows.backup.password import Password
    from deployer.workflows.backup.thinning import KeepPolicy
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.upkeep.maintenance import Upkeep

_FORGET = "If they were replaced or removed on purpose: deployer backup {} --new"


@dataclass(frozen=True)
class BackupOptions:
    """Where a backup goes, `password_file` with the password of earlier ones, and which of those are kept.

    With `is_new`, what is remembered of earlier ones at that target does not count. `find_damaged` finds the images
    that are damaged in the storage: a backup with such images does not replace earlier ones.
    """

    target: Target
    password_file: Path | None = None
    secrets: bool = True
    keep: KeepPolicy | None = None
    is_new: bool = False
    find_damaged: Callable[[Storage], DamagedImages] = field(default=lambda _storage: DamagedImages())


@dataclass(frozen=True)
class Machine:
    """The machine that runs the command: its name, the environment, the image with restic."""

    name: str
    environment: Mapping[str, str]
    image: str

    def host(self, deployment: str) -> str:
        """The host under which restic stores backups of a deployment on this machine."""
        return f"{deployment}@{self.name}"

    def hostname(self, deployment: str) -> str:
        """The host name of restic's container, which identifies its locks as this deployment's."""
        return re.sub(r"[^a-zA-Z0-9-]", "-", f"deployer-{deployment}-{self.name}")[:63].rstrip("-")

    def tools(self, target: Target, deployment: str) -> HelperTools:
        """What the container for a backup of a deployment has."""
        return HelperTools(self.image, target.mounts(self.environment), target.network, self.hostname(deployment))


@dataclass(frozen=True)
class Listener:
    """Receives each step, and the progress of a long one."""

    say: Callable[[str], None]
    on_progress: Callable[[Progress], None]


@dataclass(frozen=True)
class BackupDone:
    """A backup that was made: how much of it was new, in bytes, the password, and the backups that were removed.

    `problem` is why old ones could not be removed, or the images not be checked. With a problem or with `damaged`
    images, none is removed; it `keeps_all` if that was wanted.
    """

    backup: Backup
    added: int
    password: Password
    password_file: Path
    removed: tuple[Backup, ...] = ()
    problem: DeployerError | None = None
    damaged: DamagedImages = field(default_factory=DamagedImages)
    keeps_all: bool = False


def make(stack: Stack, loaded: Loaded, options: BackupOptions, machine: Machine, listener: Listener) -> BackupDone:
    """Make a backup. Raises BackupError, StorageError, EngineError or HostError if there is none."""
    target, deployment = options.target, stack.deployment
    last = None if options.is_new else record.known(deployment, str(target))
    begun = BegunRestore.of(deployment)
    if begun is not None:
        # The backup would not contain what is not restored yet.
        raise BackupError(begun.sentence, begun.advice)
    _make_directory(target, last)
    said = password.given(options.password_file, machine.environment)
    with upkeep(stack, "backup", machine.tools(target, deployment.name)) as work:
        repository = Repository(stack.engine, work.helper.name, target)
        chosen = _prepare(repository, stack, machine, said, last)
        host = machine.host(deployment.name)
        started = stack.now()
        name = _free_id(repository, deployment, host, started)
        stored = _store(repository, name, host, listener)
        contents = _verified(repository, work, stored)
        repository.check()
        sealed = _archive(stack, loaded, secrets=options.secrets)
        about = About(host, tags_of_seal(name, contents, has_secrets=options.secrets))
        stored[PartKind.SEAL] = repository.store_bytes(sealed.pack(), archive.ARCHIVE, about)
        parts = {kind: one.id for kind, one in stored.items()}
        done = Backup(name, started, host, contents, parts, has_secrets=options.secrets)
        record.keep(deployment, LastBackup(str(target), repository.id, name, started, host))
        added = sum(one.added for one in stored.values())
        result = BackupDone(done, added, chosen, deployment.backup_password_file)
        return _finished(result, work, repository, options)


def _free_id(repository: Repository, deployment: Deployment, host: str, started: datetime) -> str:
    """An ID that no other backup of this deployment has: the clock may have gone back, or not have gone on."""
    name = new_id(started)
    if all(one.time < started.replace(microsecond=0) for one in record.read(deployment)):
        return name
    taken = {part.tags.get("backup") for part in repository.parts(host)}
    return next(one for one in map(partial(new_id, started), count(1)) if one not in taken)


def _prepare(repository: Repository, stack: Stack, machine: Machine, said: str, last: LastBackup | None) -> Password:
    """Open the target, or make it what backups go to. Raises BackupError if it is not fit for it."""
    try:
        return _opened(repository, stack, machine, said, last)
    except WrongPassword as error:
        if not (said or password.kept(stack.deployment)):
            raise password.unknown(repository.target) from error
        error.advice = (*error.advice, password.IF_LOST)
        raise


def _opened(repository: Repository, stack: Stack, machine: Machine, said: str, last: LastBackup | None) -> Password:
    target, deployment = repository.target, stack.deployment
    repository.open(said or password.kept(deployment), machine.environment)
    found = repository.look()
    if found is Found.OTHER:
        raise BackupError(
            f"{target} contains other files.", ("Choose an empty directory, such as a new one inside it.",)
        )
    if found is Found.NOTHING and last is not None:
        raise _gone(last)
    repository.expect_writable()
    chosen = password.choose(deployment, target, found, said)
    if found is Found.NOTHING:
        if not password.kept(deployment):
            # Before anything is stored: without the password, nobody could ever read it.
            password.keep(deployment, chosen)
        repository.open(chosen.value, machine.environment)
        repository.create()
    thinning.take_over_locks(repository, machine.hostname(deployment.name))
    identity = repository.id
    if last is not None and identity != last.repository:
        raise BackupError(
            f"The backups at {target} are not those that this deployment made there before.",
            ("Check that the right disk is mounted, then run the command again.", _FORGET.format(target.quoted)),
        )
    if not password.kept(deployment):
        # A given password may be for another target only.
        password.keep(deployment, chosen)
    return chosen


def _make_directory(target: Target, last: LastBackup | None) -> None:
    """Make the directory for the first backup, in one that is there: a disk that is not mounted has none."""
    if target.directory is None or target.directory.is_dir():
        return
    if last is not None:
        raise _gone(last)
    try:
        target.directory.mkdir(mode=0o700)
    except OSError as error:
        raise refusal(target.directory, error) from error


def _gone(last: LastBackup) -> BackupError:
    return BackupError(
        f"The backups at {last.target} are missing: the last one was made at {last.time:%Y-%m-%d %H:%M} UTC.",
        ("Check that the disk is mounted, then run the command again.", _FORGET.format(shlex.quote(last.target))),
    )


def _store(repository: Repository, name: str, host: str, listener: Listener) -> dict[PartKind, Stored]:
    """Store the links, and then the blobs."""
    listener.say("Reading the list of images …")
    links = repository.store_links(REGISTRY_ROOT, LINKS, About(host, tags_of(name, PartKind.LINKS)))
    listener.say("Storing their content …")
    about = About(host, tags_of(name, PartKind.BLOBS))
    if repository.has_folder(BLOBS):
        blobs = repository.store_tree(BLOBS, about, listener.on_progress)
    else:
        # Before the first push there is nothing, but the part must exist.
        blobs = repository.store_bytes(b"no blobs\n", "none", about)
    return {PartKind.LINKS: links, PartKind.BLOBS: blobs}


def _verified(repository: Repository, work: Upkeep, stored: Mapping[PartKind, Stored]) -> Contents:
    """Read back what was stored, and make sure that it has everything that the registry has."""
    found = Coverage.read(repository, stored[PartKind.LINKS].id, stored[PartKind.BLOBS].id)
    missing = found.missing
    if missing:
        here = work.storage.snapshot()
        there = {blob_file(place): one for one in missing if (place := here.aliases.get(one, one)) in here.blobs}
        # What the disk of the images does not give is missing in the registry too.
        lost = sorted(there[path] for path, one in work.storage.verify(there).items() if one.value != UNREADABLE)
        if lost:
            raise BackupError(
                f"The backup is missing {len(lost)} blobs that the registry has, such as {lost[0]}.",
                ("Run the command again; what was stored is reused.",),
            )
    return Contents(len(found.repositories), found.tags, found.blobs, found.size, len(missing))


def _archive(stack: Stack, loaded: Loaded, *, secrets: bool) -> archive.Archive:
    services = stack.containers()
    frontend = of_service(services, Service.FRONTEND)
    made = None
    if secrets and (stack.settings.tls.is_internal or stack.settings.tls.is_acme):
        if frontend is None or not frontend.is_running:
            raise BackupError("The frontend is not running, so its certificates cannot be read.", ("deployer up",))
        try:
            made = stack.engine.containers.run_script(frontend.id, 'tar -c -C "$1" .', FRONTEND_DATA)
        except EngineError as error:
            raise BackupError("The frontend's certificates cannot be read.", (), error.original) from error
    images = {one.service: one.image for one in services}
    return archive.collect(loaded, stack.deployment, images, made, secrets=secrets)


def _finished(done: BackupDone, work: Upkeep, repository: Repository, options: BackupOptions) -> BackupDone:
    """Remove old backups, unless the new one has damaged images: an old one may be the last with them whole."""
    keeps_all = options.keep is not None
    try:
        damaged = options.find_damaged(work.storage)
        if damaged:
            return replace(done, damaged=damaged, keeps_all=keeps_all)
        return replace(done, removed=_thin_out(repository, done.backup, options.keep))
    except (BackupError, StorageError) as error:
        # The new one is complete all the same.
        return replace(done, problem=error, keeps_all=keeps_all)


def _thin_out(repository: Repository, made: Backup, keep: KeepPolicy | None) -> tuple[Backup, ...]:
    if keep is None:
        return ()
    going = thinning.surplus(repository, made.host, keep, made.time)
    thinning.remove(repository, keep.hosts(made.host), going)
    return going
