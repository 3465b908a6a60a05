"""What `docker info` reports beyond the facts that commands need: what doctor checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# moby: daemon/containerd/service.go, Info.
_CONTAINERD = "io.containerd.snapshotter.v1"
_WARNING = re.compile(r"^\[?(?:DEPRECATION NOTICE|WARNING)\]?:\s*", re.IGNORECASE)


@dataclass(frozen=True)
class AddressPool:
    """A range from which the engine gives networks their addresses; `size` is the prefix that each gets."""

    base: str
    size: int


@dataclass(frozen=True)
class Plugin:
    """A plugin of the Docker client, its file, why it does not run ("" if it does), and the files that it hides."""

    name: str
    version: str
    path: str
    error: str
    shadowed: tuple[str, ...]


@dataclass(frozen=True)
class EngineReport:
    """An engine's options and state. `time` is its clock; `pools` is empty for the default ones."""

    options: frozenset[str]
    containerd_images: bool
    live_restore: bool
    warnings: tuple[str, ...]
    proxies: dict[str, str]
    pools: tuple[AddressPool, ...]
    time: datetime | None

    @classmethod
    def of(cls, info: dict[str, Any]) -> EngineReport:
        """Read what the engine reports about itself."""
        options = (str(option).partition(",")[0].removeprefix("name=") for option in info.get("SecurityOptions") or ())
        status = dict(pair for pair in info.get("DriverStatus") or () if len(pair) == 2)
        return cls(
            options=frozenset(options),
            containerd_images=status.get("driver-type") == _CONTAINERD,
            live_restore=bool(info.get("LiveRestoreEnabled")),
            warnings=tuple(_WARNING.sub("", str(warning)) for warning in info.get("Warnings") or ()),
            proxies=proxies_of(info),
            pools=tuple(AddressPool(pool["Base"], pool["Size"]) for pool in info.get("DefaultAddressPools") or ()),
            time=_time(str(info.get("SystemTime") or "")),
        )


def proxies_of(info: dict[str, Any]) -> dict[str, str]:
    """The variables that name the engine's proxies; a login to one is masked (moby, daemon/info.go)."""
    keys = {"HTTP_PROXY": "HttpProxy", "HTTPS_PROXY": "HttpsProxy", "NO_PROXY": "NoProxy"}
    return {name: str(info[key]) for name, key in keys.items() if info.get(key)}


def plugins_of(client: dict[str, Any]) -> tuple[Plugin, ...]:
    """The plugins in what `docker info` reports about the client (docker/cli, cli-plugins/manager/plugin.go)."""
    return tuple(
        Plugin(
            name=str(plugin.get("Name") or ""),
            version=str(plugin.get("Version") or ""),
            path=str(plugin.get("Path") or ""),
            error=_error(plugin.get("Err")),
            shadowed=tuple(plugin.get("ShadowedPaths") or ()),
        )
        for plugin in client.get("Plugins") or ()
    )


def _error(found: object) -> str:
    # Older clients print the error's inside, which may be empty, instead of its words.
    return found if isinstance(found, str) else "it does not respond like a plugin" if found is not None else ""


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
