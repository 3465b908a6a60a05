"""The settings of `prune`: which tags of which repositories may go."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deployer.settings.setting import checked
from deployer.settings.values import checks


class AgeBasis(StrEnum):
    """What the age of a tag counts from; the values are those of deployer.yaml."""

    LATER = "later"
    CREATED = "created"
    PUSHED = "pushed"


@dataclass(frozen=True)
class RetentionRule:
    """Which tags of which repositories may go. `older_than` in seconds.

    A tag goes when all that is given says so: it is matched, not protected, not among the newest
    `keep` images, and old enough. With `untagged`, untagged manifests are removed too.
    `by` says what age and newness are: `created`, `pushed`, or `later`, the age from the later of the
    two, and the newest by their creation. Where a creation time is not real, the push is in.
    """

    repositories: tuple[str, ...] = checked(
        checks.retention_globs,
        ("*",),
        "The repositories of the rule. `*` matches any part of a name, `?` one character.",
    )
    keep: int | None = checked(checks.count, None, "Keep this many of the newest images of each repository.")
    older_than: int | None = checked(
        checks.age, None, "Remove only tags older than this, such as `30d`, `12h` or `2w`."
    )
    match: str | None = checked(checks.pattern, None, "Remove only tags that this regular expression matches.")
    protect: str | None = checked(checks.pattern, None, "Never remove tags that this regular expression matches.")
    by: AgeBasis = checked(
        checks.one_of(AgeBasis),
        AgeBasis.LATER,
        "Time that age is counted from: `later` of creation and push, `created`, or `pushed`.",
    )
    untagged: bool = checked(checks.yes_or_no, False, "Also remove untagged manifests.")

    @property
    def takes_tags(self) -> bool:
        """Whether it says which tags go: with `untagged` alone, none do."""
        return self.keep is not None or self.older_than is not None or self.match is not None

    def complaint(self) -> str:
        """Why the rule cannot be meant, "" if it can."""
        if self.takes_tags or self.untagged:
            return ""
        return "the rule does not say what to remove: set keep, older_than, match or untagged"
