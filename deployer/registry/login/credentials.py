"""The login that `docker login` saved, found where Docker finds it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from deployer.errors import HostError
from deployer.printable import printable
from deployer.registry.login import credential_helper, docker_config
from deployer.registry.login.credential_helper import HELPER_TIMEOUT, TOKEN_USER
from deployer.registry.login.docker_config import DockerConfig, Login, config_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_VARIABLE = "DOCKER_AUTH_CONFIG"


@dataclass(frozen=True)
class Credentials:
    """A user name and a password, or a token; neither secret shows when printed.

    `variable` is the one that they are from, "" if `docker login` saved them.
    """

    username: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    variable: str = field(default="", compare=False)

    def basic(self) -> str:
        """The Authorization header's value (RFC 7617, in UTF-8)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def find_credentials(
    address: str, environment: Mapping[str, str], *, timeout: float = HELPER_TIMEOUT
) -> Credentials | None:
    """What `docker login ADDRESS` saved, or None; `address` is `host:port`.

    As Docker does: $DOCKER_AUTH_CONFIG, then the helper that `credHelpers` or `credsStore` names, or
    else `auths`. `timeout`, in seconds, is for the helper. Raises HostError for a file, variable or
    helper that cannot be used; no error holds a secret.
    """
    host, _, port = address.rpartition(":")
    # Docker leaves the port of HTTPS out if its user does.
    names = (address, host) if port == "443" else (address,)
    unusable: HostError | None = None
    try:
        found = _from_variable(names, environment)
    except HostError as error:
        found, unusable = None, error
    if found is None:
        places = _Places(address, environment, config_file(environment), timeout)
        found = next(filter(None, (places.look_for(name) for name in names)), None)
        if found is None:
            places.check_others()
    if found is None and unusable is not None:
        raise unusable
    return found


def mistake_in_file(environment: Mapping[str, str]) -> HostError | None:
    """Why Docker, in some versions, sends no password that config.json has: a value of the wrong type in it."""
    try:
        config = docker_config.read(config_file(environment))
    except HostError as error:
        return error
    return config.mistake or config.mistake_for_some


def _from_variable(names: Sequence[str], environment: Mapping[str, str]) -> Credentials | None:
    text = environment.get(_VARIABLE, "")
    logins = docker_config.read_variable(text).logins if text.strip() else {}
    name = next((name for name in names if name in logins), None)
    if name is None:
        return None
    advice = (f"Correct it, or remove it: unset {_VARIABLE}",)
    kept = _kept(logins[name], HostError(f"The login for {name} in the variable {_VARIABLE} is damaged.", advice))
    return replace(kept, variable=_VARIABLE) if kept else None


@dataclass(frozen=True)
class _Places:
    """Where one user's logins are; `address` is the registry's."""

    address: str
    environment: Mapping[str, str]
    path: Path
    timeout: float

    @cached_property
    def config(self) -> DockerConfig:
        return docker_config.read(self.path)

    @cached_property
    def store(self) -> str:
        return self.config.store if self.config.says_where else credential_helper.platform_store(self.environment)

    def look_for(self, address: str) -> Credentials | None:
        helper = self.config.helpers.get(address, self.store)
        if not helper:
            return self._in_file(address)
        try:
            secret = credential_helper.ask(helper, address, self.environment, self.path, self.timeout)
        except HostError:
            # Docker up to 28 takes what the file has then.
            kept = self._in_file(address)
            if kept is None:
                raise
            return kept
        if secret is None:
            return None
        entry = self.config.login(address)
        token = entry.registry_token if entry else ""
        if secret.username == TOKEN_USER:
            return Credentials(TOKEN_USER, identity_token=token or secret.text)
        return _usable(secret.username, secret.text, token=token)

    def check_others(self) -> None:
        """Raise HostError if another login or the file is damaged: then `docker login` would delete intact ones."""
        mistake = self.config.mistake or self.config.mistake_for_some
        if mistake:
            raise mistake
        for key, entry in self.config.logins.items():
            _kept(entry, self._damaged(key))

    def _in_file(self, address: str) -> Credentials | None:
        entry = self.config.login(address)
        return _kept(entry, self._damaged(address)) if entry else None

    def _damaged(self, key: str) -> HostError:
        return HostError(
            f"The login for {printable(key)} in {self.path} is damaged.",
            (
                "Remove it with an editor first; otherwise `docker login` would delete other logins in the file.",
                f"docker login {self.address}",
            ),
        )


def _kept(entry: Login, problem: HostError) -> Credentials | None:
    """The credentials in an entry of `auths`. Raises the problem if it is damaged."""
    username, password = entry.username, entry.password
    if entry.auth:
        username, password = _unpack(entry.auth, problem)
    return _usable(username, password, token=entry.registry_token, refresh=entry.identity_token)


def _usable(username: str, password: str, *, token: str = "", refresh: str = "") -> Credentials | None:
    """What Docker has to show of all this: a registry token alone, else a name with a password, else a token.

    It sends no Basic credentials without a password (distribution/registry, client/auth/session.go).
    """
    if token:
        return Credentials(username, identity_token=token)
    if username and password:
        return Credentials(username, password)
    return Credentials(username, identity_token=refresh) if refresh else None


def _unpack(packed: str, problem: HostError) -> tuple[str, str]:
    """The name and password of an `auth`: base64, in which Go passes over line ends."""
    try:
        text = base64.b64decode(packed.replace("\r", "").replace("\n", ""), validate=True)
        username, found, password = text.decode().partition(":")
    except (binascii.Error, ValueError):
        raise problem from None
    if not found or not username:
        raise problem
    # Some writers pad the password with NUL, and Docker takes it off again.
    return username, password.strip("\0")
