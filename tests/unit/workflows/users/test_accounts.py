"""Changing the users: each change whole or not at all, and what the rules let a user do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deployer.errors import EngineError, HostError, NotFound, PreflightError, UsageError
from deployer.layout import USERS_IN_FORCE
from deployer.paths import Deployment
from deployer.settings.model import Settings
from deployer.settings.values.account import Account
from deployer.workflows.deployment import access
from deployer.workflows.deployment.stack import Stack
from deployer.workflows.users import accounts, in_force
from deployer.workflows.users.accounts import AccountsRefused
from tests.support.fake_engine import FakeContainers, FakeEngine, elsewhere, service_container

if TYPE_CHECKING:
    from pathlib import Path

HASH = "$2b$10$" + "a" * 53
OTHER = "$2y$12$" + "b" * 53
ANN, BOB = Account("ann", HASH), Account("bob", HASH)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(
        Settings(), Deployment("registry", tmp_path / "deployer" / "registry"), FakeEngine(containers=FakeContainers())
    )


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Account, ...]]:
    """The users as each `apply` found them in the file."""
    seen: list[tuple[Account, ...]] = []

    def apply(stack: Stack) -> bool:
        seen.append(access.accounts_of(stack.deployment))
        return True

    monkeypatch.setattr(in_force, "apply", apply)
    return seen


def test_users_of_a_registry_that_another_user_started_are_not_said_to_be_none(tmp_path: Path) -> None:
    """As after `sudo`, which gives another home: the file there has no users, and nothing reads it."""
    theirs = tmp_path / "home" / "deployer" / "registry"
    container = replace(service_container("frontend", "running"), directory=str(theirs))
    engine = FakeEngine(containers=FakeContainers(found=(container,)))
    stack = Stack(Settings(), Deployment("registry", tmp_path / "root" / "deployer" / "registry"), engine)
    for must_exist in (False, True):
        with pytest.raises(PreflightError, match=f"already exists, created from {theirs}") as caught:
            accounts.current(stack, {}, must_exist=must_exist)
        assert caught.value.advice[0].startswith("To work with that deployment, run the command as the user")
    with pytest.raises(PreflightError):
        accounts.check_addition(stack, {}, "bob")
    assert not stack.deployment.directory.exists()


def test_users_who_are_in_effect_and_not_kept_are_not_said_to_be_none(stack: Stack, tmp_path: Path) -> None:
    in_force = stack.deployment.directory / USERS_IN_FORCE
    in_force.parent.mkdir(parents=True)
    in_force.write_text("anna hash\nnobody hash\n")
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    with pytest.raises(HostError, match=r"/users has no users, but the running registry has 1:"):
        accounts.not_lost(stack, environment, must_exist=False)
    # To add them again is what is advised.
    assert accounts.current(stack, environment, must_exist=False) == ()


def test_without_an_engine_users_are_read_all_the_same(stack: Stack, tmp_path: Path) -> None:
    assert accounts.current(stack, {"XDG_DATA_HOME": str(tmp_path)}, must_exist=False) == ()
    away = replace(stack, engine=FakeEngine(system=elsewhere("tcp://192.0.2.1:2375")))
    assert accounts.current(away, {"XDG_DATA_HOME": str(tmp_path)}, must_exist=False) == ()


def test_a_change_is_written_for_its_owner_alone_and_then_applied(stack: Stack, applied: list[object]) -> None:
    done = accounts.change(stack, "user add", lambda known: accounts.added(known, "bob", HASH))
    assert done == accounts.Changed((), (BOB,), running=True)
    assert done.closes
    assert stack.deployment.users_file.read_text() == f"bob:{HASH}\n"
    assert stack.deployment.users_file.stat().st_mode & 0o777 == 0o600
    assert not accounts.change(stack, "user add", lambda known: accounts.added(known, "ann", HASH)).closes
    assert applied == [(BOB,), (ANN, BOB)]


def test_a_refused_change_leaves_the_file_and_applies_nothing(stack: Stack, applied: list[object]) -> None:
    accounts.change(stack, "user add", lambda known: accounts.added(known, "bob", HASH))
    before = stack.deployment.users_file.stat().st_mtime_ns
    with pytest.raises(AccountsRefused):
        accounts.change(stack, "user add", lambda known: accounts.added(known, "bob", OTHER))
    assert stack.deployment.users_file.stat().st_mtime_ns == before
    assert len(applied) == 1


def test_a_damaged_file_is_never_written_over(stack: Stack, applied: list[object]) -> None:
    stack.deployment.directory.mkdir(parents=True)
    stack.deployment.users_file.write_text("bob:secret\n")
    with pytest.raises(HostError, match=r"is damaged: line 1") as caught:
        accounts.change(stack, "user add", lambda known: accounts.added(known, "ann", HASH))
    assert "secret" not in str(caught.value)
    assert stack.deployment.users_file.read_text() == "bob:secret\n"


def test_where_the_registry_does_not_take_it_over_that_is_said(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(stack: Stack) -> bool:
        raise EngineError("No Docker engine answers.", ("Start it.",), "dial unix")

    monkeypatch.setattr(in_force, "apply", fail)
    with pytest.raises(EngineError, match=r"saved but not in effect yet[.] No Docker engine answers[.]$") as caught:
        accounts.change(stack, "user add", lambda known: accounts.added(known, "bob", HASH))
    assert caught.value.advice == ("Start it.", "deployer up")
    assert caught.value.original == "dial unix"
    assert access.accounts_of(stack.deployment) == (BOB,)
    assert stack.deployment.reload_pending_file.exists()


@pytest.mark.parametrize("name", ["", "a b", "-x", "a:b", "a\nb", "x" * 65, "ä", "*"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid user name"):
        accounts.check_name(name)


def test_an_unknown_user_is_told_with_who_is_like_it() -> None:
    with pytest.raises(NotFound, match="No such user: 'bop'") as caught:
        accounts.find((ANN, BOB), "bop")
    assert caught.value.advice == ("Did you mean bob?",)
    with pytest.raises(NotFound) as caught:
        accounts.find((ANN, BOB), "zed\x1b")
    assert caught.value.message == "No such user: 'zed\\x1b'."
    assert caught.value.advice == ("To list the users: deployer user list",)
    with pytest.raises(NotFound, match="There are no users"):
        accounts.find((), "bob")


def test_another_password_is_for_one_user_alone() -> None:
    assert accounts.with_password((ANN, BOB), "bob", OTHER) == (ANN, Account("bob", OTHER))
    with pytest.raises(NotFound):
        accounts.with_password((ANN,), "bob", OTHER)


def test_the_last_user_goes_only_where_that_is_meant() -> None:
    assert accounts.without((ANN, BOB), "bob", may_open=False) == (ANN,)
    with pytest.raises(AccountsRefused, match="open to everyone") as caught:
        accounts.without((BOB,), "bob", may_open=False)
    assert "Or open the registry to everyone: deployer user remove bob --open" in caught.value.advice
    assert accounts.without((BOB,), "bob", may_open=True) == ()
    with pytest.raises(NotFound):
        accounts.without((BOB,), "ann", may_open=True)


def read(
    text: str | bytes, known: tuple[Account, ...] = (), *, skip: bool = False, replace: bool = False
) -> accounts.Import:
    content = text.encode() if isinstance(text, str) else text
    return accounts.read_import(content, "x.htpasswd", known, skip=skip, replace=replace)


def test_an_import_adds_and_knows_who_is_there_already() -> None:
    plan = read(f"bob:{HASH}\nann:{HASH}\n", (BOB,))
    assert plan == accounts.Import((ANN,), (), (BOB,), ())
    assert plan.onto((BOB,)) == (BOB, ANN)


def test_an_import_changes_passwords_only_where_that_is_meant() -> None:
    with pytest.raises(AccountsRefused, match="different passwords") as caught:
        read(f"bob:{OTHER}\nann:{HASH}", (BOB,))
    assert caught.value.problems == ("bob",)
    plan = read(f"bob:{OTHER}\nann:{HASH}", (BOB,), replace=True)
    assert set(plan.onto((BOB,))) == {Account("bob", OTHER), ANN}


def test_an_import_takes_all_or_says_each_line_that_cannot_be() -> None:
    text = f"ann:{HASH}\nmd5:$apr1$a$b\n\nhunter2hunter2\n"
    with pytest.raises(AccountsRefused, match=r"x\.htpasswd has lines that cannot be imported") as caught:
        read(text)
    assert caught.value.problems == (
        "line 2: the password of 'md5' is stored as an Apache MD5 hash; only bcrypt is supported",
        "line 4: not in the form NAME:HASH",
    )
    plan = read(text, skip=True)
    assert plan.added == (ANN,)
    assert [one.number for one in plan.skipped] == [2, 4]


@pytest.mark.parametrize("content", [b"", b"# nobody\n", b"\xff\xfea\x00:\x00"])
def test_a_file_without_users_is_refused(content: bytes) -> None:
    with pytest.raises(AccountsRefused, match=r"x\.htpasswd (contains no users|is not a valid htpasswd file)"):
        read(content)


def test_the_mark_that_windows_writes_is_no_part_of_a_name() -> None:
    assert read(b"\xef\xbb\xbf" + f"ann:{HASH}\r\n".encode()).added == (ANN,)
