"""Commands that make backups and list them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.backup_access import PasswordFileOption, TargetArgument, machine_of, opened
from deployer.cli.default_command import DEFAULT, DefaultGroup
from deployer.cli.registration import SHARED_HELP, command, take_shared_options
from deployer.cli.selection import COMMANDS

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
    without_secrets: Annotated[
        bool,
        typer.Option("--without-secrets", help="Leave out users, certificates with their keys, and other secrets."),
    ] = False
    new: Annotated[
        bool, typer.Option("--new", help="Start new backups at a target where earlier ones are gone or were replaced.")
    ] = False


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(
        name="backup",
        cls=DefaultGroup,
        help="Back up images, users, settings and certificates. `deployer backup TARGET` makes a backup.",
        epilog=f"{_GROUP_EXAMPLE} {SHARED_HELP}",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    take_shared_options(group)
    command(group, DEFAULT, epilog=_CREATE_EXAMPLE, group="backup", offers=("dry_run", "as_json"))(create)
    command(group, "list", epilog=_LIST_EXAMPLE, group="backup", offers=("as_json",))(list_backups)
    # As it is called without the name.
    COMMANDS.add("backup")
    app.add_typer(group)


def create(session: Session, target: TargetArgument, options: CreateOptions) -> None:
    """Make a backup. `deployer backup TARGET` is the same.

    Stores images, users, settings, certificates and secrets, encrypted and deduplicated by restic. Pushes and
    pulls continue; gc, prune and changes of the deployment wait until it is done. Only what is new is stored, so
    an interrupted backup continues where it was. Everything is read back and checked before the backup counts.

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
    from deployer.workflows.upkeep import maintenance

    place = Target.parse(target, session.directory)
    keep = KeepPolicy.parse(options.keep) if options.keep is not None else None
    given(options.password_file, session.environment)
    session.require_deployment(session.engine, changes=True)
    snapshot = maintenance.reading(session.stack).snapshot()
    if session.presentation.dry_run:
        removes = _removed(session, target, options.password_file, keep) if keep else ()
        session.show_plan(views.BackupPlanReport(plan(place, snapshot, removes), is_thinned=keep is not None))
        return
    session.show_plan(views.BackupPlanReport(plan(place, snapshot)))
    machine = machine_of(session)
    wanted = BackupOptions(place, options.password_file, not options.without_secrets, keep, options.new)
    with ProgressLine(session.out, time.monotonic) as line:
        done = make(session.stack, session.loaded, wanted, machine, Listener(session.out.note, line.show))
    session.show(views.BackupDoneReport(done, place))


def list_backups(session: Session, target: TargetArgument, password_file: PasswordFileOption = None) -> None:
    """List the backups at a target. Only whole ones are listed."""
    from deployer.cli.views.backups import backup as views
    from deployer.workflows.backup.catalog import unfinished, whole

    with opened(session, target, password_file) as found:
        parts = found.repository.parts()
    now = datetime.now(UTC)
    session.show(views.BackupsReport(found.target, whole(parts), len(unfinished(parts)), now))


def _removed(session: Session, target: str, password_file: Path | None, policy: KeepPolicy) -> tuple[Backup, ...]:
    """The backups that would be removed; empty before the first backup."""
    from deployer.errors import NoBackups
    from deployer.workflows.backup.thinning import surplus

    try:
        with opened(session, target, password_file) as found:
            return surplus(found.repository, machine_of(session).host(session.settings.name), policy)
    except NoBackups:
        return ()
