"""Caddy's own CA: its certificate, which clients are to trust, and what that is known by."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from deployer.engine.values import of_service
from deployer.errors import EngineError
from deployer.host.files import PUBLIC, read_if_there, write_atomically
from deployer.layout import FRONTEND_DATA, Service
from deployer.record import Record
from deployer.settings.model import TlsMode
from deployer.tls.certificate import der_of, fingerprint_of
from deployer.workflows.finding import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.engine.engine import Engine
    from deployer.engine.inventory import Inventory, Wanted
    from deployer.engine.values import ServiceContainer
    from deployer.paths import Deployment
    from deployer.workflows.deployment.stack import Stack

IN_FRONTEND = "caddy/pki/authorities/local/root.crt"
"""Where it is below the folder that has the frontend's data."""


def keep(engine: Engine, deployment: Deployment) -> str:
    """Take the certificate out of the frontend's container into the deployment's folder.

    Returns the fingerprint of another one that was there, "" if there was none. Raises EngineError.
    """
    frontend = of_service(engine.containers.of_project(deployment.name), Service.FRONTEND)
    if frontend is None:
        raise EngineError("The frontend's container no longer exists.", ("deployer up",))
    content, before = _of_frontend(engine, frontend), fingerprint(deployment)
    if read_if_there(deployment.ca_file) != content:
        write_atomically(deployment.ca_file, content, PUBLIC)
    return before if before != fingerprint_of_pem(content) else ""


def findings(engine: Engine, deployment: Deployment, frontend: ServiceContainer | None) -> Iterator[Finding]:
    """Say so if a running frontend has another CA than the recorded one.

    Caddy makes one when it starts with a volume that has none, also without `up`.
    """
    known = fingerprint(deployment)
    if not known or frontend is None:
        return
    try:
        found = fingerprint_of_pem(_of_frontend(engine, frontend))
    except EngineError:
        # What keeps it from answering is told with the service.
        return
    if found and found != known:
        yield Finding(
            FindingState.WRONG,
            f"The registry's own CA is another one than before: {_how_lost(deployment)} Clients that trust the old one "
            f"(SHA-256 {known}) refuse the new one (SHA-256 {found}).",
            (
                f"If there is a copy of the volume: put its content back, then: docker restart {frontend.name}",
                "Or keep the new one: deployer up, then on each client: deployer configure-daemon",
            ),
        )


def replaced(deployment: Deployment, old: str) -> str:
    """What to say of a new CA that was recorded in place of an `old` one."""
    return (
        f"The registry's own CA is another one than before: {_how_lost(deployment)} Clients that trust the old one "
        f"(SHA-256 {old}) refuse the registry until they trust the new one: deployer configure-daemon"
    )


def _how_lost(deployment: Deployment) -> str:
    return f"the volume {deployment.name}_frontend was emptied or replaced."


def _of_frontend(engine: Engine, frontend: ServiceContainer) -> bytes:
    return engine.containers.execute(frontend.id, "cat", f"{FRONTEND_DATA}/{IN_FRONTEND}").encode()


def volume_of(deployment: Deployment) -> str:
    """The volume that has the CA's private key."""
    return f"{deployment.name}_frontend"


def is_served(stack: Stack) -> bool:
    """Whether clients trust a CA of the deployment's own, and the next `up` serves a certificate of such a CA again."""
    was_made = bool(fingerprint(stack.deployment)) or _was_made(stack.deployment)
    return stack.settings.tls.is_internal and was_made


def lost(deployment: Deployment, wanted: Wanted, there: Inventory) -> Iterator[str]:
    """Say where the CA that clients trust has gone with its volume, and another would take its place.

    That there was one is known by its certificate here or, if that is lost too, by an `up` that came to its end.
    """
    known = fingerprint(deployment)
    volume = volume_of(deployment)
    is_gone = any(one.name == volume for one in wanted.volumes) and all(one.name != volume for one in there.volumes)
    if is_gone and (known or _was_made(deployment)):
        sign = f" (SHA-256 {known})" if known else ""
        yield (
            f"The registry's own CA was lost with the volume {volume}. A new one will be created, and clients that "
            f"trust the old one{sign} will refuse the registry until they trust the new one: deployer configure-daemon."
        )


def _was_made(deployment: Deployment) -> bool:
    """Whether the registry has answered with a certificate of its own CA, as far as the last `up` tells."""
    record = Record.read(deployment.record_file)
    return record is not None and record.tls.get("mode") == TlsMode.INTERNAL and deployment.release_file.exists()


def fingerprint(deployment: Deployment) -> str:
    """The SHA-256 fingerprint of the certificate that is kept, as openssl prints it; "" if there is no whole one."""
    return fingerprint_of_pem(read_if_there(deployment.ca_file) or b"")


def fingerprint_of_pem(content: bytes) -> str:
    """The SHA-256 fingerprint of a certificate, as openssl prints it; "" if it is not a whole one."""
    certificate = der_of(content)
    return fingerprint_of(hashlib.sha256(certificate).hexdigest()) if certificate else ""
