"""Hosts and ports: how they are written, and which are this machine's own."""

from __future__ import annotations

import ipaddress


def bracketed(host: str) -> str:
    """A host as written in a URL and before a port: an IPv6 address in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def host_port(host: str, port: int) -> str:
    """`host:port`."""
    return f"{bracketed(host)}:{port}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone, and reached by no proxy; names below `localhost` are (RFC 6761, 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Python before 3.13 does not see through ::ffff:127.0.0.1.
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
