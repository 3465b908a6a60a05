"""How repositories and tags look: for people, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deployer.cli.output import cells, padded
from deployer.cli.presentation import Report
from deployer.cli.views.words import age, counted, size
from deployer.errors import NOT_OF_CONTENT, Forbidden, Obstructed, UnknownManifest
from deployer.phrases import listed, short
from deployer.printable import one_line
from deployer.reference import Reference
from deployer.registry.content.moments import Source
from deployer.workflows.images.foreign_files import foreign_advice
from deployer.workflows.images.states import PARTIALLY_DELETED, not_whole, pointed_to, pulling_it, tag_sentence
from deployer.workflows.images.tags import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deployer.cli.output import Output
    from deployer.errors import RegistryError
    from deployer.workflows.images.browse import Catalog
    from deployer.workflows.images.tags import NestedIndex, Repository, Tag, Unread

NONE = "-"
_TAGS_SHOWN = 8


@dataclass(frozen=True)
class CatalogReport(Report):
    """The repositories that were asked for; with their tags if requested, otherwise `repositories` is None."""

    address: str
    found: Catalog
    repositories: tuple[Repository, ...] | None

    def as_json(self) -> dict[str, Any]:
        """The names, or what `tags` reports about each; and folders that are no repositories, where there are any."""
        foreign = {"foreign": list(self.found.foreign)} if self.found.foreign else {}
        if self.repositories is None:
            return {"repositories": list(self.found.repositories), **foreign}
        return {"repositories": [repository_json(one) for one in self.repositories], **foreign}

    def print(self, out: Output) -> None:
        """Print a name a line, or a tree."""
        if self.repositories is not None:
            print_tree(out, self.repositories)
            note_attached(out, self.repositories)
        elif self.found.repositories:
            out.line("\n".join(map(one_line, self.found.repositories)))

    def remark(self, out: Output) -> None:
        """Say that there is nothing, and what could not be read."""
        if not self.found.total:
            out.note(f"The registry at {self.address} is empty. Push an image: deployer push IMAGE")
        elif not self.found.repositories:
            repositories = counted(self.found.total, "repository", "repositories")
            out.note(f"No repository matches. The registry has {repositories}.")
        if self.found.foreign:
            out.warn(
                "Not listed, because these directories in the registry's storage do not have valid repository names: "
                f"{one_line(listed(self.found.foreign, _TAGS_SHOWN))}. To find and remove them, on the machine that "
                "runs the registry: deployer doctor"
            )
        warn_of_repositories(out, self.repositories or ())

    @property
    def has_failed(self) -> bool:
        """Whether something is incomplete, or was not read."""
        return not all(one.is_whole for one in self.repositories or ())


@dataclass(frozen=True)
class TagsReport(Report):
    """The tags of one repository; those of attached artifacts only if requested."""

    found: Repository
    with_attached: bool

    def as_json(self) -> dict[str, Any]:
        """The repository with its tags."""
        return repository_json(self.found)

    def print(self, out: Output) -> None:
        """Print the tags as a table."""
        if self.found.tags or self.found.unread:
            print_tags(out, self.found, with_attached=self.with_attached)
        if not self.with_attached:
            note_attached(out, (self.found,))

    def remark(self, out: Output) -> None:
        """Say that there is nothing, and what could not be read."""
        if not self.found.tags and not self.found.unread:
            out.note(f"The repository '{self.found.name}' has no tags.")
        warn_of_repositories(out, (self.found,))

    @property
    def has_failed(self) -> bool:
        """Whether something is incomplete, or was not read."""
        return not self.found.is_whole


def print_tags(
    out: Output, repository: Repository, now: datetime | None = None, *, with_attached: bool = False
) -> None:
    """Print a repository's tags as a table, those that cannot be read at its end."""
    moment = now or datetime.now(UTC)
    tags = repository.tags if with_attached else repository.listed
    rows = [(one_line(tag.name), short(tag.digest), *_facts(tag, moment)) for tag in tags]
    rows += [(one_line(one.name), short(one.digest) or NONE, NONE, _why(one), NONE) for one in repository.unread]
    out.table(("TAG", "DIGEST", "SIZE", "PLATFORMS", "AGE"), rows)


def print_tree(out: Output, repositories: Sequence[Repository], now: datetime | None = None) -> None:
    """Print each repository with its tags below it."""
    moment = now or datetime.now(UTC)
    for repository in repositories:
        out.line(out.bold(one_line(repository.name)))
        rows = [(one_line(tag.name), *_facts(tag, moment)) for tag in repository.listed]
        rows += [(one_line(one.name), NONE, _why(one), NONE) for one in repository.unread]
        widths = [max(cells(row[column]) for row in rows) for column in range(4)] if rows else []
        for position, (name, amount, platforms, old) in enumerate(rows, start=1):
            branch = "└─" if position == len(rows) else "├─"
            facts = f"{padded(amount, widths[1], right=True)}  {padded(old, widths[3])}  {platforms}"
            out.line(f"{branch} {padded(name, widths[0])}  {facts}")
        if not rows:
            out.line(f"└─ {_empty(repository)}")


def note_attached(out: Output, repositories: Iterable[Repository]) -> None:
    """Say how many tags are not shown, as they only attach something to an image."""
    count = sum(len(repository.attached) for repository in repositories)
    if count:
        out.note(
            f"{counted(count, 'tag')} of attached artifacts not shown; to list them: deployer tags NAME --attached"
        )


def _empty(repository: Repository) -> str:
    if isinstance(repository.failed, Forbidden):
        return "(access denied)"
    return "(not read)" if repository.failed else "(no tags)"


def _why(unread: Unread) -> str:
    return f"({unread.state})"


def warn_of_repositories(out: Output, repositories: Iterable[Repository]) -> None:
    """Warn of tags that are partially deleted, incomplete or unread, and of repositories of which nothing was read."""
    unchecked = []
    for repository in repositories:
        if repository.is_unchecked:
            unchecked.append(repository.name)
        if repository.failed:
            told = "" if isinstance(repository.failed, Forbidden) else f"{repository.name} could not be read. "
            out.warn(f"{told}{repository.failed}")
            _advise(out, repository.failed)
        _warn_of_foreign(out, repository)
        _warn_of_unread(out, repository)
        tag_on = {tag.digest: tag.name for tag in repository.tags}
        for tag in repository.tags:
            warn_of_tag(out, f"{repository.name}:{tag.name}", tag)
            for nested in tag.nested:
                warn_of_nested(out, Reference("", repository.name, tag.name), nested, tag_on.get(nested.digest))
    if unchecked:
        warn_of_unchecked(out, unchecked)


def warn_of_unchecked(out: Output, names: Sequence[str]) -> None:
    """Warn that these repositories may have damage that is not reported, and say what looks for it."""
    was = "was" if len(names) == 1 else "were"
    out.warn(
        f"{listed(names, _TAGS_SHOWN)} {was} not checked for damage, or only in part: the response was too large or "
        "did not arrive in time. To check, on the machine that runs the registry: deployer status"
    )


def note_slow(out: Output, count: int) -> None:
    """Say on a terminal what takes so long."""
    if out.err.isatty():
        out.note(f"Reading {counted(count, 'tag')} one by one: the repository is too large for one response.")


def _advise(out: Output, error: RegistryError) -> None:
    """How to fix what is on the machine that runs the registry; no command of a client does."""
    if isinstance(error, Obstructed):
        for advice in error.advice:
            out.note(f"  → {advice}")


def _warn_of_foreign(out: Output, repository: Repository) -> None:
    for name in repository.foreign:
        out.warn(
            f"{repository.name}:{name} is not a tag but a stray file from another program in the registry's storage."
        )
        out.note(foreign_advice(repository.name, name))


def _warn_of_unread(out: Output, repository: Repository) -> None:
    missed = [one for one in repository.unread if one.may_be_whole]
    # One warning for all that had the same reason: there may be thousands.
    for reason in dict.fromkeys(str(one.error) for one in missed):
        names = [one.name for one in missed if str(one.error) == reason]
        out.warn(
            f"Could not read {tags_in_words(names)} of {repository.name}. {reason} Run the command again to read "
            "all tags."
        )
    damaged = [one for one in repository.unread if not one.may_be_whole]
    for one in damaged:
        name = f"{repository.name}:{one.name}"
        out.warn(not_whole(name, one.damaged) if one.damaged else f"The tag {name} cannot be read. {one.error}")
        _advise(out, one.error)
        for line in one.error.original.splitlines():
            out.note(f"  | {line}")
    # Other programs may read what is of a type that is not known here.
    # What a repair restores without a push may be the only copy.
    names = [
        f"{repository.name}:{one.name}"
        for one in damaged
        if not isinstance(one.error, UnknownManifest | Obstructed) and not one.is_restorable
    ]
    if names:
        # All of them, however many: the registry stumbles over damaged tags when it deletes one of them alone.
        # What is not a valid tag is in the way of deleting the others.
        lead = "Then, to" if repository.foreign else "To"
        out.note(f"{lead} delete {'it' if len(names) == 1 else 'them'}: deployer delete {' '.join(names)}")


def warn_of_tag(out: Output, name: str, tag: Tag) -> None:
    """Warn if one tag is partially deleted, incomplete, empty, obsolete, or read in part."""
    if tag.half_deleted:
        out.warn(f"{name} {PARTIALLY_DELETED}{pointed_to(tag.half_deleted)} To finish: deployer delete {name}")
        for advice in pulling_it(name.partition("@")[0] if "@" in name else name.rpartition(":")[0], tag.half_deleted):
            out.note(advice)
    if tag.is_schema_1:
        out.warn(
            f"{name} uses Docker manifest schema 1, which current Docker versions cannot pull. If it is no longer "
            f"needed: deployer delete {name}"
        )
    sentence = tag_sentence(name, tag)
    if sentence:
        removal = f" If it is not needed: deployer delete {name}" if tag.state is State.EMPTY else ""
        out.warn(f"{sentence}{removal}")
    if not {one.digest for one in tag.damaged}.issuperset(tag.not_read):
        out.warn(f"Parts of {name} could not be read; its size and age may be inaccurate. {_reasons(tag)}")


def warn_of_nested(out: Output, outer: Reference, nested: NestedIndex, tag: str | None = None) -> None:
    """Warn that an index in an index is got by few clients through the outer one; `tag` is its own, None for none."""
    inner = replace(outer, tag=tag, digest=None if tag else nested.digest)
    several = len(nested.platforms) > 1
    out.warn(
        f"{outer} has its {'images' if several else 'image'} for {listed(nested.platforms, _TAGS_SHOWN)} in a "
        "nested index, which many clients cannot pull (Docker without the containerd image store, Podman). "
        f"To pull {'those' if several else 'it'}: deployer pull {inner}"
    )


def _reasons(tag: Tag) -> str:
    # Where the registry's answer will be the same, another try reads no more.
    lasting = [str(error) for error in tag.reasons if not isinstance(error, NOT_OF_CONTENT)]
    return " ".join(lasting) if lasting else "Run the command again to read everything."


def repository_json(repository: Repository) -> dict[str, Any]:
    """A repository with its tags; what is wrong with a tag is there only if something is."""
    found: dict[str, Any] = {"name": repository.name, "tags": [_tag_json(tag) for tag in repository.listed]}
    if repository.attached:
        found["attached"] = [{**_tag_json(tag), "to": tag.attached_to} for tag in repository.attached]
    if repository.unread:
        found["unreadable"] = [
            {"tag": one.name, "digest": one.digest or None, "read": not one.may_be_whole, "error": str(one.error)}
            for one in repository.unread
        ]
    if repository.foreign:
        found["foreign"] = list(repository.foreign)
    if repository.is_unchecked:
        found["unchecked"] = True
    if repository.failed:
        found["refused" if isinstance(repository.failed, Forbidden) else "error"] = str(repository.failed)
    return found


def _tag_json(tag: Tag) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tag": tag.name,
        "digest": tag.digest,
        "media_type": tag.media_type,
        "size": tag.size,
        "created": moment_json(tag.created),
        "platforms": list(tag.platforms),
    }
    if tag.pushed:
        found["pushed"] = moment_json(tag.pushed)
    if tag.half_deleted:
        found["half_deleted"] = tag.half_deleted
    if tag.missing:
        found["missing"] = list(tag.missing)
    if tag.damaged:
        found["damaged"] = {one.digest: one.size for one in tag.damaged}
    if tag.nested:
        found["nested"] = {one.digest: list(one.platforms) for one in tag.nested}
    if tag.not_read:
        found["not_read"] = list(tag.not_read)
    return found


def _facts(tag: Tag, now: datetime) -> tuple[str, str, str]:
    words = "schema 1" if tag.is_schema_1 else str(tag.state)
    platforms = "" if tag.state is State.HALF else one_line(", ".join(tag.platforms))
    told = " ".join(part for part in (platforms, words and f"({words})") if part)
    return size_or_none(tag.size), told or NONE, _age(tag, now)


def _age(tag: Tag, now: datetime) -> str:
    if tag.moment is None:
        return NONE
    pushed = " (pushed)" if tag.moment.source is Source.PUSHED else ""
    return age(tag.moment.at, now) + pushed


def size_or_none(count: int | None) -> str:
    """Bytes in words, where they are known."""
    return NONE if count is None else size(count)


def tags_in_words(tags: Sequence[str]) -> str:
    """Some tags in words: "tag a", "tags a, b and 3 more"."""
    return f"{'tag' if len(tags) == 1 else 'tags'} {listed(tags, _TAGS_SHOWN)}"


def moment_json(moment: datetime | None) -> str | None:
    """A moment as JSON has it, null if it is not known."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None
