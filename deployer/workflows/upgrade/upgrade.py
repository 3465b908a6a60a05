"""`upgrade`: newer images for the services, and `upgrade --rollback`: the previous ones again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import yaml

from deployer import layout
from deployer.engine import inventory
from deployer.errors import NotFound, PreflightError
from deployer.host.lock import exclusive
from deployer.layout import Service
from deployer.record import Record, Release
from deployer.workflows.checks import preflight
from deployer.workflows.deployment import up
from deployer.workflows.upgrade import kept, newer, schema_1, switch
from deployer.workflows.upgrade.rehearsal import rehearse
from deployer.workflows.upkeep.maintenance import upkeep

if TYPE_CHECKING:
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.upgrade.kept import Kept
    from deployer.workflows.upgrade.newer import ImageChange, Sought, Source
    from deployer.workflows.upgrade.switch import SwitchPolicy


@dataclass(frozen=True)
class UpgradePlan:
    """What an upgrade would look for: for each service the image that runs, and what is wanted in its place.

    `continues`: an upgrade was interrupted, and this one completes it. `unserved` are the tags that the running
    registry serves, and that version 3 would not.
    """

    running: Release
    wanted: tuple[tuple[str, Sought], ...]
    continues: bool = False
    unserved: tuple[str, ...] = ()


@dataclass(frozen=True)
class RollbackPlan:
    """What a rollback would put back. `with_files`: the files that were rendered then, too.

    They are not put back if `up` has changed the deployed ones since: they would bring back old settings.
    """

    changes: tuple[ImageChange, ...]
    with_files: bool


@dataclass(frozen=True)
class Upgraded:
    """The changes, if any; `seconds` is the longest that a request waited or was refused.

    A rollback of an interrupted upgrade keeps nothing of it, so it cannot be undone.
    """

    changes: tuple[ImageChange, ...]
    seconds: float = 0.0
    can_be_undone: bool = True


def plan(stack: Stack) -> UpgradePlan:
    """What an upgrade would look for. Changes nothing. Raises NotFound, PreflightError and EngineError."""
    running = _running(stack)
    _refuse_override(stack)
    sought = newer.sought(stack.settings)
    wanted = tuple((service.value, one) for service, one in sought.items())
    return UpgradePlan(
        running,
        wanted,
        stack.deployment.upgrade_pending_file.exists(),
        schema_1.unserved(stack, running, sought.get(Service.REGISTRY)),
    )


def upgrade(stack: Stack, source: Source, policy: SwitchPolicy) -> Upgraded:
    """Get newer images, and replace the running ones; nothing is changed until they are on this machine.

    Raises UpgradeFailed if they do not work: then what ran before runs again.
    """
    after = _fetched(stack, source, policy)
    with upkeep(stack, "upgrade", concerns_images=False) as work:
        running = _running(stack)
        change = switch.to_images(stack, after, policy)
        if not change.services and kept.unfinished(stack.deployment) is None:
            return Upgraded(())
        undo = _way_back(stack, running)
        try:
            done = switch.switch(stack, work, change, undo, policy)
            _commit(stack, after)
        finally:
            kept.forget_images(stack)
    return Upgraded(_newer(running, after), done.seconds)


def _fetched(stack: Stack, source: Source, policy: SwitchPolicy) -> Release:
    """The images that the services will run, fetched and test-started; nothing that runs is changed."""
    with exclusive(stack.deployment.lock_file, "upgrade"):
        running = _running(stack)
        # What prevents the upgrade is found before minutes are spent on pulling and building.
        switch.to_images(stack, running, policy)
        # From here on their names may refer to other images; `up` keeps these all the same.
        up.keep_release(stack, is_new=False)
        kept.keep_images(stack.engine, stack.deployment, running)
        after = newer.fetch(stack.settings, running, source)
        new = [one.after for one in newer.changes(running, after) if one.is_newer]
        rehearse(stack, new, stack.containers(), policy.timeout)
        # So that no clean-up removes one before it runs.
        kept.keep_images(stack.engine, stack.deployment, after)
    return after


def plan_rollback(stack: Stack) -> RollbackPlan:
    """What a rollback would put back. Changes nothing. Raises NotFound and EngineError."""
    running = _running(stack)
    target = _rollback_target(stack)
    return RollbackPlan(newer.changes(running, target.release), _has_same_files(stack, target))


def rollback(stack: Stack, policy: SwitchPolicy) -> Upgraded:
    """Put the previous images back, and the files that were rendered for them, if no `up` has changed any since.

    Raises NotFound, and UpgradeFailed if they do not work: then what ran until now runs again.
    """
    with upkeep(stack, "upgrade --rollback", concerns_images=False) as work:
        running = _running(stack)
        target = _rollback_target(stack)
        if _has_same_files(stack, target):
            change = switch.to_kept(stack, target, policy)
        else:
            change = switch.to_images(stack, target.release, policy)
        pending = kept.unfinished(stack.deployment)
        undo = _way_back(stack, running)
        done = switch.switch(stack, work, change, undo, policy)
        if pending is not None:
            kept.abandon(stack.deployment)
        else:
            _commit(stack, target.release)
    return Upgraded(_newer(running, target.release), done.seconds, can_be_undone=pending is None)


def _refuse_override(stack: Stack) -> None:
    """Make sure that compose.override.yaml does not set the images. Raises PreflightError."""
    try:
        services = yaml.safe_load(stack.deployment.compose_file.read_bytes())["services"]
        described = {name: str(one["image"]).replace("$$", "$") for name, one in services.items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise PreflightError(
            f"{stack.deployment.compose_file} is damaged.", ("deployer up   (writes it again)",), str(error)
        ) from error
    resolved = inventory.wanted(stack.engine, stack.project(), layout.STORAGE).images
    for service in Service:
        if service in described and resolved.get(service) != described[service]:
            raise PreflightError(
                f"{stack.deployment.override_file} sets the image of the service {service}, so `upgrade` cannot "
                "replace it.",
                (f"Remove `image` there and set {service}.image in deployer.yaml instead, then: deployer up",),
            )


def _newer(before: Release, after: Release) -> tuple[ImageChange, ...]:
    return tuple(one for one in newer.changes(before, after) if one.is_newer)


def _commit(stack: Stack, release: Release) -> None:
    """Keep what runs now, with the digest of its files, by which a rollback sees whether they have changed."""
    kept.commit(stack, replace(release, files=kept.of_today(stack, release).release.files))


def _way_back(stack: Stack, running: Release) -> Kept:
    """What to go back to: what an interrupted upgrade kept, otherwise what is running, which is written to `undo/`."""
    undo = kept.unfinished(stack.deployment)
    if undo is None:
        undo = kept.of_today(stack, running)
        kept.write(stack.deployment.undo_folder, undo)
    return undo


def _rollback_target(stack: Stack) -> Kept:
    """What a rollback puts back; its images are on this machine. Raises NotFound and EngineError."""
    found = kept.unfinished(stack.deployment) or kept.read(stack.deployment.previous_folder)
    if found is None:
        raise NotFound(
            f"There is nothing to roll back to: '{stack.deployment.name}' has not been upgraded.",
            ("deployer upgrade --check   (shows which images run)",),
        )
    for one in found.release.images:
        if stack.engine.images.find(one.id) is None:
            raise NotFound(
                f"The previous image of the service {one.service} is no longer on this machine.",
                (f"docker pull {one.digest}" if one.digest else f"docker load --input FILE   (with {one.id})",),
            )
    return found


def _has_same_files(stack: Stack, target: Kept) -> bool:
    """Whether no `up` has changed the deployed files since the upgrade, so that the previous ones can be put back."""
    if kept.unfinished(stack.deployment) is not None:
        return True
    now = Release.read(stack.deployment.release_file)
    return bool(target.files) and now is not None and now.files == kept.of_today(stack, now).release.files


def _running(stack: Stack) -> Release:
    """The release that is deployed. Raises NotFound and PreflightError."""
    containers = stack.containers()
    preflight.check_paused(containers)
    if not stack.deployment.is_there or not containers:
        raise NotFound(f"'{stack.deployment.name}' is not running on this machine.", ("deployer up",))
    applied = Record.read(stack.deployment.record_file)
    if applied is not None and applied != up.record_of(stack):
        raise PreflightError(
            "The settings have changed since the last `up`; nothing was changed.",
            ("deployer up   (applies them)", "Then: deployer upgrade"),
        )
    release = Release.read(stack.deployment.release_file)
    return release if release is not None and release.images else up.release_of(stack)
