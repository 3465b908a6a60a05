"""Commands that free space: gc and prune."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.options import WAIT, WaitOption, drain_policy, seconds
from deployer.cli.registration import command
from deployer.errors import UsageError

if TYPE_CHECKING:
    from deployer.cli.session import Session

_GC_EXAMPLE = "Example: `deployer gc --untagged --dry-run` says what would be freed, and why."
_PRUNE_EXAMPLE = """\
Example: `deployer prune --keep 5 --older-than 30d --match '^ci-' 'team/*'` keeps of each repository below
team/ the five newest images that a tag ci-… names, and those of the last 30 days."""


@dataclass(frozen=True)
class RuleOptions:
    """The retention rule that `prune` has as options."""

    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="N",
            help="Keep the newest N images of each, and N of what is not an image.",
            show_default=False,
        ),
    ] = None
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Take only what is older, such as 30d.", show_default=False),
    ] = None
    match: Annotated[
        str | None,
        typer.Option("--match", metavar="REGEX", help="Take only tags that it matches.", show_default=False),
    ] = None
    protect: Annotated[
        str | None,
        typer.Option("--protect", metavar="REGEX", help="Never take tags that it matches.", show_default=False),
    ] = None
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="later|created|pushed",
            help="What age is counted from: creation or push, or the later of the two.",
        ),
    ] = "later"
    untagged: Annotated[bool, typer.Option("--untagged", help="Take manifests too that no tag reaches.")] = False


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    command(app, epilog=_GC_EXAMPLE, offers=("dry_run", "yes", "as_json"))(gc)
    command(app, epilog=_PRUNE_EXAMPLE, offers=("dry_run", "yes", "as_json"))(prune)


def gc(
    session: Session,
    untagged: Annotated[bool, typer.Option("--untagged", help="Remove manifests too that no tag reaches.")] = False,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="With --untagged: only those first pushed longer ago, such as 30d, and also where there never "
            "were tags.  [default: what a push under way may still need stays]",
            show_default=False,
        ),
    ] = None,
    damaged: Annotated[
        bool,
        typer.Option(
            "--damaged",
            help="Remove files too that are empty, cut short or damaged, so that pushing the image again brings them.",
        ),
    ] = False,
    wait: WaitOption = WAIT,
) -> None:
    """Free the disk space of what was deleted.

    Blobs that no image needs go, and repositories without an image. Pulls go on throughout; pushes
    wait for a moment. A multi-platform image keeps all its parts, and a signature stays with what
    it signs. What was uploaded in the last hour and is in no image yet is left alone: a push may be
    under way. Works on the machine that runs the registry.
    """
    from deployer.cli.views import upkeep as views
    from deployer.workflows.upkeep import maintenance
    from deployer.workflows.upkeep.gc import GcOptions, apply_gc, plan_gc

    if older_than is not None and not untagged:
        raise UsageError("--older-than goes with --untagged.", ("deployer gc --untagged --older-than 30d",))
    age = None if older_than is None else seconds("--older-than", older_than)
    options, drain = GcOptions(untagged, age, damaged), drain_policy(session, wait)
    session.require_deployment(session.engine)
    if session.presentation.dry_run:
        session.show_plan(views.GcReport(plan_gc(maintenance.reading(session.stack), options), is_dry_run=True))
        return
    with maintenance.upkeep(session.stack, "gc") as work:
        plan = plan_gc(work.storage, options)
        session.show_plan(views.GcReport(plan))
        _confirm(session, views.question(plan.survey, "Remove the manifests that no tag reaches?"))
        done = apply_gc(work, plan, drain)
    session.show(views.CollectedReport(done))


def prune(
    session: Session,
    rule: RuleOptions,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REPOSITORY", help="Repositories; * matches anything.  [default: all]", show_default=False
        ),
    ] = None,
    wait: WaitOption = WAIT,
) -> None:
    """Remove old tags and their images, and free the space.

    A tag goes when all that is given says so: it is matched, not protected, not among the newest
    --keep images of its repository, and old enough. Its age counts from the later of its creation
    and its push, and the newest are those created last; with --by created or pushed both are by that
    alone. Where a creation time is not real, as in reproducible builds, the push counts. An image goes
    when no tag of it stays; then garbage is collected as by gc. Without options, the rules under
    `retention:` in deployer.yaml apply. Works on the machine that runs the registry.
    """
    from deployer.cli.views import upkeep as views
    from deployer.workflows.upkeep import maintenance
    from deployer.workflows.upkeep.prune import apply_prune, plan_prune, rules_of

    rules = rules_of(asdict(rule), patterns or [], session.settings.retention)
    drain = drain_policy(session, wait)
    session.require_deployment(session.engine)
    if session.presentation.dry_run:
        session.show_plan(views.PruneReport(plan_prune(maintenance.reading(session.stack), rules), is_dry_run=True))
        return
    with maintenance.upkeep(session.stack, "prune") as work:
        plan = plan_prune(work.storage, rules)
        session.show_plan(views.PruneReport(plan))
        _confirm(session, views.question(plan.survey, f"Remove {views.counts(plan.survey)}?"))
        done = apply_prune(work, plan, drain)
    session.show(views.CollectedReport(done))


def _confirm(session: Session, question: str) -> None:
    if question:
        session.confirm(question)
