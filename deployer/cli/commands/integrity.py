"""The command that checks every image, and repairs damage."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.backup_access import PasswordFileOption, machine_of, opened
from deployer.cli.options import WAIT, drain_policy
from deployer.cli.registration import command
from deployer.errors import BackupError, ConfirmationNeeded, UsageError

if TYPE_CHECKING:
    from deployer.cli.session import Session
    from deployer.workflows.integrity.check import Checked, CheckOptions
    from deployer.workflows.integrity.repair import Failure
    from deployer.workflows.integrity.sources import Source

_EXAMPLE = """\
Example: `deployer check --full --rate 50MB` reads everything, at most 50 MB per second;
`deployer check --repair --from 192.168.100.2:5000` also fetches what is damaged from another registry."""
_EXAMPLE_NAME = "deployer check 'team/*' app:1.2"
_EXAMPLE_REPAIR = "deployer check --repair --backup /mnt/nas/registry"
_WITHOUT_REPAIR = "Omit --repair, or run the command on that machine."


@dataclass(frozen=True)
class CheckFlags:
    """How thorough the check is, and what damage is repaired from."""

    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Read all content and compare it with its digests. If interrupted, the next such check continues "
            "(for 7 days).",
        ),
    ] = False
    rate: Annotated[
        str | None,
        typer.Option(
            "--rate",
            metavar="SIZE",
            help="With --full: read at most SIZE per second, such as 50MB.  [default: as fast as possible]",
            show_default=False,
        ),
    ] = None
    repair: Annotated[
        bool, typer.Option("--repair", help="Restore damaged content from the backups, and missing link files.")
    ] = False
    backup: Annotated[
        str | None,
        typer.Option(
            "--backup",
            metavar="TARGET",
            help="With --repair: use the backups at TARGET.  [default: those that `status` shows]",
            show_default=False,
        ),
    ] = None
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="REGISTRY",
            help="With --repair: then use this registry, HOST[:PORT][/PREFIX], with repositories of the same names.",
            show_default=False,
        ),
    ] = None
    password_file: PasswordFileOption = None


def register(app: typer.Typer) -> None:
    """Add this command."""
    command(app, epilog=_EXAMPLE, offers=("dry_run", "yes", "as_json"))(check)


def check(
    session: Session,
    wanted: CheckFlags,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Repositories, where * matches anything, or tags: 'team/*', app:1.2.  [default: everything]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check that every image can be pulled, and repair damage.

    Checks that everything that tags refer to exists, with the right size and with its links; with --full, that
    every byte is right. Names the images that damage affects. The exit code is 1 if damage is found and not
    repaired. Pushes, pulls and deletions continue, and what they change in the meantime is not reported.

    With --repair, content is fetched by its digest and verified before it replaces what is damaged. Images of the local
    engine are not used: it stores layers unpacked, and repacking them changes their digests. What no source
    has can be removed with `deployer gc --damaged`, so that a push restores it.

    With --host, a registry on another machine is checked through its API; it cannot be repaired from here.
    """
    from deployer.cli.views.integrity.check import CheckReport
    from deployer.workflows.backup import record
    from deployer.workflows.configuration import deployments

    options = _options(session, wanted, names or [])
    deployment = session.known_deployment
    is_here = deployment is not None and deployments.is_here(deployment, session.settings)
    if not (session.is_named or is_here):
        if wanted.repair:
            raise UsageError("--repair works only on the machine that runs the registry.", (_WITHOUT_REPAIR,))
        session.show(CheckReport(_check_elsewhere(session, options), can_repair=False, names=tuple(names or ())))
        return
    session.require_deployment(session.engine, changes=wanted.repair)
    found = _check_here(session, options)
    if wanted.repair and (found.links or any(one.is_of_blob for one in found.faults)):
        _repair(session, found, options, wanted)
        return
    has_backups = bool(record.read(session.deployment))
    session.show(CheckReport(found, has_backups=has_backups, names=tuple(names or ())))


def _options(session: Session, wanted: CheckFlags, names: list[str]) -> CheckOptions:
    """What the arguments say. Raises UsageError."""
    from deployer.restic.target import Target
    from deployer.settings.values.size import rate_of
    from deployer.workflows.images.naming import own_pattern
    from deployer.workflows.integrity.check import CheckOptions
    from deployer.workflows.integrity.sources import Origin
    from deployer.workflows.restore.selection import Selection

    given = {
        "--backup": wanted.backup, "--from": wanted.origin, "--password-file": wanted.password_file,
        "--dry-run": session.presentation.dry_run,
    }  # fmt: skip
    for option, value in given.items():
        if value and not wanted.repair:
            raise UsageError(f"{option} requires --repair: without it, nothing is changed.", (_EXAMPLE_REPAIR,))
    if wanted.rate is not None and not wanted.full:
        raise UsageError("--rate requires --full.", ("deployer check --full --rate 50MB",))
    try:
        rate = rate_of(wanted.rate) if wanted.rate is not None else 0
    except ValueError as error:
        raise UsageError(f"--rate: {error}.") from error
    if wanted.origin is not None:
        Origin.parse(wanted.origin)
    if wanted.backup is not None:
        Target.parse(wanted.backup, session.directory).check_login(session.environment)
    own = [own_pattern(one, session.place) for one in names]
    return CheckOptions(Selection.parse(own, "", _EXAMPLE_NAME), wanted.full, rate)


def _check_here(session: Session, options: CheckOptions) -> Checked:
    """Check the storage of the deployment on this machine."""
    from deployer.cli.views.backups.progress import ProgressLine
    from deployer.workflows.integrity.check import check as check_storage
    from deployer.workflows.upkeep import maintenance

    stack = session.stack
    with maintenance.reading_long(stack) as storage, ProgressLine(session.out, time.monotonic) as line:
        return check_storage(stack.deployment, storage, options, stack.now, line.show)


def _check_elsewhere(session: Session, options: CheckOptions) -> Checked:
    """Check a registry through its API."""
    from deployer.cli.views.backups.progress import ProgressLine
    from deployer.workflows.integrity.rate import RateLimit
    from deployer.workflows.integrity.remote import check_remote

    with session.registry() as client, ProgressLine(session.out, time.monotonic) as line:
        return check_remote(client, options, RateLimit(options.rate), line.show)


def _repair(session: Session, found: Checked, options: CheckOptions, wanted: CheckFlags) -> None:
    """Show what would be repaired from where, ask, and repair it."""
    from deployer.cli.views.integrity import repair as views
    from deployer.workflows.integrity import repair as workflow

    with ExitStack() as opened_sources:
        sources, failed = _sources(session, found, wanted, opened_sources)
        plan = workflow.plan(found, sources, failed)
        if session.show_plan(views.RepairPlanReport(found, plan, session.presentation.dry_run)):
            return
        left = workflow.Repaired((), 0, 0.0, found)
        if not plan.is_empty:
            session.confirm(views.question(plan, session.settings.address))
            left = workflow.repair(session.stack, sources, found, options, drain_policy(session, WAIT))
    session.show(views.RepairedReport(left))


def _sources(
    session: Session, found: Checked, wanted: CheckFlags, kept_open: ExitStack
) -> tuple[list[Source], list[Failure]]:
    """Where content is fetched from: the backups, the newest first, and then the registry that is named."""
    from deployer.registry.client import RegistryClient
    from deployer.workflows.backup import record
    from deployer.workflows.integrity.repair import Failure
    from deployer.workflows.integrity.sources import BackupSource, Origin, RegistrySource

    sources: list[Source] = []
    failed: list[Failure] = []
    if not any(one.is_of_blob for one in found.faults):
        return sources, failed
    remembered = [one.target for one in reversed(record.read(session.deployment))]
    for target in [wanted.backup] if wanted.backup is not None else remembered:
        try:
            look = kept_open.enter_context(opened(session, target, wanted.password_file))
        except (BackupError, ConfirmationNeeded, UsageError) as error:
            if wanted.backup is not None:
                raise
            failed.append(Failure(f"the backups at {target}", error))
            continue
        name, machine = session.settings.name, machine_of(session)
        sources.append(BackupSource(session.engine, look.target, machine, name, look.password, look.repository))
    if wanted.origin is not None:
        origin = Origin.parse(wanted.origin)
        client = kept_open.enter_context(RegistryClient(origin.url, session.environment))
        sources.append(RegistrySource(client, origin))
    return sources, failed
