"""A drill: restores a backup as a copy, checks that the copy has what it should, and removes it again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import BackupError, DeployerError
from deployer.host import ports
from deployer.host.files import nearest_directory
from deployer.workflows.backup import reader
from deployer.workflows.checks import preflight
from deployer.workflows.deployment import ca
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.deployment.up import UserPrompts
from deployer.workflows.drill import known, place, record
from deployer.workflows.drill.copy import ADDRESS, Copy, Origin
from deployer.workflows.drill.examination import DrillTalk, examine
from deployer.workflows.drill.place import DrillPlace
from deployer.workflows.drill.record import DrillResult
from deployer.workflows.restore.deployment import (
    CreationPrompts,
    ImageRestore,
    RestoredContent,
    RestorePrompts,
    restore,
)
from deployer.workflows.upkeep.gate import DrainPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from datetime import datetime

    from deployer.engine.engine import Engine
    from deployer.paths import Deployment
    from deployer.settings.values.reserve import Reserve
    from deployer.workflows.backup.archive import Archive
    from deployer.workflows.backup.create import Machine
    from deployer.workflows.drill.examination import Examined
    from deployer.workflows.drill.pulling import Miss
    from deployer.workflows.restore.images import Restored
    from deployer.workflows.restore.plan import RestorePlan

# The copy has no pushes to wait for.
_DRAIN_SECONDS = 1.0


class LoginTest(StrEnum):
    """Whether a login was tried; the values are those of the JSON output."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REQUIRED = "not required"
    NOT_IN_BACKUP = "not in the backup"


@dataclass(frozen=True)
class DrillRequest:
    """Which backup is tested, of a deployment that need not be here, and how much of it.

    `sample` is from how many repositories images are pulled, None for all tags. `reserve` stays free beside the copy:
    a registry that runs may store images on the same disk. `clock` gives seconds, as time.monotonic does.
    """

    deployment: Deployment
    images: ImageRestore
    origin: Origin
    sample: int | None
    reserve: Reserve
    engine: Engine
    now: Callable[[], datetime]
    clock: Callable[[], float]

    @classmethod
    def of(  # noqa: PLR0913 - by name
        cls, deployment: Deployment, images: ImageRestore, archive: Archive, *, sample: int | None, reserve: Reserve,
        engine: Engine, now: Callable[[], datetime], clock: Callable[[], float],
    ) -> DrillRequest:  # fmt: skip
        """The request for a backup whose own files are in `archive`. Raises BackupError and ConfigurationError."""
        return cls(deployment, images, Origin.read(archive), sample, reserve, engine, now, clock)


@dataclass(frozen=True)
class DrillPlan:
    """What a drill would do, and what earlier ones left behind.

    The room that it needs, that is to stay free beside it, and that there is, in bytes.
    """

    request: DrillRequest
    needed: int
    spare: int
    free: int
    disk: Path
    left: tuple[str, ...]


@dataclass(frozen=True)
class Drill:
    """What a drill found: `differences` are sentences.

    `ca` is the fingerprint of the CA that the backup has, "" for none.
    """

    request: DrillRequest
    restored: Restored
    examined: Examined
    login: LoginTest
    ca: str
    differences: tuple[str, ...]
    seconds: float = 0.0

    @property
    def problem(self) -> str:
        """How the copy differs, in one sentence; "" if it does not."""
        if not self.differences:
            return ""
        more = len(self.differences) - 1
        rest = f" There {'is 1 more difference' if more == 1 else f'are {more} more differences'}."
        return f"{self.differences[0]}{rest if more else ''}"


def plan(request: DrillRequest) -> DrillPlan:
    """What a drill would do. Changes nothing. Raises BackupError if there is no room."""
    left = DrillPlace.of(request.deployment).left()
    disk = nearest_directory(Path(preflight.check_engine(request.engine).data_directory))
    usage = shutil.disk_usage(disk)
    needed, spare = request.images.backup.contents.size, request.reserve.least_free(usage.total)
    # A file system that is no disk has no size.
    free = usage.free if usage.total else needed + spare
    found = DrillPlan(request, needed, spare, free, disk, tuple(one.name for one in left))
    if not left:
        _expect_room(found)
    return found


def clear(deployment: Deployment, engine: Engine, say: Callable[[str], None]) -> None:
    """Remove what drills have left that were killed. Raises Busy, HostError or EngineError."""
    where = DrillPlace.of(deployment)
    if not where.copies():
        return
    with where.locked():
        for left in where.copies():
            say(f"Removing {left.name}, left by an interrupted drill …")
            place.remove(engine, left)


def run(request: DrillRequest, machine: Machine, talk: DrillTalk) -> Drill:
    """Test a backup. Raises what `up` and `restore` raise, and Busy; what was begun is removed all the same."""
    where = DrillPlace.of(request.deployment)
    begun = request.clock()
    with where.locked():
        _expect_room(plan(request))
        deployment = where.new()
        with place.temporary(request.engine, deployment, talk.say):
            try:
                done = _tested(request, deployment, machine, talk)
            except DeployerError as error:
                _keep(request, error.message)
                raise
            _keep(request, done.problem)
    return replace(done, seconds=request.clock() - begun)


def _expect_room(found: DrillPlan) -> None:
    if found.needed + found.spare > found.free:
        raise BackupError(
            f"The copy needs {found.needed:,} bytes, and {found.spare:,} must stay free: {found.disk} has only "
            f"{found.free:,}.",
            ("Free some space there, or run the drill on another machine, with --password-file.",),
        )


def _tested(request: DrillRequest, deployment: Deployment, machine: Machine, talk: DrillTalk) -> Drill:
    copy = Copy.of(request.origin, deployment, ports.unused(ADDRESS))
    stack = Stack(copy.settings, deployment, request.engine, request.now)
    talk.say(f"Starting the copy {deployment.name} at {ADDRESS}:{copy.settings.port} …")
    restored = _restored(request, stack, copy, machine, talk)
    found = examine(stack, copy, restored.plan, request.sample, talk)
    missing = _missing(request, restored.plan, machine, found.misses)
    return Drill(
        request=request,
        restored=restored,
        examined=found,
        login=_login(copy, found),
        ca=ca.fingerprint_of_pem(request.origin.ca or b""),
        differences=(
            *found.certificates,
            *found.login,
            *(one.sentence for one in missing),
            *_damaged(restored, {one.digest for one in missing}),
        ),
    )


def _restored(request: DrillRequest, stack: Stack, copy: Copy, machine: Machine, talk: DrillTalk) -> Restored:
    def refuse(question: str, _instead: tuple[str, ...] = ()) -> None:
        # Its name is new: nothing of the user's can be in the way.
        raise BackupError(f"The copy cannot be started: {question}")

    def agree(found: RestorePlan) -> RestorePlan:
        talk.say(f"Restoring {len(found.added)} tags …")
        return found

    prompts = UserPrompts(talk.say, talk.confirm_install, confirm_loss=refuse, confirm_opening=refuse)
    drain = DrainPolicy(_DRAIN_SECONDS, talk.say)
    content = RestoredContent(copy.archive, copy.files, request.images)
    images = RestorePrompts(drain, agree, talk.on_progress)
    return restore(stack, content, machine, CreationPrompts(prompts, images, talk.quiet))


def _login(copy: Copy, found: Examined) -> LoginTest:
    if not copy.origin.archive.about.with_secrets:
        return LoginTest.NOT_IN_BACKUP
    if found.login:
        return LoginTest.FAILED
    return LoginTest.PASSED if copy.visitor else LoginTest.NOT_REQUIRED


def _damaged(restored: Restored, told: Container[str]) -> tuple[str, ...]:
    return tuple(f"Blob {digest} is damaged in the backup." for digest in restored.damaged if digest not in told)


def _missing(request: DrillRequest, found: RestorePlan, machine: Machine, misses: tuple[Miss, ...]) -> tuple[Miss, ...]:
    """What the copy does not have and the backup does."""
    if not misses:
        return ()
    wanted = request.images
    with reader.opened(request.engine, wanted.target, machine, lambda: wanted.password) as repository:
        return known.differences(repository, found, misses)


def _keep(request: DrillRequest, problem: str) -> None:
    wanted = request.images
    backup = wanted.backup
    result = DrillResult(str(wanted.target), backup.id, request.now(), problem, backup.host)
    record.keep(request.deployment, result)
