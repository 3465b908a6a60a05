"""Caddy's own CA: its certificate, which clients are to trust, and what that is known by."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from deployer.engine.values import of_service
from deployer.errors import EngineError
from deployer.host.files import PUBLIC, read_if_there, write_atomically
from deployer.layout import FRONTEND_DATA, Service
from deployer.tls.certificate import der_of, fingerprint_of

if TYPE_CHECKING:
    from deployer.engine.engine import Engine
    from deployer.paths import Deployment

IN_FRONTEND = "caddy/pki/authorities/local/root.crt"
"""Where it is below the folder that has the frontend's data."""


def keep(engine: Engine, deployment: Deployment) -> None:
    """Take the certificate out of the frontend's container into the deployment's folder. Raises EngineError."""
    frontend = of_service(engine.containers.of_project(deployment.name), Service.FRONTEND)
    if frontend is None:
        raise EngineError("The frontend's container no longer exists.", ("deployer up",))
    content = engine.containers.execute(frontend.id, "cat", f"{FRONTEND_DATA}/{IN_FRONTEND}").encode()
    if read_if_there(deployment.ca_file) != content:
        write_atomically(deployment.ca_file, content, PUBLIC)


def fingerprint(deployment: Deployment) -> str:
    """The SHA-256 fingerprint of the certificate that is kept, as openssl prints it; "" if there is no whole one."""
    return fingerprint_of_pem(read_if_there(deployment.ca_file) or b"")


def fingerprint_of_pem(content: bytes) -> str:
    """The SHA-256 fingerprint of a certificate, as openssl prints it; "" if it is not a whole one."""
    certificate = der_of(content)
    return fingerprint_of(hashlib.sha256(certificate).hexdigest()) if certificate else ""
