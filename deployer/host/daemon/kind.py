"""The kinds of Docker engine, by who runs it."""

from __future__ import annotations

from enum import StrEnum


class EngineKind(StrEnum):
    """Whose the engine is: the system's, an ordinary user's, or Docker Desktop's, in its virtual machine."""

    SYSTEM = "system"
    ROOTLESS = "rootless"
    DESKTOP = "desktop"
