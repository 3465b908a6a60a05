"""How platforms are called, in containerd's normal form (containerd/platforms, Normalize)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN = frozenset({"", "unknown"})
_SYSTEMS = {"macos": "darwin"}
# Other tools' names: the architecture, and the variant that the name implies; None if it implies none.
_ARCHITECTURES: dict[str, tuple[str, str | None]] = {
    "i386": ("386", ""),
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_VARIANTS = {
    "amd64": {"v1": ""},
    "arm64": {"8": "", "v8": ""},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
}


@dataclass(frozen=True)
class Platform:
    """What an image runs on, as it says; `name` and `label` are what people read."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def is_known(self) -> bool:
        """Whether a machine can be of this platform; attestations are filed under unknown/unknown."""
        return self.os.lower() not in _UNKNOWN and self.architecture.lower() not in _UNKNOWN

    @property
    def name(self) -> str:
        """As `docker --platform` takes it, "" if the platform is not known."""
        if not self.is_known:
            return ""
        os, written = self.os.lower(), self.architecture.lower()
        architecture, implied = _ARCHITECTURES.get(written, (written, None))
        variant = self.variant.lower() if implied is None else implied
        variant = _VARIANTS.get(architecture, {}).get(variant, variant)
        return "/".join(part for part in (_SYSTEMS.get(os, os), architecture, variant) if part)

    @property
    def label(self) -> str:
        """The name with the version of the system, which distinguishes those of Windows."""
        return f"{self.name} {self.os_version}".strip() if self.name else ""

    def completed(self, other: Platform | None) -> Platform:
        """This one, with what it leaves open as another says it: of an index's entry, its image's configuration."""
        if other is None or not other.is_known or self.os_version:
            return self
        if not self.is_known:
            return other
        return replace(self, os_version=other.os_version) if other.name == self.name else self


def labels(platforms: Iterable[Platform]) -> tuple[str, ...]:
    """The names in a list, each once; those of several versions with these."""
    known = [platform for platform in platforms if platform.is_known]
    versions: dict[str, set[str]] = {}
    for platform in known:
        versions.setdefault(platform.name, set()).add(platform.os_version)
    told = (one.label if len(versions[one.name]) > 1 else one.name for one in known)
    return tuple(dict.fromkeys(told))
