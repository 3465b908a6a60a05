"""deployer.yaml, the environment and the flags become one frozen, typed value."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from deployer import suggest
from deployer.errors import ConfigurationError
from deployer.host.files import read_whole
from deployer.paths import Deployment, home, known_config_home, user_home
from deployer.record import Record
from deployer.settings.build import build, paths
from deployer.settings.model import Settings
from deployer.settings.schedule import names_server
from deployer.settings.values.checks import complaint_of_place, is_unicode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.settings.schedule import ScheduleSettings

FILE_NAME = "deployer.yaml"

_ENVIRONMENT_PREFIX = "DEPLOYER_"
_CONFIG_VARIABLE = "DEPLOYER_CONFIG"
# What `up` records of a deployment, and what a file for another one says of that other.
_ADDRESS = frozenset({"host", "port", "tls"})
_NOT_ONE_VALUE = frozenset({"registry", "frontend", "backup", "groups", "access", "expect", "retention"})
# Has no variables: what runs by itself is written down where it can be read.
_ONLY_IN_FILE = "schedule"


@dataclass(frozen=True)
class Flags:
    """What the command line says over the file; None if it says nothing."""

    config: Path | None = None
    name: str | None = None
    host: str | None = None
    port: str | None = None
    tls: str | None = None

    def values(self) -> dict[str, str]:
        """The settings that were given, by name."""
        given = {"name": self.name, "host": self.host, "port": self.port, "tls": self.tls}
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True)
class Loaded:
    """The settings and the file they came from, None if no file was found.

    `given` names those that a flag, a variable or the file sets. `described` is the deployment that the file is for,
    "" without a file.
    """

    settings: Settings
    source: Path | None
    given: frozenset[str] = frozenset()
    described: str = ""

    @property
    def is_of_another(self) -> bool:
        """Whether the file is for another deployment than the one that a flag or a variable names."""
        return self.described not in {"", self.settings.name}


@dataclass(frozen=True)
class Assumed:
    """A configuration file that is not written yet: its path, and what it will hold."""

    path: Path
    content: bytes


def load(
    flags: Flags,
    environment: Mapping[str, str],
    directory: Path,
    *,
    find: bool = True,
    assumed: Assumed | None = None,
) -> Loaded:
    """Read the settings: flag over DEPLOYER_* variable over file over what `up` recorded over default.

    Of a deployment that the file is not for, what `up` recorded is over the file: the address in it is another
    registry's. `directory` is where `./deployer.yaml` is looked for; without `find` neither a file nor a record is.
    If there is no file, an `assumed` one counts.
    Raises ConfigurationError with every mistake found, not only the first.
    """
    source = find_file(flags.config, environment, directory) if find else None
    written = _read(source) if source else {}
    if source is None and assumed is not None:
        source, written = assumed.path, _parsed(assumed.path, assumed.content)
    problems = [f"{source}: {problem}" for problem in _problems(written)]
    # A file without a name is for the deployment that the environment names.
    described = (
        str(written.get("name") or environment.get(f"{_ENVIRONMENT_PREFIX}NAME") or Settings.name) if source else ""
    )
    addressed = frozenset(written) & _ADDRESS
    given, misspelt = _from_environment(environment)
    problems += misspelt
    for label, path, value in [*given, *((f"--{key}", key, value) for key, value in flags.values().items())]:
        alone: dict[str, Any] = {}
        _put(alone, path, value)
        # Whether the parts of a group go together shows only when all are known.
        found = [problem for problem in _problems(alone) if problem.startswith(path)]
        if not is_unicode(value):
            found = [f"{path}: {value!r} is not valid UTF-8"]
        problems += [label + problem.removeprefix(path).removeprefix(".mode") for problem in found]
        addressed -= {path.partition(".")[0]}
        _put(written, path, value)
    if problems:
        raise _mistakes(problems)
    own = _own(written)
    # A file says all of the deployment that it describes: what is taken out of it has its default again.
    ours = own.get("name", Settings.name) == described
    said = own if ours else {key: value for key, value in own.items() if key not in addressed}
    recorded = _recorded(said, environment) if find and not ours else {}
    settings = build(Settings, {**own, **recorded, **said} if recorded else own, problems)
    base = source.parent if source else directory
    settings = _with_absolute_paths(settings, base, environment)
    folder = settings.registry.data_directory
    if folder and (complaint := complaint_of_place(folder, user_home(environment))):
        problems.append(f"registry.data: {complaint}")
    if complaint := settings.complaint():
        problems.append(complaint)
    if problems:
        raise _mistakes(problems)
    return Loaded(settings, source, frozenset(said), described)


def _mistakes(problems: list[str]) -> ConfigurationError:
    unique = tuple(dict.fromkeys(problems))
    count = "an error" if len(unique) == 1 else f"{len(unique)} errors"
    return ConfigurationError(f"The configuration has {count}:", problems=unique)


def find_file(chosen: Path | None, environment: Mapping[str, str], directory: Path) -> Path | None:
    """The configuration file in effect: --config, $DEPLOYER_CONFIG, ./deployer.yaml, the user's own.

    Raises ConfigurationError if a file that was named does not exist.
    """
    named = chosen or (Path(environment[_CONFIG_VARIABLE]) if environment.get(_CONFIG_VARIABLE) else None)
    if named is not None:
        named = named if named.is_absolute() else directory / named
        if not named.exists():
            where = "--config" if chosen else _CONFIG_VARIABLE
            raise ConfigurationError(
                f"{where} refers to {named}, but there is no such file.",
                (f"deployer init --config {shlex.quote(str(named))}",),
            )
        return named
    own = known_config_home(environment)
    candidates = (directory / FILE_NAME, *((own / "deployer" / FILE_NAME,) if own else ()))
    return next((candidate for candidate in candidates if _is_there(candidate)), None)


def _is_there(path: Path) -> bool:
    try:
        # A folder of that name, or a link that leads nowhere, is not a file, and is said when it is read: with another
        # file, or none, another registry would be meant.
        return path.is_file() or path.is_dir() or path.is_symlink()
    except OSError:
        # A folder that may not be entered holds no file for this user.
        return False


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader without its guesses: every value is the text that was written.

    What a value has to be is known by its setting. YAML 1.1 reads 05000 as 2560, 50:00 as 3000, `no` as false and
    2026-02-30 as a date that does not exist. A key that is listed twice is a mistake.
    """


_NOTHING, _MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag in {_NOTHING, _MERGE}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping_without_repeats(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _MERGE:
            continue
        if key_node.value in seen:
            raise yaml.MarkedYAMLError(problem=f"'{key_node.value}' is listed twice", problem_mark=key_node.start_mark)
        seen.add(key_node.value)
    return loader.construct_mapping(node, deep=True)


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    if not is_unicode(text):
        raise yaml.MarkedYAMLError(problem="half of a surrogate pair is not a character", problem_mark=node.start_mark)
    return text


def _of_a_tag(_loader: _Loader, _suffix: str, node: yaml.Node) -> object:
    raise yaml.MarkedYAMLError(
        problem=f"the tag {node.tag.replace('tag:yaml.org,2002:', '!!')} is not supported; write only the value",
        problem_mark=node.start_mark,
    )


_Loader.yaml_constructors = {
    _NOTHING: yaml.SafeLoader.construct_yaml_null,
    "tag:yaml.org,2002:seq": yaml.SafeLoader.construct_yaml_seq,
    "tag:yaml.org,2002:str": _text,
    "tag:yaml.org,2002:map": _mapping_without_repeats,
}
_Loader.yaml_multi_constructors = {"": _of_a_tag}


def _read(source: Path) -> dict[str, Any]:
    try:
        return _parsed(source, read_whole(source))
    except OSError as error:
        raise ConfigurationError(f"{source} cannot be read: {error.strerror}.") from error


def _parsed(source: Path, text: bytes) -> dict[str, Any]:
    try:
        content = yaml.load(text.decode("utf-8-sig"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{source} is not valid UTF-8.") from error
    except RecursionError as error:
        raise ConfigurationError(f"{source} is nested too deeply.") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{source}{_place(error)}: {_problem(error)}.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(f"{source}: expected 'name: value' pairs, one per line.")
    return content


def _place(error: yaml.YAMLError) -> str:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def _problem(error: yaml.YAMLError) -> str:
    problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
    return f"not valid YAML: {problem}"


def _own(written: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in written.items()}


def _problems(written: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    build(Settings, _own(written), problems)
    return problems


def _recorded(own: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Where `up` brought up the deployment that is meant; nothing if another registry is.

    Without a name given, a host or port of its own means a registry elsewhere.
    """
    wanted = build(Settings, own, [])
    deployment = Deployment.known(wanted.name, environment)
    record = Record.read(deployment.record_file) if deployment else None
    if record is None:
        return {}
    problems: list[str] = []
    found = asdict(record)
    deployed = build(Settings, found, problems)
    same = all(getattr(wanted, key) == getattr(deployed, key) for key in ("host", "port") if key in own)
    return found if not problems and (same or "name" in own) else {}


def _from_environment(environment: Mapping[str, str]) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Split DEPLOYER_* variables into (variable, setting, value) and sentences about misspelt ones."""
    known = {
        f"{_ENVIRONMENT_PREFIX}{path.replace('.', '_').upper()}": path
        for path in paths()
        if path not in _NOT_ONE_VALUE and "[]" not in path and path.partition(".")[0] != _ONLY_IN_FILE
    }
    names = sorted(name for name, value in environment.items() if value and name.startswith(_ENVIRONMENT_PREFIX))
    misspelt = []
    for name in names:
        # Other programs may own DEPLOYER_ names; only a near miss of one of ours is a mistake.
        near = suggest.near(name, [*known, _CONFIG_VARIABLE], most=1, likeness=0.85)
        if near and name not in {*known, _CONFIG_VARIABLE}:
            misspelt.append(f"{name}: unknown variable, did you mean {near[0]}?")
    return [(name, known[name], environment[name]) for name in names if name in known], misspelt


def _put(target: dict[str, Any], path: str, value: object) -> None:
    *groups, last = path.split(".")
    for group in groups:
        inner = target.get(group)
        if group == "tls" and isinstance(inner, str):
            inner = {"mode": inner}
        target[group] = dict(inner) if isinstance(inner, dict) else {}
        target = target[group]
    target[last] = value


def _with_absolute_paths(settings: Settings, base: Path, environment: Mapping[str, str]) -> Settings:
    """The settings with every path in them absolute: `base` is where relative ones begin, `~` the user's folder."""

    def absolute(path: Path) -> str:
        if path.parts[:1] == ("~",):
            path = home(environment).joinpath(*path.parts[1:])
        # Not Path.resolve, which raises RuntimeError for a link to itself before Python 3.13; what cannot be
        # used is told where it is used.
        return os.path.realpath(base / path)

    directory = settings.registry.data_directory
    if directory is not None:
        settings = replace(settings, registry=replace(settings.registry, data=absolute(directory)))
    settings = replace(settings, schedule=_schedule_with_absolute_paths(settings.schedule, absolute))
    named = {key: getattr(settings.tls, key) for key in ("certificate", "key", "authority")}
    paths_of_tls: dict[str, Any] = {key: absolute(Path(value)) for key, value in named.items() if value}
    return replace(settings, tls=replace(settings.tls, **paths_of_tls))


def _schedule_with_absolute_paths(schedule: ScheduleSettings, absolute: Callable[[Path], str]) -> ScheduleSettings:
    backup = schedule.backup
    is_directory = backup.to and not names_server(backup.to)
    paths_of_backup: dict[str, Any] = {
        **({"to": absolute(Path(backup.to))} if is_directory else {}),
        **({"env_file": absolute(Path(backup.env_file))} if backup.env_file else {}),
    }
    return replace(schedule, backup=replace(backup, **paths_of_backup))
