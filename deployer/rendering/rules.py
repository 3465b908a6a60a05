"""What the frontend reads about users and access rules."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.host.files import PRIVATE
from deployer.layout import ACCESS_FOLDER, GRANTS, LOGIN_REQUIRED, NOBODY_TOKEN, TOKEN_PATH, USERS_IN_FORCE
from deployer.reference import NAME_PATTERN
from deployer.rendering import grants
from deployer.rendering.templates import File, render
from deployer.settings.access import allowed
from deployer.settings.values import checks, globs
from deployer.settings.values.account import dummy_account, sign_in_prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployer.settings.access import AccessRule
    from deployer.settings.model import Settings
    from deployer.settings.values.account import Account

# The login that a browser has after a logout: the page sends it, so that the browser forgets the user's.
_LOGGED_OUT = base64.b64encode(b"signed-out:--").decode()


def user_files(settings: Settings, accounts: tuple[Account, ...]) -> tuple[File, ...]:
    """What the frontend reads about users."""
    nobody = dummy_account(accounts)
    sign_in = render(
        f"{ACCESS_FOLDER}/sign-in.j2",
        page=settings.frontend.is_builtin,
        realm=f"registry at {settings.address}",
        known="|".join(map(sign_in_prefixes, accounts)),
        nobody=base64.b64encode(f"{nobody.name}:".encode()).decode(),
        logged_out=_LOGGED_OUT,
    )
    users = render(f"{ACCESS_FOLDER}/users.j2", accounts=(*accounts, nobody) if accounts else ())
    return File(f"{ACCESS_FOLDER}/sign-in", sign_in), File(USERS_IN_FORCE, users, PRIVATE)


def rule_files(settings: Settings) -> tuple[File, ...]:
    """What the frontend reads about access rules."""
    meant = settings.user_rules
    is_public = any(rule.is_for_everyone for rule in meant)
    page = settings.frontend.is_builtin
    judging = render(
        f"{ACCESS_FOLDER}/rules.j2",
        has_rules=bool(meant),
        name_pattern=NAME_PATTERN,
        page=page,
        is_public=is_public,
        listings=[_Listing.of(name, meant) for name in ("", *_named(meant))],
        default_listing=_visible(meant, checks.LOGGED_IN),
        token_path=TOKEN_PATH,
        nobody_token=NOBODY_TOKEN,
        login_required=LOGIN_REQUIRED,
    )
    tokens = render(
        f"{ACCESS_FOLDER}/tokens.j2", is_public=is_public, nobody_token=NOBODY_TOKEN, logged_out=_LOGGED_OUT
    )
    return (
        File(f"{ACCESS_FOLDER}/rules", judging),
        File(f"{ACCESS_FOLDER}/tokens", tokens),
        File(GRANTS, grants.written(meant)),
    )


@dataclass(frozen=True)
class _Listing:
    """The repositories that a user's lists show, "" being a client that is not logged in."""

    user: str
    visible: str

    @classmethod
    def of(cls, user: str, rules: Iterable[AccessRule]) -> _Listing:
        return cls(user, _visible(rules, user))


def _named(rules: Iterable[AccessRule]) -> list[str]:
    return sorted({name for rule in rules for name in rule.users} - checks.EVERYONE)


def _visible(rules: Iterable[AccessRule], user: str) -> str:
    """What a user may pull, as a regular expression; "all" for everything."""
    patterns = dict.fromkeys(pattern for _, pattern in allowed(rules, user, "pull"))
    if any(not pattern.strip("*") for pattern in patterns):
        return "all"
    return "|".join(map(globs.expression, patterns))
