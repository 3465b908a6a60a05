"""Docker's config.json, read as the Docker client reads it (docker/cli, cli/config/configfile/file.go).

Go's encoding/json is more lenient than Python's json in some ways and stricter in others: the case of
a field's name does not matter, of two equal fields the later counts, what follows the first JSON
value is not read, bytes that are not UTF-8 become U+FFFD; NaN is an error.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

from deployer.errors import HostError
from deployer.paths import docker_folder
from deployer.registry.login.config_types import JsonObject, wrong_for_some, wrong_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from deployer.registry.login.config_types import WrongType

_BLANK = " \t\r\n"
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
# Docker begins with an empty configuration then, and writes that over the file.
_BY_HAND = ("Correct it with an editor.", "`docker login` would overwrite the file and delete every login in it.")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Login:
    """One entry of `auths`; no secret shows when printed."""

    auth: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class DockerConfig:
    """What config.json says of logins: the entries by their key, and which helper keeps them.

    A server that `helpers` names with "" has its login in the file, whatever `store` says. `context` is the
    one that `docker context use` has chosen. `mistake` is a value of the wrong type: Docker decodes no `auth` then, so
    that no entry has one here either; `mistake_for_some` is one that does this in some versions of Docker only.
    """

    logins: Mapping[str, Login] = field(default_factory=dict)
    store: str = ""
    helpers: Mapping[str, str] = field(default_factory=dict)
    context: str = ""
    mistake: HostError | None = None
    mistake_for_some: HostError | None = None

    @property
    def says_where(self) -> bool:
        """Whether it says anything about logins; if not, Docker uses the platform's own store."""
        return bool(self.logins or self.store or self.helpers)

    def login(self, address: str) -> Login | None:
        """The entry for `host:port`: of that key, or of one that is a URL or has a path, as older clients wrote it."""
        found = self.logins.get(address)
        if found is not None:
            return found
        return next((self.logins[key] for key in sorted(self.logins) if _server(key) == address), None)


def config_file(environment: Mapping[str, str]) -> Path:
    """The Docker client's config.json."""
    return docker_folder(environment) / "config.json"


def read(path: Path) -> DockerConfig:
    """Read config.json; one that does not exist is empty. Raises HostError without a secret in it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return DockerConfig()
    except OSError as error:
        raise HostError(
            f"{path}, where Docker stores its logins, cannot be read: {error.strerror}.",
            (f"Make the file readable by you, or set DOCKER_CONFIG to another directory (currently {path.parent})",),
        ) from error
    if data.startswith(_UTF_16):
        raise HostError(
            f"{path}, where Docker stores its logins, is not valid UTF-8.", ("Save it as UTF-8.", *_BY_HAND[1:])
        )
    return _config(_document(data.decode(errors="replace"), path), path)


def read_variable(text: str) -> DockerConfig:
    """Read $DOCKER_AUTH_CONFIG, which holds `auths` with one `auth` for each server and nothing else.

    Raises HostError if Docker ignores the variable (docker/cli, parseEnvConfig; from Docker 28.3).
    """
    name = "DOCKER_AUTH_CONFIG"
    problem = HostError(
        f"The variable {name} is set, but neither Docker nor deployer can use it.",
        ('The format is {"auths": {"HOST:PORT": {"auth": "…"}}} and nothing else.', f"Or remove it: unset {name}"),
    )
    try:
        document, end = _DECODER.raw_decode(text, _start(text))
    except (ValueError, RecursionError):
        raise problem from None
    if text[end:].strip(_BLANK) or not isinstance(document, JsonObject):
        raise problem
    found = DockerConfig()
    for key, value in document:
        if key.casefold() != "auths" or not _is_plain(value):
            raise problem
        found = replace(found, logins={**found.logins, **_logins(value)})
    return found


def _is_plain(auths: object) -> bool:
    """Whether every entry has an `auth` and nothing else."""
    return isinstance(auths, JsonObject) and all(
        isinstance(entry, JsonObject)
        and {key.casefold() for key, _ in entry} == {"auth"}
        and all(isinstance(value, str) and value for _, value in entry)
        for _, entry in auths
    )


def _not_json(_constant: str) -> NoReturn:
    # Python takes NaN and Infinity, which JSON does not have.
    raise ValueError


# Numbers are of no interest; Python refuses to read those of more than 4300 digits.
_DECODER = json.JSONDecoder(
    object_pairs_hook=JsonObject, parse_int=lambda _: 0, parse_float=lambda _: 0.0, parse_constant=_not_json
)


def _start(text: str) -> int:
    return len(text) - len(text.lstrip(_BLANK))


def _document(text: str, path: Path) -> object:
    """The first JSON value of the text; None if there is none. No error quotes the text: it holds secrets."""
    start = _start(text)
    if start == len(text):
        return None
    what = f"{path}, where Docker stores its logins, is not valid JSON"
    if text.startswith("\ufeff"):
        raise HostError(
            f"{what}: it starts with a byte order mark, which Docker does not support.",
            ("Save it as UTF-8 without a byte order mark.", *_BY_HAND[1:]),
        )
    try:
        return _DECODER.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        raise HostError(f"{what} (line {error.lineno}, column {error.colno}).", _BY_HAND) from None
    except (ValueError, RecursionError) as error:
        told = (
            "its values are nested too deeply" if isinstance(error, RecursionError) else "it contains NaN or Infinity"
        )
        raise HostError(f"{what}: {told}.", _BY_HAND) from None


def _config(document: object, path: Path) -> DockerConfig:
    if document is None:
        return DockerConfig()
    if not isinstance(document, JsonObject):
        raise HostError(f"{path}, where Docker stores its logins, does not contain a JSON object.", _BY_HAND)
    found = _fields(document)
    wrong, for_some = wrong_type(document), wrong_for_some(document)
    if wrong:
        logins = {key: replace(login, auth="") for key, login in found.logins.items()}
        found = replace(found, logins=logins, mistake=_mistake(path, wrong, "Docker reads"))
    if for_some:
        found = replace(found, mistake_for_some=_mistake(path, for_some, "some versions of Docker read"))
    return found


def _mistake(path: Path, wrong: WrongType, who_reads: str) -> HostError:
    return HostError(
        f"{path}, where Docker stores its logins, has a value of the wrong type, and {who_reads} no password from it: "
        f"'{wrong.field}' must be {wrong.must_be}.",
        _BY_HAND,
    )


def _fields(document: JsonObject) -> DockerConfig:
    found = DockerConfig()
    for key, value in document:
        match key.casefold():
            case "auths":
                found = replace(found, logins={} if value is None else {**found.logins, **_logins(value)})
            case "credhelpers":
                found = replace(found, helpers={} if value is None else {**found.helpers, **_texts(value)})
            case "credsstore":
                found = replace(found, store=_text(value) if isinstance(value, str) else found.store)
            case "currentcontext":
                found = replace(found, context=_text(value) if isinstance(value, str) else found.context)
    return found


def _logins(value: object) -> dict[str, Login]:
    return {_text(key): _login(entry) for key, entry in value} if isinstance(value, JsonObject) else {}


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, JsonObject):
        return {}
    return {_text(key): _text(name) if isinstance(name, str) else "" for key, name in value}


def _login(value: object) -> Login:
    found = Login()
    for key, text in value if isinstance(value, JsonObject) else ():
        given = _text(text) if isinstance(text, str) else None
        match key.casefold():
            case "auth":
                found = replace(found, auth=found.auth if given is None else given)
            case "username":
                found = replace(found, username=found.username if given is None else given)
            case "password":
                found = replace(found, password=found.password if given is None else given)
            case "identitytoken":
                found = replace(found, identity_token=found.identity_token if given is None else given)
            case "registrytoken":
                found = replace(found, registry_token=found.registry_token if given is None else given)
    return found


def _text(value: str) -> str:
    """The text as Go has it: half of a surrogate pair is no character."""
    return _LONE_SURROGATES.sub("\ufffd", value)


def _server(key: str) -> str:
    """The server of a key in `auths`, as docker/cli's ConvertToHostname finds it."""
    _, found, rest = key.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2] if found else ""
    return authority or key.partition("/")[0]
