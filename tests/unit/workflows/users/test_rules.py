"""The rules asked about: what is answered, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import DeployerError, NotFound, UsageError
from deployer.host.files import write_atomically
from deployer.paths import Deployment
from deployer.rendering.rules import rule_files
from deployer.settings.access import AccessRule, Group, expectations
from deployer.settings.model import Settings
from deployer.settings.values.account import Account
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.users import rules
from tests.support.fake_engine import FakeContainers, FakeEngine

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = (Account("admin", ""), Account("alice", ""))
SETTINGS = Settings(
    groups=(Group("developers", ("alice",)),),
    access=(
        AccessRule(("admin",), allow=("pull", "push", "delete")),
        AccessRule((), ("team/*",), ("pull",), groups=("developers",)),
    ),
)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    file = tmp_path / "deployer.yaml"
    file.write_text("access:\n- users: [admin]\n  allow: [pull, push, delete]\n- groups: developers\n")
    engine = FakeEngine(containers=FakeContainers())
    return Stack(SETTINGS, Deployment("registry", tmp_path / "deployed"), engine, source=file)


def deploy(stack: Stack, settings: Settings) -> None:
    for file in rule_files(settings):
        write_atomically(stack.deployment.directory / file.path, file.content, file.mode)


def test_an_answer_has_lines(stack: Stack) -> None:
    found = rules.answer(stack, ACCOUNTS, "alice", "pull", "localhost:5000/team/app:1.2")
    assert found.explanation.is_allowed
    assert found.explanation.request.repository == "team/app"
    assert (found.lines, found.is_known, found.may_push) == ({0: 2, 1: 4}, True, False)


@pytest.mark.parametrize(
    ("who", "accounts", "is_known"),
    [
        ("mallory", ACCOUNTS, False),
        ("mallory", (), True),
        ("anonymous", ACCOUNTS, True),
        ("group:developers", ACCOUNTS, True),
    ],
)
def test_whether_there_is_such_a_user(stack: Stack, who: str, accounts: tuple[Account, ...], is_known: bool) -> None:
    assert rules.answer(stack, accounts, who, "pull", "team/app").is_known is is_known


@pytest.mark.parametrize(
    ("who", "action", "image", "said"),
    [
        ("alice", "pul", "team/app", "'pul' is not one of: pull, push, delete."),
        ("group:developer", "pull", "team/app", "There is no group 'developer'."),
        ("a b", "pull", "team/app", "'a b' is not a valid user name"),
        ("alice", "pull", "ghcr.io/team/app", "belongs to the registry ghcr.io"),
        ("alice", "pull", "Team/app", "upper"),
    ],
)
def test_mistakes_are_told(stack: Stack, who: str, action: str, image: str, said: str) -> None:
    with pytest.raises(DeployerError) as caught:
        rules.answer(stack, ACCOUNTS, who, action, image)
    assert said in caught.value.message
    assert caught.value.exit_code == 2


def test_what_would_change(stack: Stack) -> None:
    with pytest.raises(NotFound, match="has not been started"):
        rules.difference(stack, ACCOUNTS)
    deploy(stack, SETTINGS)
    assert rules.difference(stack, ACCOUNTS) == ()
    deploy(stack, replace(SETTINGS, access=SETTINGS.access[:1]))
    (found,) = rules.difference(stack, ACCOUNTS)
    assert (found.users, found.action, found.gains, found.patterns) == (("alice",), "pull", True, ("team/*",))
    # No registry runs that would tell which repositories there are.
    assert found.repositories is None
    (stack.deployment.directory / "frontend/access/grants").write_text("import other\n")
    with pytest.raises(UsageError, match="cannot be compared"):
        rules.difference(stack, ACCOUNTS)


def test_expectations_are_tested(stack: Stack) -> None:
    with pytest.raises(UsageError, match="Nothing is expected"):
        rules.test(SETTINGS, ACCOUNTS)
    made = replace(SETTINGS, expect=expectations([{"alice": ["can pull team/*", "can push team/*"]}]))
    found = rules.test(made, ACCOUNTS)
    assert [one.expectation.statement for one in found.failures] == ["can push team/*"]
    assert [one.statement for one in found.met] == ["can pull team/*"]
    # `up` refuses who does not exist.
    assert (rules.test(made, ACCOUNTS[:1]).unknown, rules.test(made, ACCOUNTS[:1]).met) == (("alice",), ())
