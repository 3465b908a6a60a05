"""How plans and results of gc, prune and the removal of repositories look: for people, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from deployer.cli.views.words import age, counted, size
from deployer.phrases import listed, short
from deployer.printable import one_line as shown
from deployer.registry.content.moments import at_second
from deployer.workflows.images.states import CURE
from deployer.workflows.upkeep.storage_findings import of_survey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from deployer.cli.output import Output
    from deployer.workflows.finding import Finding
    from deployer.workflows.upkeep.collection import Collected
    from deployer.workflows.upkeep.garbage import Survey
    from deployer.workflows.upkeep.repositories import RemovalPlan
    from deployer.workflows.upkeep.retention import Taken

_MANY = 10


@dataclass(frozen=True)
class Untagged:
    """How many manifests that no tag reaches stay, and whether they were asked for.

    `would_go` is how many of them the command takes that is advised.
    """

    count: int
    would_go: int
    asked: bool


def print_survey(
    out: Output, found: Survey, left: Untagged, *, as_json: bool, dry_run: bool, damaged: bool = False
) -> None:
    """What a collection takes: results of a dry run, remarks otherwise. `damaged` says that it takes damaged files."""
    if as_json:
        out.json({**_survey_json(found), "untagged_manifests_left": left.count})
        return
    tell = out.line if dry_run else out.note
    if found.removal.is_empty:
        tell("There is no garbage.")
    if found.links:
        tell(f"{counted(len(found.links), 'link')} to write again: missing, damaged, or one file with another")
    for name, gone in sorted(found.going.items()):
        tags = f", with {_listed(sorted(gone.tags))}" if gone.tags else ""
        tell(f"{shown(name)}: {counted(len(gone.revisions), 'manifest')} that no tag reaches{tags}")
    if found.removal.blobs:
        tell(f"{counted(len(found.removal.blobs), 'blob')} that no image needs: "
             f"{size(found.held_by(found.removal.blobs))} of the disk")  # fmt: skip
    if found.removal.damaged:
        tell(f"{counted(len(found.removal.damaged), 'damaged file')}, so that a push brings the content again")
    if found.removal.repositories:
        tell(f"{counted(len(found.removal.repositories), 'repository', 'repositories')} without an image: "
             f"{_listed(found.removal.repositories)}")  # fmt: skip
    if left.would_go and left.asked:
        out.note(
            f"Left alone: {counted(left.would_go, 'manifest')} that no tag reaches, pushed in the last hour or where "
            "there never were tags. With --older-than AGE, such as 1d, those of that age go too, in all repositories."
        )
    elif left.would_go:
        them = "it" if left.would_go == 1 else "them"
        out.note(
            f"{counted(left.would_go, 'manifest')} that no tag reaches: `deployer gc --untagged` takes {them} too."
        )
    _print_left(out, found, runs="" if dry_run or not damaged else CURE)


def print_prune(
    out: Output, found: Survey, taken: Mapping[str, Sequence[Taken]], *, as_json: bool, dry_run: bool
) -> None:
    """The tags that go, with the reasons, by repository, and what that frees."""
    if as_json:
        out.json({"tags": _taken_json(found, taken), **_survey_json(found)})
        return
    rows = []
    now = at_second(found.snapshot.moment)
    for name, goes in sorted(found.going.items()):
        tags = taken.get(name, ())
        revisions = found.snapshot.repositories[name].revisions
        rows += [(shown(name), one.tag, short(one.digest), _counted_age(one, now), one.reason) for one in tags]
        rest = len(goes.revisions - {one.digest for one in tags})
        if rest:
            rows.append((shown(name), "-", "-", "-", f"{counted(rest, 'manifest')} that no tag then reaches"))
        kept = sorted({one.tag for one in tags if one.digest not in goes.revisions and one.digest in revisions})
        if kept:
            rows.append((shown(name), "-", "-", "-", f"the image of {_listed(kept)} stays: something else names it"))
    if rows:
        print_rows(out, rows, dry_run=dry_run)
    tell = out.line if dry_run else out.note
    if found.moves_images:
        tell(f"{counts(found).capitalize()}: {size(found.freed)} of the disk, earlier garbage included.")
    else:
        tell(f"No tag goes. {_garbage_words(found)}")
    _print_left(out, found)


def print_rows(out: Output, rows: Sequence[tuple[str, ...]], *, dry_run: bool) -> None:
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


def question(found: Survey, about_images: str) -> str:
    """What to ask before the plan is carried out, "" for nothing."""
    if found.is_unusual:
        return "That is most of what the registry holds. Is its storage whole, and should all this go?"
    about_damaged = "Remove the damaged files?" if found.removal.damaged else ""
    return about_images if found.moves_images else about_damaged


def counts(found: Survey) -> str:
    """How many tags and manifests go, in words."""
    return f"{counted(len(found.removal.tags), 'tag')} and {counted(len(found.removal.revisions), 'manifest')}"


def print_collected(out: Output, done: Collected, *, as_json: bool) -> None:
    """What was freed, and how long writes were paused."""
    if as_json:
        out.json(
            {
                **_removal_json(done.removal),
                "freed_bytes": done.freed,
                "freed_bytes_of_earlier_run": done.left,
                "writes_held_seconds": round(done.held, 3),
            }
        )
        return
    if done.left:
        out.note(f"Freed {size(done.left)} of the disk that a run which was interrupted had left.")
    if done.removal.damaged:
        out.note(f"Removed {counted(len(done.removal.damaged), 'damaged file')}. Now push the images again.")
    if done.links:
        out.note(f"Wrote {counted(done.links, 'link')} again.")
    if done.held:
        freed = f"Freed {size(done.freed)} of the disk. " if done.freed else ""
        out.note(f"{freed}Writes were paused for {done.held:.1f} s.")
    elif not done.left:
        out.note("Nothing to free.")


def print_removal(out: Output, plan: RemovalPlan, *, as_json: bool, dry_run: bool) -> None:
    """What goes with repositories, and what stays."""
    if as_json:
        out.json(_removal_plan_json(plan))
        return
    tell = out.line if dry_run else out.note
    for one in plan.repositories:
        more = f", {counted(one.uploads, 'unfinished upload')}" if one.uploads else ""
        tell(f"{one.name}: {counted(one.tags, 'tag')}, {counted(one.revisions, 'manifest')}{more}: all go.")
        if one.below:
            tell(f"  {_listed(one.below)} {'stays' if len(one.below) == 1 else 'stay'}.")
    tell(f"{size(plan.freed)} of the disk are theirs alone; `deployer gc` frees them afterwards.")


def print_removed(out: Output, plan: RemovalPlan, held: float, *, as_json: bool) -> None:
    """That repositories are gone."""
    if as_json:
        out.json({**_removal_plan_json(plan), "writes_held_seconds": round(held, 3)})
        return
    for one in plan.repositories:
        out.line(f"Removed {one.name}")
    out.note(f"Writes were paused for {held:.1f} s. `deployer gc` frees {size(plan.freed)}.")


def warn_of(out: Output, finding: Finding) -> None:
    """Something that is wrong with the content, and how to fix it."""
    out.warn(shown(finding.sentence))
    for advice in finding.advice:
        out.note(f"  → {shown(advice)}")


def _print_left(out: Output, found: Survey, runs: str = "") -> None:
    """What stays, and what is wrong; `runs` is the command that runs now, and that nobody needs to be advised."""
    if found.waiting.blobs:
        out.note(
            f"Left alone: {size(found.waiting.size)} in {counted(found.waiting.blobs, 'blob')}, uploaded in the last "
            "hour and in no image yet. A push may be under way."
        )
    if found.unfinished:
        out.note(f"Unfinished uploads hold {size(found.unfinished)}; the registry clears them after a week.")
    for finding in of_survey(found):
        warn_of(out, replace(finding, advice=_without(runs, finding.advice)) if runs else finding)
    for name in found.spared:
        out.note(f"Left alone: {shown(name)}, until what is wrong there is fixed or removed.")


def _without(command: str, advice: Sequence[str]) -> tuple[str, ...]:
    first, *rest = [line for line in advice if not line.startswith(command)] or [""]
    first = first.removeprefix("Or ")
    return (first[:1].upper() + first[1:], *rest) if first else ()


def _garbage_words(found: Survey) -> str:
    return f"Garbage of earlier: {size(found.freed)} of the disk." if found.removal.blobs else "There is no garbage."


def _listed(names: Sequence[str]) -> str:
    return listed([shown(name) for name in names], _MANY)


def _counted_age(one: Taken, now: datetime) -> str:
    since = age(at_second(one.moment), now).removesuffix(" ago")
    return f"{since} ({one.source})"


def _survey_json(found: Survey) -> dict[str, Any]:
    return {
        **_removal_json(found.removal),
        "bytes": found.size,
        "freed_bytes": found.freed,
        "waiting": {"blobs": found.waiting.blobs, "bytes": found.waiting.size},
        "unfinished_upload_bytes": found.unfinished,
        "damaged": [
            {"repository": one.repository, "digest": one.digest, "bytes": one.size, "tags": sorted(one.tags)}
            for one in found.damages
        ],
        "damaged_links": sorted(found.links),
        "spared_repositories": list(found.spared),
    }


def _removal_json(removal: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "removed_tags": [{"repository": name, "tag": tag} for name, tag in removal.tags],
        "removed_manifests": [{"repository": name, "digest": digest} for name, digest in removal.revisions],
        "removed_repositories": list(removal.repositories),
        "blobs": len(removal.blobs),
        "damaged_blobs": len(removal.damaged),
    }


def _taken_json(found: Survey, taken: Mapping[str, Sequence[Taken]]) -> list[dict[str, Any]]:
    return [
        {
            "repository": name,
            "tag": one.tag,
            "digest": one.digest,
            "moment": at_second(one.moment).isoformat().replace("+00:00", "Z"),
            "moment_of": one.source.value,
            "reason": one.reason,
            "image_goes": one.digest in found.going[name].revisions,
        }
        for name, tags in sorted(taken.items())
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
