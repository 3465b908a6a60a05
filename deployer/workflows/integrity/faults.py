"""What is wrong with content: each damaged blob or link, with the images that cannot be pulled because of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from deployer.phrases import short
from deployer.reference import is_repository
from deployer.workflows.upkeep.survey import damage
from deployer.workflows.upkeep.survey.storage_findings import of_survey, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deployer.workflows.finding import Finding
    from deployer.workflows.restore.selection import Selection
    from deployer.workflows.upkeep.survey.damaged_images import Damage
    from deployer.workflows.upkeep.survey.garbage import Survey


class FaultKind(StrEnum):
    """What is wrong, by how it can be repaired."""

    MISSING = "missing"
    DAMAGED = "damaged"
    # Only the file that makes it one of its repository.
    LINK = "link"
    # Something else is in its place, which a user has to move away; or a tag names what is no manifest.
    OTHER = "other"


@dataclass(frozen=True)
class Fault:
    """One blob, or the link to it in one repository; `state` is a phrase. No `images` need what is in no repository."""

    digest: str
    kind: FaultKind
    state: str
    is_manifest: bool = False
    size: int | None = None
    repositories: tuple[str, ...] = ()
    images: tuple[str, ...] = ()

    @property
    def is_of_blob(self) -> bool:
        """Whether it is repaired by the content from elsewhere."""
        return self.kind in {FaultKind.MISSING, FaultKind.DAMAGED}


def limited(found: Survey, selection: Selection) -> Survey:
    """What a survey found wrong with what is selected; of a selection of single tags, with these."""
    if selection.is_everything:
        return found

    def hits(repository: str, tags: Iterable[str]) -> bool:
        named = tuple(tags)
        return selection.has_whole(repository) or any(selection.names(repository, tag) for tag in named)

    return replace(
        found,
        damages=tuple(one for one in found.damages if hits(one.repository, one.tags)),
        wrong_sizes=tuple(one for one in found.wrong_sizes if hits(one.repository, one.tags)),
        refused=tuple(one for one in found.refused if hits(one.repository, one.tags)),
        unknown=tuple(one for one in found.unknown if selection.concerns(one.repository)),
        tags_without_digest=tuple(one for one in found.tags_without_digest if selection.names(*one.rsplit(":", 1))),
        future_tags=tuple(one for one in found.future_tags if selection.names(*one.rsplit(":", 1))),
        unexpected_paths=tuple(one for one in found.unexpected_paths if selection.concerns(_repository_of(one))),
        links_to_repair=frozenset(one for one in found.links_to_repair if selection.concerns(_repository_of(one))),
        damaged_unreferenced=frozenset(),
    )


def confirmed(first: Survey, second: Survey) -> Survey:
    """The second survey with what was wrong in both: what a push or a deletion is in the middle of is not damage."""
    damages = {(one.repository, one.digest) for one in first.damages}
    return replace(
        second,
        damages=tuple(one for one in second.damages if (one.repository, one.digest) in damages),
        wrong_sizes=tuple(one for one in second.wrong_sizes if one in first.wrong_sizes),
        refused=tuple(one for one in second.refused if one in first.refused),
        tags_without_digest=tuple(one for one in second.tags_without_digest if one in first.tags_without_digest),
        damaged_unreferenced=second.damaged_unreferenced & first.damaged_unreferenced,
        links_to_repair=second.links_to_repair & first.links_to_repair,
        unknown=tuple(one for one in second.unknown if one in first.unknown),
    )


def faults_of(found: Survey) -> tuple[Fault, ...]:
    """The damage that a survey found, that of tagged images first."""
    grouped: dict[tuple[str, str, FaultKind], list[Damage]] = defaultdict(list)
    for one in found.damages:
        if is_repository(one.repository):
            kind = _kind(one)
            grouped[one.digest, "" if kind in _OF_CONTENT else one.repository, kind].append(one)
    faults = [_fault(kind, group) for (_, _, kind), group in grouped.items()]
    faults += [
        Fault(digest, FaultKind.DAMAGED, _unneeded(digest), size=found.snapshot.blobs[digest].size)
        for digest in sorted(found.damaged_unreferenced)
        if digest in found.snapshot.blobs
    ]
    return tuple(sorted(faults, key=lambda one: (not any(":" in image for image in one.images), one.images)))


def other_findings(found: Survey) -> tuple[Finding, ...]:
    """What a survey found wrong beside the damage of `faults_of`."""
    return tuple(of_survey(replace(found, damaged_unreferenced=frozenset()), found.damages))


def is_whole(found: Survey) -> bool:
    """Whether a survey found nothing that keeps an image from being pulled, or will."""
    return not (
        faults_of(found)
        or found.wrong_sizes
        or found.refused
        or found.tags_without_digest
        or found.unexpected_paths
        or untold_links(found)
    )


def untold_links(found: Survey) -> frozenset[str]:
    """The paths of links that are to be written again, beside those of images with damage."""
    return found.links_to_repair - damage.missing_links(found.damages) - {*found.snapshot.shared}


_OF_CONTENT = {FaultKind.MISSING, FaultKind.DAMAGED}


def _kind(one: Damage) -> FaultKind:
    if one.obstacle or one.is_foreign:
        return FaultKind.OTHER
    if one.is_unlinked:
        return FaultKind.LINK
    return FaultKind.MISSING if one.size is None else FaultKind.DAMAGED


def _fault(kind: FaultKind, damages: Sequence[Damage]) -> Fault:
    one = next((each for each in damages if each.is_manifest), damages[0])
    return Fault(
        one.digest,
        kind,
        state_of(one),
        one.is_manifest,
        one.size,
        tuple(dict.fromkeys(each.repository for each in damages)),
        tuple(dict.fromkeys(image for each in damages for image in each.images)),
    )


def _unneeded(digest: str) -> str:
    return f"the file {short(digest)} is damaged, and no image needs it"


def _repository_of(path: str) -> str:
    return path.removeprefix("repositories/").partition("/_")[0]
