"""The plan of a restore: what it would bring back, and which tags it would change."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deployer.errors import BackupError, NotFound
from deployer.layout import REGISTRY_ROOT
from deployer.registry.content.children import children, text_of
from deployer.settings.values import globs
from deployer.storage.removal import blob_file, digest_of_blob_file, revision_link
from deployer.workflows.backup.catalog import PartKind
from deployer.workflows.backup.links import Link, LinkKind, read_links
from deployer.workflows.restore.selection import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.restic.repository import Repository
    from deployer.storage.snapshot import Snapshot
    from deployer.workflows.backup.catalog import Backup
    from deployer.workflows.restore.selection import Selection


@dataclass(frozen=True)
class TagChange:
    """A tag that is restored; `before` is what it refers to now, "" if it does not exist.

    `pushed` is when it was last pushed before the backup, in seconds since 1970.
    """

    repository: str
    tag: str
    before: str
    after: str
    pushed: int = 0

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True)
class RestorePlan:
    """What would be restored. `blobs` are the sizes of those to be fetched, by digest; `lacking` the backup has not.

    `added` tags are missing today, `changed` ones name something else; `same` is how many are as they were. What
    the registry has beside them stays; if it `is_first`, it has nothing. `links` are written too: those of tagged
    manifests that had none, since a deletion removes them before the tags. `lost` tags name no content of the backup.
    `kept` is how many changed ones are to stay as they are.
    """

    backup: Backup
    wanted: Wanted
    repositories: int
    added: tuple[TagChange, ...]
    changed: tuple[TagChange, ...]
    same: int
    blobs: Mapping[str, int]
    lacking: frozenset[str]
    stored: Mapping[str, int]
    links: tuple[Link, ...] = ()
    lost: tuple[str, ...] = ()
    is_first: bool = False
    kept: int = 0

    @property
    def size(self) -> int:
        """Bytes to be fetched."""
        return sum(self.blobs.values())

    @property
    def without_changes(self) -> RestorePlan:
        """The same without changed tags: only what is missing is restored."""
        return replace(self, changed=(), kept=len(self.changed))

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be restored."""
        return not (self.added or self.changed or self.blobs)


def plan(repository: Repository, backup: Backup, selection: Selection, now: Snapshot | None) -> RestorePlan:
    """Compare a backup with the registry as it is, None for one that is empty. Changes nothing.

    Raises NotFound if the backup has nothing of what is selected, BackupError or EngineError.
    """
    stored = stored_blobs(repository, backup)
    tags = _selected_tags(repository, backup, selection)
    wanted = _wanted(repository, backup, selection, tags, stored)
    needs = _Needs(wanted, {(tag.repository, tag.digest) for tag in tags})
    read_links(repository, backup.parts[PartKind.LINKS], needs.note)
    lost = [tag for tag in tags if (tag.repository, tag.digest) in needs.unlinked and tag.digest not in stored]
    wanted = replace(wanted, left_out=frozenset(tag.path for tag in lost))
    tags = [tag for tag in tags if tag.path not in wanted.left_out]
    changes = [TagChange(one.repository, one.tag, _today(one, now), one.digest, one.modified) for one in tags]
    here = {digest: blob.size for digest, blob in now.blobs.items()} if now else {}
    return RestorePlan(
        backup=backup,
        wanted=wanted,
        repositories=len(needs.repositories),
        added=tuple(one for one in changes if not one.before),
        changed=tuple(one for one in changes if one.before and one.before != one.after),
        same=sum(one.before == one.after for one in changes),
        blobs={one: stored[one] for one in sorted(needs.digests & stored.keys()) if here.get(one) != stored[one]},
        lacking=frozenset(needs.digests - stored.keys()),
        stored=stored,
        links=tuple(_link_of(*one, int(backup.time.timestamp())) for one in sorted(needs.unlinked) if one[1] in stored),
        lost=tuple(f"{tag.repository}:{tag.tag}" for tag in lost),
        is_first=now is None or not now.repositories,
    )


def stored_blobs(repository: Repository, backup: Backup) -> dict[str, int]:
    """The sizes of the blobs in a backup, by digest."""
    found: dict[str, int] = {}
    repository.each_file(
        backup.parts[PartKind.BLOBS], lambda file: found.update({digest_of_blob_file(file.path): file.size})
    )
    found.pop("", None)
    return found


@dataclass
class _Needs:
    """What the wanted links refer to. `unlinked` are the tagged manifests, by repository, that have no link."""

    wanted: Wanted
    unlinked: set[tuple[str, str]]
    digests: set[str] = field(default_factory=set)
    repositories: set[str] = field(default_factory=set)

    def note(self, link: Link) -> None:
        """Count a link of the backup."""
        if link.kind is LinkKind.MANIFEST:
            self.unlinked -= {(link.repository, link.digest), (link.repository, link.place_digest)}
        if link.kind is not LinkKind.HISTORY and self.wanted.has(link):
            self.repositories.add(link.repository)
            self.digests |= {link.named_digest} - {""}


def _selected_tags(repository: Repository, backup: Backup, selection: Selection) -> list[Link]:
    found: list[Link] = []

    def note(link: Link) -> None:
        if link.kind is LinkKind.TAG and selection.has_tag(link):
            found.append(link)

    read_links(repository, backup.parts[PartKind.LINKS], note)
    return found


def _wanted(
    repository: Repository, backup: Backup, selection: Selection, tags: list[Link], stored: Mapping[str, int]
) -> Wanted:
    """The links of a selection; of single tags, what they need is read. Raises NotFound if something is not there."""
    single = {name: {tag.tag: tag.digest for tag in tags if tag.repository == name} for name in selection.tags}
    _expect_found(selection, single, tags, backup, repository)
    return Wanted(
        selection,
        {
            name: frozenset(_reached(repository, backup, set(digests.values()), stored))
            for name, digests in single.items()
            if not selection.has_whole(name)
        },
    )


def _link_of(repository: str, digest: str, modified: int) -> Link:
    return Link(revision_link(repository, digest), digest, modified)


def _today(link: Link, now: Snapshot | None) -> str:
    repository = now.repositories.get(link.repository) if now else None
    tag = repository.tags.get(link.tag) if repository else None
    return tag.digest if tag else ""


def _expect_found(
    selection: Selection,
    single: Mapping[str, Mapping[str, str]],
    tags: list[Link],
    backup: Backup,
    repository: Repository,
) -> None:
    missing = [
        f"{name}:{tag}" for name, wanted in selection.tags.items() for tag in sorted(wanted - single[name].keys())
    ]
    names = {one.repository for one in tags}
    missing += [one for one in selection.patterns if not any(globs.matches(name, [one]) for name in names)]
    if missing:
        raise NotFound(
            f"The backup of {backup.time:%Y-%m-%d %H:%M} UTC does not contain {', '.join(missing)}.",
            (f"Choose another one with --backup: deployer backup list {repository.target.quoted}   (lists them)",),
        )


def _reached(repository: Repository, backup: Backup, digests: set[str], stored: Mapping[str, int]) -> set[str]:
    """All that these manifests need, themselves included, as far as the backup has it."""
    found = {one for one in digests if one in stored}
    left = set(found)
    while left:
        digest = left.pop()
        content = repository.read(backup.parts[PartKind.BLOBS], f"{REGISTRY_ROOT}/{blob_file(digest)}")
        try:
            document = json.loads(content)
            named = children(document)
            old = [str(one["blobSum"]) for one in document.get("fsLayers") or ()]
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise BackupError(f"The manifest {digest} in the backup is damaged.", (), str(error)) from error
        parts = {text_of(one, "digest") for one in named.manifests} & stored.keys()
        left |= parts - found
        blobs = (*named.layers, *named.entries, *filter(None, [named.config]))
        found |= parts | {text_of(one, "digest") for one in blobs} | set(old)
    return found
