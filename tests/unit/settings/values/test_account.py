"""The file that keeps the users: bcrypt hashes alone, every other line named."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.settings.values import checks
from deployer.settings.values.account import Account, BadLine, dummy_account, parse, sign_in_prefixes, written

HASH = "$2b$10$" + "a" * 53


def test_what_is_written_is_read_again_sorted() -> None:
    accounts = (Account("bob", HASH), Account("ann", HASH.replace("$10$", "$12$")))
    assert written(accounts).decode().splitlines() == [f"ann:{accounts[1].hash}", f"bob:{HASH}"]
    assert parse(written(accounts).decode()) == ((accounts[1], accounts[0]), ())
    assert [one.cost for one in accounts] == [10, 12]


def test_empty_lines_and_comments_are_no_users() -> None:
    assert parse(f"\n# the team\n  ann:{HASH}  \n") == ((Account("ann", HASH),), ())


@pytest.mark.parametrize("kind", ["2a", "2b", "2y"])
def test_the_three_kinds_of_bcrypt_are_taken(kind: str) -> None:
    assert parse(f"ann:{HASH.replace('2b', kind)}")[1] == ()


def test_a_cost_that_would_keep_a_processor_busy_for_ever_is_refused() -> None:
    assert parse(f"ann:{HASH.replace('$10$', '$20$')}")[1] == ()
    ((bad),) = parse(f"ann:{HASH.replace('$10$', '$21$')}")[1]
    assert "has cost 21: a single check would keep a CPU busy" in bad.reason


@pytest.mark.parametrize("cost", ["00", "03", "32", "99"])
def test_a_cost_that_bcrypt_does_not_know_is_damage(cost: str) -> None:
    bad = parse(f"ann:{HASH.replace('$10$', f'${cost}$')}")[1]
    assert bad == (BadLine(1, "the password of 'ann' is stored as a damaged bcrypt hash; only bcrypt is supported"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ann:$apr1$x$y", "an Apache MD5 hash"),
        ("ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "a SHA-1 hash"),
        ("ann:$6$salt$hash", "a SHA-2 crypt hash"),
        ("ann:rl.3StKT.4T8M", "a crypt hash"),
        (f"ann:{HASH[:-1]}", "a damaged bcrypt hash"),
        ("ann:plain text", "an unknown kind of hash"),
        ("hunter2hunter2", "not in the form NAME:HASH"),
        (f"a b:{HASH}", "is not a valid user name"),
    ],
)
def test_other_lines_are_named_by_number_and_reason_and_never_quoted(line: str, reason: str) -> None:
    accounts, bad = parse(f"bob:{HASH}\n\n{line}\nbob:{HASH}\n")
    assert [one.name for one in accounts] == ["bob"]
    assert [one.number for one in bad] == [3, 4]
    assert reason in bad[0].reason
    assert "twice" in bad[1].reason
    assert line.partition(":")[2] not in bad[0].reason or ":" not in line
    assert "hunter2" not in bad[0].reason


def test_a_hash_does_not_show_when_printed() -> None:
    assert HASH not in repr(Account("ann", HASH))


NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}", fullmatch=True)


@given(name=NAME, other=NAME, password=st.text(max_size=80))
def test_a_login_begins_as_that_of_its_user_and_of_nobody_else(name: str, other: str, password: str) -> None:
    def header(user: str) -> str:
        return base64.b64encode(f"{user}:{password}".encode()).decode()

    pattern = re.compile(sign_in_prefixes(Account(name, HASH)))
    assert pattern.match(header(name))
    assert bool(pattern.match(header(other))) is (other == name)


def test_who_is_nobody_is_no_user_and_takes_as_long_to_check_as_the_slowest() -> None:
    nobody = dummy_account([Account("a", HASH), Account("b", HASH.replace("$10$", "$12$"))])
    assert nobody.cost == 12
    # Anybody may cause the check, so there is a limit.
    assert dummy_account([Account("b", HASH.replace("$10$", "$20$"))]).cost == 14
    with pytest.raises(ValueError, match="is not a valid user name"):
        checks.user(nobody.name)
    assert len(f"{nobody.name}:") % 3 == 0
