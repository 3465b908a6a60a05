"""NO_PROXY, read as Go reads it (golang.org/x/net/http/httpproxy, config.init and useProxy)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import idna

if TYPE_CHECKING:
    from deployer.registry.protocol.place import Place

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class _Target:
    """The host that is asked for: a name in lower case or an address, and its port."""

    name: str
    address: _Address | None
    port: str


def exempts(entries: str, place: Place) -> bool:
    """Whether the entries, separated by commas, cover the place.

    `*`; a domain, with all below it; `.domain` or `*.domain`, only what is below it; an address or a
    CIDR. All but `*` and CIDR may have a port. Entries of other forms cover nothing.
    """
    target = _Target(_ascii(place.host.lower()), _address(place.host), str(place.port))
    wanted = [entry.strip().lower() for entry in entries.split(",")]
    return "*" in wanted or any(_covers(entry, target) for entry in wanted if entry)


def _covers(entry: str, target: _Target) -> bool:
    network = _network(entry)
    if network is not None:
        return target.address is not None and target.address in network
    host, port = _split(entry)
    if not host or (port and port != target.port):
        return False
    address = _address(host)
    if address is not None or target.address is not None:
        return address == target.address
    domain = host.removeprefix("*") if host.startswith("*.") else host
    below = _ascii(domain) if domain.startswith(".") else f".{_ascii(domain)}"
    return target.name.endswith(below) or (domain[0] != "." and target.name == below[1:])


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    address, slash, bits = entry.partition("/")
    # Python would take a mask such as 255.0.0.0 too.
    if not slash or not (bits.isascii() and bits.isdigit()):
        return None
    try:
        return ipaddress.ip_network(f"{address}/{int(bits)}", strict=False)
    except ValueError:
        return None


def _address(host: str) -> _Address | None:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    # ::ffff:192.0.2.1 is the same host as 192.0.2.1.
    return getattr(found, "ipv4_mapped", None) or found


def _split(entry: str) -> tuple[str, str]:
    """Host and port as Go's net.SplitHostPort finds them; the whole entry is the host if it finds none."""
    if entry.startswith("["):
        host, bracket, rest = entry[1:].partition("]")
        return (host, rest[1:]) if bracket and rest.startswith(":") and ":" not in rest[1:] else (entry, "")
    return (entry.partition(":")[0], entry.partition(":")[2]) if entry.count(":") == 1 else (entry, "")


def _ascii(name: str) -> str:
    """A name beyond ASCII as DNS has it; unchanged if that is not possible."""
    if name.isascii():
        return name
    dot = "." if name.startswith(".") else ""
    try:
        return dot + idna.encode(name.removeprefix("."), uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        return name
