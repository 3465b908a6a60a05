"""`prune`: which rules count, what they would remove, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import UsageError
from deployer.settings.build import build
from deployer.settings.retention import RetentionRule
from deployer.settings.values import globs
from deployer.workflows.upkeep.collection import collect
from deployer.workflows.upkeep.retention import CreationTimes, Retention
from deployer.workflows.upkeep.survey.garbage import survey
from deployer.workflows.upkeep.survey.manifest_graph import Manifests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deployer.settings.load import Loaded
    from deployer.storage.access import Storage
    from deployer.workflows.upkeep.collection import Collected
    from deployer.workflows.upkeep.gate import DrainPolicy
    from deployer.workflows.upkeep.maintenance import Upkeep
    from deployer.workflows.upkeep.retention import SelectedTag
    from deployer.workflows.upkeep.survey.garbage import Survey


@dataclass(frozen=True)
class PrunePlan:
    """What would be removed, and the tags among it with the reasons, by repository.

    `undated` are those, by repository, that are kept since their creation decides and is not known. `unmatched` are
    the patterns that no repository matches.
    """

    retention: Retention
    survey: Survey
    manifests: Manifests
    tags: Mapping[str, tuple[SelectedTag, ...]]
    undated: Mapping[str, tuple[str, ...]]
    unmatched: tuple[str, ...] = ()


def rules_of(given: Mapping[str, object], patterns: Sequence[str], loaded: Loaded) -> tuple[RetentionRule, ...]:
    """The one rule that options give (those that are None or False are not given), or those of deployer.yaml.

    Raises UsageError, also if that file is for another deployment: what may go there need not be garbage here.
    """
    configured = loaded.settings.retention
    written = {key: value for key, value in given.items() if value not in {None, False}}
    if not written.keys() - {"by"} and not patterns:
        if configured and loaded.is_of_another:
            raise UsageError(
                f"The rules under `retention:` in {loaded.source} are for the deployment '{loaded.described}', "
                f"not for '{loaded.settings.name}'.",
                (
                    f"deployer prune --name {loaded.settings.name} --keep 5 --older-than 30d",
                    f"Or write a file for '{loaded.settings.name}' and use it with --config.",
                ),
            )
        if configured:
            return configured
        raise UsageError(
            "Nothing selected: say which tags to remove.",
            ("deployer prune --keep 5 --older-than 30d", "Or write rules under `retention:` in deployer.yaml."),
        )
    problems: list[str] = []
    rule = build(RetentionRule, {**written, **({"repositories": list(patterns)} if patterns else {})}, problems)
    if problems:
        field, _, rest = problems[0].partition(":")
        # Repositories are arguments, and no option.
        named = "REPOSITORY" if field == "repositories" else f"--{field.replace('_', '-')}"
        raise UsageError(f"{named}:{rest}.")
    if rule.complaint():
        raise UsageError(
            "Nothing selected: say which tags to remove.",
            ("Use --keep, --older-than, --match or --untagged; --dry-run shows the plan.",),
        )
    return (rule,)


def plan_prune(storage: Storage, rules: Sequence[RetentionRule]) -> PrunePlan:
    """Survey the storage. Changes nothing. Raises StorageError or EngineError."""
    retention, manifests = Retention(rules, CreationTimes(storage)), Manifests()
    patterns = dict.fromkeys(pattern for rule in rules for pattern in rule.repositories)
    found = survey(storage, manifests, retention.policy)
    selection = retention.select(found.snapshot, manifests)
    names = found.snapshot.repositories
    # A registry without repositories is reported as that.
    unmatched = [one for one in patterns if names and not any(globs.matches(name, [one]) for name in names)]
    return PrunePlan(retention, found, manifests, selection.tags, selection.undated, tuple(unmatched))


def apply_prune(work: Upkeep, plan: PrunePlan, drain: DrainPolicy) -> Collected:
    """Remove what the plan shows. Raises what `collect` raises."""
    return collect(work, plan.manifests, plan.retention.policy, plan.survey, drain)
