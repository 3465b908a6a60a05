"""Which images of a backup are restored: all, entire repositories, or single tags with what they need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.errors import UsageError
from deployer.reference import is_tag
from deployer.settings.values import globs
from deployer.workflows.backup.links import LinkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from deployer.workflows.backup.links import Link

_EXAMPLE = "deployer restore /mnt/nas/registry --only 'team/*' --only app:1.2"


@dataclass(frozen=True)
class Selection:
    """`patterns` select whole repositories; `tags` single tags, by repository. Neither: everything."""

    patterns: tuple[str, ...] = ()
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, written: Iterable[str], where: str = "--only: ", example: str = _EXAMPLE) -> Selection:
        """Parse the values of `--only`, or arguments, which `where` names. Raises UsageError with an example."""
        patterns: list[str] = []
        tags: dict[str, set[str]] = {}
        for one in written:
            name, colon, tag = one.partition(":")
            if not name or "@" in name or (colon and (not is_tag(tag) or "*" in name or "?" in name)):
                raise UsageError(f"{where}'{one}' is neither REPOSITORY nor REPOSITORY:TAG.", (example,))
            if colon:
                tags.setdefault(name, set()).add(tag)
            else:
                patterns.append(one)
        return cls(tuple(patterns), {name: frozenset(found) for name, found in tags.items()})

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.patterns and not self.tags

    def has_whole(self, repository: str) -> bool:
        """Whether a repository is selected with all its tags."""
        return self.is_everything or globs.matches(repository, self.patterns)

    def has_tag(self, link: Link) -> bool:
        """Whether a tag's link is selected."""
        return self.names(link.repository, link.tag)

    def names(self, repository: str, tag: str) -> bool:
        """Whether a tag is selected."""
        return self.has_whole(repository) or tag in self.tags.get(repository, ())

    def concerns(self, repository: str) -> bool:
        """Whether anything of a repository is selected."""
        return self.has_whole(repository) or repository in self.tags


@dataclass(frozen=True)
class Wanted:
    """The links that are restored: those of a selection, and of single tags what they need.

    `needed` are the digests that the single tags of a repository need, by its name; `left_out` are paths of links.
    """

    selection: Selection
    needed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def has(self, link: Link) -> bool:
        """Whether a link is restored."""
        if link.path in self.left_out:
            return False
        if self.selection.has_whole(link.repository):
            return True
        if link.repository not in self.selection.tags:
            return False
        if link.kind is LinkKind.TAG:
            return self.selection.has_tag(link)
        digests = self.needed.get(link.repository, frozenset())
        # A manifest may name by sha512 what is stored by sha256.
        return link.kind is not LinkKind.HISTORY and bool({link.named_digest, link.place_digest} & digests)
