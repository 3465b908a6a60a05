"""Docker's credential helpers: programs that keep logins (docker-credential-helpers, client/client.go)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.redaction import helpers_reason

if TYPE_CHECKING:
    from collections.abc import Mapping

# In seconds. A person may have to type a passphrase; Docker itself waits without end.
HELPER_TIMEOUT = 60.0

# Helpers give this user name if the secret is an identity token.
TOKEN_USER = "<token>"  # noqa: S105 - the name that marks a token, not a secret

# Only with exactly these words a helper says that it has no login (credentials/error.go).
_NOT_FOUND = b"credentials not found in native keychain"
_PREFIX = "docker-credential-"
_PLATFORM_STORES = {"darwin": "osxkeychain", "win32": "wincred", "linux": "secretservice"}


@dataclass(frozen=True)
class Secret:
    """What a helper keeps for a server; the secret does not show when printed."""

    username: str
    text: str = field(repr=False)


def platform_store(environment: Mapping[str, str], platform: str = sys.platform) -> str:
    """The helper that Docker uses where config.json says nothing of logins; "" if it is not installed."""
    name = "pass" if platform == "linux" and _find("pass", environment) else _PLATFORM_STORES.get(platform, "")
    return name if name and _find(_PREFIX + name, environment) else ""


def ask(name: str, address: str, environment: Mapping[str, str], config: Path, timeout: float) -> Secret | None:
    """What the helper has for `host:port`, or None; `timeout` is in seconds, `config` the file that names the helper.

    Raises HostError if the helper cannot be used; the error holds no secret.
    """
    program = _PREFIX + name
    path = _find(program, environment)
    if path is None:
        raise HostError(
            f"Docker stores its logins with '{program}', which is not installed.",
            (f"Install it, or remove '{name}' from {config} and run: docker login {address}",),
        )
    try:
        answer = subprocess.run(
            [path, "get"], input=address.encode(), capture_output=True, timeout=timeout, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise HostError(
            f"'{program}', which stores Docker's logins, did not respond within {timeout:g} seconds.",
            ("Unlock the keychain that it uses, or start its service.",),
        ) from None
    except OSError as error:
        raise HostError(f"'{program}', which stores Docker's logins, cannot be run: {error.strerror}.") from error
    if answer.returncode != 0:
        # The protocol puts the reason on standard output.
        if answer.stdout.strip() == _NOT_FOUND:
            return None
        raise _failure(program, answer, address, config)
    return _secret(program, answer.stdout)


def _find(program: str, environment: Mapping[str, str]) -> str | None:
    """The program on the PATH; as Go does, none from a folder that PATH names relatively."""
    found = None if "/" in program else shutil.which(program, path=environment.get("PATH", ""))
    return found if found and Path(found).is_absolute() else None


def _failure(program: str, answer: subprocess.CompletedProcess[bytes], address: str, config: Path) -> HostError:
    # It may have printed the login before it failed.
    reason = helpers_reason((answer.stdout + b"\n" + answer.stderr).decode(errors="replace"))
    return HostError(
        f"'{program}', which stores Docker's logins, failed with exit code {answer.returncode}.",
        (
            f"echo {address} | {program} get   (shows its output, including the password if it has one)",
            f'Or store this login in {config}, with "credHelpers": {{"{address}": ""}} in it: docker login {address}',
        ),
        reason,
    )


def _secret(program: str, output: bytes) -> Secret:
    """The login in a helper's answer: the first JSON object of it, its fields in whatever case."""
    text = output.decode(errors="replace").lstrip()
    try:
        document, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        document = ()
    values = {key.casefold(): value for key, value in document.items()} if isinstance(document, dict) else None
    found = [] if values is None else [values.get("username") or "", values.get("secret") or ""]
    if not found or not all(isinstance(value, str) for value in found):
        raise HostError(f"'{program}', which stores Docker's logins, returned something that is not a login.")
    return Secret(*(value.encode(errors="replace").decode() for value in found))
