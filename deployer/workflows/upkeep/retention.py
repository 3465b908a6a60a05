"""Which tags retention rules remove, and why."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.registry.content.children import DEPTH
from deployer.registry.content.imageconfig import CONFIG_MAX_BYTES, parse_config
from deployer.registry.content.manifests import digest_of
from deployer.registry.content.moments import Source, at_second, newest_first, real_time
from deployer.registry.content.order import natural
from deployer.settings.retention import AgeBasis
from deployer.settings.values import globs
from deployer.settings.values.duration import written
from deployer.workflows.upkeep.survey.manifest_graph import RemovalSet, is_attached_tag, parts, resolve_removal
from deployer.workflows.upkeep.untagged import may_go

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from deployer.settings.retention import RetentionRule
    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.survey.manifest_graph import Manifests, ManifestSummary


@dataclass(frozen=True)
class SelectedTag:
    """A tag that is removed: its digest, the moment that its age is counted from (seconds since 1970), and why.

    `source` says whether the moment is its creation or its push.
    """

    tag: str
    digest: str
    moment: int
    reason: str
    source: Source = Source.PUSHED


@dataclass(frozen=True)
class TagTimes:
    """A tag with its times: the push, and the creation if it is real."""

    tag: str
    pushed: datetime
    created: datetime | None

    def age_from(self, by: AgeBasis) -> tuple[datetime, Source]:
        """The moment that its age is counted from."""
        if self.created is None or by is AgeBasis.PUSHED or (by is AgeBasis.LATER and self.pushed > self.created):
            return self.pushed, Source.PUSHED
        return self.created, Source.CREATED


@dataclass
class CreationTimes:
    """When images were made, as their configurations say, by the digests of those; each read once.

    Those that are missing, damaged or larger than CONFIG_MAX_BYTES are not `known`.
    """

    storage: Storage
    known: dict[str, datetime | None] = field(default_factory=dict)

    def learn(self, digests: Iterable[str], snapshot: Snapshot) -> None:
        """Read the configurations that are not known yet, and that are there."""
        blobs, aliases = snapshot.blobs, snapshot.aliases
        names = defaultdict(list)
        for digest in set(digests) - self.known.keys():
            place = aliases.get(digest, digest)
            if place in blobs and blobs[place].size <= CONFIG_MAX_BYTES:
                names[place].append(digest)
        for place, content in self.storage.contents(sorted(names), blobs):
            for digest in names[place]:
                if digest_of(content, digest.partition(":")[0]) == digest:
                    self.known[digest] = parse_config(content).created

    def of(self, digest: str, manifests: Manifests, now: datetime) -> datetime | None:
        """When an image was made, or the newest of an index; None if nothing says a real time."""
        times = [self._of_image(manifests.known[image], now) for image in images_of(digest, manifests)]
        known = [time for time in times if time]
        summary = manifests.known.get(digest)
        return max(known) if known else real_time(summary.created, now) if summary else None

    def is_known(self, digest: str, manifests: Manifests) -> bool:
        """Whether every configuration was read that says when it was made."""
        return configs_of(digest, manifests) <= self.known.keys()

    def _of_image(self, summary: ManifestSummary | None, now: datetime) -> datetime | None:
        if summary is None:
            return None
        return real_time(self.known.get(summary.config) if summary.is_image else None, now) or real_time(
            summary.created, now
        )


def images_of(digest: str, manifests: Manifests) -> list[str]:
    """The known manifests that an index puts together, those of the indexes in it too; any other is its own."""
    found: dict[str, ManifestSummary] = {}
    level = [digest]
    for _ in range(DEPTH + 1):
        new = {one: summary for one in level if one not in found and (summary := manifests.known.get(one))}
        found |= new
        level = [image for summary in new.values() for image in summary.images]
    return [one for one, summary in found.items() if not summary.children]


def configs_of(digest: str, manifests: Manifests) -> set[str]:
    """The configurations of the known images that an index puts together, or of the image itself."""
    images = [manifests.known[image] for image in images_of(digest, manifests)]
    return {one.config for one in images if one and one.is_image and one.config}


@dataclass(frozen=True)
class TagSelection:
    """What retention rules remove, by repository, and the tags among it with the reasons.

    `undated` are the tags, by repository, that are kept since their creation decides and is not known.
    """

    removal: Mapping[str, RemovalSet]
    tags: Mapping[str, tuple[SelectedTag, ...]]
    undated: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Retention:
    """Rules, applied to a snapshot."""

    rules: Sequence[RetentionRule]
    creations: CreationTimes

    def select(self, snapshot: Snapshot, manifests: Manifests) -> TagSelection:
        """What is removed of each repository, and why. Reads the configurations that are not known yet."""
        self._learn(snapshot, manifests)
        removal: dict[str, RemovalSet] = {}
        tags: dict[str, tuple[SelectedTag, ...]] = {}
        undated: dict[str, tuple[str, ...]] = {}
        for name, repository in sorted(snapshot.repositories.items()):
            rules = [rule for rule in self.rules if globs.matches(name, rule.repositories)]
            if not rules or not repository.is_ours_to_change:
                continue
            unknown = self._undated(repository, rules, manifests)
            if unknown:
                undated[name] = unknown
            selected = self._select_tags(repository, rules, snapshot.moment, manifests)
            found = _resolve(repository, rules, selected, snapshot.moment, manifests)
            if found.tags or found.revisions:
                tags[name] = (*selected, *_attached(repository, found, selected))
                removal[name] = found
        return TagSelection(removal, tags, undated)

    def policy(self, snapshot: Snapshot, manifests: Manifests, /) -> Mapping[str, RemovalSet]:
        """The same as a policy for a survey."""
        return self.select(snapshot, manifests).removal

    def _learn(self, snapshot: Snapshot, manifests: Manifests) -> None:
        rules = [rule for rule in self.rules if rule.by is not AgeBasis.PUSHED]
        wanted: set[str] = set()
        for name, repository in snapshot.repositories.items():
            if not any(globs.matches(name, rule.repositories) for rule in rules):
                continue
            for tag in repository.tags.values():
                wanted |= configs_of(tag.digest, manifests)
        self.creations.learn(wanted, snapshot)

    def _undated(
        self, repository: StoredRepository, rules: list[RetentionRule], manifests: Manifests
    ) -> tuple[str, ...]:
        """The tags that a rule would judge by a creation that is not known."""
        patterns = [re.compile(rule.match or "") for rule in rules if _decides_by_creation(rule)]
        return tuple(
            name
            for name in sorted(_free(repository, rules, manifests), key=natural)
            if any(pattern.search(name) for pattern in patterns)
            and not self.creations.is_known(repository.tags[name].digest, manifests)
        )

    def _select_tags(
        self, repository: StoredRepository, rules: list[RetentionRule], now: int, manifests: Manifests
    ) -> tuple[SelectedTag, ...]:
        # It stays, and takes the place of no other among the newest.
        undated = {repository.tags[name].digest for name in self._undated(repository, rules, manifests)}
        free = [name for name in _free(repository, rules, manifests) if repository.tags[name].digest not in undated]
        dated = [self._dated(repository, name, manifests, now) for name in free]
        matched = [(rule, _newest_first(rule, dated)) for rule in rules if rule.takes_tags]
        # What one rule keeps, no other takes.
        kept = {digest for rule, tags in matched for digest in _newest(rule, repository, tags, manifests)}
        found: dict[str, SelectedTag] = {}
        for rule, tags in matched:
            for one in tags:
                digest = repository.tags[one.tag].digest
                at, source = one.age_from(rule.by)
                moment = int(at.timestamp())
                if digest not in kept and (rule.older_than is None or now - moment >= rule.older_than):
                    found.setdefault(one.tag, SelectedTag(one.tag, digest, moment, _reason(rule), source))
        return tuple(sorted(found.values(), key=lambda one: (one.moment, natural(one.tag)), reverse=True))

    def _dated(self, repository: StoredRepository, name: str, manifests: Manifests, now: int) -> TagTimes:
        tag = repository.tags[name]
        created = self.creations.of(tag.digest, manifests, at_second(now))
        return TagTimes(name, at_second(tag.pushed), created)


def _decides_by_creation(rule: RetentionRule) -> bool:
    return rule.by is not AgeBasis.PUSHED and (rule.keep is not None or rule.older_than is not None)


def _free(repository: StoredRepository, rules: list[RetentionRule], manifests: Manifests) -> list[str]:
    """The tags that rules may take.

    Damaged and partially deleted tags name no image to judge by; attached ones go with what they are attached to.
    """
    protected = _protected(repository, rules)
    return [
        name
        for name, tag in repository.tags.items()
        if tag.digest
        and not is_attached_tag(name, tag)
        and name not in protected
        and not ((summary := manifests.known.get(tag.digest)) and summary.is_placeholder)
    ]


def _newest_first(rule: RetentionRule, dated: Iterable[TagTimes]) -> list[TagTimes]:
    """The tags that a rule matches. By `later`, too, the newest are those created last."""
    pattern = re.compile(rule.match or "")
    order = AgeBasis.CREATED if rule.by is AgeBasis.LATER else rule.by
    matched = [one for one in dated if pattern.search(one.tag)]
    return newest_first(matched, lambda one: one.tag, lambda one: one.age_from(order)[0], lambda one: one.pushed)


def _newest(
    rule: RetentionRule, repository: StoredRepository, tags: Iterable[TagTimes], manifests: Manifests
) -> tuple[str, ...]:
    """The newest images, and beside them as many of what is not an image: a build cache must not take an image's place.

    Nor must an index of which images are missing: as many that are whole stay, too.
    """
    digests = dict.fromkeys(repository.tags[one.tag].digest for one in tags)
    images = [digest for digest in digests if is_image(digest, manifests)]
    others = [digest for digest in digests if not is_image(digest, manifests)]
    whole = [digest for digest in images if _has_all_images(digest, repository, manifests)]
    return tuple(digest for group in (images, whole, others) for digest in group[: rule.keep or 0])


def is_image(digest: str, manifests: Manifests) -> bool:
    """Whether it is an image, or an index of one: tests/contract/indexes.json."""
    summary = manifests.known.get(digest)
    known = [manifests.known[image] for image in images_of(digest, manifests)]
    # Of an index of which nothing else is known, its own word counts.
    return any(one and one.is_image for one in known or [summary])


def _has_all_images(root: str, repository: StoredRepository, manifests: Manifests) -> bool:
    needed, waiting = {root}, [root]
    while waiting:
        summary = manifests.known.get(waiting.pop())
        below = set(summary.images if summary else ()) - needed
        needed |= below
        waiting += below
    return needed <= repository.revisions.keys()


def _resolve(
    repository: StoredRepository,
    rules: list[RetentionRule],
    selected: tuple[SelectedTag, ...],
    now: int,
    manifests: Manifests,
) -> RemovalSet:
    removable = parts(repository, manifests, [one.digest for one in selected])
    for rule in rules:
        if rule.untagged:
            removable |= may_go(repository, manifests, now, rule.older_than)
    return resolve_removal(
        repository, manifests, {one.tag for one in selected}, removable, kept=_protected(repository, rules)
    )


def _protected(repository: StoredRepository, rules: list[RetentionRule]) -> set[str]:
    patterns = [re.compile(rule.protect) for rule in rules if rule.protect]
    return {name for name in repository.tags if any(pattern.search(name) for pattern in patterns)}


def _attached(
    repository: StoredRepository, removal: RemovalSet, selected: tuple[SelectedTag, ...]
) -> Iterable[SelectedTag]:
    for name in sorted(removal.tags - {one.tag for one in selected}):
        tag = repository.tags[name]
        yield SelectedTag(name, tag.digest, tag.pushed, "attached to a removed image")


def _reason(rule: RetentionRule) -> str:
    reasons = [
        f"not among the newest {rule.keep}" if rule.keep else "",
        f"older than {written(rule.older_than)}" if rule.older_than is not None else "",
        f"matches {rule.match}" if rule.match else "",
    ]
    return ", ".join(reason for reason in reasons if reason)
