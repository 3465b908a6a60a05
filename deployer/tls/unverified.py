"""TLS without a look at the certificate, for questions to this machine's own frontend that hold no secret."""

from __future__ import annotations

import ssl


def unverified() -> ssl.SSLContext:
    """A context that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
