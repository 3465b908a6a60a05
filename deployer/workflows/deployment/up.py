"""Bringing the registry and its frontend up."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from deployer.host import marks
from deployer.host.files import PUBLIC, write_atomically
from deployer.host.lock import exclusive
from deployer.layout import Service
from deployer.record import PinnedImage, Record, Release
from deployer.rendering.deployment import render_deployment
from deployer.workflows.checks import disk_room, preflight, readiness, service_environment
from deployer.workflows.deployment import access, ca, files, ownership, provision
from deployer.workflows.deployment.candidate import overridden
from deployer.workflows.deployment.service_change import Action, Reason
from deployer.workflows.deployment.up_plan import needs_reload, plan_up, with_rule_changes
from deployer.workflows.schedule import install

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployer.permissions.difference import RuleChange
    from deployer.rendering.templates import File
    from deployer.workflows.deployment.stack import Stack
    from deployer.workflows.deployment.up_plan import UpPlan
    from deployer.workflows.finding import Finding


@dataclass(frozen=True)
class UserPrompts:
    """How `up` speaks with its user.

    `report` receives each step; `confirm_install` is asked before a package is installed, and `confirm_loss`
    before images would be left behind or rules dropped. `confirm_opening` is asked, with what to do instead, before a
    registry whose users are lost is opened to everyone. They raise if the answer is no. `show_rule_changes` is told
    what users gain and lose, before anything is asked.
    """

    report: Callable[[str], None]
    confirm_install: Callable[[str], None]
    confirm_loss: Callable[[str], None]
    confirm_opening: Callable[[str, tuple[str, ...]], None]
    show_rule_changes: Callable[[tuple[RuleChange, ...]], object] = lambda _changes: None


@dataclass(frozen=True)
class UpOutcome:
    """What `up` did, the fingerprint of the registry's own CA ("" for none), and whether users have to log in.

    `disk` is what is wrong with the room on the disk with the images, or will be soon. `ca_remark` says that the CA is
    another one than before, "" if it is not.
    """

    plan: UpPlan
    authority_sha256: str
    requires_login: bool
    disk: tuple[Finding, ...] = ()
    ca_remark: str = ""


def up(stack: Stack, *, rebuild: bool, timeout: float, prompts: UserPrompts, quiet: bool) -> UpOutcome:
    """Bring the deployment up and wait until it answers; return what was done. `timeout` in seconds.

    Raises what `plan_up` raises, and NotReady with the last log lines.
    """
    agreed: set[str] = set()
    plan = None
    if not stack.deployment.directory.exists():
        # What is in the way is reported, and what is to be asked is asked, before the folder is made.
        plan = plan_up(stack, rebuild=rebuild)
        _ask(plan, prompts, agreed)
    with exclusive(stack.deployment.lock_file, "up"):
        # Where no one was waited for, and no other command has come between, it is the same plan still.
        if plan is None or agreed or not files.is_empty(stack.deployment):
            plan = with_rule_changes(stack, plan_up(stack, rebuild=rebuild))
            prompts.show_rule_changes(plan.rule_changes)
            _ask(plan, prompts, agreed)
        # Before anything is made: interrupted here, the next `up` still knows what it made and what it found.
        ownership.keep_engine(stack.deployment, stack.facts, plan.adoption.owned if plan.adoption else None)
        if plan.is_empty:
            files.keep_record(stack.deployment, record_of(stack))
            files.keep_started(stack.deployment)
        else:
            apply_plan(stack, plan, prompts, quiet=quiet)
        ownership.keep_storage(stack.deployment, stack.engine, plan.adoption)
        readiness.wait(stack.settings, stack.engine, stack.deployment.name, timeout)
        old_ca = ca.keep(stack.engine, stack.deployment) if stack.settings.tls.is_internal else ""
        keep_release(stack, is_new=not plan.is_empty)
        # What an interrupted upgrade had begun is undone: the images are those of before it.
        shutil.rmtree(stack.deployment.undo_folder, ignore_errors=True)
        stack.deployment.upgrade_pending_file.unlink(missing_ok=True)
    fingerprint = ca.fingerprint(stack.deployment) if stack.settings.tls.is_internal else ""
    room = _look_at_disk(stack, plan)
    return UpOutcome(
        plan,
        fingerprint,
        requires_login=bool(plan.inputs.accounts),
        disk=disk_room.findings(room),
        ca_remark=ca.replaced(stack.deployment, old_ca) if old_ca else "",
    )


def _look_at_disk(stack: Stack, plan: UpPlan) -> disk_room.DiskRoom | None:
    if plan.is_empty and plan.frontend:
        # It runs as it did for the plan.
        return disk_room.look(stack.engine, plan.frontend, stack.now())
    return disk_room.look_through(stack.engine, stack.deployment.name, stack.now())


def keep_release(stack: Stack, *, is_new: bool = True) -> None:
    """Remember which images run now, by ID: the next `up` runs the same. Raises EngineError and HostError.

    Where nothing is new, only if that was never remembered.
    """
    before = Release.read(stack.deployment.release_file)
    if is_new or before is None or not before.images:
        write_atomically(stack.deployment.release_file, release_of(stack).content, PUBLIC)


def release_of(stack: Stack) -> Release:
    """The images that the services' containers have. Raises EngineError."""
    before = Release.read(stack.deployment.release_file) or Release()
    services = [one for one in stack.engine.containers.of_project(stack.deployment.name) if one.service in set(Service)]
    digests = stack.engine.images.digests(one.image_id for one in services)
    asked_by = {one.kept_as(stack.deployment.name): one.name for one in before.images}
    return Release(
        tuple(
            PinnedImage(one.service, asked_by.get(one.image, one.image), one.image_id).with_digest(
                digests[one.image_id]
            )
            for one in services
        ),
        before.files,
    )


def apply_plan(stack: Stack, plan: UpPlan, prompts: UserPrompts, *, quiet: bool) -> None:
    """Get the images here, write the files and let Compose do the rest. Under the deployment's lock.

    Does not wait until the services answer. Raises EngineError and HostError.
    """
    images = provision.fetch(list(plan.images), stack.engine, prompts.report, prompts.confirm_install)
    new = [choice.source is not provision.Source.HERE for choice in plan.images]
    if any(new):
        # The plan could not look at them.
        named = zip(Service, (images.registry, images.frontend), new, strict=False)
        come = {service: name for service, name, is_new in named if is_new}
        found = overridden(stack, render_deployment(stack.settings, images, plan.inputs), come)
        service_environment.refuse(found, stack.deployment)
    data = stack.settings.registry.data_directory
    if data is not None:
        preflight.make_data_directory(data)
    secret = files.secret_of(stack.deployment)
    if secret is None:
        secret = files.new_secret()
        files.keep_secret(stack.deployment, secret)
    rendered = render_deployment(stack.settings, images, replace(plan.inputs, secret=secret))
    reloads = needs_reload(stack, plan.files)
    with marks.begun(stack.deployment.apply_pending_file, "up") if reloads else nullcontext():
        _change(stack, plan, rendered, quiet=quiet)
    # One that was started has read them.
    stack.deployment.reload_pending_file.unlink(missing_ok=True)
    stack.deployment.apply_pending_file.unlink(missing_ok=True)
    install.apply(stack.deployment, stack.environment, plan.schedule)


def _change(stack: Stack, plan: UpPlan, rendered: tuple[File, ...], *, quiet: bool) -> None:
    files.write(stack.deployment, rendered)
    files.keep_record(stack.deployment, record_of(stack))
    starting = [change.service for change in plan.services if change.action.starts]
    if starting:
        files.keep_starting(stack.deployment, starting)
    install.prepare(stack.deployment, plan.schedule)
    unknown_to_compose = [change.service for change in plan.services if change.reason.is_unknown_to_compose]
    first = [change.service for change in plan.services if change.reason.is_before_others]
    stack.engine.compose.up(stack.project(), first=first, recreate=unknown_to_compose, quiet=quiet)
    files.keep_started(stack.deployment)
    if any(change.action is Action.REMOVE or change.reason is Reason.RESOURCES for change in plan.services):
        ownership.remove_idle_networks(stack.engine, stack.deployment, stack.project())
    if any(change.action is Action.RELOAD for change in plan.services):
        access.reload_frontend(stack.engine, stack.deployment)


def record_of(stack: Stack) -> Record:
    """Where the settings in effect have the deployment reached."""
    tls = {key: value for key, value in asdict(stack.settings.tls).items() if value}
    return Record(stack.settings.host, stack.settings.port, tls)


def _ask(plan: UpPlan, prompts: UserPrompts, agreed: set[str]) -> None:
    """Ask about each warning that was not agreed to yet."""
    opening = {one.warning: one.advice for one in plan.opening}
    for warning in plan.warnings:
        if warning in agreed:
            continue
        if warning in opening:
            prompts.confirm_opening(f"{warning} Continue?", opening[warning])
        else:
            prompts.confirm_loss(f"{warning} Continue?")
        agreed.add(warning)
