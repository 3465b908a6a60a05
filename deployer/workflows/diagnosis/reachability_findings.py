"""Whether the registry's API can be reached from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployer.errors import DeployerError
from deployer.host import ports
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.workflows.diagnosis.examined import Examined

# The shortest question there is: what takes longer is not well.
_PATIENCE_SECONDS = 15.0


def examine(examined: Examined) -> Iterator[Finding]:
    """Go from here to the registry's API, step by step; the first step that fails ends it."""
    yield _resolved(examined.stack.settings.host)
    yield _answering(examined)


def _resolved(host: str) -> Finding:
    try:
        addresses = ports.addresses(host)
    except OSError as error:
        raise DeployerError(
            f"The name {host} does not resolve on this machine.",
            ("Use the registry's IP address as --host, or add the name to DNS or /etc/hosts.",),
            str(error),
        ) from error
    found = "" if addresses == [host] else f" to {', '.join(addresses)}"
    return Finding(FindingState.OK, f"The name {host} resolves{found}.")


def _answering(examined: Examined) -> Finding:
    with examined.client(patience=_PATIENCE_SECONDS) as client:
        client.ping()
        # A client's settings need not say that the registry speaks TLS.
        return Finding(FindingState.OK, f"{client.place.url} responds as a registry.")
