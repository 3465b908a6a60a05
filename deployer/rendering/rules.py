"""What the frontend reads about users and access rules."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.host.files import PRIVATE
from deployer.layout import ACCESS_FOLDER, GRANTS, USERS_IN_FORCE
from deployer.reference import NAME_PATTERN
from deployer.rendering.templates import File, render
from deployer.settings import globs
from deployer.settings.account import dummy_account, sign_in_prefixes

if TYPE_CHECKING:
    from deployer.settings.account import Account
    from deployer.settings.model import AccessRule, Settings

# What each action of a rule allows, see templates/frontend/access/rules.j2.
_GRANTED = {"pull": "pull|look", "push": "push|look", "delete": "delete"}


def user_files(settings: Settings, accounts: tuple[Account, ...]) -> tuple[File, ...]:
    """What the frontend reads about users."""
    nobody = dummy_account(accounts)
    sign_in = render(
        f"{ACCESS_FOLDER}/sign-in.j2",
        page=settings.frontend.is_builtin,
        realm=f"registry at {settings.address}",
        known="|".join(map(sign_in_prefixes, accounts)),
        nobody=base64.b64encode(f"{nobody.name}:".encode()).decode(),
    )
    users = render(f"{ACCESS_FOLDER}/users.j2", accounts=(*accounts, nobody) if accounts else ())
    return File(f"{ACCESS_FOLDER}/sign-in", sign_in), File(USERS_IN_FORCE, users, PRIVATE)


def rule_files(settings: Settings) -> tuple[File, ...]:
    """What the frontend reads about access rules."""
    rules = [_Grant.of(rule) for rule in settings.access]
    judging = render(
        f"{ACCESS_FOLDER}/rules.j2", rules=rules, name_pattern=NAME_PATTERN, page=settings.frontend.is_builtin
    )
    return (
        File(f"{ACCESS_FOLDER}/rules", judging),
        File(GRANTS, render(f"{GRANTS}.j2", rules=rules)),
    )


@dataclass(frozen=True)
class _Grant:
    """An access rule as regular expressions, in Go's syntax."""

    users: str
    actions: str
    repositories: str

    @classmethod
    def of(cls, rule: AccessRule) -> _Grant:
        return cls(
            users="[^ ]+" if "*" in rule.users else "|".join(map(re.escape, rule.users)),
            actions="|".join(_GRANTED[action] for action in rule.allow),
            repositories="|".join(map(globs.expression, rule.repositories)),
        )
