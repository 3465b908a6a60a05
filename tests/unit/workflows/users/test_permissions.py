"""What the rules let users do, and whether the registry runs with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployer.host.files import write_atomically
from deployer.paths import Deployment
from deployer.rendering import rules
from deployer.settings.access import AccessRule
from deployer.settings.model import Settings
from deployer.settings.values.account import Account
from deployer.workflows.users.permissions import Permissions

if TYPE_CHECKING:
    from pathlib import Path

RULES = (
    AccessRule(("admin",), ("*",), ("pull", "push", "delete")),
    AccessRule(("user01", "ci"), ("team/*", "centos"), ("pull",)),
    AccessRule(("ci",), ("team/*",), ("push",)),
    AccessRule(("ci",), ("*",), ("pull",)),
    AccessRule(("*",), ("public/*",), ("pull",)),
)


def permissions(rules: tuple[AccessRule, ...]) -> Permissions:
    return Permissions("localhost:5000", rules, None, are_in_force=True, restricts_everyone=bool(rules))


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment("registry", tmp_path)


def test_whether_the_rules_of_the_settings_are_in_effect(deployment: Deployment) -> None:
    ruled = Settings(access=RULES)
    assert Permissions.of(ruled, deployment, None).are_in_force
    for deployed, other in ((ruled, Settings()), (Settings(), ruled)):
        for file in rules.rule_files(deployed):
            write_atomically(deployment.directory / file.path, file.content, file.mode)
        found = Permissions.of(deployed, deployment, None)
        assert (found.are_in_force, found.restricts_everyone) == (True, bool(deployed.access))
        assert not Permissions.of(other, deployment, None).are_in_force


def test_a_rule_for_everyone_is_for_users_too() -> None:
    ruled = permissions((*RULES, AccessRule(("anonymous",), ("open/*",), ("pull",))))
    assert ruled.without_login(has_users=True) == {"pull": ("open/*",), "push": (), "delete": ()}
    assert ruled.of_user("stranger")["pull"] == ("public/*", "open/*")
    assert ruled.unknown_users([Account(name, "") for name in ("admin", "ci")]) == ("user01",)
    assert not any(permissions(RULES).without_login(has_users=False).values())
    assert not any(permissions(()).without_login(has_users=True).values())
    assert permissions(()).without_login(has_users=False)["delete"] == ("*",)


@pytest.mark.parametrize(
    ("rules", "action", "globs"),
    [
        ((), "delete", ("*",)),
        (RULES, "pull", ("*",)),
        (RULES, "push", ("team/*",)),
        (RULES, "delete", ()),
        (RULES[:2], "pull", ("team/*", "centos")),
    ],
)
def test_what_the_rules_give_a_user(rules: tuple[AccessRule, ...], action: str, globs: tuple[str, ...]) -> None:
    assert permissions(rules).of_user("ci")[action] == globs


def test_who_is_named_in_rules() -> None:
    assert permissions(RULES).naming("ci") == ("access[1]", "access[2]", "access[3]")
    assert permissions(RULES).naming("ann") == ()
    assert permissions(RULES).unknown_users((Account("admin", "hash"),)) == ("ci", "user01")
