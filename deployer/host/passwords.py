"""Passwords: whether one is good enough, its hash, and whether it is the one of a hash.

No error quotes a password. Two libraries: bcrypt, since the frontend and the registry take its
hashes alone; zxcvbn, since it knows the common passwords and the ways of varying them, which rules
about lengths and digits do not.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from deployer.errors import DeployerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_COST = 12
# Each step doubles the work: measured, one check takes 0.1 s at 10 and 0.35 s at 12, so 6 s at 16 and 90 s at 20.
USUAL_COSTS = range(10, 17)
FORCED_COSTS = range(4, 21)

# Of a longer one, bcrypt would not check the rest.
_MOST_BYTES = 72
# zxcvbn's own: below this, a million guesses find it.
_GOOD_ENOUGH = 2


class PasswordRefused(DeployerError):
    """A password that cannot be used, or is too easy to guess."""


def check_cost(cost: int, *, force: bool) -> None:
    """Make sure that a cost serves: how much work one check of a password is, in powers of two. Raises UsageError."""
    if cost in USUAL_COSTS or (force and cost in FORCED_COSTS):
        return
    usual = f"10 to 16 are sensible, {DEFAULT_COST} is the default."
    if cost not in FORCED_COSTS:
        raise UsageError(
            f"Cost {cost} is not supported; use {FORCED_COSTS[0]} to {FORCED_COSTS[-1]}. A check at cost "
            f"{FORCED_COSTS[-1]} takes more than a minute.",
            (usual,),
        )
    if cost < USUAL_COSTS[0]:
        reason = "anyone who reads the hash can guess passwords too quickly"
    else:
        reason = "every login attempt, even a failed one, keeps a CPU busy for many seconds"
    raise UsageError(f"Cost {cost} is not accepted: {reason}.", (usual, "Add --force to use it anyway."))


def check(password: str, known: Iterable[str], *, force: bool) -> None:
    """Make sure that a password can be used, by every client, and is not easily guessed; only the first with `force`.

    `known` are words that a guesser tries first, such as the user's name. Raises PasswordRefused.
    """
    _check_usable(password)
    if not force:
        _check_ends(password)
        _check_strength(password, known)


def hashed(password: str, cost: int) -> str:
    """The bcrypt hash of a password that `check` took; slow on purpose."""
    import bcrypt

    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def matches(password: str, hashed_one: str) -> bool:
    """Whether a bcrypt hash is of this password; slow on purpose."""
    import bcrypt

    try:
        return bcrypt.checkpw(password.encode(), hashed_one.encode())
    except ValueError:
        # Longer than any password that has a hash, or no text.
        return False


def _check_usable(password: str) -> None:
    if not password:
        raise PasswordRefused("The password is empty.")
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in password):
        raise PasswordRefused("The password contains a control character, which cannot be typed when logging in.")
    size = len(password.encode())
    if size > _MOST_BYTES:
        raise PasswordRefused(
            f"The password has {size} bytes; bcrypt accepts at most {_MOST_BYTES}.",
            ("Choose a shorter one; each non-ASCII character counts as two bytes or more.",),
        )


def _check_ends(password: str) -> None:
    # docker/cli, cli/command/registry.go, PromptUserForCredentials; version 20.10 left them.
    if password != password.strip():
        raise PasswordRefused(
            "The password starts or ends with a space, which current versions of `docker login` strip, so "
            "login would fail.",
            ("Choose one without such a space, or add --force if no Docker client will use it.",),
        )


def _check_strength(password: str, known: Iterable[str]) -> None:
    from zxcvbn import zxcvbn

    # It takes minutes for very long ones, and refuses more than 72 characters: `_check_usable` did before.
    judged = zxcvbn(password, user_inputs=list(known))
    if judged["score"] >= _GOOD_ENOUGH:
        return
    feedback = judged["feedback"]
    reason, *more = [words for words in (feedback["warning"], *feedback["suggestions"]) if words] or [
        "it is too short."
    ]
    raise PasswordRefused(
        f"The password is too easy to guess: {reason[0].lower()}{reason[1:]}",
        (*more, "Add --force to use it anyway."),
    )
