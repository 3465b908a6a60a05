"""The addresses of a name, as this machine resolves it."""

from __future__ import annotations

import functools
import socket


@functools.cache
def addresses(name: str) -> tuple[str, ...]:
    """The IP addresses of a name; none if it has none, or they cannot be looked up."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
