"""Which tags a retention rule takes, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from deployer.duration import written
from deployer.order import natural
from deployer.registry.imageconfig import parse_config
from deployer.workflows.manifest_graph import Going, clings, parts, settle
from deployer.workflows.untagged import may_go

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from deployer.settings import RetentionRule
    from deployer.storage.access import Storage
    from deployer.storage.snapshot import Repository, Snapshot
    from deployer.workflows.manifest_graph import Manifests

_CONFIG_MAX_BYTES = 8_000_000
# Tools that build reproducibly write a moment of about then into every image, which says nothing.
_NO_REAL_MOMENT = 315_619_200  # 1980-01-02


@dataclass(frozen=True)
class Taken:
    """A tag that goes: its digest, the moment that its age is counted from (seconds since 1970), and why."""

    tag: str
    digest: str
    moment: int
    reason: str


@dataclass
class Creations:
    """When images were made, by the digest of their configuration, in seconds since 1970; each read once."""

    storage: Storage
    known: dict[str, int] = field(default_factory=dict)

    def learn(self, digests: Iterable[str], snapshot: Snapshot) -> None:
        """Read the configurations that are not known yet, and that are there."""
        blobs = snapshot.blobs
        there = {digest for digest in digests if digest in blobs and blobs[digest].size <= _CONFIG_MAX_BYTES}
        wanted = sorted(there - self.known.keys())
        for digest, content in self.storage.contents(wanted, blobs):
            created = parse_config(content).created
            moment = int(created.timestamp()) if created else 0
            self.known[digest] = moment if moment > _NO_REAL_MOMENT else 0

    def of(self, digest: str, manifests: Manifests) -> int:
        """When an image was made, or the newest of an index; 0 where nothing says so."""
        images = [digest, *manifests.children(digest)]
        configs = [facts.config for image in images if (facts := manifests.known.get(image))]
        return max((self.known.get(config, 0) for config in configs), default=0)


@dataclass
class Retention:
    """Rules, applied to a snapshot. `taken` holds, after each choice, why each tag goes, by repository."""

    rules: Sequence[RetentionRule]
    creations: Creations
    taken: dict[str, tuple[Taken, ...]] = field(default_factory=dict)

    def choose(self, snapshot: Snapshot, manifests: Manifests) -> Mapping[str, Going]:
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
        rules = [rule for rule in self.rules if rule.by == "created"]
        wanted: set[str] = set()
        for name, repository in snapshot.repositories.items():
            if not any(fnmatchcase(name, glob) for rule in rules for glob in rule.repositories):
                continue
            for tag in repository.tags.values():
                for image in (tag.digest, *manifests.children(tag.digest)):
                    facts = manifests.known.get(image)
                    wanted.update([facts.config] if facts and facts.config else [])
        self.creations.learn(wanted, snapshot)

    def _taken(
        self, repository: Repository, rules: list[RetentionRule], now: int, manifests: Manifests
    ) -> tuple[Taken, ...]:
        protected = _protected(repository, rules)
        # Damaged and half-deleted tags name no image to judge by; attached ones go with what they are attached to.
        free = [
            name
            for name, tag in repository.tags.items()
            if tag.digest
            and not clings(name, tag)
            and name not in protected
            and not ((facts := manifests.known.get(tag.digest)) and facts.half_deleted)
        ]
        matched = [(rule, self._newest_first(rule, repository, free, manifests)) for rule in rules if rule.takes_tags]
        # What one rule keeps, no other takes.
        kept = {digest for rule, moments in matched for digest in _newest(rule, repository, moments)}
        found: dict[str, Taken] = {}
        for rule, moments in matched:
            for name, moment in moments.items():
                digest = repository.tags[name].digest
                if digest not in kept and (rule.older_than is None or now - moment >= rule.older_than):
                    found.setdefault(name, Taken(name, digest, moment, _reason(rule)))
        return tuple(sorted(found.values(), key=lambda one: (one.moment, natural(one.tag)), reverse=True))

    def _newest_first(
        self, rule: RetentionRule, repository: Repository, free: list[str], manifests: Manifests
    ) -> dict[str, int]:
        """The tags that a rule matches, with the moments that they are judged by."""
        pattern = re.compile(rule.match or "")
        moments = {name: self._moment(rule, repository, name, manifests) for name in free if pattern.search(name)}
        return dict(sorted(moments.items(), key=lambda item: (item[1], natural(item[0])), reverse=True))

    def _moment(self, rule: RetentionRule, repository: Repository, name: str, manifests: Manifests) -> int:
        tag = repository.tags[name]
        created = self.creations.of(tag.digest, manifests) if rule.by == "created" else 0
        return created or tag.pushed


def _newest(rule: RetentionRule, repository: Repository, newest_first: Iterable[str]) -> list[str]:
    images = dict.fromkeys(repository.tags[name].digest for name in newest_first)
    return list(images)[: rule.keep or 0]


def _going(
    repository: Repository, rules: list[RetentionRule], taken: tuple[Taken, ...], now: int, manifests: Manifests
) -> Going:
    gone = parts(repository, manifests, [one.digest for one in taken])
    for rule in rules:
        if rule.untagged:
            gone |= may_go(repository, manifests, now, rule.older_than)
    return settle(repository, manifests, {one.tag for one in taken}, gone, spared=_protected(repository, rules))


def _protected(repository: Repository, rules: list[RetentionRule]) -> set[str]:
    patterns = [re.compile(rule.protect) for rule in rules if rule.protect]
    return {name for name in repository.tags if any(pattern.search(name) for pattern in patterns)}


def _clinging(repository: Repository, going: Going, taken: tuple[Taken, ...]) -> Iterable[Taken]:
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
