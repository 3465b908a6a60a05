"""Commands that free space: gc, prune; and removing whole repositories, for `delete --repository`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deployer.cli.options import WAIT, WaitOption
from deployer.cli.registration import command
from deployer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from deployer.cli.session import Session
    from deployer.settings.model import RetentionRule
    from deployer.storage.access import Storage
    from deployer.workflows.upkeep.gate import Drain
    from deployer.workflows.upkeep.maintenance import Upkeep

_GC_EXAMPLE = "Example: `deployer gc --untagged --dry-run` says what would be freed, and why."
_PRUNE_EXAMPLE = """\
Example: `deployer prune --keep 5 --older-than 30d --match '^ci-' 'team/*'` keeps of each repository below
team/ the five newest images that a tag ci-… names, and those of the last 30 days."""


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
    from deployer.workflows.upkeep.collection import collect
    from deployer.workflows.upkeep.damage import layers_in_doubt
    from deployer.workflows.upkeep.garbage import left_untagged, no_images, survey, would_go
    from deployer.workflows.upkeep.manifest_graph import Manifests
    from deployer.workflows.upkeep.untagged import untagged as choose_untagged

    if older_than is not None and not untagged:
        raise UsageError("--older-than goes with --untagged.", ("deployer gc --untagged --older-than 30d",))
    age = None if older_than is None else _seconds("--older-than", older_than)
    drain = _drain(session, wait)
    manifests = Manifests()
    choose = (lambda snapshot, known: choose_untagged(snapshot, known, age)) if untagged else no_images
    further = 0 if untagged else None
    with _work(session, "gc") as (storage, work):
        shown = survey(storage, manifests, choose, layers_in_doubt if damaged else None)
        if not session.presentation.as_json or session.presentation.dry_run:
            # Where it was asked for without an age, an age takes more; where one was given, nothing else does.
            more = would_go(shown, manifests, lambda snapshot, known: choose_untagged(snapshot, known, further))
            left = views.Untagged(left_untagged(shown, manifests), more if age is None else 0, untagged)
            views.print_survey(
                session.out,
                shown,
                left,
                as_json=session.presentation.as_json,
                dry_run=session.presentation.dry_run,
                damaged=damaged,
            )
        if work is None:
            session.out.note("Dry run: nothing was changed.")
            return
        question = views.question(shown, "Remove the manifests that no tag reaches?")
        if question:
            session.confirm(question)
        done = collect(work, manifests, choose, shown, drain)
    views.print_collected(session.out, done, as_json=session.presentation.as_json)


def prune(
    session: Session,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="REPOSITORY", help="Repositories; * matches anything.  [default: all]", show_default=False
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="N",
            help="Keep the newest N images of each, and N of what is not an image.",
            show_default=False,
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Take only what is older, such as 30d.", show_default=False),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option("--match", metavar="REGEX", help="Take only tags that it matches.", show_default=False),
    ] = None,
    protect: Annotated[
        str | None,
        typer.Option("--protect", metavar="REGEX", help="Never take tags that it matches.", show_default=False),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="later|created|pushed",
            help="What age is counted from: creation or push, or the later of the two.",
        ),
    ] = "later",
    untagged: Annotated[bool, typer.Option("--untagged", help="Take manifests too that no tag reaches.")] = False,
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
    from deployer.workflows.upkeep.collection import collect
    from deployer.workflows.upkeep.garbage import survey
    from deployer.workflows.upkeep.manifest_graph import Manifests
    from deployer.workflows.upkeep.retention import Creations, Retention

    given = {"keep": keep, "older_than": older_than, "match": match, "protect": protect}
    rules = _rules(session, patterns or [], {**given, "by": by, "untagged": untagged})
    drain = _drain(session, wait)
    manifests = Manifests()
    with _work(session, "prune") as (storage, work):
        retention = Retention(rules, Creations(storage))
        shown = survey(storage, manifests, retention.choose)
        if not session.presentation.as_json or session.presentation.dry_run:
            views.print_prune(
                session.out,
                shown,
                retention.taken,
                as_json=session.presentation.as_json,
                dry_run=session.presentation.dry_run,
            )
        if work is None:
            session.out.note("Dry run: nothing was changed.")
            return
        question = views.question(shown, f"Remove {views.counts(shown)}?")
        if question:
            session.confirm(question)
        done = collect(work, manifests, retention.choose, shown, drain)
    views.print_collected(session.out, done, as_json=session.presentation.as_json)


def delete_repositories(session: Session, names: Sequence[str], *, wait: str) -> None:
    """Remove whole repositories: `deployer delete --repository`."""
    from deployer.cli.views import upkeep as views
    from deployer.reference import parse_repository
    from deployer.workflows.upkeep import repositories
    from deployer.workflows.upkeep.manifest_graph import Manifests

    for name in names:
        parse_repository(name)
    drain = _drain(session, wait)
    with _work(session, "delete --repository") as (storage, work):
        plan = repositories.plan_removal(storage, Manifests(), names)
        if not session.presentation.as_json or session.presentation.dry_run:
            views.print_removal(
                session.out, plan, as_json=session.presentation.as_json, dry_run=session.presentation.dry_run
            )
        if work is None:
            session.out.note("Dry run: nothing was changed.")
            return
        which = f"'{plan.repositories[0].name}'" if len(plan.repositories) == 1 else f"these {len(plan.repositories)}"
        session.confirm(f"Remove {which} with all images?")
        held = repositories.remove(work, plan, drain)
    views.print_removed(session.out, plan, held, as_json=session.presentation.as_json)


def _work(session: Session, name: str) -> AbstractContextManager[tuple[Storage, Upkeep | None]]:
    """The storage to look at, and what changes it, None for a dry run."""
    from contextlib import contextmanager

    from deployer.workflows.upkeep import maintenance

    @contextmanager
    def begin() -> Iterator[tuple[Storage, Upkeep | None]]:
        session.require_deployment(session.engine)
        if session.presentation.dry_run:
            yield maintenance.reading(session.stack), None
            return
        with maintenance.upkeep(session.stack, name) as work:
            yield work.storage, work

    return begin()


def _rules(session: Session, patterns: list[str], given: dict[str, object]) -> tuple[RetentionRule, ...]:
    """The one rule that the command line gives, or those of deployer.yaml. Raises UsageError."""
    from deployer.settings.build import build
    from deployer.settings.model import RetentionRule

    written = {key: value for key, value in given.items() if value not in {None, False}}
    if not written.keys() - {"by"} and not patterns:
        if session.settings.retention:
            return session.settings.retention
        raise UsageError(
            "It is not said what goes.",
            ("deployer prune --keep 5 --older-than 30d", "Or write rules under `retention:` in deployer.yaml."),
        )
    problems: list[str] = []
    rule = build(RetentionRule, {**written, **({"repositories": patterns} if patterns else {})}, problems)
    if problems:
        raise UsageError(f"--{problems[0].replace('older_than', 'older-than')}.")
    if rule.complaint():
        raise UsageError(
            "It is not said what goes.",
            ("Give --keep, --older-than, --match or --untagged; --dry-run shows the plan.",),
        )
    return (rule,)


def _drain(session: Session, wait: str) -> Drain:
    from deployer.workflows.upkeep.gate import Drain

    return Drain(_seconds("--wait", wait), session.out.note)


def _seconds(flag: str, text: str) -> int:
    from deployer.settings.duration import seconds_of

    try:
        return seconds_of(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}.") from error
