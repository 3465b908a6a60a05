"""How deletions look: for people, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.session import NOTHING_CHANGED
from deployer.cli.views.images import tags_in_words
from deployer.phrases import short
from deployer.registry.content.manifests import INDEX_TYPES
from deployer.workflows.images.deletion import TagRemoval
from deployer.workflows.images.states import pointed_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployer.cli.output import Output
    from deployer.cli.presentation import Presentation
    from deployer.workflows.images.deletion import DeletionOutcome, DeletionPlan, Removal


@dataclass(frozen=True)
class DeletionReport(Report):
    """What was deleted, or in a dry run would be; each outcome was printed when it happened, see `listener`."""

    plan: DeletionPlan
    outcomes: tuple[DeletionOutcome, ...]
    is_dry_run: bool

    def as_json(self) -> dict[str, Any]:
        """Each removal, and whether it was done."""
        return deletion_json(self.plan, self.outcomes, dry_run=self.is_dry_run)

    def print(self, out: Output) -> None:
        """Print nothing more."""

    def remark(self, out: Output) -> None:
        """Say how the space is freed."""
        if self.is_dry_run:
            out.note(NOTHING_CHANGED)
        elif any(outcome.error is None for outcome in self.outcomes):
            out.note(space_note(self.outcomes))

    @property
    def has_failed(self) -> bool:
        """Whether something was not deleted."""
        return any(outcome.error is not None for outcome in self.outcomes)


def print_plan(out: Output, plan: DeletionPlan, presentation: Presentation) -> None:
    """Say what each removal does, breaks and leaves behind: the result of a dry run, and else a remark."""
    tell = out.line if presentation.dry_run and not presentation.as_json else out.note
    for name in plan.already_deleted:
        tell(f"{name}: already deleted; the registry has no such {'manifest' if '@' in name else 'tag'}.")
    for removal in plan.removals:
        for line in removal_lines(removal):
            tell(line)
        for warning in removal_warnings(removal):
            out.warn(warning)


def question(plan: DeletionPlan, address: str) -> str:
    """What to ask before anything is deleted, and from which registry."""
    if len(plan.removals) == 1:
        return f"Delete {plan.removals[0].name} from {address}?"
    kinds = {isinstance(removal, TagRemoval) for removal in plan.removals}
    noun = "tags and manifests" if len(kinds) > 1 else "tags" if True in kinds else "manifests"
    return f"Delete these {len(plan.removals)} {noun} from {address}?"


def listener(out: Output, presentation: Presentation) -> Callable[[DeletionOutcome], None]:
    """What is printed as soon as a removal has ended; with JSON only failures."""
    return partial(print_failure if presentation.as_json else print_outcome, out)


def removal_lines(removal: Removal) -> list[str]:
    """What a removal does, in lines."""
    if not isinstance(removal, TagRemoval):
        what = f" along with {tags_in_words(removal.tags)}" if removal.tags else "; it has no tags"
        return [f"{removal.name}: deletes the manifest{what}."]
    if removal.half_deleted:
        finishes = f"{removal.name}: already partially deleted; this finishes the deletion."
        return [f"{finishes}{pointed_to(removal.half_deleted)}"]
    if not removal.digest:
        return [f"{removal.name}: deletes the tag; the registry cannot serve the image it points to."]
    if removal.kept_by:
        stays = f"the image keeps {tags_in_words(removal.kept_by)}"
    else:
        stays = f"no other tag points to the image, which is kept as {removal.repository}@{removal.digest}"
    return [f"{removal.name} ({short(removal.digest)}): deletes the tag; {stays}."]


def removal_warnings(removal: Removal) -> list[str]:
    """What a removal breaks or leaves behind."""
    if isinstance(removal, TagRemoval):
        return []
    warnings = []
    if removal.breaks:
        names = ", ".join(f"{removal.repository}:{tag}" for tag in removal.breaks)
        warnings.append(
            f"It is part of {names}: pulling {'it' if len(removal.breaks) == 1 else 'them'} for this platform "
            "will fail."
        )
    if removal.not_looked_into:
        warnings.append(f"Could not check whether it is part of {tags_in_words(removal.not_looked_into)}.")
    if removal.attached:
        warnings.append(f"Its signatures are kept: {tags_in_words(removal.attached)}.")
    return warnings


def print_outcome(out: Output, outcome: DeletionOutcome) -> None:
    """Say how one removal ended."""
    if outcome.error is not None:
        print_failure(out, outcome)
        return
    out.line(f"Deleted {outcome.removal.name}")
    if outcome.pushed_again:
        out.warn(f"{outcome.removal.name} was pushed again in the meantime as {outcome.pushed_again}, which is kept.")


def space_note(outcomes: Sequence[DeletionOutcome]) -> str:
    """How the space of what was deleted is freed."""
    option = " --untagged" if any(_leaves_untagged(one.removal) for one in outcomes if not one.error) else ""
    return f"To free the space, run `deployer gc{option}` on the machine that runs the registry."


def _leaves_untagged(removal: Removal) -> bool:
    """Whether an image is left without a tag, or the images of an index without the index."""
    return not removal.kept_by if isinstance(removal, TagRemoval) else removal.media_type in INDEX_TYPES


def print_failure(out: Output, outcome: DeletionOutcome) -> None:
    """Print why one removal failed."""
    if outcome.error is not None:
        out.error(outcome.error)


def deletion_json(plan: DeletionPlan, outcomes: Sequence[DeletionOutcome], *, dry_run: bool) -> dict[str, Any]:
    """Each removal, and whether it was done; `deleted` is false throughout in a dry run."""
    ended = {outcome.removal: outcome for outcome in outcomes}
    removals = []
    for removal in plan.removals:
        error = ended[removal].error if removal in ended else None
        entry: dict[str, Any] = {
            "name": removal.name,
            "repository": removal.repository,
            "tag": removal.tag if isinstance(removal, TagRemoval) else None,
            "digest": removal.digest or None,
            "media_type": removal.media_type or None,
        }
        if isinstance(removal, TagRemoval):
            entry |= {"kept_by": list(removal.kept_by), "half_deleted": removal.half_deleted}
        else:
            entry |= {"not_looked_into": list(removal.not_looked_into)} if removal.not_looked_into else {}
            entry |= {"tags": list(removal.tags), "breaks": list(removal.breaks), "attached": list(removal.attached)}
        removals.append(entry | {"deleted": removal in ended and not error, "error": str(error) if error else None})
    told = {"already_deleted": list(plan.already_deleted)} if plan.already_deleted else {}
    return {"dry_run": dry_run, "removals": removals, **told}


def note_stored(out: Output) -> None:
    """Say that a tag is deleted without the registry."""
    out.note("The registry has no room to delete a tag; deleting it in the storage …")
