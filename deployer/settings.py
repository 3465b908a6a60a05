"""The settings: their names, types, defaults and checks."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from deployer.duration import seconds_of
from deployer.errors import InvalidReference
from deployer.reference import parse

Check = Callable[[object], object]
Section = TypeVar("Section")

DEFAULT_PORT = 5000
DEFAULT_REGISTRY_IMAGE = "registry:3"
DEFAULT_FRONTEND_IMAGE = "caddy:2"
DATA_IN_VOLUME = "volume"

# Compose takes these as project names; the data directory has the same name.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_WHOLE = re.compile(r"[1-9][0-9]{0,6}")

# The system's own: images may lie in none of these, nor anywhere in those of the second list.
_SYSTEM = frozenset({"", "home", "opt", "root", "run", "tmp", "usr", "usr/local", "var", "var/lib", "var/run"})
_SYSTEM_TREES = frozenset({"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys"})
_SYSTEM_TREES |= {"usr/bin", "usr/lib", "usr/lib64", "usr/sbin"}


def _name(value: object) -> object:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"{shown(value)} is no project name: lower-case letters, digits, '-' and '_', at most 63, "
            "beginning with a letter or digit"
        )
    return value


def _host(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no host: write a name or an IP address, in quotes if need be")  # noqa: TRY004
    if "://" in value:
        raise ValueError(f"{shown(value)} has a scheme; write the host alone")
    bare = value.removeprefix("[").removesuffix("]")
    if _is_address(bare):
        return str(ipaddress.ip_address(bare))
    if re.search(r":\d+$", value):
        raise ValueError(f"{shown(value)} has a port in it; the port is a setting of its own, 'port'")
    if len(value) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in value.split(".")):
        raise ValueError(f"{shown(value)} is no host name or IP address")
    if re.fullmatch(r"[0-9.]+", value):
        raise ValueError(f"{shown(value)} is no IP address (four numbers from 0 to 255)")
    return value.lower()


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


def _port(value: object) -> object:
    number = _number(value)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 65535:
        raise ValueError(f"{shown(value)} is no port: a whole number from 1 to 65535")
    return number


def _bind(value: object) -> object:
    if value == "auto":
        return value
    if not isinstance(value, str) or not _is_address(value):
        raise ValueError(f"{shown(value)} is neither 'auto' nor an IP address of this machine")
    return str(ipaddress.ip_address(value))


def _tls(value: object) -> object:
    # YAML 1.1 takes these for the same.
    if value is False or (isinstance(value, str) and value.lower() in {"off", "false", "no"}):
        return "off"
    raise ValueError(f"{shown(value)} is not supported by this version: only 'off' is")


def _image(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no image name")  # noqa: TRY004
    try:
        parse(value)
    except InvalidReference as error:
        raise ValueError(f"{shown(value)} is no image name: {error.message.rstrip('.')}") from error
    return value


def _data(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)} is neither 'volume' nor a directory")
    if any(ord(character) < 32 for character in value):
        raise ValueError(f"{shown(value)} has a control character in it")
    if complaint := complaint_of_place(Path(os.path.normpath(value))):
        raise ValueError(complaint)
    return value


def complaint_of_place(folder: Path, home: Path | None = None) -> str:
    """Why images cannot be meant to lie in this folder, "" where they can."""
    if folder == home:
        return f"'{folder}' is your own folder: give the images a directory of their own in it"
    places = [str(place).lstrip("/") for place in (folder, *folder.parents)]
    if folder.is_absolute() and (places[0] in _SYSTEM or _SYSTEM_TREES.intersection(places)):
        return f"'{folder}' is the system's own: give the images a directory of their own, such as /srv/registry"
    return ""


def _access(value: object) -> object:
    if value in ([], None):
        return ()
    raise ValueError("access rules are not supported by this version: leave it empty")


def _count(value: object) -> object:
    number = _number(value)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 1_000_000:
        raise ValueError(f"{shown(value)} is no number of images to keep: a whole number from 1")
    return number


def _age(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no length of time: write a number and s, m, h, d or w, such as 30d")  # noqa: TRY004
    return seconds_of(value)


def _pattern(value: object) -> object:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{shown(value)} is no regular expression")
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{shown(value)} is no regular expression: {error}") from error
    return value


def _globs(value: object) -> object:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{shown(value)} is no list of names of repositories, such as ['team/*']")
    return tuple(names)


def _yes_or_no(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false")  # noqa: TRY004
    return value


def _one_of(*choices: str) -> Check:
    def check(value: object) -> object:
        if value not in choices:
            raise ValueError(f"{shown(value)} is none of: {', '.join(choices)}")
        return value

    return check


Images = Literal["auto", "pull", "build"]
Page = Literal["builtin", "none"]
Order = Literal["created", "pushed"]


def _checked(check: Check, default: Any) -> Any:  # noqa: ANN401 - dataclasses.field is as loose
    return field(default=default, metadata={"check": check})


def _section(kind: type[Any]) -> Any:  # noqa: ANN401
    return field(default_factory=kind, metadata={"section": kind})


def _list_of(kind: type[Any]) -> Any:  # noqa: ANN401
    return field(default=(), metadata={"each": kind})


@dataclass(frozen=True)
class RegistrySettings:
    """The registry service: its image, and where the images that it keeps lie."""

    image: str = _checked(_image, DEFAULT_REGISTRY_IMAGE)
    data: str = _checked(_data, DATA_IN_VOLUME)

    @property
    def data_directory(self) -> Path | None:
        """The directory that holds the images, or None for a named volume."""
        return None if self.data == DATA_IN_VOLUME else Path(self.data)


@dataclass(frozen=True)
class FrontendSettings:
    """The frontend service: its image, and the page at `/`."""

    image: str = _checked(_image, DEFAULT_FRONTEND_IMAGE)
    page: Page = _checked(_one_of(*get_args(Page)), "builtin")


@dataclass(frozen=True)
class RetentionRule:
    """Which tags of which repositories may go. `older_than` in seconds.

    A tag goes when all that is given says so: it is matched, not protected, not among the newest
    `keep` images, and old enough. With `untagged`, manifests that no tag reaches go too.
    """

    repositories: tuple[str, ...] = _checked(_globs, ("*",))
    keep: int | None = _checked(_count, None)
    older_than: int | None = _checked(_age, None)
    match: str | None = _checked(_pattern, None)
    protect: str | None = _checked(_pattern, None)
    by: Order = _checked(_one_of(*get_args(Order)), "created")
    untagged: bool = _checked(_yes_or_no, False)

    @property
    def takes_tags(self) -> bool:
        """Whether it says which tags go: with `untagged` alone, none do."""
        return self.keep is not None or self.older_than is not None or self.match is not None

    def complaint(self) -> str:
        """Why the rule cannot be meant, "" where it can."""
        if self.takes_tags or self.untagged:
            return ""
        return "the rule does not say what goes: give keep, older_than, match or untagged"


@dataclass(frozen=True)
class Settings:
    """Everything that can be configured. `build` checks; the class itself holds any value."""

    name: str = _checked(_name, "registry")
    host: str = _checked(_host, "localhost")
    port: int = _checked(_port, DEFAULT_PORT)
    bind: str = _checked(_bind, "auto")
    tls: Literal["off"] = _checked(_tls, "off")
    images: Images = _checked(_one_of(*get_args(Images)), "auto")
    registry: RegistrySettings = _section(RegistrySettings)
    frontend: FrontendSettings = _section(FrontendSettings)
    access: tuple[()] = _checked(_access, ())
    retention: tuple[RetentionRule, ...] = _list_of(RetentionRule)

    @property
    def address(self) -> str:
        """What stands before image names and in the browser: `host:port`."""
        return f"{_in_url(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """The address of the page, and of `/v2/` below it."""
        return f"http://{self.address}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the host: Docker trusts such a registry without TLS."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        return _is_address(self.host) and ipaddress.ip_address(self.host).is_loopback

    @property
    def bind_addresses(self) -> tuple[str, ...]:
        """The addresses to publish on; none stands for all of this machine's."""
        if self.bind != "auto":
            return () if ipaddress.ip_address(self.bind).is_unspecified else (self.bind,)
        if not self.is_loopback:
            return ()
        return (self.host,) if _is_address(self.host) else ("127.0.0.1",)

    @property
    def local_url(self) -> str:
        """Where this machine itself reaches the published port, whatever `host` resolves to."""
        bound = self.bind_addresses
        return f"http://{_in_url(bound[0] if bound else '127.0.0.1')}:{self.port}"


def paths(kind: type[Any] = Settings, prefix: str = "") -> Iterator[str]:
    """Every setting's name, such as "registry.image", groups included."""
    for known in fields(kind):
        yield f"{prefix}{known.name}"
        if "section" in known.metadata:
            yield from paths(known.metadata["section"], f"{prefix}{known.name}.")
        if "each" in known.metadata:
            yield from paths(known.metadata["each"], f"{prefix}{known.name}[].")


def build(kind: type[Section], written: Mapping[str, object], problems: list[str], prefix: str = "") -> Section:
    """Check what was written and make the settings of it; each mistake becomes a line in `problems`.

    Where there are problems, the result holds defaults in their places. Keys that begin with `x-`
    are the user's own.
    """
    written = {name: value for name, value in written.items() if not name.startswith("x-")}
    values: dict[str, object] = {}
    known = {found.name: found for found in fields(kind)}  # type: ignore[arg-type]
    for name, found in known.items():
        if name not in written:
            continue
        path, value = f"{prefix}{name}", written[name]
        try:
            values[name] = _value(found.metadata, value, problems, path)
        except ValueError as error:
            problems.append(f"{path}: {error}")
    problems += [_unknown(f"{prefix}{name}") for name in written if name not in known]
    return kind(**values)


def _value(metadata: Mapping[str, Any], value: object, problems: list[str], path: str) -> object:
    if "section" in metadata:
        return _group(metadata["section"], value, problems, path)
    if "each" in metadata:
        return _rules(metadata["each"], value, problems, path)
    return metadata["check"](value)


def _rules(kind: type[RetentionRule], value: object, problems: list[str], path: str) -> tuple[RetentionRule, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{shown(value)} is no list of rules")  # noqa: TRY004
    rules = []
    for number, written in enumerate(value):
        place, before = f"{path}[{number}]", len(problems)
        if not isinstance(written, Mapping):
            problems.append(f"{place}: {shown(written)} is no rule")
            continue
        rules.append(build(kind, {str(key): inner for key, inner in written.items()}, problems, f"{place}."))
        if len(problems) == before and rules[-1].complaint():
            problems.append(f"{place}: {rules[-1].complaint()}")
    return tuple(rules)


def _group(kind: type[Section], value: object, problems: list[str], path: str) -> Section:
    if not isinstance(value, Mapping):
        children = ", ".join(known for known in paths() if known.startswith(f"{path}."))
        raise ValueError(f"{shown(value)} is no group of settings; in it stand: {children}")  # noqa: TRY004
    return build(kind, {str(key): inner for key, inner in value.items()}, problems, f"{path}.")


def _unknown(path: str) -> str:
    numbers = re.findall(r"\[\d+\]", path)
    near = difflib.get_close_matches(re.sub(r"\[\d+\]", "[]", path), list(paths()), n=1, cutoff=0.6)
    meant = near[0].replace("[]", numbers[0] if numbers else "[0]") if near else ""
    return f"{path}: unknown setting" + (f", did you mean {meant}?" if near else "")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def shown(value: object) -> str:
    """A value as its writer would recognise it in a message."""
    return "nothing" if value is None else repr(value)
