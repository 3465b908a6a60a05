"""Whether a certificate was accepted, and by which of OpenSSL's codes not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_HANDSHAKE = -1


class Failure(StrEnum):
    """Why a connection was not verified."""

    UNKNOWN_CA = "unknown CA"
    INVALID_CA = "invalid CA"
    OTHER_NAME = "other name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    OTHER = "other"


# openssl, x509_vfy.h: X509_V_ERR_*.
_FAILURES = {
    **dict.fromkeys((2, 7, 18, 19, 20, 21), Failure.UNKNOWN_CA),
    9: Failure.NOT_YET_VALID,
    10: Failure.EXPIRED,
    24: Failure.INVALID_CA,
    **dict.fromkeys((62, 64), Failure.OTHER_NAME),
}


@dataclass(frozen=True)
class Verdict:
    """Whether a connection was verified; if not, `code` is OpenSSL's, with its words."""

    code: int = 0
    words: str = ""

    @classmethod
    def of(cls, error: OSError) -> Verdict:
        """What an error says that a connection ended with; without a code if the handshake failed otherwise."""
        code: int = getattr(error, "verify_code", _HANDSHAKE)
        return cls(code, str(getattr(error, "verify_message", error)))

    @property
    def failure(self) -> Failure | None:
        """Why it was not verified, None if it was."""
        return None if self.ok else _FAILURES.get(self.code, Failure.OTHER)

    @property
    def ok(self) -> bool:
        """Whether it was verified."""
        return self.code == 0

    @property
    def is_unknown(self) -> bool:
        """Whether none of the CAs signed what was presented."""
        return self.failure is Failure.UNKNOWN_CA
