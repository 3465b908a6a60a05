"""Times in files that deployer wrote."""

from __future__ import annotations

from datetime import UTC, datetime

# Beyond, a time zone leads out of what can be represented.
_YEARS = range(1970, 9999)


def timestamp_of(value: object) -> datetime:
    """A time as isoformat() writes it, in UTC. Raises ValueError; one without a zone cannot be compared."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else None
    if found is None or found.utcoffset() is None or found.year not in _YEARS:
        raise ValueError(value)
    return found.astimezone(UTC)
