"""How it is printed what users gain and lose by other access rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deployer.cli.views.words import counted
from deployer.settings.values import checks
from deployer.workflows.rule_changes import RECENT_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.permissions.difference import RuleChange


def changes_json(changes: Iterable[RuleChange]) -> list[dict[str, Any]]:
    """What users gain and lose, for programs."""
    return [
        {
            "who": one.who,
            "change": "gains" if one.gains else "loses",
            "action": one.action,
            "patterns": list(one.patterns),
            "except": list(one.unchanged),
            "repositories": one.repositories,
            "recently_pushed": one.recent,
        }
        for one in changes
    ]


def changes_in_words(changes: Iterable[RuleChange]) -> Iterator[str]:
    """A line for each: "bob loses push: team/* (14 repositories, 2 pushed to in the last 7 days)"."""
    for one in changes:
        who = {checks.LOGGED_IN: "every other user", checks.ANONYMOUS: "anonymous"}.get(one.who, one.who)
        patterns = "everything" if one.patterns == ("*",) else ", ".join(one.patterns)
        unchanged = f" except {', '.join(one.unchanged)}" if one.unchanged else ""
        yield f"{who} {'gains' if one.gains else 'loses'} {one.action}: {patterns}{unchanged}{_counted(one)}"


def _counted(one: RuleChange) -> str:
    if one.repositories is None:
        return ""
    recent = f", {one.recent} pushed to in the last {RECENT_DAYS} days" if one.recent else ""
    return f" ({counted(one.repositories, 'repository', 'repositories')}{recent})"
