"""The command that restores from a backup."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.backup_access import BackupOption, PasswordFileOption, TargetArgument, chosen, machine_of, opened
from deployer.cli.options import WAIT, WaitOption, drain_policy
from deployer.cli.registration import command

if TYPE_CHECKING:
    from deployer.cli.backup_access import OpenBackups
    from deployer.cli.presentation import Report
    from deployer.cli.session import Session
    from deployer.workflows.backup.archive import Archive
    from deployer.workflows.restore.deployment import ImageRestore, RestoredContent
    from deployer.workflows.restore.images import Restored
    from deployer.workflows.restore.plan import RestorePlan

_RESTORE_EXAMPLE = """\
Example: `deployer restore /mnt/nas/registry` restores the deployment on a new machine;
`deployer restore /mnt/nas/registry --only team/app:1.2` brings one tag back into the running registry."""
_CHANGE_OR_KEEP = "Change these tags in {}? Otherwise they stay as they are, and the rest is restored."


@dataclass(frozen=True)
class RestoreOptions:
    """Which backup is restored, and what of it."""

    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="NAME",
            help="Restore only these repositories or tags, into the running registry: 'team/*', app:1.2. Can be "
            "repeated.",
            show_default=False,
        ),
    ] = None
    backup: BackupOption = ""
    password_file: PasswordFileOption = None


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, epilog=_RESTORE_EXAMPLE, offers=("dry_run", "yes", "as_json"))(restore)


def restore(session: Session, target: TargetArgument, wanted: RestoreOptions, wait: WaitOption = WAIT) -> None:
    """Restore a deployment, or single images, from a backup.

    Without --only, restores the whole deployment on a machine that has none of that name: its settings, users,
    certificates and secrets, and then its images. --name, --host and --port replace those of the backup. A
    deployer.yaml that is already in use is kept, and its settings apply.

    With --only, restores images into the running registry: missing tags are added, and tags that refer to
    another image are changed, after a question that lists them. Nothing else in the registry is removed. An
    interrupted restore can be repeated; it continues where it stopped.
    """
    from deployer.workflows.images.naming import own_pattern
    from deployer.workflows.restore.deployment import ImageRestore, archive_of, begun_backup
    from deployer.workflows.restore.selection import Selection

    only = [own_pattern(one, session.place, only_here=True) for one in wanted.only or ()]
    selection = Selection.parse(only)
    if wanted.only:
        session.require_deployment(session.engine, changes=True)
    with opened(session, target, wanted.password_file) as found:
        backup = chosen(session, found, wanted.backup or begun_backup(session.known_deployment, found.target))
        images = ImageRestore(found.target, backup, selection, found.password)
        if wanted.only and session.presentation.dry_run:
            _show_images(session, found, images)
            return
        archive = None if wanted.only else archive_of(found.repository, backup)
        identity = found.repository.id
    if archive is None:
        session.show(_report_of_images(session, _put_images(session, images, wait), images))
    else:
        _restore_deployment(session, images, archive, identity, wait)


def _show_images(session: Session, found: OpenBackups, images: ImageRestore) -> None:
    from deployer.cli.views.backups import restore as views
    from deployer.workflows.restore.plan import plan
    from deployer.workflows.upkeep import maintenance

    now = maintenance.reading(session.stack).snapshot()
    session.show_plan(views.RestorePlanReport(plan(found.repository, images.backup, images.selection, now)))


def _report(session: Session, restored: Restored) -> Report:
    from deployer.cli.views.backups.restore import RestoredReport

    return RestoredReport(restored, session.settings.address)


def _report_of_images(session: Session, restored: Restored, images: ImageRestore) -> Report:
    """What was restored; if nothing was, it is looked whether the registry has it whole."""
    from deployer.cli.views.backups.restore import RestoredReport
    from deployer.workflows.integrity.damaged_images import damaged_images
    from deployer.workflows.upkeep import maintenance

    if not restored.plan.is_empty:
        return _report(session, restored)
    with maintenance.reading_long(session.stack) as storage:
        damaged = damaged_images(session.deployment, storage, images.selection)
    return RestoredReport(restored, session.settings.address, damaged.images, damaged.cure(images.target))


def _put_images(session: Session, images: ImageRestore, wait: str) -> Restored:
    """Restore images into the running registry, after a question if tags change."""
    from deployer.cli.views.backups import restore as views
    from deployer.cli.views.backups.progress import ProgressLine
    from deployer.workflows.restore.deployment import RestorePrompts, put_images

    def agree(plan: RestorePlan) -> RestorePlan:
        session.show_plan(views.RestorePlanReport(plan))
        if plan.changed:
            session.confirm(f"Change these tags in {session.settings.address}?")
        return plan

    drain = drain_policy(session, wait)
    with ProgressLine(session.out, time.monotonic) as line:
        return put_images(session.stack, images, machine_of(session), RestorePrompts(drain, agree, line.show))


def _restore_deployment(session: Session, images: ImageRestore, archive: Archive, identity: str, wait: str) -> None:
    from deployer.cli.views.backups import restore as views
    from deployer.workflows.checks import preflight
    from deployer.workflows.restore import deployment as workflow

    restored = session.assuming(workflow.settings_of(archive))
    workflow.expect_none(restored.deployment, images.target)
    preflight.check_port(restored.settings, restored.engine, f"deployer restore {images.target.quoted}")
    archive = workflow.with_settings(archive, restored.loaded)
    files = workflow.files_to_restore(archive, restored.loaded, restored.deployment)
    users = workflow.count_users(archive)
    report = views.DeploymentPlanReport(images.backup, archive.about, restored.settings.address, users, files)
    if session.show_plan(report):
        return
    open_to_all = not archive.about.with_secrets
    without = ", without users, so that no login is required" if open_to_all else ""
    session.confirm(f"Restore this deployment at {restored.settings.address}{without}?")
    workflow.begin(restored.deployment, images)
    done = _create(restored, workflow.RestoredContent(archive, files.written, images), wait)
    workflow.finish(restored.deployment, images.target, identity, images.backup)
    restored.tell_page()
    session.show(_report(restored, done))


def _create(session: Session, content: RestoredContent, wait: str) -> Restored:
    from deployer.cli.views.backups import restore as views
    from deployer.cli.views.backups.progress import ProgressLine
    from deployer.workflows.deployment.up import UserPrompts
    from deployer.workflows.restore.deployment import CreationPrompts, RestorePrompts, restore

    prompts = UserPrompts(
        report=session.out.note,
        confirm_install=partial(session.confirm),
        confirm_loss=session.confirm,
        confirm_opening=session.confirm_in_person,
    )

    def agree(plan: RestorePlan) -> RestorePlan:
        # Its images outlived the deployment, and some of these tags were pushed after the backup.
        if plan.changed:
            session.show_plan(views.RestorePlanReport(plan))
            if not session.asks(_CHANGE_OR_KEEP.format(session.settings.address)):
                return plan.without_changes
        return plan

    drain = drain_policy(session, wait)
    with ProgressLine(session.out, time.monotonic) as line:
        images = RestorePrompts(drain, agree, line.show)
        talk = CreationPrompts(prompts, images, quiet=not session.out.err.isatty())
        return restore(session.stack, content, machine_of(session), talk)
