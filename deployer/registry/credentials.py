"""The sign-in that `docker login` saved: Docker's config.json and its credential helpers."""

from __future__ import annotations

import base64
import binascii
import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployer.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping

HELPER_TIMEOUT = 10.0

# Docker's helpers give this user name where the secret is an identity token.
_TOKEN_USER = "<token>"  # noqa: S105 - the name that marks a token, not a secret
_NOT_FOUND = "credentials not found"


@dataclass(frozen=True)
class Credentials:
    """A user name and a password, or an identity token; neither secret shows when printed."""

    username: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    def basic(self) -> str:
        """The Authorization header's value (RFC 7617, in UTF-8)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def config_file(environment: Mapping[str, str]) -> Path:
    """Where the Docker client keeps its configuration: $DOCKER_CONFIG, or ~/.docker."""
    directory = environment.get("DOCKER_CONFIG")
    return (Path(directory) if directory else Path(environment.get("HOME", "/root")) / ".docker") / "config.json"


def find_credentials(
    address: str, environment: Mapping[str, str], *, timeout: float = HELPER_TIMEOUT
) -> Credentials | None:
    """What `docker login ADDRESS` saved, or None; `address` is `host:port`.

    Asks the helper that `credHelpers` or `credsStore` names, then reads `auths`. `timeout`, in
    seconds, is for the helper. Raises HostError for a file or helper that cannot be used; no
    error holds a secret.
    """
    path = config_file(environment)
    settings = _read(path)
    host, _, port = address.rpartition(":")
    # Docker leaves the port of HTTPS out where its user does.
    names = (address, host) if port == "443" else (address,)
    found = (_look_for(name, settings, path, environment, timeout) for name in names)
    return next(filter(None, found), None)


def _look_for(
    address: str, settings: dict[str, Any], path: Path, environment: Mapping[str, str], timeout: float
) -> Credentials | None:
    helpers = settings.get("credHelpers")
    named = helpers.get(address) if isinstance(helpers, dict) else None
    helper = named or settings.get("credsStore")
    if isinstance(helper, str) and helper:
        found = _ask_helper(helper, address, environment, timeout)
        if found:
            return found
    auths = settings.get("auths")
    return _saved(auths, address, path) if isinstance(auths, dict) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        return {}
    except OSError as error:
        raise HostError(f"{path}, where Docker keeps its sign-ins, cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise HostError(f"{path}, where Docker keeps its sign-ins, is not text in UTF-8.") from error
    if not text.strip():
        return {}
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        # The error's own text is kept back: it may quote a secret.
        place = f"line {error.lineno}, column {error.colno}"
        raise HostError(f"{path}, where Docker keeps its sign-ins, is no valid JSON ({place}).") from None
    if not isinstance(settings, dict):
        raise HostError(f"{path}, where Docker keeps its sign-ins, holds no JSON object.")
    return settings


def _saved(auths: dict[str, Any], address: str, path: Path) -> Credentials | None:
    entry = auths.get(address)
    if entry is None:
        # Older clients wrote the whole URL as the key.
        entry = next((value for key, value in sorted(auths.items()) if _bare(key) == address), None)
    if not isinstance(entry, dict):
        return None
    token = entry.get("identitytoken")
    packed = entry.get("auth")
    username, password = "", ""
    if isinstance(packed, str) and packed:
        username, password = _unpack(packed, address, path)
    if isinstance(token, str) and token:
        return Credentials(username, identity_token=token)
    return Credentials(username, password) if username else None


def _bare(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _unpack(packed: str, address: str, path: Path) -> tuple[str, str]:
    problem = HostError(
        f"The sign-in for {address} in {path} is damaged.", (f"docker logout {address}", f"docker login {address}")
    )
    try:
        username, found, password = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise problem from None
    if not found or not username:
        raise problem
    # Some writers pad the password with NUL, and Docker takes it off again.
    return username, password.strip("\0")


def _ask_helper(name: str, address: str, environment: Mapping[str, str], timeout: float) -> Credentials | None:
    program = f"docker-credential-{name}"
    path = None if "/" in name else shutil.which(program, path=environment.get("PATH", ""))
    if path is None:
        raise HostError(
            f"Docker's sign-ins are kept by '{program}', which is not installed.",
            (f"Install it, or take '{name}' out of {config_file(environment)} and run: docker login {address}",),
        )
    try:
        answer = subprocess.run(
            [path, "get"], input=address.encode(), capture_output=True, timeout=timeout, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise HostError(
            f"'{program}', which keeps Docker's sign-ins, did not answer within {timeout:g} seconds.",
            ("Unlock the keychain that it uses, or start its service.",),
        ) from None
    except OSError as error:
        raise HostError(f"'{program}', which keeps Docker's sign-ins, cannot be run: {error.strerror}.") from error
    return _helper_answer(program, answer)


def _helper_answer(program: str, answer: subprocess.CompletedProcess[bytes]) -> Credentials | None:
    if answer.returncode != 0:
        # The protocol puts the reason on standard output.
        reason = (answer.stdout + b"\n" + answer.stderr).decode(errors="replace").strip()
        if _NOT_FOUND in reason.lower():
            return None
        raise HostError(
            f"'{program}', which keeps Docker's sign-ins, failed with code {answer.returncode}.", original=reason[:1000]
        )
    try:
        document = json.loads(answer.stdout)
        username, secret = document["Username"], document["Secret"]
    except (ValueError, KeyError, TypeError):
        document, username, secret = None, None, None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise HostError(f"'{program}', which keeps Docker's sign-ins, answered something that is no sign-in.")
    if username == _TOKEN_USER:
        return Credentials(username, identity_token=secret)
    return Credentials(username, secret) if username else None
