"""Proxies between the engine, this machine and the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import ConfigurationError
from deployer.registry.connection.proxy import proxy_for
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deployer.workflows.diagnosis.examined import Examined

_HUB = "https://docker.io"


def examine(examined: Examined) -> Iterator[Finding]:
    """Look at who goes to the registry through a proxy, and who has one that the other lacks."""
    settings, environment = examined.stack.settings, examined.environment
    theirs = examined.engine_info.report.proxies
    host = settings.host
    if through := _proxy(settings.url, theirs):
        yield Finding(
            FindingState.NOTE,
            f"The Docker engine connects to {settings.address} through the proxy {through}: pushes and pulls fail "
            "unless the proxy can reach the registry.",
            (f"Add {host} to NO_PROXY where the engine's proxies are set (its service, or `proxies` in daemon.json).",),
        )
    if through := _proxy(settings.url, environment):
        yield Finding(
            FindingState.NOTE,
            f"Requests to {settings.address} go through the proxy {through} set in the environment.",
            (f'export NO_PROXY="${{NO_PROXY:+$NO_PROXY,}}{host}"   (to connect directly)',),
        )
    elsewhere = _proxy(_HUB, environment)
    if elsewhere and not _proxy(_HUB, theirs):
        yield Finding(
            FindingState.NOTE,
            f"This environment uses the proxy {elsewhere}, but the Docker engine has none; it cannot pull from "
            "other registries if the network requires a proxy.",
            ("Set `proxies` in the engine's daemon.json, or HTTPS_PROXY in its service, then restart it.",),
        )


def _proxy(url: str, environment: Mapping[str, str]) -> str:
    """The proxy for an address without its credentials, "" for none."""
    try:
        found = proxy_for(url, environment)
    except ConfigurationError:
        # One that cannot be used is reported where it is needed.
        return ""
    return found.url if found else ""
