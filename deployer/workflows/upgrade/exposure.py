"""Whether a known vulnerability affects a deployment, by the configuration that it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from deployer.host.files import read_if_there
from deployer.layout import SERVICE_FILES, Service
from deployer.workflows.checks import service_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployer.engine.values import ServiceContainer
    from deployer.paths import Deployment

_MANY_HOSTS = 100
_VARIABLES = "REGISTRY_"


@dataclass(frozen=True)
class Layout:
    """How the services are configured: the registry by its file and by its variables, the frontend by its file.

    `is_isolated`: the frontend has a network of its own, so that its loopback address is no one else's.
    """

    registry: tuple[Mapping[str, Any], ...] = ()
    caddyfile: str = ""
    is_isolated: bool = True


@dataclass(frozen=True)
class Condition:
    """What a vulnerability needs: whether a deployment has it, and the reason to show if not."""

    is_met: Callable[[Layout], bool]
    otherwise: str


@dataclass(frozen=True)
class Exposure:
    """Whether a vulnerability affects a deployment, and why not, "" if it does."""

    reaches: bool = True
    reason: str = field(default="")


def _at(configuration: Mapping[str, Any], *path: str) -> object:
    found: object = configuration
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _has(layout: Layout, *path: str) -> bool:
    return any(_at(one, *path) for one in layout.registry)


def _caddy(pattern: str) -> Callable[[Layout], bool]:
    return lambda layout: re.search(pattern, layout.caddyfile, re.MULTILINE) is not None


def _is_deletion_disabled(layout: Layout) -> bool:
    return any(_at(one, "storage", "delete", "enabled") is not True for one in layout.registry)


def _has_many_hosts(layout: Layout) -> bool:
    return layout.caddyfile.count("://") > _MANY_HOSTS


def _has_reachable_admin(layout: Layout) -> bool:
    return not (layout.is_isolated and _caddy(r"^\s*admin 127\.0\.0\.1:")(layout))


# A condition that is not listed here holds for every deployment.
CONDITIONS: Mapping[str, Condition] = {
    "pull-through-cache": Condition(
        lambda layout: _has(layout, "proxy"), "this registry is not a pull-through cache and has no upstream"
    ),
    "redis-cache": Condition(
        lambda layout: _has(layout, "storage", "cache") or _has(layout, "redis"),
        "this registry has no blob descriptor cache",
    ),
    "deletion-disabled": Condition(
        _is_deletion_disabled, "deleting is enabled here, and the frontend decides who may delete"
    ),
    "client-certificates": Condition(_caddy(r"\bclient_auth\b"), "the frontend does not request client certificates"),
    "escaped-path": Condition(
        _caddy(r"^\s*(@\S+ )?path\b.*%[0-9A-Fa-f]{2}"), "no path matcher contains an escape sequence"
    ),
    "many-hosts": Condition(_has_many_hosts, "the frontend has few host names"),
    "reachable-admin": Condition(
        _has_reachable_admin, "the admin API listens only inside the frontend's container, which has no browser"
    ),
    "fastcgi": Condition(_caddy(r"\b(php_)?fastcgi\b"), "the frontend does not use FastCGI"),
    "forward-auth": Condition(_caddy(r"\bforward_auth\b"), "the frontend checks logins itself"),
    "windows": Condition(lambda _: False, "the frontend runs on Linux"),
}


def exposure(needs: str, layout: Layout) -> Exposure:
    """Whether a vulnerability with this condition affects a deployment; an unknown condition holds for all."""
    condition = CONDITIONS.get(needs)
    if condition is None or condition.is_met(layout):
        return Exposure()
    return Exposure(reaches=False, reason=condition.otherwise)


def layout_of(deployment: Deployment, containers: tuple[ServiceContainer, ...]) -> Layout:
    """How the deployed services are configured, with the variables that the user gives to the registry."""
    read = {service: read_if_there(deployment.directory / path) or b"" for service, path in SERVICE_FILES.items()}
    by_service = {one.service: one for one in containers}
    registry = by_service.get(Service.REGISTRY)
    variables = {
        name: value for name, value in (registry.environment if registry else {}).items() if name.startswith(_VARIABLES)
    }
    frontend = by_service.get(Service.FRONTEND)
    return Layout(
        (_parsed(read[Service.REGISTRY]), service_environment.configured(variables)),
        read[Service.FRONTEND].decode(errors="replace"),
        is_isolated=frontend is None or bool(frontend.network),
    )


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(content)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}
