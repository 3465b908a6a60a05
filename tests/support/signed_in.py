"""Deployments with users, rules and TLS, made by the files that `deployer` reads."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import bcrypt
import httpx

from tests.support.run import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.support.stack import DeployedStack

# The least that bcrypt takes: tests log in often.
COST = 4


def password_of(user: str) -> str:
    """The password that a user of the tests has, with characters in it that shells and templates read."""
    return f'pä$$ {{{user}}} "${{HOME}}" \\x'


def write_users(stack: DeployedStack, names: Iterable[str], **changed: str) -> None:
    """Give a deployment these users, from its next `up` on, some with a changed password."""
    stack.directory.mkdir(parents=True, exist_ok=True)
    words = {name: changed.get(name, password_of(name)).encode() for name in names}
    lines = [f"{name}:{bcrypt.hashpw(word, bcrypt.gensalt(COST)).decode()}\n" for name, word in words.items()]
    file = stack.directory / "users"
    file.write_text("".join(lines))
    file.chmod(0o600)


def write_rules(stack: DeployedStack, rules: Sequence[dict[str, Any]]) -> None:
    """Write a deployer.yaml with these access rules."""
    stack.folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (stack.folder / "deployer.yaml").write_text(f"access: {json.dumps(rules)}\n")


def client_of(stack: DeployedStack, user: str | None) -> httpx.Client:
    """A client logged in as a user, or as nobody, that trusts the deployment's own CA; close it."""
    ca = stack.directory / "ca.crt"
    secure = ca.exists()
    verify = ssl.create_default_context(cafile=str(ca)) if secure else ssl.create_default_context()
    return httpx.Client(
        base_url=f"http{'s' if secure else ''}://{stack.address}",
        auth=(user, password_of(user)) if user else None,
        trust_env=False,
        timeout=PATIENCE_SECONDS,
        verify=verify,
    )
