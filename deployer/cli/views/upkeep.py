"""How plans and results of gc, prune and the removal of repositories look: for people, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from deployer.cli.presentation import Report
from deployer.cli.views.words import age, counted, size
from deployer.phrases import listed, short
from deployer.printable import one_line as shown
from deployer.reference import is_repository
from deployer.registry.content.imageconfig import CONFIG_MAX_BYTES
from deployer.registry.content.moments import at_second
from deployer.suggest import did_you_mean
from deployer.workflows.images.states import CURE
from deployer.workflows.upkeep.survey.storage_findings import of_survey, state_of
from deployer.workflows.upkeep.survey.unfinished_uploads import ABANDONED_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from deployer.cli.output import Output
    from deployer.storage.removal import StorageRemoval
    from deployer.workflows.finding import Finding
    from deployer.workflows.upkeep.collection import Collected
    from deployer.workflows.upkeep.gc import GcPlan
    from deployer.workflows.upkeep.prune import PrunePlan
    from deployer.workflows.upkeep.repositories import RemovalPlan
    from deployer.workflows.upkeep.survey.damaged_images import Damage
    from deployer.workflows.upkeep.survey.garbage import Survey
    from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet

_MANY = 10


@dataclass(frozen=True)
class GcReport(Report):
    """What garbage collection removes: results of a dry run, remarks otherwise."""

    plan: GcPlan
    is_dry_run: bool = False

    def as_json(self) -> Any:  # noqa: ANN401
        """The plan."""
        return {**_survey_json(self.plan.survey), "untagged_manifests_left": self.plan.untagged_left}

    def print(self, out: Output) -> None:
        """What is removed, and what is wrong with the content."""
        _print_gc(out, self.plan, dry_run=self.is_dry_run)


@dataclass(frozen=True)
class PruneReport(Report):
    """The tags that are removed, with the reasons, by repository, and what that frees."""

    plan: PrunePlan
    is_dry_run: bool = False

    def as_json(self) -> Any:  # noqa: ANN401
        """The plan."""
        undated = [{"repository": name, "tag": tag} for name, tags in sorted(self.plan.undated.items()) for tag in tags]
        return {"tags": _tags_json(self.plan), "undated": undated, **_survey_json(self.plan.survey)}

    def print(self, out: Output) -> None:
        """A table of the tags, and what is wrong with the content."""
        _print_prune(out, self.plan, dry_run=self.is_dry_run)

    def remark(self, out: Output) -> None:
        """A pattern that matches nothing is a mistake, more often than not."""
        known = self.plan.survey.snapshot.repositories
        for pattern in self.plan.unmatched:
            out.warn(" ".join((f"No repository matches '{pattern}'.", *did_you_mean(pattern, known))))


@dataclass(frozen=True)
class CollectedReport(Report):
    """What was freed, and how long writes were paused."""

    done: Collected

    def as_json(self) -> Any:  # noqa: ANN401
        """The same in numbers."""
        return {
            **_removal_json(self.done.removal),
            "freed_bytes": self.done.freed,
            "freed_bytes_of_earlier_run": self.done.leftover,
            "writes_held_seconds": round(self.done.paused, 3),
        }

    def print(self, out: Output) -> None:
        """Remarks: there is no other result."""
        _print_collected(out, self.done)

    @property
    def moved_bytes(self) -> int | None:
        """What was freed."""
        return self.done.freed + self.done.leftover


@dataclass(frozen=True)
class RepositoriesReport(Report):
    """What is removed with repositories, and what is kept."""

    plan: RemovalPlan
    is_dry_run: bool = False

    def as_json(self) -> Any:  # noqa: ANN401
        """The plan."""
        return _removal_plan_json(self.plan)

    def print(self, out: Output) -> None:
        """A line for each repository."""
        _print_removal(out, self.plan, dry_run=self.is_dry_run)


@dataclass(frozen=True)
class RemovedReport(Report):
    """That repositories are gone; `paused` is how long writes were, in seconds."""

    plan: RemovalPlan
    paused: float

    def as_json(self) -> Any:  # noqa: ANN401
        """The plan, and how long writes were paused."""
        return {**_removal_plan_json(self.plan), "writes_held_seconds": round(self.paused, 3)}

    def print(self, out: Output) -> None:
        """A line for each repository."""
        for one in self.plan.repositories:
            out.line(f"Deleted {one.name}")
        out.note(f"Writes were paused for {self.paused:.1f} s. To free {size(self.plan.freed)}: deployer gc")


def _print_gc(out: Output, plan: GcPlan, *, dry_run: bool) -> None:
    found = plan.survey
    tell = out.line if dry_run else out.note
    if found.removal.is_empty:
        tell("No garbage found.")
    if found.links_to_repair:
        tell(
            f"{counted(len(found.links_to_repair), 'link file')} to rewrite: missing, damaged, or hard-linked to "
            "another"
        )
    _print_restored(tell, found.restored)
    for name, removal in sorted(found.to_remove.items()):
        tags = f", along with {_listed(sorted(removal.tags))}" if removal.tags else ""
        tell(f"{shown(name)}: {counted(len(removal.revisions), 'untagged manifest')}{tags}")
    if found.removal.blobs:
        tell(
            f"{counted(len(found.removal.blobs), 'unused blob')}: {size(found.disk_bytes(found.removal.blobs))} "
            "of disk space")  # fmt: skip
    if found.removal.damaged:
        tell(
            f"{counted(len(found.removal.damaged), 'damaged file')} to remove, so that a new push restores the content"
        )
    if found.removal.uploads:
        uploads = replace(found.removal, blobs=(), damaged=())
        tell(
            f"{counted(len(found.removal.uploads), 'unfinished upload')}, last written over "
            f"{found.uploads.abandoned_after} ago: {size(found.freed_by(uploads))} of disk space"
        )
    if found.removal.repositories:
        tell(
            f"{counted(len(found.removal.repositories), 'repository', 'repositories')} without images: "
            f"{_listed(found.removal.repositories)}")  # fmt: skip
    if plan.options.damaged and not (plan.options.full or found.removal.damaged):
        out.note("Layers of the right size were not read. To read every layer: deployer gc --damaged --full")
    _print_additional(out, plan)
    _print_kept(out, found, runs=CURE if plan.options.damaged and not dry_run else "")


def _print_restored(tell: Callable[[str], None], restored: AbstractSet[Damage]) -> None:
    """Of the links of each repository, which images cannot be pulled without them."""
    ours = sorted(
        (one for one in restored if is_repository(one.repository)), key=lambda one: (one.repository, one.digest)
    )
    for _, group in groupby(ours, key=lambda one: one.repository):
        found = list(group)
        images = dict.fromkeys(image for one in found for image in one.images)
        tell(f"Restores {_listed(list(images))}: {listed([state_of(one) for one in found])}.")


def _print_additional(out: Output, plan: GcPlan) -> None:
    number = counted(plan.additional, "untagged manifest")
    if plan.additional and plan.options.untagged:
        out.note(
            f"Kept: {number}, pushed within the last hour or in repositories that never had tags. To remove manifests "
            "older than a day too, in all repositories: deployer gc --untagged --older-than 1d"
        )
    elif plan.additional:
        them = "it" if plan.additional == 1 else "them"
        out.note(f"Kept: {number}. To remove {them} too: deployer gc --untagged")


def _print_prune(out: Output, plan: PrunePlan, *, dry_run: bool) -> None:
    found = plan.survey
    rows = [row for name, removal in sorted(found.to_remove.items()) for row in _prune_rows(plan, name, removal)]
    if rows:
        _print_rows(out, rows, dry_run=dry_run)
    tell = out.line if dry_run else out.note
    if found.removes_images:
        tell(f"{counts(found).capitalize()}: frees {size(found.freed)}, including existing garbage.")
    else:
        tell(f"No tags to remove. {_garbage_words(found)}")
    if plan.undated:
        names = [f"{name}:{tag}" for name, tags in sorted(plan.undated.items()) for tag in tags]
        out.warn(
            f"The creation time of {_listed(names)} is unknown: the configuration is larger than "
            f"{CONFIG_MAX_BYTES >> 20} MiB, damaged or missing. {'The tag is' if len(names) == 1 else 'The tags are'} "
            "kept."
        )
        out.note("  → To use the push time instead, add --by pushed (in deployer.yaml, by: pushed).")
    _print_kept(out, found)


def _prune_rows(plan: PrunePlan, name: str, removal: RemovalSet) -> Iterator[tuple[str, ...]]:
    now = at_second(plan.survey.snapshot.moment)
    tags = plan.tags.get(name, ())
    revisions = plan.survey.snapshot.repositories[name].revisions
    for one in tags:
        since = age(at_second(one.moment), now).removesuffix(" ago")
        yield (shown(name), one.tag, short(one.digest), f"{since} ({one.source})", one.reason)
    rest = len(removal.revisions - {one.digest for one in tags})
    if rest:
        yield (shown(name), "-", "-", "-", f"{counted(rest, 'manifest')} no longer referenced")
    kept = sorted({one.tag for one in tags if one.digest not in removal.revisions and one.digest in revisions})
    if kept:
        yield (shown(name), "-", "-", "-", f"the image of {_listed(kept)} is kept: it is still referenced")


def _print_rows(out: Output, rows: Sequence[tuple[str, ...]], *, dry_run: bool) -> None:
    """Print the plan as a table, each repository's name once."""
    lines: list[tuple[str, ...]] = []
    before = ""
    for row in rows:
        lines.append(("" if row[0] == before else row[0], *row[1:]))
        before = row[0]
    header = ("REPOSITORY", "TAG", "DIGEST", "AGE", "WHY")
    if dry_run:
        out.table(header, lines)
    else:
        out.remark_table(header, lines)


def which(plan: RemovalPlan) -> str:
    """The repositories of a plan, in a question."""
    return (
        f"'{plan.repositories[0].name}'"
        if len(plan.repositories) == 1
        else f"these {len(plan.repositories)} repositories"
    )


def tell_reading(out: Output, files: int, content: int) -> None:
    """Before files are read that may take hours."""
    out.note(f"Reading {counted(files, 'file')} completely: {size(content)}. This may take a long time.")


def question(found: Survey, what: str, address: str) -> str:
    """What to ask before the plan is carried out, "" for nothing; `what` of the images goes, from which registry."""
    if found.is_unusual:
        return (
            f"This removes most of the content of {address}. Continue only if the storage is complete (its disk is "
            "mounted). Continue?"
        )
    going = what if found.removes_images else "the damaged files" if found.removal.damaged else ""
    return f"Remove {going} from {address}?" if going else ""


def counts(found: Survey) -> str:
    """How many tags and manifests go, in words."""
    return f"{counted(len(found.removal.tags), 'tag')} and {counted(len(found.removal.revisions), 'manifest')}"


def _print_collected(out: Output, done: Collected) -> None:
    if done.leftover:
        out.note(f"Freed {size(done.leftover)} left by an interrupted run.")
    if done.removal.damaged:
        out.note(f"Removed {counted(len(done.removal.damaged), 'damaged file')}. Push the affected images again.")
    if done.links:
        out.note(f"Rewrote {counted(done.links, 'link file')}.")
    if done.paused:
        freed = f"Freed {size(done.freed)}. " if done.freed else ""
        out.note(f"{freed}Writes were paused for {done.paused:.1f} s.")
    elif not done.leftover:
        out.note("Nothing to free.")


def _print_removal(out: Output, plan: RemovalPlan, *, dry_run: bool) -> None:
    tell = out.line if dry_run else out.note
    for one in plan.repositories:
        more = f", {counted(one.uploads, 'unfinished upload')}" if one.uploads else ""
        tell(f"{one.name}: deletes {counted(one.tags, 'tag')}, {counted(one.revisions, 'manifest')}{more}.")
        if one.below:
            tell(f"  {_listed(one.below)} {'is' if len(one.below) == 1 else 'are'} kept.")
    tell(f"To free {size(plan.freed)} afterwards: deployer gc")


def warn_of(out: Output, finding: Finding) -> None:
    """Something that is wrong with the content, and how to fix it."""
    out.warn(shown(finding.sentence))
    for advice in finding.advice:
        out.note(f"  → {shown(advice)}")


def _print_kept(out: Output, found: Survey, runs: str = "") -> None:
    """What is kept, and what is wrong; `runs` is the running command, which is left out of the advice."""
    if found.in_progress.blobs:
        blobs = counted(found.in_progress.blobs, "blob")
        out.note(
            f"Kept: {size(found.in_progress.size)} in {blobs}, uploaded within the last hour and not yet part of an "
            "image. A push may be in progress."
        )
    if found.uploads.dated_bytes:
        sooner = " Sooner: deployer gc --uploads 1h" if found.uploads.idle_bytes else ""
        kept = size(found.uploads.dated_bytes)
        out.note(f"Unfinished uploads use {kept}; the registry removes them after a week.{sooner}")
    if found.uploads.undated_bytes:
        out.note(
            "Unfinished uploads without a valid start date use "
            f"{size(found.uploads.undated_bytes)}; `deployer gc` removes them after {ABANDONED_DAYS} days."
        )
    for finding in of_survey(found, found.restored):
        warn_of(out, replace(finding, advice=_without(runs, finding.advice)) if runs else finding)
    for name in found.skipped_repositories:
        out.note(f"{shown(name)} is skipped until the problems there are fixed.")


def _without(command: str, advice: Sequence[str]) -> tuple[str, ...]:
    first, *rest = [line for line in advice if not line.startswith(command)] or [""]
    first = first.removeprefix("Or ")
    return (first[:1].upper() + first[1:], *rest) if first else ()


def _garbage_words(found: Survey) -> str:
    is_some = found.removal.blobs or found.removal.uploads
    return f"Existing garbage: {size(found.freed)}." if is_some else "No garbage found."


def _listed(names: Sequence[str]) -> str:
    return listed([shown(name) for name in names], _MANY)


def _survey_json(found: Survey) -> dict[str, Any]:
    return {
        **_removal_json(found.removal),
        "bytes": found.size,
        "freed_bytes": found.freed,
        "waiting": {"blobs": found.in_progress.blobs, "bytes": found.in_progress.size},
        "unfinished_upload_bytes": found.uploads.kept_bytes,
        "damaged": [
            {"repository": one.repository, "digest": one.digest, "bytes": one.size, "tags": sorted(one.tags)}
            for one in found.damages
        ],
        "damaged_links": sorted(found.links_to_repair),
        "spared_repositories": list(found.skipped_repositories),
    }


def _removal_json(removal: StorageRemoval) -> dict[str, Any]:
    return {
        "removed_tags": [{"repository": name, "tag": tag} for name, tag in removal.tags],
        "removed_manifests": [{"repository": name, "digest": digest} for name, digest in removal.revisions],
        "removed_repositories": list(removal.repositories),
        "blobs": len(removal.blobs),
        "damaged_blobs": len(removal.damaged),
        "uploads": len(removal.uploads),
    }


def _tags_json(plan: PrunePlan) -> list[dict[str, Any]]:
    return [
        {
            "repository": name,
            "tag": one.tag,
            "digest": one.digest,
            "moment": at_second(one.moment).isoformat().replace("+00:00", "Z"),
            "moment_of": one.source.value,
            "reason": one.reason,
            "image_goes": one.digest in plan.survey.to_remove[name].revisions,
        }
        for name, tags in sorted(plan.tags.items())
        if name in plan.survey.to_remove
        for one in tags
    ]


def _removal_plan_json(plan: RemovalPlan) -> dict[str, Any]:
    return {
        "repositories": [
            {"name": one.name, "tags": one.tags, "manifests": one.revisions, "below": list(one.below)}
            for one in plan.repositories
        ],
        "freed_by_gc_bytes": plan.freed,
    }
