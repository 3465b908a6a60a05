"""The addresses of a name, as this machine resolves it, for a question that has an answer without them too."""

from __future__ import annotations

import functools

from deployer.host import ports


@functools.cache
def addresses(name: str) -> tuple[str, ...]:
    """The IP addresses of a name, without zones; none if it has none, or they cannot be looked up."""
    try:
        return tuple(address.partition("%")[0] for address in ports.addresses(name))
    except (OSError, UnicodeError):
        return ()
