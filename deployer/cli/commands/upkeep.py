"""Commands that free space: gc and prune."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.options import WAIT, WaitOption, seconds
from deployer.cli.registration import command
from deployer.cli.upkeep_steps import UpkeepSteps, change_storage
from deployer.errors import UsageError

if TYPE_CHECKING:
    from deployer.cli.session import Session

_GC_EXAMPLE = "Example: `deployer gc --untagged --dry-run` shows what would be freed and why."
_PRUNE_EXAMPLE = """\
Example: `deployer prune --keep 5 --older-than 30d --match '^ci-' 'team/*'` keeps, in each repository under
team/, the five newest images tagged ci-… and those from the last 30 days."""


@dataclass(frozen=True)
class RuleOptions:
    """The retention rule that `prune` has as options."""

    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="N",
            help="Keep the newest N images of each repository, and the newest N of everything that is not an image.",
            show_default=False,
        ),
    ] = None
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than", metavar="AGE", help="Remove only tags older than AGE, such as 30d.", show_default=False
        ),
    ] = None
    match: Annotated[
        str | None,
        typer.Option("--match", metavar="REGEX", help="Remove only tags that match REGEX.", show_default=False),
    ] = None
    protect: Annotated[
        str | None,
        typer.Option("--protect", metavar="REGEX", help="Never remove tags that match REGEX.", show_default=False),
    ] = None
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="later|created|pushed",
            help="Time that age is counted from: creation, push, or the later of the two.",
        ),
    ] = "later"
    untagged: Annotated[bool, typer.Option("--untagged", help="Also remove untagged manifests.")] = False


@dataclass(frozen=True)
class GarbageOptions:
    """What `gc` removes beside unused blobs, and how it looks for damaged files."""

    untagged: Annotated[
        bool, typer.Option("--untagged", help="Also remove untagged manifests, which no tag or index references.")
    ] = False
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help=(
                "With --untagged: remove only manifests first pushed longer ago than AGE, such as 30d, including "
                "in repositories that never had tags.  [default: keep what a push in progress may need]"
            ),
            show_default=False,
        ),
    ] = None
    damaged: Annotated[
        bool, typer.Option("--damaged", help="Also remove empty, truncated or damaged files; a new push restores them.")
    ] = False
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help=("With --damaged: read every layer completely and compare it with its digest; may take hours."),
        ),
    ] = False
    uploads: Annotated[
        str | None,
        typer.Option(
            "--uploads",
            metavar="AGE",
            help="Also remove uploads of interrupted pushes, last written longer ago than AGE, such as 1d; at least 1h."
            "  [default: the registry removes them after a week]",
            show_default=False,
        ),
    ] = None


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_GC_EXAMPLE, offers=("dry_run", "yes", "as_json"))(gc)
    command(app, epilog=_PRUNE_EXAMPLE, offers=("dry_run", "yes", "as_json"))(prune)


def gc(session: Session, wanted: GarbageOptions, wait: WaitOption = WAIT) -> None:
    """Free the disk space of deleted images.

    Removes blobs that no image needs, repositories without images, and unfinished uploads that the registry
    does not remove itself. Pulls continue throughout; pushes wait for a few seconds. A multi-platform image keeps
    all its parts, and a signature is kept with its image. Content uploaded within the last hour and not yet
    part of an image is kept: a push may be in progress. Run it on the machine that runs the registry.
    """
    from deployer.cli.views import upkeep as views
    from deployer.workflows.upkeep import last_check
    from deployer.workflows.upkeep.gc import GcOptions, apply_gc, plan_gc
    from deployer.workflows.upkeep.survey.pushes_in_progress import GRACE_SECONDS

    if wanted.older_than is not None and not wanted.untagged:
        raise UsageError("--older-than requires --untagged.", ("deployer gc --untagged --older-than 30d",))
    if wanted.full and not wanted.damaged:
        raise UsageError("--full requires --damaged.", ("deployer gc --damaged --full",))
    age = None if wanted.older_than is None else seconds("--older-than", wanted.older_than)
    idle = None if wanted.uploads is None else seconds("--uploads", wanted.uploads)
    if idle is not None and idle < GRACE_SECONDS:
        raise UsageError("--uploads is at least 1h: pushes may be in progress.", ("deployer gc --uploads 1h",))
    suspects = last_check.read(session.deployment).digests
    options = GcOptions(wanted.untagged, age, wanted.damaged, wanted.full, suspects, idle)
    steps = UpkeepSteps(
        name="gc",
        plan=lambda storage: plan_gc(storage, options, lambda *all_of: views.tell_reading(session.out, *all_of)),
        report_of=views.GcReport,
        question=lambda plan: views.question(plan.survey, "the untagged manifests", session.settings.address),
        apply=lambda work, plan, drain: views.CollectedReport(apply_gc(work, plan, drain)),
    )
    change_storage(session, wait, steps)


def prune(
    session: Session,
    rule: RuleOptions,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REPOSITORY", help="Repositories to prune; * matches anything.  [default: all]", show_default=False
        ),
    ] = None,
    wait: WaitOption = WAIT,
) -> None:
    """Remove old tags and their images, and free the disk space.

    A tag is removed only if it meets every condition given: it matches --match, does not match --protect, is
    not among the newest --keep images of its repository, and is old enough. Age is counted from creation or
    push, whichever is later, and the newest images are those created last; --by created or --by pushed uses
    that time for both. If a creation time is not real, as with reproducible builds, the push time is used. An
    image is removed when none of its tags is kept; then garbage is collected as by `deployer gc`. Without
    options, the rules under `retention:` in deployer.yaml apply. Run it on the machine that runs the registry.
    """
    from deployer.cli.views import upkeep as views
    from deployer.workflows.images.naming import own_repositories
    from deployer.workflows.upkeep.prune import apply_prune, plan_prune, rules_of

    repositories = own_repositories(patterns or (), session.place, only_here=True)
    rules = rules_of(asdict(rule), repositories, session.loaded)
    steps = UpkeepSteps(
        name="prune",
        plan=lambda storage: plan_prune(storage, rules),
        report_of=views.PruneReport,
        question=lambda plan: views.question(plan.survey, views.counts(plan.survey), session.settings.address),
        apply=lambda work, plan, drain: views.CollectedReport(apply_prune(work, plan, drain)),
    )
    change_storage(session, wait, steps)
