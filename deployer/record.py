"""What `up` last brought a deployment up with, kept in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Record:
    """Where a deployment of this machine is reached.

    Commands that are given its name alone find it by this. `tls` holds what was set of it.
    """

    host: str
    port: int
    tls: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Record | None:
        """The record in a file; None where there is none, or none that can be read."""
        try:
            return cls(**json.loads(file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def content(self) -> bytes:
        """The record as its file holds it."""
        return (json.dumps(asdict(self)) + "\n").encode()
