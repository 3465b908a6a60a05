"""What is wrong with the content of the storage, in sentences: for status, doctor, gc and prune alike."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from deployer import layout
from deployer.phrases import MANY, first, in_command, listed
from deployer.reference import is_repository
from deployer.storage.removal import blob_folder
from deployer.workflows.finding import Finding, FindingState
from deployer.workflows.images.states import CURE, state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.damage import Unknown
    from deployer.workflows.upkeep.survey.damaged_images import Damage, Refused
    from deployer.workflows.upkeep.survey.garbage import Survey
    from deployer.workflows.upkeep.survey.wrong_sizes import WrongSize

_WHERE = (
    f"in the registry's container, or on the host with {layout.STORAGE} replaced by the path of the volume or data "
    "directory"
)
# Comes first: what is pushed or deleted instead cannot be undone.
FROM_BACKUP = "deployer check --repair   (restores the content from a backup)"
_TAGS_LINK = re.compile(r"repositories/(.+)/_manifests/tags/([^/]+)/current(?:/link)?")


def of_survey(found: Survey, restored: Collection[Damage] = (), *, has_backups: bool = False) -> Iterator[Finding]:
    """All that a survey found; of directories with names that no registry takes, that they are there.

    What is `restored` by the running command is left out. With backups, the first advice is to look there.
    """
    damages = [one for one in found.damages if is_repository(one.repository) and one not in restored]
    yield from _of_disk(found.unreadable)
    yield from of_damages(damages, has_backups=has_backups)
    yield from _of_wrong_sizes([one for one in found.wrong_sizes if is_repository(one.repository)])
    yield from _of_nameless([tag for tag in found.tags_without_digest if is_repository(_repository_of(tag))])
    yield from _of_refused([one for one in found.refused if is_repository(one.repository)])
    yield from of_unknown(one for one in found.unknown if is_repository(one.repository))
    yield from _of_clock(found)
    yield from _of_foreign([path for path in found.snapshot.foreign if is_repository(_repository_at(path))])
    yield from _of_foreign_repositories(found.snapshot.repositories.values())
    yield from _of_shared([path for path in found.snapshot.shared if is_repository(_repository_at(path))])
    yield from _of_misplaced(found.snapshot)
    yield from _of_irregular(found.unexpected_paths, is_listing_incomplete=found.snapshot.is_listing_incomplete)
    unneeded = found.damaged_unreferenced - set(found.removal.blobs)
    number = len(unneeded)
    if number:
        them = "it" if number == 1 else "them"
        yield Finding(
            FindingState.WRONG,
            f"The storage contains {'a damaged file' if number == 1 else f'{number} damaged files'}; a push that "
            f"needs {them} would treat {them} as intact.",
            (CURE,),
            affected=tuple(sorted(unneeded)),
        )


def _of_disk(unreadable: Sequence[str]) -> Iterator[Finding]:
    if unreadable:
        whole = [in_container(path) for path in unreadable]
        yield Finding(
            FindingState.WRONG,
            f"The disk with the images cannot read {listed(whole)} ({_WHERE}).",
            ("Check the kernel log, for example with `dmesg`; a disk that fails once should be replaced.",),
            affected=tuple(whole),
        )


def _repository_of(tag: str) -> str:
    return tag.rpartition(":")[0]


def _repository_at(path: str) -> str:
    """The repository that has what is at a path below the registry's root."""
    return path.removeprefix("repositories/").partition("/_")[0]


def _of_wrong_sizes(wrong: Sequence[WrongSize]) -> Iterator[Finding]:
    """A finding for each repository."""
    for name, group in groupby(sorted(wrong, key=lambda one: one.repository), key=lambda one: one.repository):
        found = list(group)
        images = tuple(dict.fromkeys(image for one in found for image in one.images))
        them, those = ("it", "The file is") if len(found) == 1 else ("them", "The files are")
        delete = in_command([f"{name}@{digest}" for digest in sorted({one.manifest for one in found})])
        pushes = []
        if not all(one.is_manifest for one in found):
            pushes.append(f"Push {listed(images)} again with `docker push`, which corrects the manifest.")
        if any(one.is_manifest for one in found):
            # No `docker push` sends an index.
            pushes.append("Create the index again, for example with `docker buildx imagetools create --tag`.")
        yield Finding(
            FindingState.WRONG,
            f"{listed(images)}: {listed([state(one) for one in found])}. {those} intact, but the manifest is "
            f"wrong: containerd, which newer Docker versions use to pull, rejects {them}.",
            (*pushes, f"Or delete: deployer delete {delete}, then: deployer gc"),
            affected=(*images, *(one.digest for one in found)),
        )


def _of_nameless(tags: Sequence[str]) -> Iterator[Finding]:
    if tags:
        them, file = ("it", "a tag, whose file is") if len(tags) == 1 else ("them", "tags, whose files are")
        yield Finding(
            FindingState.WRONG,
            f"{listed(tags)}: {file} missing or damaged in the storage, so it is unknown which image the tag "
            "points to.",
            (f"Push {them} again, or: deployer delete {in_command(tags)}",),
            affected=tuple(tags),
        )


def _of_clock(found: Survey) -> Iterator[Finding]:
    now = f"{datetime.fromtimestamp(found.snapshot.moment, UTC):%Y-%m-%d %H:%M} UTC"
    clock = f"This machine's clock says {now}. Check it with `date`, and set it if it is wrong."
    future = tuple(tag for tag in found.future_tags if is_repository(_repository_of(tag)))
    if future:
        tags, them = listed(future), "it" if len(future) == 1 else "them"
        these = "this push is" if len(future) == 1 else "these pushes are"
        there = "this repository" if len({*map(_repository_of, future)}) == 1 else "these repositories"
        delete = in_command(future)
        yield Finding(
            FindingState.WRONG,
            f"{tags}: {these} dated in the future, so a clock was wrong. In {there}, `prune` removes no tags by "
            "--older-than or --keep until this is fixed.",
            (
                clock,
                f"If the clock is right: push {them} again, or deployer delete {delete}",
            ),
            affected=future,
        )
    if found.snapshot.has_future:
        yield Finding(
            FindingState.NOTE,
            "Content in the storage is dated in the future: a clock was wrong. It is treated as just pushed.",
            (clock, "deployer gc   (resets the dates to the current time)"),
        )
    for one in found.snapshot.repositories.values():
        began = max((upload.began for upload in one.uploads.values()), default=0)
        if began and is_repository(one.name):
            date = f"{datetime.fromtimestamp(began, UTC):%Y-%m-%d}"
            yield Finding(
                FindingState.NOTE,
                f"{one.name}: an unfinished upload began in the future ({date}): a clock was wrong. "
                "The registry would keep it until a week after that.",
                (clock, "deployer gc --uploads 1d   (removes what nothing was written to for a day)"),
            )


def _of_foreign(paths: Sequence[str]) -> Iterator[Finding]:
    if paths:
        whole = [in_container(path) for path in paths]
        yield Finding(
            FindingState.WRONG,
            f"Stray files were found among the tags: {listed(whole)}. The registry lists them as tags and cannot "
            "delete images in these repositories.",
            (
                f"Remove them {_WHERE}.",
                "Stop the program that creates them, such as a file indexer or a network share.",
            ),
            affected=tuple(whole),
        )


def _of_foreign_repositories(repositories: Iterable[StoredRepository]) -> Iterator[Finding]:
    names = sorted(one.name for one in repositories if not one.is_ours_to_change)
    if names:
        whole = [in_container(f"repositories/{name}") for name in names]
        roots = [shlex.quote(path) for path in dict.fromkeys(map(_root, names))]
        command = " ".join(first(roots))
        yield Finding(
            FindingState.WRONG,
            f"Some directories in the storage do not have valid repository names: {listed(whole)}. Nothing can be "
            "pulled from or deleted in them, and `gc` keeps the content that they reference.",
            (
                (f"Move them away, or remove what is not needed, {_WHERE}: mv {command} {layout.STORAGE}/"),
                *(["Then move those that `deployer status` still names."] if len(first(roots)) < len(roots) else []),
                "deployer gc   (then frees the content that only they referenced)",
                "Stop the program that creates them, such as the recycle bin of a network share.",
            ),
            affected=tuple(whole),
        )


def _root(name: str) -> str:
    """The path of the first directory in a name with which no registry takes it."""
    parts = name.split("/")
    beginnings = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    return in_container(f"repositories/{next(one for one in beginnings if not is_repository(one))}")


def _of_shared(paths: Sequence[str]) -> Iterator[Finding]:
    if paths:
        yield Finding(
            FindingState.WRONG,
            "Some tag files are hard links to each other, so a push to one tag also changes the others: "
            f"{listed([in_container(path) for path in paths])}.",
            (
                f"{CURE}   (gives each tag its own file)",
                "Exclude the storage from programs that hard-link identical files, such as jdupes or a backup tool.",
            ),
            affected=tuple(map(in_container, paths)),
        )


def _of_misplaced(snapshot: Snapshot) -> Iterator[Finding]:
    """Blobs in other directories than the registry reads them from, each with its way back."""
    if snapshot.misplaced:
        whole = [in_container(path) for path in snapshot.misplaced]
        ways = [_way_back(path, snapshot) for path in snapshot.misplaced[:MANY]]
        yield Finding(
            FindingState.WRONG,
            f"Content is not in the directory of its digest, where the registry looks for it: {listed(whole)}. It "
            "cannot be pulled, and `gc` does not free it.",
            (*(f"Run this {_WHERE}: {way}" for way in ways), "Then: deployer status"),
            affected=tuple(whole),
        )


def _way_back(path: str, snapshot: Snapshot) -> str:
    """The command that puts a misplaced blob where the registry reads it, or removes it if it is there already."""
    value = path.rpartition("/")[2]
    digest = f"sha{len(value) * 4}:{value}"
    here = shlex.quote(in_container(path))
    if digest in snapshot.blobs:
        return f"rm -r {here}"
    right = shlex.quote(in_container(f"blobs/{blob_folder(digest)}").rpartition("/")[0])
    return f"mkdir -p {right} && mv {here} {right}/"


def _of_irregular(paths: Sequence[str], *, is_listing_incomplete: bool) -> Iterator[Finding]:
    if not paths:
        return
    whole = [in_container(path) for path in paths]
    names = "file or directory" if len(paths) == 1 else "files and directories"
    links = [found for path in paths if (found := _TAGS_LINK.fullmatch(path))]
    tags = [f"{found[1]}:{found[2]}" for found in links if is_repository(found[1])]
    yield Finding(
        FindingState.WRONG,
        f"The storage has something other than the expected {names} here, which the registry cannot read: "
        f"{listed(whole)}. Until this is fixed, {_kept(paths, is_listing_incomplete=is_listing_incomplete)}.",
        (
            f"Move {listed(whole)} away or restore the original, {_WHERE}.",
            *([f"Then push {listed(tags)} again."] if tags else []),
            "Then: deployer status   (lists the images that are incomplete without it)",
        ),
        affected=tuple(whole),
    )


def _kept(paths: Sequence[str], *, is_listing_incomplete: bool) -> str:
    if is_listing_incomplete:
        return "no content is removed"
    inside = [path.startswith("repositories/") for path in paths]
    if all(inside):
        return "`gc` and `prune` remove nothing from those repositories"
    them = "it" if len(paths) == 1 else "them"
    return f"`gc` and `prune` remove nothing from the repositories that {'contain or ' * any(inside)}need {them}"


def in_container(path: str) -> str:
    """Where the registry's container has what is at a path below the registry's root."""
    return f"{layout.REGISTRY_ROOT}/{path}"


def of_damages(damages: Sequence[Damage], *, has_backups: bool = False) -> Iterator[Finding]:
    """A finding for each repository, with the images that cannot be pulled and how to repair them."""
    for name, group in groupby(sorted(damages, key=lambda one: one.repository), key=lambda one: one.repository):
        yield from _of_repository(name, *_parted(list(group)), has_backups=has_backups)


def _parted(damages: Sequence[Damage]) -> tuple[list[Damage], list[Damage]]:
    """Those of images of which only links are missing, for which nothing is to be deleted, and the others."""
    broken = {image for one in damages if not one.is_restorable for image in one.images}

    def is_linked(one: Damage) -> bool:
        return one.is_restorable and not broken.issuperset(one.images)

    return [one for one in damages if is_linked(one)], [one for one in damages if not is_linked(one)]


def _of_repository(name: str, *groups: Sequence[Damage], has_backups: bool) -> Iterator[Finding]:
    for found in filter(None, groups):
        tagged = [one for one in found if one.tags]
        images = tuple(dict.fromkeys(image for one in tagged or found for image in one.images))
        is_, them = ("is", "it") if len(images) == 1 else ("are", "them")
        cures = _cures(found, them, can_push=bool(tagged))
        if has_backups and not any(one.is_restorable or one.obstacle for one in found):
            cures = (FROM_BACKUP, *(f"Or {cure[:1].lower()}{cure[1:]}" for cure in cures[:1]), *cures[1:])
        yield Finding(
            FindingState.WRONG,
            f"{listed(images)} {is_} incomplete: {listed([state_of(one) for one in found])}.",
            (*cures, f"{'Or delete' if cures else 'Delete'} {them}: {_removal(name, found)}"),
            affected=(*images, *dict.fromkeys(one.digest for one in found)),
        )


def state_of(one: Damage) -> str:
    """What is wrong with it, or with its link."""
    return state(replace(one, size=one.link_size) if one.is_unlinked else one)


def _cures(found: Sequence[Damage], them: str, *, can_push: bool) -> tuple[str, ...]:
    """How to repair the images: without a tag they cannot be pushed."""
    push = f"push {them} again from a machine that has {them}."
    obstacles = sorted({in_container(one.obstacle) for one in found if one.obstacle})
    if obstacles:
        move = f"Move {listed(obstacles)} away."
        if any(one.is_unlinked for one in found):
            return (move, f"{CURE}   (restores missing link files)", *((f"Then {push}",) if can_push else ()))
        return (move, f"Then {push}") if can_push else (move,)
    if all(one.is_restorable for one in found):
        links = f"{CURE}   (restores the link {'file' if len(found) == 1 else 'files'})"
        # A push that finds a damaged link fails.
        is_pushed = can_push and all(one.link_size is None for one in found)
        return (links, f"Or {push}") if is_pushed else (links,)
    if not can_push:
        return ()
    is_cut = any(one.is_unlinked or not one.is_lost for one in found)
    return (CURE, f"Then {push}") if is_cut else (f"Push{push.removeprefix('push')}",)


def of_links(paths: Iterable[str]) -> Iterator[Finding]:
    """A finding for each repository with links that hold no digest."""
    for name, group in groupby(sorted(paths), key=_repository_at):
        if not is_repository(name):
            continue
        found = list(group)
        yield Finding(
            FindingState.WRONG,
            f"{name}: {'1 link file is' if len(found) == 1 else f'{len(found)} link files are'} empty or damaged, "
            f"so the registry cannot find the content: {listed([path.split('/')[-2][:12] for path in found])}.",
            (f"{CURE}   (restores the link files)",),
            affected=tuple(map(in_container, found)),
        )


def untold(paths: Iterable[str], told: Iterable[Finding]) -> list[str]:
    """The links, by their paths, that no finding names with the images that need them."""
    named = {one for finding in told for one in finding.affected}
    return [path for path in paths if ":".join(path.split("/")[-3:-1]) not in named]


def of_unknown(unknown: Iterable[Unknown]) -> Iterator[Finding]:
    """A finding for each manifest that is whole and that this program cannot read, or has not read."""
    for one in unknown:
        if one.is_new:
            sentence = (
                f"{one.repository}@{one.digest} was pushed in the meantime; it is kept and was not checked further."
            )
            yield Finding(FindingState.NOTE, sentence)
            continue
        yield Finding(
            FindingState.NOTE,
            f"The manifest {one.repository}@{one.digest} has a format that deployer cannot read, so everything in "
            "its repository is kept.",
        )


def _of_refused(refused: Sequence[Refused]) -> Iterator[Finding]:
    """A finding for each repository."""
    for name, group in groupby(refused, key=lambda one: one.repository):
        found = list(group)
        images = tuple(image for one in found for image in one.images)
        what = "the manifest is" if len(found) == 1 else "the manifests are"
        delete = in_command([f"{name}@{one.digest}" for one in found])
        yield Finding(
            FindingState.WRONG,
            f"{listed(images)} cannot be pulled: {what} complete, but not in a form that the registry can read.",
            (
                "Push a correct image under the same tag from a machine that has it.",
                f"Or delete: deployer delete {delete}, then: deployer gc",
            ),
            affected=(*images, *(one.digest for one in found)),
        )


def _removal(name: str, found: Sequence[Damage]) -> str:
    """How to remove these manifests and nothing else; one that is gone cannot be deleted by its digest."""
    # Of these, only the tags: the content may be an intact layer of other images.
    lost = [one for one in found if one.is_manifest and (one.is_lost or one.is_foreign)]
    there = set().union(*(one.manifests for one in found)) - {one.digest for one in lost}
    names = sorted(f"{name}@{digest}" for digest in there)
    names += sorted(f"{name}:{tag}" for one in lost for tag in one.own_tags)
    collect = CURE if any(not (one.is_unlinked or one.is_foreign) for one in lost) else "deployer gc"
    return f"deployer delete {in_command(names)}, then: {collect}" if names else collect
