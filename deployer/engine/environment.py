"""The environment in which the Docker client runs: the user's own, or the one that deployer chooses.

What the client, Compose and the builders read was looked up in the sources of docker/cli, docker/compose,
compose-spec/compose-go and docker/buildx; `docs/reference/docker-environment.md` lists it.
"""

from __future__ import annotations

import json
import re
import threading
import weakref
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from deployer.errors import HostError
from deployer.host import scratch
from deployer.host.files import is_directory
from deployer.paths import docker_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployer.host.scratch import ScratchFolder


class ClientPurpose(Enum):
    """For whom the client runs."""

    OURS = "a question or a helper of deployer's own"
    COMPOSE = "Compose, which substitutes in the user's files every variable that it gets"
    BUILD = "an image that deployer builds"
    FETCH = "an image that deployer pulls for its services"
    USER = "the user's own push or pull"


# Where the engine is, and the credentials for it.
_ENGINE = {
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    # As `HttpHeaders` in config.json: what a proxy before the engine asks for.
    "DOCKER_CUSTOM_HEADERS",
}
# How ssh (DOCKER_HOST=ssh://…) authenticates.
_SSH = {
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "KRB5CCNAME",
}
# The client's own way to an engine at a TCP address; containers and builds get none of them.
PROXIES = {
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
}
# How Go checks TLS and resolves names.
_GO = {"SSL_CERT_FILE", "SSL_CERT_DIR", "GODEBUG"}
# Where programs and files are, and how the terminal shows progress.
_PLACES = {"HOME", "PATH", "TMPDIR", "XDG_RUNTIME_DIR", "TERM", "COLORTERM", "NO_COLOR", "COLUMNS"}
# Who the user is, in which language and time zone.
_USER = {"USER", "LOGNAME", "PWD", "DBUS_SESSION_BUS_ADDRESS", "LANG", "LANGUAGE", "TZ"}
PASSED = frozenset(_ENGINE | _SSH | PROXIES | _GO | _PLACES | _USER)
# Compose runs only on an engine of this machine, which is reached without ssh and without a proxy.
_COMPOSE = frozenset(_ENGINE | _GO | _PLACES)
# What is set for it: by us, by itself (the directory of the shell), and by the client for all plugins.
_SET_FOR_COMPOSE = re.compile(r"DOCKER_CONFIG|PWD|DOCKER_CLI_PLUGIN_\w+|OTEL_\w+")

# What belongs to Docker's programs. A pull of an image for our services gets everything but these:
# credential helpers read variables of every name.
_DOCKERS_OWN = ("DOCKER_", "COMPOSE_", "BUILDKIT_", "BUILDX_")
_SAVED_SIGN_IN = "DOCKER_AUTH_CONFIG"

# What our runs need of config.json (docker/cli, cli/config/configfile/file.go): the engine's address and
# its credentials, and where Compose may lie.
_KEPT = ("currentContext", "HttpHeaders", "cliPluginsExtraDirs")
# These change nothing of what we run. A configuration that is made goes without them: they are secrets.
_HARMLESS = ("auths", "credsStore", "credHelpers")
PROXIES_KEY = "proxies"


@dataclass
class ClientEnvironment:
    """The variables for each purpose, made of the user's.

    Where the user's config.json holds more than the address of the engine and logins, our runs get
    a folder with their own configuration; it goes when the program ends.
    """

    user: Mapping[str, str]
    _folders: dict[ClientPurpose, Path] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def of(self, purpose: ClientPurpose) -> dict[str, str]:
        """The variables for one run of the client. Raises HostError if no temporary folder can be made."""
        if purpose is ClientPurpose.USER:
            return dict(self.user)
        if purpose is ClientPurpose.FETCH:
            return {name: value for name, value in self.user.items() if _fetches_with(name)}
        compose = purpose is ClientPurpose.COMPOSE
        chosen = {
            name: value for name, value in self.user.items() if (name in _COMPOSE if compose else is_passed(name))
        }
        chosen["DOCKER_CONFIG"] = str(self._configuration(purpose))
        if purpose is ClientPurpose.BUILD:
            # The builder that every engine has, whether the client has the plugin for the other or not.
            chosen["DOCKER_BUILDKIT"] = "0"
        return chosen

    def _configuration(self, purpose: ClientPurpose) -> Path:
        if purpose is ClientPurpose.COMPOSE:
            purpose = ClientPurpose.OURS
        with self._lock:
            if purpose not in self._folders:
                self._folders[purpose] = self._found_or_made(purpose)
            return self._folders[purpose]

    def _found_or_made(self, purpose: ClientPurpose) -> Path:
        theirs = docker_folder(self.user)
        settings = _read(theirs / "config.json")
        # A build may need the proxies to reach the network, and they do not stay in the image.
        kept = (*_KEPT, PROXIES_KEY) if purpose is ClientPurpose.BUILD else _KEPT
        if settings is not None and all(_is_one_of(key, (*kept, *_HARMLESS)) for key in settings):
            return theirs
        chosen = {key: value for key, value in (settings or {}).items() if _is_one_of(key, kept)}
        return self._made(theirs, chosen)

    def _made(self, theirs: Path, settings: Mapping[str, Any]) -> Path:
        failure: OSError | None = None
        for parent in scratch.parents():
            made: ScratchFolder | None = None
            try:
                made = scratch.make("docker", parent)
                _fill(made.path, theirs, settings)
            except OSError as error:
                failure = error
                if made is not None:
                    made.remove()
            else:
                weakref.finalize(self, made.remove)
                return made.path
        raise HostError(
            "Cannot write a configuration for the Docker client to the directory for temporary files.",
            ("Free some space there, or set the variable TMPDIR to another directory.",),
            str(failure or ""),
        )


def names_an_engine(user: Mapping[str, str]) -> bool:
    """Whether the user's variables or configuration name an engine; if not, it is the one of this machine."""
    if user.get("DOCKER_HOST") or user.get("DOCKER_CONTEXT"):
        return True
    settings = _read(docker_folder(user) / "config.json") or {}
    current = (value for key, value in settings.items() if _is_one_of(key, ("currentContext",)))
    return any(value not in {"", "default", None} for value in current)


def is_passed(name: str) -> bool:
    """Whether what deployer runs for itself gets a variable of the user's."""
    return name in PASSED or name.startswith("LC_")


def reaches_compose(name: str) -> bool:
    """Whether Compose has a variable that is not the same in every shell, and would substitute it in its files."""
    return name in _COMPOSE or _SET_FOR_COMPOSE.fullmatch(name) is not None


def _fetches_with(name: str) -> bool:
    return name in {*PASSED, _SAVED_SIGN_IN, "DOCKER_CONFIG"} or not name.startswith(_DOCKERS_OWN)


def _read(file: Path) -> dict[str, Any] | None:
    """What a config.json holds: None for one that Docker leaves aside with a warning, being no JSON object."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    except OSError:
        return None
    if not text.strip():
        return {}
    try:
        # Docker reads the first value and no further.
        found, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _is_one_of(key: str, names: tuple[str, ...]) -> bool:
    # Go compares the keys of JSON without regard to case.
    return key.lower() in {name.lower() for name in names}


def _fill(folder: Path, theirs: Path, settings: Mapping[str, Any]) -> None:
    """Make a folder a configuration of the client: the user's contexts and plugins, and these settings.

    What the user may not read, as after `sudo docker login`, Docker continues without, with a warning.
    """
    for name in ("contexts", "cli-plugins"):
        if is_directory(theirs / name):
            (folder / name).symlink_to((theirs / name).absolute())
    # The folder is its owner's alone: headers may hold a secret.
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
