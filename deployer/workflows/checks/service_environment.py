"""Variables of the registry's and the frontend's containers that undo what deployer's commands rely on.

The user's Compose file may set them, itself or through `env_file`, `extends` and `include`, and so may an image that
the user chose; distribution takes every key of its configuration from a variable of that name
(REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR for storage.cache.blobdescriptor). A variable that changes nothing of this, or
says the same, is the user's own affair.
"""

from __future__ import annotations

import copy
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from deployer.errors import PreflightError, StorageError
from deployer.layout import SOCKETS, STORAGE, Service
from deployer.phrases import listed
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from deployer.engine.values import ServiceContainer
    from deployer.paths import Deployment

_PREFIX = "REGISTRY_"
_CATALOG = 1_000_000
# What deployer's commands rely on, of the rendered registry/config.yaml.
RELIED_ON: Mapping[str, Any] = {
    "storage": {"filesystem": {"rootdirectory": STORAGE}, "delete": {"enabled": True}},
    "catalog": {"maxentries": _CATALOG},
    "http": {"net": "unix", "addr": f"{SOCKETS}/registry.sock", "debug": {"addr": "127.0.0.1:5001"}},
}
# The keys of `storage` that do not name a driver (distribution, configuration/configuration.go).
_NO_DRIVERS = {"maintenance", "cache", "delete", "redirect", "tag"}
_CACHES = {"redis", "inmemory"}


@dataclass(frozen=True)
class Reliance:
    """Something that deployer's commands rely on: the keys that decide, and whether it still holds.

    `effect` says what is wrong where it does not, and `instead` what to use in place of the variable. `up` refuses
    what `is_refused`, and commands that change the storage what `is_of_storage`. What `hides_storage` leaves them, and
    everyone who looks at the storage, nothing to see.
    """

    keys: tuple[str, ...]
    holds: Callable[[Mapping[str, Any]], bool]
    effect: str
    instead: str = ""
    is_refused: bool = True
    is_of_storage: bool = False
    hides_storage: bool = False


def _at(configuration: Mapping[str, Any], *path: str) -> object:
    found: object = configuration
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _is_in_place(configuration: Mapping[str, Any]) -> bool:
    storage = _at(configuration, "storage")
    drivers = storage.keys() - _NO_DRIVERS if isinstance(storage, dict) else ()
    # Without a root directory, the driver has the same as its own.
    root = _at(configuration, "storage", "filesystem", "rootdirectory") or STORAGE
    return set(drivers) == {"filesystem"} and posixpath.normpath(str(root)) == STORAGE


def _is_uncached(configuration: Mapping[str, Any]) -> bool:
    # The second is the name that the first had once.
    names = ("blobdescriptor", "layerinfo")
    return not any(str(_at(configuration, "storage", "cache", name)) in _CACHES for name in names)


def _is_at_socket(configuration: Mapping[str, Any]) -> bool:
    http = RELIED_ON["http"]
    return (
        all(_at(configuration, "http", key) == http[key] for key in ("net", "addr"))
        and str(_at(configuration, "http", "prefix") or "").strip("/") == ""
        and not _at(configuration, "http", "tls", "certificate")
        and not _at(configuration, "http", "tls", "letsencrypt", "cachefile")
    )


def _has_no_login(configuration: Mapping[str, Any]) -> bool:
    found = _at(configuration, "auth") or {}
    return isinstance(found, dict) and {str(name).lower() for name in found} <= {"none"}


def _lists_all(configuration: Mapping[str, Any]) -> bool:
    entries = _at(configuration, "catalog", "maxentries")
    return isinstance(entries, int) and entries >= _CATALOG


def _is_checked(configuration: Mapping[str, Any]) -> bool:
    return str(_at(configuration, "http", "debug", "addr")).endswith(":5001")


_REGISTRY = (
    Reliance(
        ("storage",), _is_in_place,
        "the images are not where deployer looks for them, so deployer cannot measure, check or "
        "garbage-collect them",
        "To store images in a directory, set registry.data.",
        is_of_storage=True, hides_storage=True,
    ),
    Reliance(
        ("storage_cache",), _is_uncached,
        "garbage collection leaves such a cache stale, and images that are pushed afterwards are reported as complete "
        "and cannot be pulled",
        is_of_storage=True,
    ),
    Reliance(
        ("proxy",), lambda configuration: not _at(configuration, "proxy", "remoteurl"),
        "a pull-through cache refuses pushes, and its pulls write to the storage while writes are paused",
        is_of_storage=True,
    ),
    Reliance(
        ("http_net", "http_addr", "http_prefix", "http_tls"), _is_at_socket,
        "the frontend does not reach the registry, which must listen on its socket without TLS and without a prefix",
        "Use the settings port, bind and tls instead.",
    ),
    Reliance(
        ("auth",), _has_no_login,
        "the registry then requires a second login, which deployer's users do not have",
        "deployer user add NAME   (turns on deployer's own login)",
    ),
    Reliance(
        ("catalog_maxentries",), _lists_all,
        "a paginated catalog omits repositories",
    ),
    Reliance(
        ("storage_delete",), lambda configuration: _at(configuration, "storage", "delete", "enabled") is True,
        "tags and images cannot be deleted, except by `prune` and `delete --repository`",
        is_refused=False,
    ),
    Reliance(
        ("storage_maintenance_readonly",),
        lambda configuration: not _at(configuration, "storage", "maintenance", "readonly", "enabled"),
        "the registry is read-only: nothing can be pushed or deleted, except by `gc`, `prune` and "
        "`delete --repository`",
        is_refused=False,
    ),
    Reliance(
        ("http_host",), lambda configuration: not _at(configuration, "http", "host"),
        "pushes continue at that address, whatever address the client uses",
        is_refused=False,
    ),
    Reliance(
        ("http_debug_addr",), _is_checked,
        "the health check uses port 5001 inside the container, and fails",
        is_refused=False,
    ),
)  # fmt: skip
_FRONTEND = (
    Reliance(
        ("XDG_DATA_HOME",),
        lambda environment: posixpath.normpath(environment.get("XDG_DATA_HOME") or "/data") == "/data",
        "the frontend's certificates and its CA are not kept in its volume, and are lost when it is recreated",
    ),
)


@dataclass
class VariablesRefused(PreflightError):
    """What `up` refuses of the variables in the user's files."""

    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """Variables of a service, and what they undo."""

    service: Service
    variables: tuple[str, ...]
    reliance: Reliance

    @property
    def sentence(self) -> str:
        """What is set, and what that breaks. Without the values, which may be secret."""
        return f"The {self.service}'s environment sets {listed(self.variables)}: {self.reliance.effect}."

    def advice(self, deployment: Deployment) -> tuple[str, ...]:
        """How to fix it."""
        what, them = ("variable", "it") if len(self.variables) == 1 else ("variables", "them")
        fix = (
            f"Remove the {what} from {deployment.override_file}, or from the env_file that it uses; if the image sets "
            f"{them}, choose another ({self.service}.image in deployer.yaml). Then: deployer up"
        )
        return (fix, *filter(None, (self.reliance.instead,)))


def conflicts(environments: Mapping[str, Mapping[str, str]]) -> tuple[Conflict, ...]:
    """What the variables of the services undo, the gravest first."""
    registry, frontend = (environments.get(service) or {} for service in (Service.REGISTRY, Service.FRONTEND))
    own = {name: value for name, value in registry.items() if name.startswith(_PREFIX)}
    configuration = configured(own)
    found = [
        Conflict(Service.REGISTRY, _deciding(own, reliance), reliance)
        for reliance in _REGISTRY
        if not reliance.holds(configuration)
    ]
    found += [
        Conflict(Service.FRONTEND, reliance.keys, reliance) for reliance in _FRONTEND if not reliance.holds(frontend)
    ]
    return tuple(found)


def of_containers(containers: Iterable[ServiceContainer]) -> tuple[Conflict, ...]:
    """What the variables that the containers were made with undo."""
    return conflicts({container.service: container.environment for container in containers})


def refuse(found: Iterable[Conflict], deployment: Deployment) -> None:
    """Make sure that nothing is undone that `up` relies on. Raises VariablesRefused."""
    refused = tuple(one for one in found if one.reliance.is_refused)
    if refused:
        advice = dict.fromkeys(line for one in refused for line in one.advice(deployment))
        raise VariablesRefused(" ".join(one.sentence for one in refused), tuple(advice), conflicts=refused)


def refuse_for_storage(containers: Iterable[ServiceContainer], deployment: Deployment) -> None:
    """Make sure that the storage is what it is taken for, and may be changed. Raises StorageError."""
    for one in of_containers(containers):
        if one.reliance.is_of_storage:
            raise StorageError(one.sentence, one.advice(deployment))


def remarks(found: Iterable[Conflict]) -> tuple[str, ...]:
    """What is let through, a sentence each."""
    return tuple(one.sentence for one in found if not one.reliance.is_refused)


def findings(found: Iterable[Conflict], deployment: Deployment) -> tuple[Finding, ...]:
    """The same conflicts as findings: wrong is what `up` would refuse."""
    return tuple(
        Finding(
            FindingState.WRONG if one.reliance.is_refused else FindingState.NOTE, one.sentence, one.advice(deployment)
        )
        for one in found
    )


def hides_storage(containers: Iterable[ServiceContainer]) -> bool:
    """Whether the images are not in the storage that deployer looks at."""
    return any(one.reliance.hides_storage for one in of_containers(containers))


def configured(variables: Mapping[str, str]) -> dict[str, Any]:
    """What is relied on, as distribution has it with these variables (configuration/parser.go)."""
    found = copy.deepcopy(dict(RELIED_ON))
    # Sorted, so that what replaces a whole section comes before what is set in it.
    for name in sorted(variables):
        *path, last = name.removeprefix(_PREFIX).lower().split("_")
        place = found
        for key in path:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place[last] = _value(variables[name])
        if not path and last in {"storage", "auth"} and isinstance(place[last], str):
            # A name alone stands for one without options.
            place[last] = {place[last]: {}}
    return found


def _deciding(variables: Mapping[str, str], reliance: Reliance) -> tuple[str, ...]:
    """The variables without which it would hold; those that together undo it, where none does alone."""
    related = [name for name in sorted(variables) if _concerns(name, reliance)]
    alone = [name for name in related if not reliance.holds(configured({name: variables[name]}))]
    return tuple(alone or related)


def _concerns(name: str, reliance: Reliance) -> bool:
    path = f"{name.removeprefix(_PREFIX).lower()}_"
    return any(path.startswith(f"{key}_") or f"{key}_".startswith(path) for key in reliance.keys)


def _value(text: str) -> object:
    try:
        return cast("object", yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        # The registry says so, and does not start.
        return text
