"""The deployment that articles on token servers come to: three users, two rules, TLS; and what its clients trust."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.run import PATIENCE_SECONDS
from tests.support.signed_in import write_rules, write_users

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.stack import DeployedStack

USERS = ("admin", "user01", "user02")
RULES = (
    {"users": ["admin"], "allow": ["pull", "push", "delete"]},
    {"users": ["user01"], "repositories": ["team/*", "centos"], "allow": ["pull"]},
)


def deploy_articles(make_stack: Callable[..., DeployedStack], *more: str) -> DeployedStack:
    """Bring it up, with more users if need be. user02 has a password, and no rule."""
    stack = make_stack(DEPLOYER_TLS="internal")
    write_rules(stack, RULES)
    write_users(stack, (*USERS, *more))
    stack.up()
    return stack


def ca_of(stack: DeployedStack) -> Path:
    """The certificate that clients are to trust."""
    return stack.directory / "ca.crt"


def another_ca() -> bytes:
    """A certificate of someone else's CA, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody else")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def pin(stack: DeployedStack) -> str:
    """The hash by which Chromium takes the certificate, which was checked against the CA before."""
    context = ssl.create_default_context(cafile=str(ca_of(stack)))
    with (
        socket.create_connection(("localhost", stack.port), timeout=PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        found = x509.load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
    key = found.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
