"""The user of the check: may push where rules are in effect, and leaves nothing, not even if the check fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from deployer.errors import UpgradeFailed
from deployer.host import passwords
from deployer.paths import Deployment
from deployer.rendering.rules import rule_files, user_files
from deployer.settings.access import AccessRule
from deployer.settings.model import Settings
from deployer.settings.values.account import Account, written
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.upgrade import health
from deployer.workflows.users import in_force
from tests.support.fake_engine import FakeContainers, FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

RULES = (AccessRule(("ada",), ("team/*",), ("pull",)),)
ADA = Account("ada", passwords.hashed("a long Enough secret 7", passwords.USUAL_COSTS[0]))


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A deployment with a user and a rule, by settings that hold no rule, as those of another folder do."""
    deployment = Deployment("registry", tmp_path / "registry")
    for file in (*user_files(Settings(), (ADA,)), *rule_files(Settings(access=RULES))):
        (deployment.directory / file.path).parent.mkdir(parents=True, exist_ok=True)
        (deployment.directory / file.path).write_bytes(file.content)
    deployment.compose_file.write_text("services: {}\n")
    deployment.users_file.write_bytes(written((ADA,)))
    deployment.users_file.chmod(0o600)
    return Stack(Settings(), deployment, FakeEngine(containers=FakeContainers()))


def access(stack: Stack) -> dict[str, str]:
    """The files that the frontend reads about users and rules."""
    return {one.name: one.read_text() for one in (stack.deployment.directory / "frontend" / "access").iterdir()}


def fail_in_check(stack: Stack, during: dict[str, str]) -> None:
    """Let the check's user in, note what the frontend reads then and the user's name, and fail."""
    with health._let_in(stack) as login:
        assert login is not None
        during |= {**access(stack), "name": login.name}
        assert login.password not in "".join(during.values())
        raise UpgradeFailed("The registry responded to the test push with 500.")


def test_the_user_of_the_check_is_added_to_the_rules_in_effect_and_a_failure_leaves_nothing(stack: Stack) -> None:
    before, during = access(stack), dict[str, str]()
    with pytest.raises(UpgradeFailed):
        fail_in_check(stack, during)
    assert during["grants"].startswith(before["grants"])
    assert re.escape(during["name"]) in during["grants"].removeprefix(before["grants"])
    assert (during["rules"], during["name"] in during["users"]) == (before["rules"], True)
    assert access(stack) == before
    assert not stack.deployment.reload_pending_file.exists()


def test_after_a_kill_its_user_is_removed_without_a_warning_about_the_users(stack: Stack) -> None:
    before = access(stack)
    with health._let_in(stack):
        killed, mark = access(stack), stack.deployment.reload_pending_file.read_bytes()
    for name, content in killed.items():
        (stack.deployment.directory / "frontend" / "access" / name).write_text(content)
    stack.deployment.reload_pending_file.write_bytes(mark)
    assert in_force.finish(stack) == ""
    assert access(stack)["users"] == before["users"]
    assert not stack.deployment.reload_pending_file.exists()
