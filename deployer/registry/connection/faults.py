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
            f"{place.address} did not respond within {seconds:g} seconds.",
            (_where(place), "A firewall may be dropping packets to this port."),
            original,
        )
    if isinstance(error, httpx.TimeoutException):
        return LateAnswer(
            f"{place.address} accepted the request but did not respond within {seconds:g} seconds.",
            ("Check whether the registry is overloaded: deployer logs",),
            original,
        )
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return _connecting(error, place, original)
    if isinstance(error, httpx.RemoteProtocolError):
        return _protocol(place, original)
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.CloseError):
        return TryAgain(f"{place.address} closed the connection.", ("To see why: deployer logs",), original)
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
                f"No route to {place.host}.", ("Check --host and this machine's network.",), original
            )
    return RegistryUnreachable(f"Nothing responds at {place.url}.", (_where(place),), original)


def _protocol(place: Place, original: str) -> DeployerError:
    if "without sending a response" in original:
        return TryAgain(
            f"{place.address} accepted the request and closed the connection without responding.",
            ("To see why: deployer logs", "If the server uses HTTPS or is not a web server, check --host and --port."),
            original,
        )
    if "closed connection" in original or "incomplete" in original.lower():
        return TryAgain(
            f"The response from {place.address} is truncated.",
            ("Run the command again; if it fails again, check: deployer logs",),
            original,
        )
    if "location header" in original:
        return RegistryError(f"{place.address} redirects to an invalid address.", original=original)
    return RegistryError(
        f"The server at {place.url} is not a registry: it does not speak HTTP.",
        (f"Check the host and the port: another program may be using {place.address}.",),
        original,
    )


def _where(place: Place) -> str:
    if place.is_loopback:
        return "Start it: deployer up"
    return "Check --host and --port, and that the registry is running (on that machine: deployer status)."


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
