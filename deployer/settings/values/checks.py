"""What each setting may be: checks that return the value as it is kept, or say in a ValueError what is wrong."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployer.errors import InvalidReference
from deployer.reference import parse
from deployer.settings.values.duration import seconds_of
from deployer.settings.values.globs import can_match, is_comparable
from deployer.settings.values.reserve import EXPECTED, RESERVE_OFF, Reserve

if TYPE_CHECKING:
    from enum import StrEnum

Check = Callable[[object], object]

DATA_IN_VOLUME = "volume"
ACTIONS = ("pull", "push", "delete")
# Whom a rule means by these: every logged-in user, and everyone, logged in or not. No user can have such a name.
LOGGED_IN, ANONYMOUS = "*", "anonymous"
EVERYONE = frozenset({LOGGED_IN, ANONYMOUS})

# What YAML 1.1 takes for true and false.
_YES, _NO = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
# Compose takes these as project names; the data directory has the same name.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
# A name that ends so is an IPv4 address to browsers, in one of its old forms: 0x7f.1 is 127.0.0.1.
_ADDRESS_TO_BROWSERS = re.compile(r"(.*[.])?([0-9]+|0[xX][0-9a-fA-F]*)")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_EMAIL = re.compile(r"[^\s@{}$\"\\`]+@[A-Za-z0-9.-]+")
_ACME_DIRECTORY = re.compile(r"https://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)([.][0-9]+)?")
_WHOLE = re.compile(r"[1-9][0-9]{0,6}")
# docs.docker.com, "Bind mounts", the options of --volume.
_OPTION = "(?:ro|rw|z|Z|nocopy|cached|delegated|consistent|r?(?:shared|slave|private))"
_MOUNT = re.compile(rf"(.+?):(?:/[^:]*(?::{_OPTION}(?:,{_OPTION})*)?|{_OPTION}(?:,{_OPTION})*)")
_MOST_TO_KEEP = 1_000_000

# The system's own: images may lie in none of these, nor anywhere in those of the second list.
_SYSTEM = frozenset({"", "home", "opt", "root", "run", "tmp", "usr", "usr/local", "var", "var/lib", "var/run"})
_SYSTEM_TREES = frozenset({"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys"})
_SYSTEM_TREES |= {"usr/bin", "usr/lib", "usr/lib64", "usr/sbin"}


def project_name(value: object) -> object:
    """Take a Compose project's name: lowercase letters, digits, '-' and '_'."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a valid project name: use lowercase letters, digits, '-' and '_', at most 63 "
            "characters, starting with a letter or digit"
        )
    return value


def host(value: object) -> object:
    """Take a name or an IP address, without scheme and port."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a valid host: use a name or an IP address, in quotes if necessary")  # noqa: TRY004
    if "://" in value:
        raise ValueError(f"{shown(value)} has a scheme; use only the host")
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    if is_address(bare):
        return _address_of_one(bare)
    if re.fullmatch(r"([^:\[\]]+|\[.*\]):\d+", value):
        raise ValueError(f"{shown(value)} contains a port; set it with 'port'")
    if len(value) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in value.split(".")):
        raise ValueError(f"{shown(value)} is not a valid host name or IP address")
    if _ADDRESS_TO_BROWSERS.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a valid IP address (four numbers from 0 to 255)")
    return value.lower()


def _address_of_one(text: str) -> str:
    """An address that clients can name a registry by. Raises ValueError with a sentence."""
    address = _bindable(text)
    if address.is_unspecified:
        raise ValueError(
            f"{shown(text)} means all addresses; use the name or address that clients connect to. To listen on "
            f"all, set bind: {text}"
        )
    return str(address)


def _bindable(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise ValueError(
            f"{shown(text)} has a zone (%), which is not allowed in image names; use an address without one"
        )
    if address.is_multicast or text == "255.255.255.255":
        raise ValueError(f"{shown(text)} is a multicast or broadcast address; use an address of this machine")
    return address


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


def port(value: object) -> object:
    """Take a TCP port, as a number or as a variable writes it."""
    number = _number(value)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 65535:
        raise ValueError(f"{shown(value)} is not a valid port: a whole number from 1 to 65535")
    return number


def bind(value: object) -> object:
    """Take 'auto' or an IP address."""
    if value == "auto":
        return value
    if not isinstance(value, str) or not is_address(value):
        raise ValueError(f"{shown(value)} is neither 'auto' nor an IP address of this machine")
    return str(_bindable(value))


def tls_mode(modes: type[StrEnum]) -> Check:
    """Make a check that takes one of these modes, and any word for no as "off"."""
    take = one_of(modes)

    def check(value: object) -> object:
        try:
            return take("off" if isinstance(value, str) and value.lower() in _NO else value)
        except ValueError as error:
            raise ValueError(f"{error}; or set certificate and key") from error

    return check


def file(value: object) -> object:
    """Take the path of a file."""
    if not isinstance(value, str) or not value.strip() or any(ord(character) < 32 for character in value):
        raise ValueError(f"{shown(value)} is not a valid file path")
    return _of_a_paths_length(value)


def email(value: object) -> object:
    """Take an e-mail address."""
    if not isinstance(value, str) or not _EMAIL.fullmatch(value):
        raise ValueError(f"{shown(value)} is not a valid e-mail address")
    return value


def acme_directory(value: object) -> object:
    """Take the address of an ACME server's directory."""
    if not isinstance(value, str) or not _ACME_DIRECTORY.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a valid address of an ACME directory, such as https://ca.example/acme/directory"
        )
    return value


def image(value: object) -> object:
    """Take an image's name."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a valid image name")  # noqa: TRY004
    try:
        parse(value)
    except InvalidReference as error:
        raise ValueError(f"{shown(value)} is not a valid image name: {error.message.rstrip('.')}") from error
    return value


def is_registry_3(name: str) -> bool:
    """Whether an image's name says that it is distribution 3; anyone who named theirs freely is not judged."""
    found = parse(name)
    if found.repository.rpartition("/")[2] not in {"registry", "distribution"} or (found.digest and not found.tag):
        return False
    return bool(re.fullmatch(r"v?3([.-].*)?|latest|edge", found.tagged().tag or ""))


def data(value: object) -> object:
    """Take 'volume', or a directory that images may lie in."""
    if not isinstance(value, str) or not value.strip() or _DECIMAL.fullmatch(value):
        raise ValueError(f"{shown(value)} is neither 'volume' nor a directory")
    if any(ord(character) < 32 for character in value):
        raise ValueError(f"{shown(value)} contains a control character")
    if mount := _MOUNT.fullmatch(value):
        raise ValueError(f"{shown(value)} is written as a Docker mount; give only the directory: {mount[1]}")
    if complaint := complaint_of_place(Path(os.path.normpath(value))):
        raise ValueError(complaint)
    return _of_a_paths_length(value)


def reserve(value: object) -> object:
    """Take how much of the disk with the images must stay free, as `Reserve` reads it; any word for no is "off"."""
    if value is False or (isinstance(value, str) and value.lower() in _NO):
        return RESERVE_OFF
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} {EXPECTED}")  # noqa: TRY004
    Reserve.of(value)
    return value


def _of_a_paths_length(value: str) -> str:
    """Take what a path can be as long as: NAME_MAX and PATH_MAX of Linux, which macOS has too or more of."""
    if len(value.encode()) > 4000 or any(len(part.encode()) > 255 for part in value.split("/")):
        raise ValueError(f"'{value[:40]}…' is too long for a path")
    return value


def complaint_of_place(folder: Path, home: Path | None = None) -> str:
    """Why images cannot be meant to lie in this folder, "" if they can."""
    if folder == home:
        return f"'{folder}' is your home directory; use a subdirectory for the images"
    places = [str(place).lstrip("/") for place in (folder, *folder.parents)]
    if folder.is_absolute() and (places[0] in _SYSTEM or _SYSTEM_TREES.intersection(places)):
        return f"'{folder}' is a system directory; use a directory for the images, such as /srv/registry"
    return ""


def users(value: object) -> tuple[str, ...]:
    """Accept names of users, or '*' for every logged-in user."""
    names = _one_or_several(value, "users, such as [admin, ci]")
    for name in names:
        if name not in EVERYONE:
            user(name)
    return names


def user(value: object) -> object:
    """Take a user's name."""
    _name(value, "user")
    if value == ANONYMOUS:
        raise ValueError(f"'{ANONYMOUS}' cannot be a user name: in access rules it means everyone, logged in or not")
    return value


def group_names(value: object) -> tuple[str, ...]:
    """Take names of groups, one or several."""
    names = _one_or_several(value, "groups, such as [developers]")
    for name in names:
        group_name(name)
    return names


def group_name(value: object) -> object:
    """Take a group's name."""
    return _name(value, "group")


def _name(value: object, whose: str) -> str:
    if not isinstance(value, str) or not _USER.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is not a valid {whose} name: use letters, digits and . _ - + @, at most 64 characters, "
            "starting with a letter or digit"
        )
    return value


def _one_or_several(value: object, of: str) -> tuple[Any, ...]:
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, (list, tuple)) or not several:
        raise ValueError(f"{shown(value)} is not a list of {of}")
    return tuple(several)


def actions(value: object) -> tuple[str, ...]:
    """Take what a rule allows: some of pull, push and delete."""
    words = _one_or_several(value, "actions, such as [pull, push]")
    for word in words:
        if word not in ACTIONS:
            raise ValueError(f"{shown(word)} is not one of: {', '.join(ACTIONS)}")
    return tuple(word for word in ACTIONS if word in words)


def access_globs(value: object) -> tuple[str, ...]:
    """Take patterns of repositories, as far as a repository's name can match them."""
    return _matching(globs(value), is_comparable)


def retention_globs(value: object) -> tuple[str, ...]:
    """The same, also with `[ab]`, which only access rules do not take."""
    return _matching(globs(value), can_match)


def _matching(patterns: tuple[str, ...], is_possible: Callable[[str], bool]) -> tuple[str, ...]:
    for one in patterns:
        if not is_possible(one):
            raise ValueError(
                f"{shown(one)} cannot match a repository name: use lowercase letters, digits and . _ - /; '*' "
                "matches any part of a name, '?' one character"
            )
    return patterns


def count(value: object) -> object:
    """Take a number of images to keep."""
    number = _number(value)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= _MOST_TO_KEEP:
        raise ValueError(
            f"{shown(value)} is not a valid number of images to keep: a whole number from 1 to {_MOST_TO_KEEP}"
        )
    return number


def age(value: object) -> object:
    """Take a length of time such as 30d, as seconds."""
    if not isinstance(value, str):
        advice = "use a number followed by s, m, h, d or w, such as 30d"
        raise ValueError(f"{shown(value)} is not a valid duration: {advice}")  # noqa: TRY004
    return seconds_of(value)


def pattern(value: object) -> object:
    """Take a regular expression."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{shown(value)} is not a valid regular expression")
    try:
        re.compile(value)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{shown(value)} is not a valid regular expression: {error}") from error
    except RecursionError as error:
        raise ValueError("this regular expression is nested too deeply") from error
    return value


def globs(value: object) -> tuple[str, ...]:
    """Take patterns of repositories, one or several."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{shown(value)} is not a list of repository names, such as ['team/*']")
    return tuple(names)


def yes_or_no(value: object) -> object:
    """Take true or false."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word not in {*_YES, *_NO}:
        raise ValueError(f"{shown(value)} is neither true nor false")
    return word in _YES


def one_of(kind: type[StrEnum]) -> Check:
    """Make a check that takes one of a few words, "" not among them."""
    choices = {str(choice): choice for choice in kind if choice}

    def check(value: object) -> object:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{shown(value)} is not one of: {', '.join(choices)}")
        return choices[value]

    return check


def is_unicode(text: str) -> bool:
    """Whether the text can be written to a file: bytes that are no UTF-8 reach a variable as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def is_address(text: str) -> bool:
    """Whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def shown(value: object) -> str:
    """A value as its writer would recognise it in a message."""
    if value is None:
        return "nothing"
    return str(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else repr(value)
