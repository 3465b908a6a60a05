"""Replacing the services' images, or their files, and going back if the new ones are not ready and healthy in time.

A push in progress waits at the gate while the registry is replaced. While the frontend is replaced there is no
one to wait at: that is done when no request of a push is in progress, and takes as long as the frontend takes to start.
Where no such moment comes in the time that is given, nothing is changed.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from deployer import layout
from deployer.errors import DeployerError, EngineError, GateError, PreflightError, PushInProgress, UpgradeFailed
from deployer.host.files import PRIVATE, write_atomically
from deployer.layout import Service
from deployer.rendering.templates import quoted_for_compose
from deployer.workflows.checks import readiness
from deployer.workflows.deployment import access, ca, files, ownership, up
from deployer.workflows.deployment.service_change import Action
from deployer.workflows.deployment.up_plan import plan_up
from deployer.workflows.upgrade import health, kept
from deployer.workflows.upkeep.gate import DrainPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deployer.record import Release
    from deployer.rendering.templates import File
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.upgrade.kept import Kept
    from deployer.workflows.upkeep.maintenance import Upkeep

# Requests wait at the frontend for 45 s: for this time, the timeout, and going back.
_DRAIN_SECONDS = 8.0
# How long the frontend may take to finish its requests; an interrupted pull continues where it stopped.
_GRACE_SECONDS = 2
# The previous images have become ready before.
_BACK_SECONDS = 60.0


@dataclass(frozen=True)
class SwitchPolicy:
    """`say` reports each step; `timeout` is how long the new services may take, in seconds; Compose may be `quiet`."""

    say: Callable[[str], None]
    timeout: float
    quiet: bool

    @property
    def drain(self) -> DrainPolicy:
        """How long pushes in progress are waited for."""
        return DrainPolicy(_DRAIN_SECONDS, self.say)


@dataclass(frozen=True)
class Change:
    """A planned change of the services, and which of them it replaces."""

    services: frozenset[str]
    apply: Callable[[], None]


@dataclass
class Switched:
    """How long the services took to be replaced, in seconds: the most that a request has waited or was refused.

    Until it `has_begun`, they run as before.
    """

    seconds: float = 0.0
    has_begun: bool = False


def to_images(stack: Stack, release: Release, policy: SwitchPolicy) -> Change:
    """The change to other images, with the files that this version renders. Raises PreflightError and EngineError."""
    plan = plan_up(stack, release=release)
    if plan.warnings:
        raise PreflightError(
            "`up` has to ask a question first; nothing was changed.", ("deployer up   (then upgrade again)",)
        )
    # The plan has no warnings, and the images are here.
    prompts = up.UserPrompts(policy.say, lambda _: None, lambda _: None, lambda _question, _instead: None)

    def apply() -> None:
        ownership.keep_engine(stack.deployment, stack.facts, plan.adoption.owned if plan.adoption else None)
        up.apply_plan(stack, plan, prompts, quiet=policy.quiet)
        ownership.keep_storage(stack.deployment, stack.engine, plan.adoption)

    staying = {Action.KEEP, Action.RELOAD}
    return Change(frozenset(one.service for one in plan.services if one.action not in staying), apply)


def to_kept(stack: Stack, before: Kept, policy: SwitchPolicy) -> Change:
    """The change to images and files that were kept. Raises EngineError and HostError."""
    wanted = _files_of(stack, before)
    return Change(_replaced(stack, before.release), partial(_put_back, stack, before.release, wanted, policy))


def _files_of(stack: Stack, before: Kept) -> tuple[File, ...]:
    """The kept files; an image whose name refers to another one by now gets its kept name."""
    found = stack.engine.images.find_all(one.name for one in before.release.images)
    names = {
        one.name: one.kept_as(stack.deployment.name)
        for one in before.release.images
        if (there := found[one.name]) is None or there.id != one.id
    }
    return tuple(_with_images(file, names) for file in before.files)


def _with_images(file: File, names: dict[str, str]) -> File:
    if file.path != "compose.yaml":
        return file
    content = file.content.decode()
    for name, kept_name in names.items():
        content = content.replace(f"image: {quoted_for_compose(name)}\n", f"image: {quoted_for_compose(kept_name)}\n")
    return replace(file, content=content.encode())


def _replaced(stack: Stack, release: Release) -> frozenset[str]:
    """The services that do not run the image of a release."""
    containers = stack.engine.containers.of_project(stack.deployment.name)
    there = {one.service: one.image_id for one in containers if one.is_running}
    return frozenset(one.service for one in release.images if there.get(one.service) != one.id)


def _put_back(stack: Stack, release: Release, wanted: tuple[File, ...], policy: SwitchPolicy) -> None:
    kept.keep_images(stack.engine, stack.deployment, release)
    reloads = any(
        change.path.startswith(layout.RELOADED)
        for change in files.changes(stack.deployment, wanted)
        if change.after is not None
    )
    files.write(stack.deployment, wanted)
    stack.engine.compose.up(stack.project(), quiet=policy.quiet)
    files.keep_started(stack.deployment)
    if reloads:
        access.reload_frontend(stack.engine, stack.deployment)


def switch(stack: Stack, work: Upkeep, change: Change, undo: Kept, policy: SwitchPolicy) -> Switched:
    """Make a change; go back to `undo` if it fails, is interrupted, or is not ready and healthy in time.

    Raises UpgradeFailed, which says what runs then, and KeyboardInterrupt.
    """
    deployment = stack.deployment
    done = Switched()
    write_atomically(deployment.upgrade_pending_file, b"upgrade\n", PRIVATE)
    try:
        with _held(stack, work, change, policy, done):
            deadline = time.monotonic() + policy.timeout
            try:
                _make(stack, change, policy.timeout, done)
            except BaseException:
                # Before writes resume: waiting requests are then answered by the previous registry.
                _go_back(stack, undo, policy)
                raise
        health.check(stack, work, deadline)
    except BaseException as error:
        if not done.has_begun:
            kept.abandon(stack.deployment)
            raise _unchanged(error) from error
        _restore(stack, work, undo, policy, error)
        raise
    return done


def _unchanged(error: BaseException) -> BaseException:
    """What is raised where nothing was replaced yet."""
    if isinstance(error, DeployerError):
        return UpgradeFailed(f"{error} Nothing was replaced.", error.advice, error.original)
    return KeyboardInterrupt("Interrupted. Nothing was replaced.") if isinstance(error, KeyboardInterrupt) else error


def _make(stack: Stack, change: Change, timeout: float, done: Switched) -> None:
    done.has_begun = True
    began = time.monotonic()
    change.apply()
    readiness.wait(stack.settings, stack.engine, stack.deployment.name, timeout)
    done.seconds = time.monotonic() - began
    # Another one than the recorded one is for `status` to tell, and for `up` to record.
    if stack.settings.tls.is_internal and not ca.fingerprint(stack.deployment):
        ca.keep(stack.engine, stack.deployment)


def _go_back(stack: Stack, undo: Kept, policy: SwitchPolicy) -> None:
    # The terminal may be closed: that must not keep the previous images from running again.
    with suppress(OSError):
        policy.say("The new images do not work; rolling back to the previous ones …")
    back = to_kept(stack, undo, policy)
    _kill(stack, back.services)
    back.apply()
    readiness.wait(stack.settings, stack.engine, stack.deployment.name, _BACK_SECONDS)


def _kill(stack: Stack, services: frozenset[str]) -> None:
    """Stop the new services at once, without a grace period: requests are waiting for the previous ones."""
    there = stack.engine.containers.of_project(stack.deployment.name)
    stack.engine.containers.kill(one.id for one in there if one.service in services and one.is_running)


def _restore(stack: Stack, work: Upkeep, undo: Kept, policy: SwitchPolicy, error: BaseException) -> None:
    """Make sure that what ran before runs again. Raises UpgradeFailed and KeyboardInterrupt, which say so."""
    try:
        if not _runs(stack, undo):
            with _held_if_possible(stack, work, undo, policy):
                _go_back(stack, undo, policy)
    except DeployerError as failure:
        raise UpgradeFailed(
            f"The upgrade failed, and the previous images do not work either: {failure}",
            ("deployer upgrade --rollback   (tries it again)", "deployer logs", *failure.advice),
            failure.original,
        ) from error
    kept.abandon(stack.deployment)
    if isinstance(error, KeyboardInterrupt):
        raise KeyboardInterrupt("Interrupted. The previous images are running again.") from error
    if isinstance(error, DeployerError):
        raise UpgradeFailed(
            f"The upgrade failed; the previous images are running again. {error}", error.advice, error.original
        ) from error


def _runs(stack: Stack, undo: Kept) -> bool:
    """Whether the services run the kept images with the kept files."""
    return not _replaced(stack, undo.release) and not files.changes(stack.deployment, _files_of(stack, undo))


@contextmanager
def _held(stack: Stack, work: Upkeep, change: Change, policy: SwitchPolicy, done: Switched) -> Iterator[None]:
    """Pause what the change would interrupt, until it is made."""
    if Service.FRONTEND in change.services:
        with _without_pushes(work, policy):
            done.has_begun = True
            # With its own time to end, a long pull would keep all others out for that long.
            stack.engine.compose.stop(stack.project(), [Service.FRONTEND], grace=_GRACE_SECONDS)
        yield
    elif Service.REGISTRY in change.services:
        with work.writes_paused(policy.drain):
            yield
    else:
        yield


@contextmanager
def _held_if_possible(stack: Stack, work: Upkeep, undo: Kept, policy: SwitchPolicy) -> Iterator[None]:
    """The same for going back, which is done even if writes cannot be paused."""
    with ExitStack() as holding:
        try:
            holding.enter_context(_held(stack, work, to_kept(stack, undo, policy), policy, Switched()))
        except (GateError, EngineError):
            policy.say("Writes cannot be paused; if a push fails, repeat it.")
        yield


@contextmanager
def _without_pushes(work: Upkeep, policy: SwitchPolicy) -> Iterator[None]:
    """Wait until no request of a push is in progress at the frontend, and let none begin. Raises PushInProgress."""
    try:
        work.pauser.empty_frontend(policy.drain, policy.timeout)
    except PushInProgress:
        raise
    except (GateError, EngineError):
        policy.say("The frontend does not tell which pushes are in progress; if one fails, repeat it.")
    try:
        yield
    finally:
        work.pauser.gate.open()
