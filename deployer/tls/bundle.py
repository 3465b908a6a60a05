"""The list of CAs that this machine's system trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# In Go's order (crypto/x509, root_linux.go), so that we ask the same as Docker does.
_BUNDLES = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
    "etc/pki/tls/cacert.pem",
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "etc/ssl/cert.pem",
)


def bundle(root: Path) -> bytes:
    """All the CAs that the system trusts, in PEM; none if no list of them is found."""
    for name in _BUNDLES:
        try:
            return (root / name).read_bytes()
        except OSError:
            continue
    return b""
