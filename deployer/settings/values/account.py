"""Users of a registry, and the file that keeps them: an htpasswd file with bcrypt hashes only."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deployer.settings.values import checks

if TYPE_CHECKING:
    from collections.abc import Iterable

# Fact: hashes that begin $2y$, $2a$ or $2b$ work, others answer 401. bcrypt knows the costs from 4 to 31.
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
# At 20 one check takes more than a minute, and nothing ends one that has begun.
_MOST_COST = 20
# Anybody may cause these checks.
_MOST_FOR_A_STRANGER = 14
_OTHERS = (
    (r"\$apr1\$", "an Apache MD5 hash"),
    (r"\{SHA\}", "a SHA-1 hash"),
    (r"\$1\$", "an MD5 hash"),
    (r"\$5\$|\$6\$", "a SHA-2 crypt hash"),
    (r"\$2", "a damaged bcrypt hash"),
    (r"\$argon2", "an Argon2 hash"),
    (r"[./A-Za-z0-9]{13}$", "a crypt hash"),
)


@dataclass(frozen=True)
class Account:
    """A user's name and the bcrypt hash of the password; the hash does not show when printed."""

    name: str
    hash: str = field(repr=False)

    @property
    def cost(self) -> int:
        """bcrypt's cost: the work of one check doubles with each step."""
        found = _BCRYPT.fullmatch(self.hash)
        return int(found[1]) if found else 0


def dummy_account(accounts: Iterable[Account]) -> Account:
    """Whom everyone is taken for who is no user: a check as slow as a user's, which no password passes.

    The name is none that a user can have, and three bytes long with the colon behind it.
    """
    cost = min(max((account.cost for account in accounts), default=0), _MOST_FOR_A_STRANGER)
    return Account("--", f"$2b${cost:02}${'.' * 53}")


def sign_in_prefixes(account: Account) -> str:
    """A regular expression for how the login of this user begins, in base64 (RFC 7617, RFC 4648)."""
    begun = f"{account.name}:".encode()
    whole = len(begun) // 3 * 3
    fixed = re.escape(base64.b64encode(begun[:whole]).decode())
    rest = begun[whole:]
    if not rest:
        return fixed
    # The next character holds some bits of the password.
    following = {base64.b64encode(rest + bytes([byte]))[: len(rest) + 1].decode() for byte in range(256)}
    (same,) = {text[:-1] for text in following}
    return f"{fixed}{re.escape(same)}[{''.join(sorted(text[-1] for text in following))}]"


@dataclass(frozen=True)
class BadLine:
    """A line of an htpasswd file that makes no account: its number from 1, and why."""

    number: int
    reason: str


def parse(text: str) -> tuple[tuple[Account, ...], tuple[BadLine, ...]]:
    """The accounts in an htpasswd file, and its lines that make none. Empty lines and comments are neither."""
    accounts: dict[str, Account] = {}
    bad = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, colon, found = line.partition(":")
        reason = _complaint(name, colon, found, accounts)
        if reason:
            bad.append(BadLine(number, reason))
        else:
            accounts[name] = Account(name, found)
    return tuple(accounts.values()), tuple(bad)


def written(accounts: Iterable[Account]) -> bytes:
    """The file's content for these accounts, sorted by name."""
    lines = [f"{account.name}:{account.hash}\n" for account in sorted(accounts, key=lambda one: one.name)]
    return "".join(lines).encode()


def _complaint(name: str, colon: str, found: str, known: dict[str, Account]) -> str:
    # No message quotes what may be a password.
    if not colon:
        return "not in the form NAME:HASH"
    try:
        checks.user(name)
    except ValueError as error:
        return str(error)
    if name in known:
        return f"'{name}' is listed twice"
    if _BCRYPT.fullmatch(found):
        cost = Account(name, found).cost
        slow = f"the hash of '{name}' has cost {cost}: a single check would keep a CPU busy for minutes or days"
        return slow if cost > _MOST_COST else ""
    kind = next((words for pattern, words in _OTHERS if re.match(pattern, found)), "an unknown kind of hash")
    return f"the password of '{name}' is stored as {kind}; only bcrypt is supported"
