"""Which tags a retention rule takes, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from deployer.order import natural
from deployer.registry.content.imageconfig import parse_config
from deployer.registry.content.manifests import DEPTH
from deployer.registry.content.moments import Source, at_second, newest_first, real_time
from deployer.settings.duration import written
from deployer.settings.model import AgeBasis
from deployer.workflows.upkeep.manifest_graph import Marked, clings, parts, settle
from deployer.workflows.upkeep.untagged import may_go

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from deployer.settings.model import RetentionRule
    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Snapshot, StoredRepository
    from deployer.workflows.upkeep.manifest_graph import Facts, Manifests

_CONFIG_MAX_BYTES = 8_000_000


@dataclass(frozen=True)
class Taken:
    """A tag that goes: its digest, the moment that its age is counted from (seconds since 1970), and why.

    `source` says whether the moment is its creation or its push.
    """

    tag: str
    digest: str
    moment: int
    reason: str
    source: Source = Source.PUSHED


@dataclass(frozen=True)
class Dated:
    """A tag with its times: the push, and the creation where it is real."""

    tag: str
    pushed: datetime
    created: datetime | None

    def age_from(self, by: AgeBasis) -> tuple[datetime, Source]:
        """The moment that its age is counted from."""
        if self.created is None or by is AgeBasis.PUSHED or (by is AgeBasis.LATER and self.pushed > self.created):
            return self.pushed, Source.PUSHED
        return self.created, Source.CREATED


@dataclass
class Creations:
    """When images were made, as their configurations say, by the digests of those; each read once."""

    storage: Storage
    known: dict[str, datetime | None] = field(default_factory=dict)

    def learn(self, digests: Iterable[str], snapshot: Snapshot) -> None:
        """Read the configurations that are not known yet, and that are there."""
        blobs = snapshot.blobs
        there = {digest for digest in digests if digest in blobs and blobs[digest].size <= _CONFIG_MAX_BYTES}
        wanted = sorted(there - self.known.keys())
        for digest, content in self.storage.contents(wanted, blobs):
            self.known[digest] = parse_config(content).created

    def of(self, digest: str, manifests: Manifests, now: datetime) -> datetime | None:
        """When an image was made, or the newest of an index; None where nothing says a real time."""
        times = [self._of_image(manifests.known[image], now) for image in images_of(digest, manifests)]
        known = [time for time in times if time]
        facts = manifests.known.get(digest)
        return max(known) if known else real_time(facts.created, now) if facts else None

    def _of_image(self, facts: Facts | None, now: datetime) -> datetime | None:
        if facts is None:
            return None
        return real_time(self.known.get(facts.config) if facts.is_image else None, now) or real_time(facts.created, now)


def images_of(digest: str, manifests: Manifests) -> list[str]:
    """The known manifests that an index puts together, those of the indexes in it too; any other is its own."""
    found: dict[str, Facts] = {}
    level = [digest]
    for _ in range(DEPTH + 1):
        new = {one: facts for one in level if one not in found and (facts := manifests.known.get(one))}
        found |= new
        level = [image for facts in new.values() for image in facts.images]
    return [one for one, facts in found.items() if not facts.children]


@dataclass
class Retention:
    """Rules, applied to a snapshot. `taken` holds, after each choice, why each tag goes, by repository."""

    rules: Sequence[RetentionRule]
    creations: Creations
    taken: dict[str, tuple[Taken, ...]] = field(default_factory=dict)

    def choose(self, snapshot: Snapshot, manifests: Manifests) -> Mapping[str, Marked]:
        """What goes of each repository."""
        self._learn(snapshot, manifests)
        self.taken = {}
        found = {}
        for name, repository in sorted(snapshot.repositories.items()):
            rules = [rule for rule in self.rules if any(fnmatchcase(name, glob) for glob in rule.repositories)]
            if not rules or not repository.is_ours_to_change:
                continue
            taken = self._taken(repository, rules, snapshot.moment, manifests)
            going = _going(repository, rules, taken, snapshot.moment, manifests)
            if going.tags or going.revisions:
                self.taken[name] = (*taken, *_clinging(repository, going, taken))
                found[name] = going
        return found

    def _learn(self, snapshot: Snapshot, manifests: Manifests) -> None:
        rules = [rule for rule in self.rules if rule.by is not AgeBasis.PUSHED]
        wanted: set[str] = set()
        for name, repository in snapshot.repositories.items():
            if not any(fnmatchcase(name, glob) for rule in rules for glob in rule.repositories):
                continue
            for tag in repository.tags.values():
                facts = [manifests.known[image] for image in images_of(tag.digest, manifests)]
                wanted.update(one.config for one in facts if one and one.is_image and one.config)
        self.creations.learn(wanted, snapshot)

    def _taken(
        self, repository: StoredRepository, rules: list[RetentionRule], now: int, manifests: Manifests
    ) -> tuple[Taken, ...]:
        protected = _protected(repository, rules)
        # Damaged and partially deleted tags name no image to judge by; attached ones go with what they are attached to.
        free = [
            name
            for name, tag in repository.tags.items()
            if tag.digest
            and not clings(name, tag)
            and name not in protected
            and not ((facts := manifests.known.get(tag.digest)) and facts.half_deleted)
        ]
        dated = [self._dated(repository, name, manifests, now) for name in free]
        matched = [(rule, _newest_first(rule, dated)) for rule in rules if rule.takes_tags]
        # What one rule keeps, no other takes.
        kept = {digest for rule, tags in matched for digest in _newest(rule, repository, tags, manifests)}
        found: dict[str, Taken] = {}
        for rule, tags in matched:
            for one in tags:
                digest = repository.tags[one.tag].digest
                at, source = one.age_from(rule.by)
                moment = int(at.timestamp())
                if digest not in kept and (rule.older_than is None or now - moment >= rule.older_than):
                    found.setdefault(one.tag, Taken(one.tag, digest, moment, _reason(rule), source))
        return tuple(sorted(found.values(), key=lambda one: (one.moment, natural(one.tag)), reverse=True))

    def _dated(self, repository: StoredRepository, name: str, manifests: Manifests, now: int) -> Dated:
        tag = repository.tags[name]
        created = self.creations.of(tag.digest, manifests, at_second(now))
        return Dated(name, at_second(tag.pushed), created)


def _newest_first(rule: RetentionRule, dated: Iterable[Dated]) -> list[Dated]:
    """The tags that a rule matches. By `later`, too, the newest are those created last."""
    pattern = re.compile(rule.match or "")
    order = AgeBasis.CREATED if rule.by is AgeBasis.LATER else rule.by
    matched = [one for one in dated if pattern.search(one.tag)]
    return newest_first(matched, lambda one: one.tag, lambda one: one.age_from(order)[0], lambda one: one.pushed)


def _newest(
    rule: RetentionRule, repository: StoredRepository, tags: Iterable[Dated], manifests: Manifests
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
    facts = manifests.known.get(digest)
    known = [manifests.known[image] for image in images_of(digest, manifests)]
    # Of an index of which nothing else is known, its own word counts.
    return any(one and one.is_image for one in known or [facts])


def _has_all_images(root: str, repository: StoredRepository, manifests: Manifests) -> bool:
    needed, waiting = {root}, [root]
    while waiting:
        facts = manifests.known.get(waiting.pop())
        below = set(facts.images if facts else ()) - needed
        needed |= below
        waiting += below
    return needed <= repository.revisions.keys()


def _going(
    repository: StoredRepository, rules: list[RetentionRule], taken: tuple[Taken, ...], now: int, manifests: Manifests
) -> Marked:
    gone = parts(repository, manifests, [one.digest for one in taken])
    for rule in rules:
        if rule.untagged:
            gone |= may_go(repository, manifests, now, rule.older_than)
    return settle(repository, manifests, {one.tag for one in taken}, gone, spared=_protected(repository, rules))


def _protected(repository: StoredRepository, rules: list[RetentionRule]) -> set[str]:
    patterns = [re.compile(rule.protect) for rule in rules if rule.protect]
    return {name for name in repository.tags if any(pattern.search(name) for pattern in patterns)}


def _clinging(repository: StoredRepository, going: Marked, taken: tuple[Taken, ...]) -> Iterable[Taken]:
    for name in sorted(going.tags - {one.tag for one in taken}):
        tag = repository.tags[name]
        yield Taken(name, tag.digest, tag.pushed, "belongs to what goes")


def _reason(rule: RetentionRule) -> str:
    reasons = [
        f"beyond the newest {rule.keep}" if rule.keep else "",
        f"older than {written(rule.older_than)}" if rule.older_than is not None else "",
        f"matches {rule.match}" if rule.match else "",
    ]
    return ", ".join(reason for reason in reasons if reason)
