"""The route of the Docker engine to a registry, for a look at what answers it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.errors import ConfigurationError, HostError
from deployer.registry.connection.proxy import proxy_for
from deployer.registry.connection.tunnel import ProxyRoute
from deployer.tls.probe import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.settings.model import Settings
    from deployer.tls.probe import ProxyFault
    from deployer.workflows.trust.engine_view import EngineLocation

# moby, daemon/info.go, maskCredentials: the engine does not tell how it logs in to its proxy.
_MASKED = "xxxxx"


@dataclass(frozen=True)
class EngineRoute:
    """What answers the engine at the registry's address, and what is to be said of the route, "" for nothing."""

    peer: Peer
    remark: str = ""


def engine_route(settings: Settings, proxies: Mapping[str, str], location: EngineLocation) -> EngineRoute:
    """The route through the proxies that the engine of this machine has; direct without them."""
    direct = EngineRoute(Peer(settings.host, settings.port))
    if location.is_elsewhere:
        return direct
    address = settings.address
    try:
        found = [proxy_for(f"{scheme}://{address}", proxies) for scheme in ("https", "http")]
    except ConfigurationError as error:
        return EngineRoute(direct.peer, f"The engine's proxies: {error.message} {address} was contacted directly.")
    through = dict.fromkeys(proxy for proxy in found if proxy)
    if not through:
        return direct
    named = " and ".join(str(proxy) for proxy in through)
    if any(proxy.username == _MASKED for proxy in through):
        remark = (
            f"The Docker engine uses the {named} for {address} with credentials that it does not reveal, so "
            f"{address} was contacted directly."
        )
        return EngineRoute(direct.peer, remark)
    peer = Peer(settings.host, settings.port, route=ProxyRoute(proxies))
    return EngineRoute(peer, f"The Docker engine uses the {named} for {address}, so deployer used it too.")


def not_let_through(address: str, fault: ProxyFault) -> HostError:
    """What is said of a proxy of the engine's that does not let it reach the registry."""
    host = address.rpartition(":")[0].strip("[]")
    return HostError(
        f"The Docker engine connects to {address} through the {fault.proxy}, which does not allow it: "
        f"{fault.words.rstrip('.')}.",
        (
            (
                f"Add {host} to NO_PROXY next to the engine's proxies, in its service or daemon.json, and restart "
                "the engine."
            ),
            "Otherwise start the registry, or allow the proxy to reach it.",
        ),
    )
