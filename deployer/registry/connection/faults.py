"""What goes wrong between us and the registry, each fault in its sentence."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

import httpx

from deployer.errors import DeployerError, LateAnswer, RegistryError, RegistryUnreachable, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.registry.protocol.place import Place


def fault(error: Exception, place: Place, *, seconds: float) -> DeployerError:
    """The sentence for a request that got no whole answer; `seconds` is how long we waited."""
    original = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return RegistryUnreachable(
            f"{place.address} did not answer within {seconds:g} seconds.",
            (_where(place), "A firewall may swallow what is sent to this port."),
            original,
        )
    if isinstance(error, httpx.TimeoutException):
        return LateAnswer(
            f"{place.address} took the request, but did not answer within {seconds:g} seconds.",
            ("Look whether the registry is overloaded: deployer logs",),
            original,
        )
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return _connecting(error, place, original)
    if isinstance(error, httpx.RemoteProtocolError):
        return _protocol(place, original)
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return TryAgain(f"{place.address} closed the connection.", ("Look why: deployer logs",), original)
    return RegistryError(f"The request to {place.address} failed.", original=original)


def _connecting(error: Exception, place: Place, original: str) -> DeployerError:
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return RegistryUnreachable(
                f"The host name '{place.host}' does not resolve.",
                ("Check --host, this machine's DNS, or /etc/hosts.",),
                original,
            )
        if isinstance(cause, OSError) and cause.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
            return RegistryUnreachable(
                f"There is no way from here to {place.host}.", ("Check --host and this machine's network.",), original
            )
    return RegistryUnreachable(f"Nothing answers at {place.url}.", (_where(place),), original)


def _protocol(place: Place, original: str) -> DeployerError:
    if "without sending a response" in original:
        return TryAgain(
            f"{place.address} took the request and closed the connection without an answer.",
            ("Look why: deployer logs", "If this is HTTPS or no web server at all, check --host and --port."),
            original,
        )
    if "closed connection" in original or "incomplete" in original.lower():
        return TryAgain(
            f"The answer of {place.address} is truncated.",
            ("Repeat the command; then look at: deployer logs",),
            original,
        )
    if "location header" in original:
        return RegistryError(f"{place.address} redirects to an address that is not valid.", original=original)
    return RegistryError(
        f"What answers at {place.url} is not a registry: it does not speak HTTP.",
        (f"Check the host and the port: another program may have {place.address}.",),
        original,
    )


def _where(place: Place) -> str:
    if place.is_loopback:
        return "Start it: deployer up"
    return "Check --host and --port, and that the registry runs there (on that machine: deployer status)."


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
