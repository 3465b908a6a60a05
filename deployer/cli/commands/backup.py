"""Commands that make backups and list them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.backup_access import BackupOption, PasswordFileOption, TargetArgument, chosen, machine_of, opened
from deployer.cli.default_command import DEFAULT, DefaultGroup
from deployer.cli.registration import command, command_group
from deployer.cli.selection import COMMANDS
from deployer.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from deployer.cli.session import Session
    from deployer.workflows.backup.catalog import Backup
    from deployer.workflows.backup.thinning import KeepPolicy

_GROUP_EXAMPLE = (
    "Example: `deployer backup /mnt/nas/registry` makes a backup; `deployer backup list /mnt/nas/registry` lists them."
)
_CREATE_EXAMPLE = """\
Example: `deployer backup /mnt/nas/registry --keep 7d,4w,12m` also removes old backups;
`deployer backup create /mnt/nas/registry --keep 7d,4w,12m` is the same."""
_SAMPLE = 10
_DRILL_EXAMPLE = "Example: `deployer backup drill /mnt/nas/registry --all` pulls every image of the newest backup."
_LIST_EXAMPLE = "Example: `deployer backup list /mnt/nas/registry --json` prints the backups as JSON."


@dataclass(frozen=True)
class CreateOptions:
    """What a backup has, and what goes when it is made."""

    password_file: PasswordFileOption = None
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="LIST",
            help="Then remove older backups of this deployment, except the newest of each of the last N days, weeks, "
            "months: 7d,4w,12m.",
            show_default=False,
        ),
    ] = None
    formerly: Annotated[
        list[str] | None,
        typer.Option(
            "--formerly",
            metavar="NAME@MACHINE",
            help="With --keep: also remove backups that this deployment made under an earlier name, as in the column "
            "DEPLOYMENT of `backup list`. Can be repeated.",
            show_default=False,
        ),
    ] = None
    without_secrets: Annotated[
        bool,
        typer.Option("--without-secrets", help="Leave out users, certificates with their keys, and other secrets."),
    ] = False
    new: Annotated[
        bool,
        typer.Option("--new", help="Start new backups at a target where earlier ones are missing or were replaced."),
    ] = False


@dataclass(frozen=True)
class DrillOptions:
    """Which backup is tested, and how much of it is pulled."""

    backup: BackupOption = ""
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample",
            metavar="N",
            min=1,
            help=f"Pull the newest tag of this many repositories.  [default: {_SAMPLE}]",
            show_default=False,
        ),
    ] = None
    everything: Annotated[bool, typer.Option("--all", help="Pull every tag.")] = False
    password_file: PasswordFileOption = None

    @property
    def repositories(self) -> int | None:
        """From how many repositories an image is pulled; None for all tags. Raises UsageError."""
        if self.everything and self.sample is not None:
            raise UsageError("--all and --sample cannot be used together.", ("Omit one of them.",))
        return None if self.everything else self.sample or _SAMPLE


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    about = "Back up images, users, settings and certificates. `deployer backup TARGET` makes a backup."
    group = command_group(app, "backup", about=about, example=_GROUP_EXAMPLE, kind=DefaultGroup)
    command(group, DEFAULT, epilog=_CREATE_EXAMPLE, group="backup", offers=("dry_run", "as_json"))(create)
    command(group, "list", epilog=_LIST_EXAMPLE, group="backup", offers=("as_json",))(list_backups)
    command(group, "drill", epilog=_DRILL_EXAMPLE, group="backup", offers=("dry_run", "as_json"))(drill)
    # As it is called without the name.
    COMMANDS.add("backup")


def create(session: Session, target: TargetArgument, options: CreateOptions) -> None:
    """Make a backup. `deployer backup TARGET` is the same.

    Stores images, users, settings, certificates and secrets, encrypted and deduplicated by restic. Pushes and
    pulls continue; gc, prune and changes of the deployment are refused until it is done. Only what is new is
    stored, so an interrupted backup continues where it stopped. Everything is read back and checked before the
    backup counts.

    The first backup creates a password, which is kept in the deployment's directory and shown once. Keep it in
    another place too: on another machine, no backup can be restored without it.
    """
    from deployer.cli.views.backups import backup as views
    from deployer.cli.views.backups.progress import ProgressLine
    from deployer.restic.target import Target
    from deployer.workflows.backup.create import BackupOptions, Listener, make
    from deployer.workflows.backup.password import given
    from deployer.workflows.backup.plan import plan
    from deployer.workflows.backup.thinning import KeepPolicy
    from deployer.workflows.integrity.damaged_images import damaged_images
    from deployer.workflows.restore.selection import Selection
    from deployer.workflows.upkeep import maintenance

    place = Target.parse(target, session.directory)
    place.check_login(session.environment)
    if options.formerly and options.keep is None:
        raise UsageError(
            "--formerly requires --keep.", ("deployer backup TARGET --keep 7d,4w,12m --formerly NAME@MACHINE",)
        )
    keep = KeepPolicy.parse(options.keep, options.formerly or ()) if options.keep is not None else None
    given(options.password_file, session.environment)
    session.require_deployment(session.engine, changes=True)
    counts = maintenance.reading(session.stack).count()
    if session.presentation.dry_run:
        removes = _removed(session, target, options.password_file, keep) if keep else ()
        session.show_plan(views.BackupPlanReport(plan(place, counts, removes), is_thinned=keep is not None))
        return
    session.show_plan(views.BackupPlanReport(plan(place, counts)))
    machine = machine_of(session)
    find_damaged = partial(damaged_images, session.deployment, selection=Selection.parse(()))
    wanted = BackupOptions(place, options.password_file, not options.without_secrets, keep, options.new, find_damaged)
    with ProgressLine(session.out, time.monotonic) as line:
        done = make(session.stack, session.loaded, wanted, machine, Listener(session.out.note, line.show))
    session.tell_page()
    session.show(views.BackupDoneReport(done, place))


def list_backups(session: Session, target: TargetArgument, password_file: PasswordFileOption = None) -> None:
    """List the backups at a target. Only complete ones are listed."""
    from deployer.cli.views.backups import backup as views
    from deployer.workflows.backup.catalog import unfinished, whole
    from deployer.workflows.drill import record

    with opened(session, target, password_file) as found:
        parts = found.repository.parts()
    now = datetime.now(UTC)
    results = record.read(session.deployment)
    drills = {(one.host, one.backup): one for one in results if one.target == str(found.target)}
    session.show(views.BackupsReport(found.target, whole(parts), len(unfinished(parts)), now, drills))


def drill(session: Session, target: TargetArgument, options: DrillOptions) -> None:
    """Test a backup: start a copy from it, pull from the copy, and remove it.

    The copy has another name and port and can be reached only from this machine; nothing of a running deployment
    is used or changed. All images are restored into it; every tag is checked, and a sample is pulled, with every
    byte verified against its digest. Login, users, access rules and the registry's CA are tested too. The copy is
    removed afterwards, even if the drill fails or is interrupted.

    `backup list` shows when a backup was tested. `status` warns if the last drill failed, or if there has
    been none for 30 days.
    """
    from deployer.cli.views.backups import drill as views
    from deployer.cli.views.backups.progress import ProgressLine
    from deployer.workflows.drill.drill import DrillRequest, clear, plan, run
    from deployer.workflows.drill.examination import DrillTalk
    from deployer.workflows.restore.deployment import ImageRestore, archive_of
    from deployer.workflows.restore.selection import Selection

    count = options.repositories
    if not session.presentation.dry_run:
        # Even if the backups cannot be reached any more.
        clear(session.deployment, session.engine, session.out.note)
    with opened(session, target, options.password_file) as found:
        backup = chosen(session, found, options.backup)
        archive = archive_of(found.repository, backup)
    request = DrillRequest.of(
        session.deployment,
        ImageRestore(found.target, backup, Selection.parse(()), found.password),
        archive,
        sample=count,
        reserve=session.settings.registry.disk_reserve,
        engine=session.engine,
        now=lambda: datetime.now(UTC),
        clock=time.monotonic,
    )
    if session.show_plan(views.DrillPlanReport(plan(request))):
        return
    try:
        with ProgressLine(session.out, time.monotonic) as line:
            allow = partial(session.confirm, otherwise=("Run the command on a terminal.",))
            talk = DrillTalk(session.out.note, line.show, allow, quiet=not session.out.err.isatty())
            done = run(request, machine_of(session), talk)
    finally:
        session.tell_page()
    session.show(views.DrillReport(done))


def _removed(session: Session, target: str, password_file: Path | None, policy: KeepPolicy) -> tuple[Backup, ...]:
    """The backups that would be removed; empty before the first backup."""
    from deployer.errors import NoBackups
    from deployer.workflows.backup.thinning import surplus

    try:
        with opened(session, target, password_file) as found:
            return surplus(
                found.repository, machine_of(session).host(session.settings.name), policy, session.stack.now()
            )
    except NoBackups:
        return ()
