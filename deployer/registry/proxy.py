"""Which proxy stands between us and a registry, as the environment says."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deployer.registry.place import Place

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for this URL; none for this machine itself, as Docker does."""
    variable = f"{urlsplit(url).scheme}_proxy"
    proxy = environment.get(variable) or environment.get(variable.upper())
    if not proxy or Place.of(url).is_loopback:
        return None
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if any(_exempts(entry.strip(), Place.of(url)) for entry in exempt.split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _exempts(entry: str, place: Place) -> bool:
    """Whether one entry of NO_PROXY covers the host: `*`, a host, a domain, host:port, an address or CIDR."""
    if entry in {"*", place.host, place.address}:
        return True
    try:
        return ipaddress.ip_address(place.host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return bool(entry) and place.host.endswith("." + entry.lstrip("."))
