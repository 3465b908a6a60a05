"""Passwords: refused where they cannot be used or are easily guessed, and quoted nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.errors import UsageError
from deployer.host import passwords
from deployer.host.passwords import PasswordRefused

GOOD = "correct horse battery staple"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "is empty"),
        ("correct horse\tbattery", "control character"),
        ("correct horse\nbattery", "control character"),
        ("correct horse\x00battery", "control character"),
        ("correct horse\x7fbattery", "control character"),
        ("correct horse\u2028battery", "control character"),
        ("correct horse\udcffbattery", "control character"),
        ("kX9" * 24 + "!", "has 73 bytes"),
        ("é!K" * 19, "has 76 bytes"),
    ],
)
def test_what_cannot_be_used_is_refused_even_when_forced(password: str, words: str, force: bool) -> None:
    with pytest.raises(PasswordRefused, match=words):
        passwords.check(password, ("ann",), force=force)


@pytest.mark.parametrize(
    "password", ["password", "hunter2", "registry", "annsmith", "abcdefgh", "a" * 72, "1", "qwerty"]
)
def test_what_is_easily_guessed_is_refused_unless_forced(password: str) -> None:
    with pytest.raises(PasswordRefused, match=r"too easy to guess: [a-z].*[.]$") as caught:
        passwords.check(password, ("annsmith", "registry"), force=False)
    assert caught.value.advice[-1] == "Add --force to use it anyway."
    passwords.check(password, ("annsmith", "registry"), force=True)


def test_what_a_guesser_knows_of_the_user_makes_a_password_weak() -> None:
    passwords.check("Kwexelborg7", ("ann", "registry"), force=False)
    with pytest.raises(PasswordRefused, match="too easy to guess"):
        passwords.check("Kwexelborg7", ("kwexelborg", "registry"), force=False)


def test_zxcvbns_own_words_are_told() -> None:
    with pytest.raises(PasswordRefused, match="this is a very common password") as caught:
        passwords.check("hunter2", (), force=False)
    assert "Add another word or two. Uncommon words are better." in caught.value.advice


@pytest.mark.parametrize("password", [GOOD, "kX9!vR2#mQ7" * 6, "パスワードは長い方がよい", "Übung macht:den Meister"])
def test_a_good_one_is_taken(password: str) -> None:
    passwords.check(password, ("ann", "registry"), force=False)


@settings(max_examples=200)
@given(st.text(max_size=90))
def test_any_text_is_taken_or_refused_and_never_quoted(password: str) -> None:
    for force in (False, True):
        try:
            passwords.check(password, ("ann", "registry"), force=force)
        except PasswordRefused as error:
            said = " ".join((error.message, *error.advice, error.original, repr(error)))
            # Short enough, it may be a part of the advice: `--force`.
            assert len(password) < 9 or password not in said


@settings(max_examples=20)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=18))
def test_a_hash_is_of_its_password_alone(password: str) -> None:
    hashed = passwords.hashed(password, 4)
    assert hashed.startswith("$2b$04$")
    assert passwords.matches(password, hashed)
    assert not passwords.matches(password + "x", hashed)
    assert passwords.matches(password, hashed.replace("$2b$", "$2y$"))


@pytest.mark.parametrize("password", ["x" * 73, "\udcff", ""])
def test_what_has_no_hash_matches_none(password: str) -> None:
    assert not passwords.matches(password, passwords.hashed("x" * 72, 4))


def test_a_damaged_hash_matches_nothing() -> None:
    assert not passwords.matches(GOOD, "$2b$04$short")


@pytest.mark.parametrize("cost", [10, 12, 16])
def test_a_sensible_cost_is_taken(cost: int) -> None:
    passwords.check_cost(cost, force=False)


@pytest.mark.parametrize(
    ("cost", "words"), [(4, "too quickly"), (9, "too quickly"), (17, "keeps a CPU busy"), (20, "busy")]
)
def test_another_cost_wants_force(cost: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        passwords.check_cost(cost, force=False)
    passwords.check_cost(cost, force=True)


@pytest.mark.parametrize("cost", [-1, 0, 3, 21, 31, 32, 99])
def test_an_absurd_cost_is_refused_even_when_forced(cost: int) -> None:
    with pytest.raises(UsageError, match="not supported; use 4 to 20"):
        passwords.check_cost(cost, force=True)
