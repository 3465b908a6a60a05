"""How it is printed what users gain and lose by other access rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deployer.cli.views.words import counted
from deployer.workflows.rule_changes import RECENT_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deployer.permissions.difference import RuleChange


def changes_json(changes: Iterable[RuleChange]) -> list[dict[str, Any]]:
    """What users gain and lose, for programs."""
    return [
        {
            "users": list(one.users),
            "for_all": one.for_all,
            "others": list(one.others),
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
        patterns = "everything" if one.patterns == ("*",) else ", ".join(one.patterns)
        unchanged = f" except {', '.join(one.unchanged)}" if one.unchanged else ""
        verb = "gain" if one.gains else "lose"
        verb = f"{verb}s" if len(one.users) + one.for_all == 1 else verb
        yield f"{_who(one)} {verb} {one.action}: {patterns}{unchanged}{_counted(one)}"


def _who(one: RuleChange) -> str:
    """Whom it is for: "alice, bob", "every user except admin"."""
    others = f" except {', '.join(one.others)}" if one.others else ""
    all_users = [f"every user{others}"] if one.for_all else []
    return " and ".join((*all_users, *([", ".join(one.users)] if one.users else [])))


def _counted(one: RuleChange) -> str:
    if one.repositories is None:
        return ""
    recent = f", {one.recent} pushed to in the last {RECENT_DAYS} days" if one.recent else ""
    return f" ({counted(one.repositories, 'repository', 'repositories')}{recent})"
