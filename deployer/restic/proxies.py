"""Proxies between restic and a server, which restic, as every program in Go, reads from the environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deployer.errors import BackupError
from deployer.redaction import without_secrets
from deployer.registry.connection.proxy import proxy_for
from deployer.registry.connection.proxy_faults import PROXY_LOGIN, around, refusal_by_proxy
from deployer.registry.protocol.place import Place
from deployer.restic import addresses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployer.registry.connection.proxy import Proxy

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
# Go's net/http, transport.go.
_LOGIN = re.compile("proxy authentication required", re.IGNORECASE)
_CONNECTING = re.compile("proxyconnect|socks connect", re.IGNORECASE)
_NOTHING_THERE = re.compile(
    "dial tcp.*(?:no such host|connection (?:refused|timed out)|i/o timeout|no route to host|network is unreachable)",
    re.IGNORECASE,
)
# What a proxy answers to CONNECT is alone after the URL, without its number.
_REFUSED = re.compile(
    r'"https://[^"]+": (?:forbidden|bad gateway|service unavailable|gateway time-?out|method not allowed)\s*$',
    re.IGNORECASE | re.MULTILINE,
)


def proxy_of(written: str, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy through which restic reaches a target, None for the direct way.

    Raises ConfigurationError, without the variable's value, if it cannot be used.
    """
    if not addresses.is_address(written):
        return None
    return proxy_for(_url(written), {name: environment[name] for name in VARIABLES if name in environment})


def fault(printed: str, proxy: Proxy, written: str) -> BackupError | None:
    """The error if restic came no further than the proxy, None if what it printed says something else."""
    place, original = Place.of(_url(written)), without_secrets(printed)
    if _LOGIN.search(printed):
        refusal = refusal_by_proxy(PROXY_LOGIN, proxy, place, original)
        return BackupError(refusal.message, refusal.advice, original)
    if not _CONNECTING.search(printed) and not _REFUSED.search(printed):
        return None
    message = f"The {proxy} could not connect to {place.address}."
    if _NOTHING_THERE.search(printed):
        message = f"Nothing responds at the {proxy}."
    return BackupError(message, (f"Correct {proxy.variable}, or start the proxy.", around(proxy, place)), original)


def _url(written: str) -> str:
    """The URL of a target on a server; S3 uses TLS unless the address says otherwise."""
    address = written.partition(":")[2]
    return address if "://" in address else f"https://{address.removeprefix('//')}"
